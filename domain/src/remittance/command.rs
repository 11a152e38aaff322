//! What may be asked of a remittance.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ExpectedItem, RemittanceId, Resolution};
use crate::{
    actor::Action,
    entity::Command,
    ids::{OrderId, RegionId, StoreId},
    money::Money,
    order::Collection,
};

/// What may be asked of a remittance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum RemittanceCommand {
    /// The day is over: these items are expected; none at all opens a remittance that was only reported. Again
    /// later: further items, heard of late, and items whose amount was corrected since, which replaces what was
    /// expected. Items that are known as they are change nothing.
    Expect {
        /// The store's region.
        region: RegionId,
        /// The items, at most 1,000 in all of the remittance.
        items: Vec<ExpectedItem>,
    },
    /// The partner's report. A later one replaces it. One without items says that the partner accounts for
    /// nothing; so does, entered by operations, one for a partner that never reports: every expected item is
    /// missing then, to be resolved one by one. No deadline does that by itself: silence is not an answer.
    Report {
        /// The partner's id of the report, 1 to 50 characters: the same report again changes nothing, another one
        /// under the same id is refused.
        report_id: String,
        /// What the partner accounts for: at most 1,000 items.
        items: Vec<ReportedItemInput>,
        /// The partner's own sum, checked where given: within 0.01.
        #[serde(default)]
        total: Option<Money>,
    },
    /// An item's comparison is not accepted: one that agrees can be disputed as well.
    Dispute {
        /// Which item.
        reference: String,
        /// Why, 1 to 500 characters.
        reason: String,
    },
    /// What counts for an item that does not agree, or is disputed. Again: it counts otherwise.
    Resolve {
        /// Which item.
        reference: String,
        /// The cash accepted as handed over by the rider, as [`Resolution`] says.
        accepted: Money,
        /// What becomes of the rest.
        resolution: Resolution,
        /// Why, 1 to 500 characters.
        reason: String,
    },
    /// Settle it: both sides are there, and every item agrees or is resolved. Final.
    Close,
    /// The partner handed cash to the store.
    Receive {
        /// How much: whole satang above zero, at most what is owed.
        amount: Money,
        /// The receipt's number, at most 50 characters.
        #[serde(default)]
        reference: Option<String>,
    },
    /// The store banked cash.
    Deposit {
        /// How much: whole satang above zero, at most what was received and not banked yet.
        amount: Money,
        /// The slip's number, at most 50 characters.
        #[serde(default)]
        reference: Option<String>,
    },
}

/// Cash that a partner accounts for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportedItemInput {
    /// The order's number, or the partner's own id of it: 1 to 50 characters, once in a report.
    pub reference: String,
    /// How much: whole satang, not negative.
    pub amount: Money,
}

/// What a decision on a remittance needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemittanceFacts {
    /// Which remittance it is, for its first event.
    pub id: RemittanceId,
    /// Now.
    pub now: DateTime<Utc>,
    /// The store's region; `None` when nobody knows the store.
    pub region: Option<RegionId>,
    /// The orders that a report's references name, as far as anybody knows them.
    pub orders: Vec<(String, OrderId)>,
    /// The orders of extra items that are to be accepted, as far as anybody knows them: with a resolution that of its
    /// item, with the closing all of them.
    pub extras: Vec<ExtraOrder>,
}

/// An order for which cash is reported and not expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraOrder {
    /// Which order.
    pub order_id: OrderId,
    /// Its store.
    pub store_id: StoreId,
    /// Where its cash stands.
    pub collection: Collection,
}

impl Command for RemittanceCommand {
    fn action(&self) -> Action {
        match self {
            Self::Expect { .. } => Action::RunProcesses,
            Self::Report { .. } => Action::ReportRemittance,
            Self::Dispute { .. }
            | Self::Resolve { .. }
            | Self::Close
            | Self::Receive { .. }
            | Self::Deposit { .. } => Action::Reconcile,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Expect { .. } => "expect_remittance",
            Self::Report { .. } => "report_remittance",
            Self::Dispute { .. } => "dispute_item",
            Self::Resolve { .. } => "resolve_item",
            Self::Close => "close_remittance",
            Self::Receive { .. } => "receive_cash",
            Self::Deposit { .. } => "deposit_cash",
        }
    }

    fn creates(&self) -> bool {
        matches!(self, Self::Expect { .. } | Self::Report { .. })
    }
}
