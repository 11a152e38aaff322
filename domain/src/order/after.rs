//! The parts of an order's state that come about after it was placed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    event::{DeclineCause, Line, LineQuantity, Proposal, ReturnCause, ReturnedLine, Sealed},
    status::OrderStatus,
};
use crate::{
    ids::{PartnerId, Sku},
    money::{Money, Quantity},
    remittance::{ItemOutcome, RemittanceId},
};

/// A line and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineState {
    /// The line as priced now: its quantity is what is left of it.
    #[serde(flatten)]
    pub line: Line,
    /// Where it stands.
    pub status: OrderStatus,
    /// The quantity as ordered; more where a later change wanted more.
    pub ordered: Quantity,
    /// What picking did not find.
    pub short: Quantity,
    /// What the customer gave or gives back.
    pub returned: Quantity,
    /// The product as ordered, where another one took its place.
    pub original: Option<Original>,
}

impl LineState {
    /// A line as placed.
    pub fn new(line: &Line) -> Self {
        Self {
            line: line.clone(),
            status: OrderStatus::Open,
            ordered: line.quantity,
            short: Quantity::ZERO,
            returned: Quantity::ZERO,
            original: None,
        }
    }

    /// Whether the line is not cancelled.
    pub fn is_open(&self) -> bool {
        self.status != OrderStatus::Cancelled
    }

    /// The unit price that the customer approved when ordering: the base of a substitution's
    /// limit, however often the product changes.
    pub fn approved_unit_price(&self) -> Money {
        self.original
            .as_ref()
            .map_or(self.line.unit_price, |o| o.unit_price)
    }

    /// What is reserved for the line.
    pub fn allocated(&self) -> Quantity {
        self.from(OrderStatus::Allocated)
    }

    /// What left the store.
    pub fn shipped(&self) -> Quantity {
        self.from(OrderStatus::Fulfilled)
    }

    /// What the customer got, returned or not: nothing of goods that come back undelivered.
    pub fn delivered(&self) -> Quantity {
        match self.status {
            OrderStatus::Delivered => self.line.quantity,
            OrderStatus::PendingReturn | OrderStatus::Returned => self.returned,
            _ => Quantity::ZERO,
        }
    }

    /// What was cancelled of the line.
    pub fn cancelled(&self) -> Quantity {
        let left = if self.is_open() {
            self.line.quantity.units()
        } else {
            0
        };
        let rest = self.ordered.units() - left - self.short.units();
        Quantity::from_units(rest.max(0))
    }

    fn from(&self, status: OrderStatus) -> Quantity {
        if self.is_open() && self.status >= status {
            self.line.quantity
        } else {
            Quantity::ZERO
        }
    }
}

/// A product that another one took the place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Original {
    pub sku: Sku,
    pub name_th: Option<String>,
    pub name_en: Option<String>,
    pub unit_price: Money,
    pub quantity: Quantity,
}

/// The payment of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    /// `COD`.
    pub method: String,
    /// The cash due, in whole 0.01 THB.
    pub amount: Money,
    /// `amount` minus the order total.
    pub rounding: Money,
}

/// An offer of another product, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// The offer.
    #[serde(flatten)]
    pub proposal: Proposal,
    /// The answer.
    pub answer: Answer,
}

/// The answer to an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Answer {
    /// None yet.
    Open,
    /// The customer takes it.
    Approved,
    /// The customer does not.
    Declined,
    /// Nobody answered in time.
    TimedOut,
}

impl From<DeclineCause> for Answer {
    fn from(cause: DeclineCause) -> Self {
        match cause {
            DeclineCause::Customer => Self::Declined,
            DeclineCause::Timeout => Self::TimedOut,
        }
    }
}

/// A short report taken in, with what it said: its id never stands for anything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShortReport {
    /// The sender's id of it.
    pub report_id: String,
    /// Why.
    pub reason: String,
    /// The lines that it cut and what was left of each.
    pub lines: Vec<LineQuantity>,
    /// When it happened, where the sender said.
    pub occurred_at: Option<DateTime<Utc>>,
}

/// A delivery that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The sender's id of it.
    pub attempt_id: Option<String>,
    /// Why.
    pub reason: String,
    /// When, where the sender said.
    pub occurred_at: Option<DateTime<Utc>>,
}

/// Where the cash of an order stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CollectionStatus {
    /// The goods are not with the rider yet.
    #[default]
    Pending,
    /// The rider is on the way to it.
    InTransit,
    /// The rider has it.
    Collected,
    /// No cash came; it may still.
    Failed,
    /// The partner accounted for it.
    Reconciled,
}

/// The cash of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Collection {
    /// Where it stands.
    pub status: CollectionStatus,
    /// Nothing is due any more: the goods go back undelivered.
    pub is_final: bool,
    /// The cash collected.
    pub amount: Money,
    /// The cash due when it was collected.
    pub due: Money,
    /// The cash collected minus the cash due then.
    pub discrepancy: Money,
    /// What was said about the discrepancy.
    pub discrepancy_reason: Option<String>,
    /// Who has it.
    pub partner_id: Option<PartnerId>,
    /// Whose rider.
    pub rider_id: Option<String>,
    /// Since when.
    pub collected_at: Option<DateTime<Utc>>,
    /// What shows it, sealed.
    pub proof: Option<Sealed>,
    /// Why no cash came.
    pub failure_reason: Option<String>,
    /// How the partner accounted for it.
    pub reconciled: Option<Reconciled>,
    /// Cash that a closed remittance accepted for the order and did not expect: handed over before the ledger heard
    /// that it was collected, or missing when it was settled.
    pub taken_in: Option<TakenIn>,
    /// What remittances closed later accepted in the same way. It came after the form of the state had settled: most
    /// orders have none, and look as before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_in_later: Vec<TakenIn>,
}

impl Collection {
    /// Whether a rider had the cash.
    pub fn is_collected(&self) -> bool {
        matches!(
            self.status,
            CollectionStatus::Collected | CollectionStatus::Reconciled
        )
    }

    /// Every part that a remittance accepted and did not expect, in the order of the closings.
    pub fn parts(&self) -> impl DoubleEndedIterator<Item = &TakenIn> {
        self.taken_in.iter().chain(&self.taken_in_later)
    }

    /// Keeps one more of them.
    pub(super) fn keep(&mut self, part: TakenIn) {
        if self.taken_in.is_none() {
            self.taken_in = Some(part);
        } else {
            self.taken_in_later.push(part);
        }
    }

    /// What the partner has handed over of this cash before the ledger heard of it: it is not expected again.
    pub fn handed_over(&self) -> Money {
        self.handed_over_by(self.partner_id.as_ref())
    }

    /// The same, if this partner's rider had the cash.
    pub(super) fn handed_over_by(&self, partner: Option<&PartnerId>) -> Money {
        let theirs = |part: &&TakenIn| Some(part.remittance_id.partner()) == partner;
        sum(self.parts().filter(theirs))
    }

    /// All that remittances accepted for the order, expected or not.
    pub fn accepted(&self) -> Money {
        let settled = self.reconciled.as_ref();
        // Cash that was settled as soon as it was heard of is accepted by the remittance that took its last part in.
        let is_apart =
            |part: &&TakenIn| settled.is_none_or(|s| s.remittance_id != part.remittance_id);
        let apart = sum(self.parts().filter(is_apart));
        apart.saturating_add(settled.map_or(Money::ZERO, |s| s.accepted))
    }
}

fn sum<'a>(parts: impl Iterator<Item = &'a TakenIn>) -> Money {
    parts.fold(Money::ZERO, |sum, part| sum.saturating_add(part.accepted))
}

/// Cash that a closed remittance accepted for an order of which it expected none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct TakenIn {
    pub remittance_id: RemittanceId,
    pub accepted: Money,
}

/// How a partner accounted for an order's cash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Reconciled {
    pub remittance_id: RemittanceId,
    pub outcome: ItemOutcome,
    pub accepted: Money,
    pub variance: Money,
}

/// Goods that came or come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Goods {
    /// Why.
    pub cause: ReturnCause,
    /// What was said about it.
    pub reason: String,
    /// The lines.
    pub lines: Vec<ReturnedLine>,
    /// Fees given back with them, with VAT where it comes on top.
    pub fees: Money,
    /// Cash for the customer.
    pub refund: Money,
    /// What the customer need not pay any more.
    pub waived: Money,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When the store had them back.
    pub received_at: Option<DateTime<Utc>>,
}
