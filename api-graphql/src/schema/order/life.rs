//! What befell an order on its way: offers of other products, deliveries that failed, goods that come back.

use async_graphql::{Enum, SimpleObject};
use domain::order::{
    Answer, Attempt, Goods, Offer, Order,
    event::{Replacement, ReturnCause as DomainCause, ReturnedLine as DomainLine},
};

use crate::schema::scalars::{DateTime, Decimal};

/// The answer to an offer of another product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Answer")]
pub enum OfferAnswer {
    /// None yet.
    Open,
    /// The customer takes it.
    Approved,
    /// The customer does not: the line is short.
    Declined,
    /// Nobody answered in time: the line is short.
    TimedOut,
}

/// An offer of another product for a line, and its answer.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct SubstitutionOffer {
    /// The sender's id of the offer, unique in the order.
    pub proposal_id: String,
    /// The line it is for.
    pub line_number: i32,
    /// The other product.
    pub replacement: ReplacementProduct,
    /// Until when the customer may answer; silence is no.
    pub approve_by: DateTime,
    /// Offered in the merchant's app, which shows the customer the price: no limit on it.
    pub via_merchant_app: bool,
    /// Why.
    pub reason: Option<String>,
    /// The answer.
    pub answer: OfferAnswer,
}

impl From<&Offer> for SubstitutionOffer {
    fn from(offer: &Offer) -> Self {
        let p = &offer.proposal;
        Self {
            proposal_id: p.proposal_id.clone(),
            line_number: i32::from(p.line_number),
            replacement: ReplacementProduct::from(&p.replacement),
            approve_by: DateTime(p.approve_by),
            via_merchant_app: p.via_merchant_app,
            reason: p.reason.clone(),
            answer: offer.answer.into(),
        }
    }
}

/// The product offered in the place of a line's.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct ReplacementProduct {
    /// What it is.
    pub sku: String,
    /// Product name in Thai.
    pub name_th: Option<String>,
    /// Product name in English.
    pub name_en: Option<String>,
    /// Price per unit.
    pub unit_price: Decimal,
    /// How much of it.
    pub quantity: Decimal,
}

impl From<&Replacement> for ReplacementProduct {
    fn from(r: &Replacement) -> Self {
        Self {
            sku: r.sku.to_string(),
            name_th: r.name_th.clone(),
            name_en: r.name_en.clone(),
            unit_price: r.unit_price.into(),
            quantity: r.quantity.into(),
        }
    }
}

/// A delivery that failed.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct DeliveryAttempt {
    /// The sender's id of it.
    pub attempt_id: Option<String>,
    /// Why.
    pub reason: String,
    /// When, where the sender said.
    pub occurred_at: Option<DateTime>,
}

impl From<&Attempt> for DeliveryAttempt {
    fn from(a: &Attempt) -> Self {
        Self {
            attempt_id: a.attempt_id.clone(),
            reason: a.reason.clone(),
            occurred_at: a.occurred_at.map(DateTime),
        }
    }
}

/// Why goods come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainCause")]
pub enum ReturnCause {
    /// The customer does not want them.
    Customer,
    /// They could not be delivered.
    Undelivered,
}

/// Goods that came or come back.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct OrderReturn {
    /// Why.
    pub cause: ReturnCause,
    /// What was said about it.
    pub reason: String,
    /// The lines, with what each is worth.
    pub lines: Vec<ReturnedLine>,
    /// Fees given back with them.
    pub fees: Decimal,
    /// What the customer gets back in cash.
    pub refund: Decimal,
    /// What the customer need not pay any more.
    pub waived: Decimal,
    /// When it was asked for.
    pub requested_at: DateTime,
    /// When the store had them back.
    pub received_at: Option<DateTime>,
}

impl From<&Goods> for OrderReturn {
    fn from(g: &Goods) -> Self {
        Self {
            cause: g.cause.into(),
            reason: g.reason.clone(),
            lines: g.lines.iter().map(ReturnedLine::from).collect(),
            fees: g.fees.into(),
            refund: g.refund.into(),
            waived: g.waived.into(),
            requested_at: DateTime(g.requested_at),
            received_at: g.received_at.map(DateTime),
        }
    }
}

/// A line that came or comes back.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct ReturnedLine {
    /// Which line.
    pub line_number: i32,
    /// How much of it.
    pub quantity: Decimal,
    /// Price times quantity less its discounts.
    pub value: Decimal,
}

impl From<&DomainLine> for ReturnedLine {
    fn from(l: &DomainLine) -> Self {
        Self {
            line_number: i32::from(l.line_number),
            quantity: l.quantity.into(),
            value: l.value.into(),
        }
    }
}

/// What the customer gets back in cash.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct RefundFigures {
    /// Promised with all returns.
    pub promised: Decimal,
    /// Given back so far.
    pub refunded: Decimal,
    /// Still owed to the customer.
    pub owed: Decimal,
}

impl From<&Order> for RefundFigures {
    fn from(order: &Order) -> Self {
        let promised = order.refund_promised();
        let owed = promised.checked_sub(order.refunded).unwrap_or_default();
        Self {
            promised: promised.into(),
            refunded: order.refunded.into(),
            owed: owed.into(),
        }
    }
}
