//! A remittance: what a delivery partner owes a store for one business day, what the partner reports, and how the
//! two are settled.
//!
//! Expected items come from the orders whose cash the partner's riders collected that day; the partner's report is
//! compared item by item; differences are disputed and resolved; closing settles every item. After it only cash
//! moves: from the partner to the store, and from the store to the bank.

mod apply;
mod command;
mod comparison;
mod content;
mod decide;
mod event;
mod extra;
mod id;
mod matching;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use command::{ExtraOrder, RemittanceCommand, RemittanceFacts, ReportedItemInput};
pub use comparison::{Comparison, RiderTotal, by_rider};
pub use event::{
    ComparedItem, ExpectedItem, ItemOutcome, RemittanceEvent, ReportedItem, Resolution,
    ResolvedItem, SettledItem, Summary,
};
pub use id::RemittanceId;

use crate::{
    actor::Actor,
    entity::Entity,
    ids::{RegionId, StoreId},
    money::Money,
    refusal::Refusal,
};

/// The most items that either side of a remittance has. A comparison names both sides: 2,000 items of at most 460
/// bytes stay below 1 MB, the largest event. A store hands a busy day's 300 orders to all its partners.
pub const MAX_ITEMS: usize = 1_000;

/// A remittance as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remittance {
    /// Which; `None` before the first event.
    pub id: Option<RemittanceId>,
    /// The store's region.
    pub region: Option<RegionId>,
    /// Where it stands.
    pub status: RemittanceStatus,
    /// Whether the day's expected items are known: only then is a report compared.
    pub is_opened: bool,
    /// What is expected.
    pub expected: Vec<ExpectedItem>,
    /// The partner's last report, if there is one.
    pub reported: Option<Vec<ReportedItem>>,
    /// The comparison of the two, once both are there; in the order of the references.
    pub comparisons: Vec<Comparison>,
    /// Sums and counts of the comparison.
    pub summary: Summary,
    /// Reports taken in, oldest first.
    pub reports: Vec<TakenReport>,
    /// Cash handed over to the store so far.
    pub received: Money,
    /// Cash banked so far.
    pub deposited: Money,
}

/// A report taken in: its id never stands for another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TakenReport {
    /// The partner's id of it.
    pub report_id: String,
    /// What it said, as [`content::of`] names it: the items of a hundred reports would be too much to keep.
    pub content: Uuid,
}

/// Where a remittance stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RemittanceStatus {
    /// One side is there and the other is not: expected items without a report, or the other way round.
    #[default]
    Awaiting,
    /// Compared: every item agrees or is resolved.
    Matched,
    /// Compared: some item does not agree, or is disputed.
    Differing,
    /// Settled: nothing about it changes but the cash that is handed over and banked.
    Closed,
}

impl Remittance {
    /// The cash that the partner owes the store once it is closed.
    pub fn owed(&self) -> Money {
        self.summary.accepted.saturating_sub(self.received)
    }

    /// The cash that the store received and has not banked.
    pub fn held(&self) -> Money {
        self.received.saturating_sub(self.deposited)
    }

    /// Whether both sides are there and were compared.
    pub const fn is_compared(&self) -> bool {
        self.is_opened && self.reported.is_some()
    }

    /// The item of a reference.
    pub fn item(&self, reference: &str) -> Option<&Comparison> {
        self.comparisons
            .iter()
            .find(|item| item.reference == reference)
    }
}

impl Entity for Remittance {
    const TYPE: &'static str = "remittance";
    const STATE_VERSION: u32 = 2;
    type Id = RemittanceId;
    type Command = RemittanceCommand;
    type Event = RemittanceEvent;
    type Facts = RemittanceFacts;

    fn exists(&self) -> bool {
        self.id.is_some()
    }

    fn apply(&mut self, event: &RemittanceEvent) {
        apply::apply(self, event);
    }

    fn decide(
        &self,
        command: &RemittanceCommand,
        _actor: &Actor,
        facts: &RemittanceFacts,
    ) -> Result<Vec<RemittanceEvent>, Refusal> {
        decide::decide(self, command, facts)
    }

    fn store_id(&self) -> Option<&StoreId> {
        self.id.as_ref().map(RemittanceId::store)
    }

    fn region(&self) -> Option<&RegionId> {
        self.region.as_ref()
    }
}
