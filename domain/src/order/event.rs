//! What happened to an order: the only things ever stored. A variant's fields never change meaning;
//! a breaking change is a new version with an upcaster.

mod changes;
mod placed;
mod sums;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::status::{OrderStatus, PaymentStatus};
use crate::{
    entity::event_types,
    money::Money,
    refusal::Code,
    remittance::{ItemOutcome, RemittanceId},
};

pub use changes::{
    CashCollected, DeclineCause, LineQuantity, Proposal, Replacement, ReturnCause, ReturnRequested,
    ReturnedLine,
};
pub use placed::{
    BundlePart, BundleSource, Channel, ExternalRef, Line, OrderedBundle, Pack, Placed, Sealed,
    Slot, System,
};
pub use sums::{Adjustment, Figures, LineFigures, Totals};

/// One fact of an order's life. `type` on the wire is the name integration partners see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum OrderEvent {
    /// A valid order was placed and priced: status 1000.
    #[serde(rename = "order.placed")]
    Placed(Box<Placed>),
    /// Every line is reserved: status 2000.
    #[serde(rename = "order.allocated")]
    Allocated {
        /// Status before.
        from: OrderStatus,
    },
    /// Reservation was impossible: status 1500.
    #[serde(rename = "order.back_ordered")]
    BackOrdered {
        /// Why.
        reason: String,
        /// The kind of obstacle, where it has a code.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        code: Option<Code>,
    },
    /// Quantities were changed before the release; a line of nothing is cancelled.
    #[serde(rename = "order.lines_changed")]
    LinesChanged {
        /// Why.
        reason: String,
        /// The lines whose quantity changed.
        lines: Vec<LineQuantity>,
        /// What the order comes to now.
        figures: Figures,
    },
    /// The payment is settled: payment status 5000.
    #[serde(rename = "order.paid")]
    Paid {
        /// `COD`.
        method: String,
        /// The cash due: the order total rounded to 0.01.
        amount: Money,
        /// `amount` minus the order total.
        rounding: Money,
    },
    /// The one release was handed to picking: status 3000.
    #[serde(rename = "order.released")]
    Released {
        /// When.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        at: Option<DateTime<Utc>>,
    },
    /// Picking moved on.
    #[serde(rename = "order.picking_recorded")]
    PickingRecorded {
        /// The move.
        #[serde(flatten)]
        step: Step,
    },
    /// Picking offers another product for a line; the customer has until `approve_by` to agree.
    #[serde(rename = "order.substitution_proposed")]
    SubstitutionProposed {
        /// The offer.
        #[serde(flatten)]
        proposal: Proposal,
    },
    /// The customer takes the other product.
    #[serde(rename = "order.substitution_approved")]
    SubstitutionApproved {
        /// The offer, as proposed.
        #[serde(flatten)]
        proposal: Proposal,
        /// What the order comes to now.
        figures: Figures,
    },
    /// The customer does not take the other product: the line is short, which a second event says.
    #[serde(rename = "order.substitution_declined")]
    SubstitutionDeclined {
        /// The offer's id.
        proposal_id: String,
        /// Its line.
        line_number: u16,
        /// By a person, or because nobody answered in time.
        cause: DeclineCause,
    },
    /// Picking found less than ordered; a line of nothing is cancelled.
    #[serde(rename = "order.shorted")]
    Shorted {
        /// Why.
        reason: String,
        /// The sender's id of the report.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        report_id: Option<String>,
        /// The lines that are short and what is left of each.
        lines: Vec<LineQuantity>,
        /// Bundles that went with a short component.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        cancelled_bundles: Vec<String>,
        /// What the order comes to now.
        figures: Figures,
        /// When it happened, where the sender said.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        occurred_at: Option<DateTime<Utc>>,
    },
    /// Shipping moved on.
    #[serde(rename = "order.shipment_recorded")]
    ShipmentRecorded {
        /// The move.
        #[serde(flatten)]
        step: Step,
        /// The carrier's tracking id.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        tracking_id: Option<String>,
        /// The carrier.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        carrier: Option<String>,
        /// The sender's id of the shipment.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        shipment_id: Option<String>,
    },
    /// Delivery moved on.
    #[serde(rename = "order.delivery_recorded")]
    DeliveryRecorded {
        /// The move.
        #[serde(flatten)]
        step: Step,
    },
    /// The rider came and could not hand over: the order stays at 7300 to be tried again.
    #[serde(rename = "order.delivery_failed")]
    DeliveryFailed {
        /// Which attempt, from 1.
        attempt: u8,
        /// The sender's id of the attempt.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        attempt_id: Option<String>,
        /// Why.
        reason: String,
        /// The move to 7300 that the attempt shows, where the order was not there yet.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        step: Option<Step>,
        /// When it happened, where the sender said.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        occurred_at: Option<DateTime<Utc>>,
    },
    /// The rider has the customer's cash.
    #[serde(rename = "order.cash_collected")]
    CashCollected(Box<CashCollected>),
    /// No cash came.
    #[serde(rename = "order.collection_failed")]
    CollectionFailed {
        /// Why.
        reason: String,
        /// Nothing is due any more: the goods go back.
        #[serde(default)]
        is_final: bool,
        /// When it happened, where the sender said.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        occurred_at: Option<DateTime<Utc>>,
    },
    /// Operations corrected the amount collected.
    #[serde(rename = "order.collection_corrected")]
    CollectionCorrected {
        /// The amount recorded so far.
        from: Money,
        /// The amount it was.
        to: Money,
        /// `to` minus the cash due.
        discrepancy: Money,
        /// Why.
        reason: String,
    },
    /// The partner's remittance with this order's cash was closed.
    #[serde(rename = "order.cash_reconciled")]
    CashReconciled {
        /// Which remittance.
        remittance_id: RemittanceId,
        /// How the partner's report compared.
        outcome: ItemOutcome,
        /// The cash expected of the partner.
        expected: Money,
        /// The cash accepted from the partner.
        accepted: Money,
        /// `accepted - expected`.
        variance: Money,
    },
    /// Goods come back: from the customer, or undelivered.
    #[serde(rename = "order.return_requested")]
    ReturnRequested(Box<ReturnRequested>),
    /// The store has the goods back: status 8500.
    #[serde(rename = "order.return_received")]
    ReturnReceived {
        /// When.
        at: DateTime<Utc>,
    },
    /// The customer has money back.
    #[serde(rename = "order.refunded")]
    Refunded {
        /// How much, paid from the store's cash.
        amount: Money,
        /// What is still owed to the customer after it.
        remaining: Money,
        /// The receipt's number.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reference: Option<String>,
    },
    /// The whole order was cancelled: status 9000.
    #[serde(rename = "order.cancelled")]
    Cancelled {
        /// Status before.
        from: OrderStatus,
        /// Why.
        reason: String,
        /// Payment status after: 0 before any cash was collected.
        payment_status: PaymentStatus,
    },
    /// Picking has not begun in time.
    #[serde(rename = "order.stuck")]
    Stuck {
        /// Where the order stands.
        status: OrderStatus,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// Nobody said in time what became of the cash. Never means that it was collected.
    #[serde(rename = "order.collection_overdue")]
    CollectionOverdue {
        /// Since when the goods are with the customer.
        delivered_at: DateTime<Utc>,
    },
}

event_types!(OrderEvent {
    "order.placed" = Placed(_),
    "order.allocated" = Allocated { .. },
    "order.back_ordered" = BackOrdered { .. },
    "order.lines_changed" = LinesChanged { .. },
    "order.paid" = Paid { .. },
    "order.released" = Released { .. },
    "order.picking_recorded" = PickingRecorded { .. },
    "order.substitution_proposed" = SubstitutionProposed { .. },
    "order.substitution_approved" = SubstitutionApproved { .. },
    "order.substitution_declined" = SubstitutionDeclined { .. },
    "order.shorted" = Shorted { .. },
    "order.shipment_recorded" = ShipmentRecorded { .. },
    "order.delivery_recorded" = DeliveryRecorded { .. },
    "order.delivery_failed" = DeliveryFailed { .. },
    "order.cash_collected" = CashCollected(_),
    "order.collection_failed" = CollectionFailed { .. },
    "order.collection_corrected" = CollectionCorrected { .. },
    "order.cash_reconciled" = CashReconciled { .. },
    "order.return_requested" = ReturnRequested(_),
    "order.return_received" = ReturnReceived { .. },
    "order.refunded" = Refunded { .. },
    "order.cancelled" = Cancelled { .. },
    "order.stuck" = Stuck { .. },
    "order.collection_overdue" = CollectionOverdue { .. },
});

impl OrderEvent {
    /// The status that every open line, and so the order, moves to; `None` where it leaves the
    /// status alone or moves single lines only.
    pub const fn status_after(&self) -> Option<OrderStatus> {
        match self {
            Self::Placed(_) => Some(OrderStatus::Open),
            Self::Allocated { .. } => Some(OrderStatus::Allocated),
            Self::BackOrdered { .. } => Some(OrderStatus::BackOrdered),
            Self::Released { .. } => Some(OrderStatus::Released),
            Self::PickingRecorded { step }
            | Self::ShipmentRecorded { step, .. }
            | Self::DeliveryRecorded { step }
            | Self::DeliveryFailed {
                step: Some(step), ..
            } => Some(step.to),
            Self::Cancelled { .. } => Some(OrderStatus::Cancelled),
            _ => None,
        }
    }
}

/// A move along the status machine, with what it stepped over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Status before.
    pub from: OrderStatus,
    /// Status after.
    pub to: OrderStatus,
    /// Statuses stepped over, in order.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub skipped: Vec<OrderStatus>,
    /// When it happened, where the sender said.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub occurred_at: Option<DateTime<Utc>>,
    /// When the ledger decided it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub recorded_at: Option<DateTime<Utc>>,
}
