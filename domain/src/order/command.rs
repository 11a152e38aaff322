//! What somebody asks of an order. The fields are as they came: the decision checks them all at once.

mod cash;
mod place;
mod progress;

use serde::{Deserialize, Serialize, Serializer};

use crate::{actor::Action, entity::Command};

pub use cash::{
    CollectCash, CorrectCollection, FailCollection, Proof, ReconcileCash, Refund, RequestReturn,
};
pub use place::{
    Address, AdjustmentInput, BundleInput, Contact, LineInput, PackInput, PlaceOrder, Slot,
};
pub use progress::{
    Cancel, ChangeLines, DecideSubstitution, LineQuantityInput, Pay, ProposalRef,
    ProposeSubstitution, RecordDelivery, RecordFailedDelivery, RecordPicking, RecordShipment,
    ReportShort,
};

/// One request to change an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum OrderCommand {
    /// Place a new order.
    Place(Box<PlaceOrder>),
    /// Reserve every line at the order's store.
    Allocate,
    /// Record the payment of the cash due.
    Pay(Pay),
    /// Hand the order to picking: once.
    Release,
    /// Picking progress: 3500, 3600 or 3700.
    RecordPicking(RecordPicking),
    /// Shipment progress: 7000 or 7100.
    RecordShipment(RecordShipment),
    /// Delivery progress: 7200, 7300 or 7500.
    RecordDelivery(RecordDelivery),
    /// Cancel the whole order.
    Cancel(Cancel),
    /// Change quantities before the release.
    ChangeLines(ChangeLines),
    /// Picking found less than ordered.
    ReportShort(ReportShort),
    /// Picking offers another product for a line.
    ProposeSubstitution(ProposeSubstitution),
    /// The customer's answer to an offer.
    DecideSubstitution(DecideSubstitution),
    /// The time for an answer is over.
    ExpireSubstitution(ProposalRef),
    /// The rider came and could not hand over.
    RecordFailedDelivery(RecordFailedDelivery),
    /// The rider has the customer's cash.
    CollectCash(CollectCash),
    /// No cash came.
    FailCollection(FailCollection),
    /// The amount collected was another one.
    CorrectCollection(CorrectCollection),
    /// The partner's remittance with this order's cash was closed.
    ReconcileCash(ReconcileCash),
    /// Take goods back after delivery.
    RequestReturn(RequestReturn),
    /// The store has the goods back.
    ReceiveReturn,
    /// Money was given back to the customer.
    Refund(Refund),
    /// Picking has not begun in time.
    FlagStuck,
    /// Nobody said in time what became of the cash.
    FlagOverdueCollection,
}

impl Command for OrderCommand {
    /// Whether a cancel is late depends on the order, so the decision asks for
    /// [`Action::CancelLate`] itself.
    fn action(&self) -> Action {
        match self {
            Self::Place(_) => Action::Place,
            Self::Allocate => Action::Allocate,
            Self::Pay(_) => Action::Pay,
            Self::Release => Action::Release,
            Self::RecordPicking(_) => Action::RecordPicking,
            Self::RecordShipment(_) => Action::RecordShipment,
            Self::RecordDelivery(_) | Self::RecordFailedDelivery(_) => Action::RecordDelivery,
            Self::Cancel(_) => Action::Cancel,
            Self::ChangeLines(_) => Action::ChangeLines,
            Self::ReportShort(_) | Self::ProposeSubstitution(_) => Action::ReportShort,
            Self::DecideSubstitution(_) => Action::DecideSubstitution,
            Self::CollectCash(_) | Self::FailCollection(_) => Action::CollectCash,
            Self::CorrectCollection(_) => Action::CorrectCash,
            Self::RequestReturn(_) => Action::RequestReturn,
            Self::ReceiveReturn => Action::ReceiveReturn,
            Self::Refund(_) => Action::Refund,
            Self::ExpireSubstitution(_)
            | Self::ReconcileCash(_)
            | Self::FlagStuck
            | Self::FlagOverdueCollection => Action::RunProcesses,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Place(_) => "place",
            Self::Allocate => "allocate",
            Self::Pay(_) => "pay",
            Self::Release => "release",
            Self::RecordPicking(_) => "record_picking",
            Self::RecordShipment(_) => "record_shipment",
            Self::RecordDelivery(_) => "record_delivery",
            Self::Cancel(_) => "cancel",
            Self::ChangeLines(_) => "change_lines",
            Self::ReportShort(_) => "report_short",
            Self::ProposeSubstitution(_) => "propose_substitution",
            Self::DecideSubstitution(_) => "decide_substitution",
            Self::ExpireSubstitution(_) => "expire_substitution",
            Self::RecordFailedDelivery(_) => "record_failed_delivery",
            Self::CollectCash(_) => "collect_cash",
            Self::FailCollection(_) => "fail_collection",
            Self::CorrectCollection(_) => "correct_collection",
            Self::ReconcileCash(_) => "reconcile_cash",
            Self::RequestReturn(_) => "request_return",
            Self::ReceiveReturn => "receive_return",
            Self::Refund(_) => "refund",
            Self::FlagStuck => "flag_stuck",
            Self::FlagOverdueCollection => "flag_overdue_collection",
        }
    }

    fn creates(&self) -> bool {
        matches!(self, Self::Place(_))
    }

    /// A new order whose ids differ in what is cleaned from them only is the same order.
    fn content<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Place(place) => match place.with_clean_ids() {
                Some(clean) => Self::Place(Box::new(clean)).serialize(serializer),
                None => self.serialize(serializer),
            },
            _ => self.serialize(serializer),
        }
    }
}
