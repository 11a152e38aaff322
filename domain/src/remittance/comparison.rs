//! An item of a remittance: both sides of it, and what was said about it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ComparedItem, ItemOutcome, ResolvedItem, SettledItem};
use crate::{ids::OrderId, money::Money};

/// One item, compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The order's number; for an extra item the partner's reference.
    pub reference: String,
    /// The order; `None` for a reference that nobody knows.
    pub order_id: Option<OrderId>,
    /// The rider; `None` for an extra item.
    pub rider_id: Option<String>,
    /// How they compare.
    pub outcome: ItemOutcome,
    /// What is expected; nothing for an extra one.
    pub expected: Money,
    /// What is reported; nothing for a missing one.
    pub reported: Money,
    /// `reported - expected`.
    pub variance: Money,
    /// The dispute about it, if there is one.
    pub dispute: Option<String>,
    /// How it was resolved, if it was.
    pub resolved: Option<ResolvedItem>,
}

impl Comparison {
    /// The cash that counts as handed over to the partner: as resolved, else as reported.
    pub fn accepted(&self) -> Money {
        self.resolved.as_ref().map_or(self.reported, |r| r.accepted)
    }

    /// Whether somebody must still decide about it.
    pub fn is_open(&self) -> bool {
        self.resolved.is_none() && (self.dispute.is_some() || self.outcome != ItemOutcome::Matched)
    }

    /// How it counts in the end.
    pub fn settled(&self) -> SettledItem {
        SettledItem {
            reference: self.reference.clone(),
            order_id: self.order_id,
            outcome: self.outcome,
            expected: self.expected,
            accepted: self.accepted(),
        }
    }

    /// Whether nothing about it changed, so that what was said about it still holds.
    pub(super) fn is_unchanged(&self, item: &ComparedItem) -> bool {
        self.order_id == item.order_id
            && self.outcome == item.outcome
            && self.expected == item.expected
            && self.reported == item.reported
    }
}

impl From<&ComparedItem> for Comparison {
    fn from(item: &ComparedItem) -> Self {
        Self {
            reference: item.reference.clone(),
            order_id: item.order_id,
            rider_id: item.rider_id.clone(),
            outcome: item.outcome,
            expected: item.expected,
            reported: item.reported,
            variance: item.variance,
            dispute: None,
            resolved: None,
        }
    }
}

/// What the items of one rider come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RiderTotal {
    /// The rider; `None` for items of which nobody knows the rider, extra ones among them.
    pub rider_id: Option<String>,
    /// How many items.
    pub items: u32,
    /// How many of them somebody must still decide about.
    pub open: u32,
    /// What is expected.
    pub expected: Money,
    /// What is reported.
    pub reported: Money,
    /// `reported - expected`.
    pub variance: Money,
    /// What counts as handed over to the partner.
    pub accepted: Money,
}

/// Sub-totals per rider, those of no rider first.
pub fn by_rider(items: &[Comparison]) -> Vec<RiderTotal> {
    let mut riders: BTreeMap<Option<&str>, RiderTotal> = BTreeMap::new();
    for item in items {
        let total = riders.entry(item.rider_id.as_deref()).or_default();
        total.items = total.items.saturating_add(1);
        total.open = total.open.saturating_add(u32::from(item.is_open()));
        total.expected = total.expected.saturating_add(item.expected);
        total.reported = total.reported.saturating_add(item.reported);
        total.variance = total.reported.saturating_sub(total.expected);
        total.accepted = total.accepted.saturating_add(item.accepted());
    }
    riders
        .into_iter()
        .map(|(rider_id, total)| RiderTotal {
            rider_id: rider_id.map(str::to_owned),
            ..total
        })
        .collect()
}
