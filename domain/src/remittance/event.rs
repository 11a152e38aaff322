//! What happened to a remittance.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::RemittanceId;
use crate::{
    entity::event_types,
    ids::{OrderId, RegionId},
    money::Money,
};

/// One fact of a remittance's life.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum RemittanceEvent {
    /// Items are expected: the day's, later ones that were heard of late, or ones whose amount was corrected.
    #[serde(rename = "remittance.expected")]
    Expected {
        /// Which remittance.
        id: RemittanceId,
        /// The store's region.
        region: RegionId,
        /// The items that are new, or differ from what was expected for their order before.
        items: Vec<ExpectedItem>,
    },
    /// The partner reported.
    #[serde(rename = "remittance.reported")]
    Reported {
        /// Which remittance.
        id: RemittanceId,
        /// The store's region.
        region: RegionId,
        /// The partner's id of the report.
        report_id: String,
        /// What the partner accounts for; replaces an earlier report.
        items: Vec<ReportedItem>,
    },
    /// Both sides were compared. An item with the order, the outcome and the amounts of the earlier comparison keeps
    /// its dispute and its resolution; nothing else of the earlier one stays.
    #[serde(rename = "remittance.compared")]
    Compared {
        /// Item by item, in the order of the references.
        items: Vec<ComparedItem>,
        /// The sums.
        summary: Summary,
    },
    /// An item's comparison is not accepted.
    #[serde(rename = "remittance.item_disputed")]
    ItemDisputed {
        /// Which item.
        reference: String,
        /// Why.
        reason: String,
        /// The sums after it.
        summary: Summary,
    },
    /// It was settled what counts for an item.
    #[serde(rename = "remittance.item_resolved")]
    ItemResolved {
        /// Which item, and how.
        #[serde(flatten)]
        resolved: ResolvedItem,
        /// The sums after it.
        summary: Summary,
    },
    /// Settled: from the rider's hands to the partner's debt.
    #[serde(rename = "remittance.closed")]
    Closed {
        /// How every item counts in the end.
        items: Vec<SettledItem>,
        /// The sums.
        summary: Summary,
    },
    /// The partner handed cash to the store.
    #[serde(rename = "remittance.cash_received")]
    CashReceived {
        /// How much.
        amount: Money,
        /// What the partner still owes after it.
        remaining: Money,
        /// The receipt's number.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reference: Option<String>,
    },
    /// The store banked cash.
    #[serde(rename = "remittance.deposited")]
    Deposited {
        /// How much.
        amount: Money,
        /// What the store still holds of it.
        remaining: Money,
        /// The slip's number.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reference: Option<String>,
    },
}

event_types!(RemittanceEvent {
    "remittance.expected" = Expected { .. },
    "remittance.reported" = Reported { .. },
    "remittance.compared" = Compared { .. },
    "remittance.item_disputed" = ItemDisputed { .. },
    "remittance.item_resolved" = ItemResolved { .. },
    "remittance.closed" = Closed { .. },
    "remittance.cash_received" = CashReceived { .. },
    "remittance.deposited" = Deposited { .. },
});

/// Cash that a partner's rider collected for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ExpectedItem {
    /// The order.
    pub order_id: OrderId,
    /// Its number, which reports name it by.
    pub reference: String,
    /// The cash collected.
    pub amount: Money,
    /// The rider, as the partner knows them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rider_id: Option<String>,
    /// When it was collected.
    pub collected_at: DateTime<Utc>,
}

/// Cash that a partner accounts for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReportedItem {
    /// What the partner names the order by.
    pub reference: String,
    /// The order, where the reference was known when the report came.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order_id: Option<OrderId>,
    /// How much, not negative.
    pub amount: Money,
}

/// How the two sides of an item compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ItemOutcome {
    /// They agree within 0.01.
    Matched,
    /// They do not.
    Variance,
    /// Expected and not reported.
    Missing,
    /// Reported and not expected.
    Extra,
}

/// One item, compared: the amounts alone, so that the largest comparison stays below the largest event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ComparedItem {
    /// The order's number; for an extra item the partner's reference.
    pub reference: String,
    /// The order; `None` for a reference that nobody knows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order_id: Option<OrderId>,
    /// The rider; `None` for an extra item.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rider_id: Option<String>,
    /// How they compare.
    pub outcome: ItemOutcome,
    /// What is expected; nothing for an extra one.
    pub expected: Money,
    /// What is reported; nothing for a missing one.
    pub reported: Money,
    /// `reported - expected`.
    pub variance: Money,
}

/// How an item counts in the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SettledItem {
    /// The order's number; for an extra item the partner's reference.
    pub reference: String,
    /// The order; `None` for a reference that nobody knows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order_id: Option<OrderId>,
    /// How the two sides compared.
    pub outcome: ItemOutcome,
    /// What was expected of the rider; nothing for an extra one.
    pub expected: Money,
    /// The cash that counts as handed over to the partner.
    pub accepted: Money,
}

/// What counts for an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ResolvedItem {
    /// The order's number.
    pub reference: String,
    /// The cash that counts as handed over.
    pub accepted: Money,
    /// What becomes of the rest.
    pub resolution: Resolution,
    /// Why.
    pub reason: String,
}

/// What becomes of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Resolution {
    /// The partner pays what is expected after all: accepted = expected.
    PartnerPays,
    /// The report was right, the difference is written off: accepted = reported.
    WrittenOff,
    /// Another amount was agreed on: whole satang from nothing up to the larger of the two.
    Agreed,
}

/// Sums and counts of a comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Summary {
    pub expected: Money,
    pub reported: Money,
    /// `reported - expected`.
    pub variance: Money,
    /// What counts as handed over to the partner.
    pub accepted: Money,
    pub matched: u32,
    pub differing: u32,
    pub missing: u32,
    pub extra: u32,
    /// Items that somebody must still decide about.
    pub open: u32,
}
