//! The parts of an order.

use async_graphql::{Enum, ID, SimpleObject};
use domain::order::{
    Payment,
    event::{self, Channel as DomainChannel, System as DomainSystem},
};

use crate::schema::scalars::{DateTime, Decimal};

/// Where an order comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainChannel")]
#[allow(missing_docs)]
pub enum Channel {
    Grab,
    Web,
    Store,
    Pmp,
}

/// A system that knows orders by ids of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainSystem")]
#[allow(missing_docs)]
pub enum System {
    Grab,
    Web,
    Store,
    Pmp,
    Slick,
}

/// The store that ships an order.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct OrderStore {
    /// `CFR` and three digits.
    pub id: ID,
    /// The region the store had when the order was placed.
    pub region: String,
}

/// An id by which another system knows the order.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct ExternalRef {
    /// Which system.
    pub system: System,
    /// Its id of the order.
    pub reference: String,
}

impl From<&event::ExternalRef> for ExternalRef {
    fn from(r: &event::ExternalRef) -> Self {
        Self {
            system: r.system.into(),
            reference: r.reference.clone(),
        }
    }
}

/// A discount or a fee.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct Adjustment {
    /// What it is, such as PROMOTION or SHIPPING.
    pub kind: String,
    /// How much.
    pub amount: Decimal,
    /// Already inside the prices: shown, never counted.
    pub informational: bool,
    /// VAT inside a fee.
    pub tax_contained: Decimal,
    /// VAT on top of a fee.
    pub tax_added: Decimal,
}

impl From<&event::Adjustment> for Adjustment {
    fn from(a: &event::Adjustment) -> Self {
        Self {
            kind: a.kind.clone(),
            amount: a.amount.into(),
            informational: a.informational,
            tax_contained: a.tax_contained.into(),
            tax_added: a.tax_added.into(),
        }
    }
}

/// The sums of an order, in Thai baht.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct Totals {
    /// Always THB.
    pub currency: &'static str,
    /// A: the lines' net.
    pub sub_total: Decimal,
    /// B: A, E and fees.
    pub total_charge: Decimal,
    /// C: B less order discounts.
    pub order_total: Decimal,
    /// D: line and order discounts.
    pub total_discount: Decimal,
    /// E: taxes on top.
    pub total_taxes: Decimal,
    /// F: VAT inside the amounts.
    pub informational_taxes: Decimal,
    /// Fees that count.
    pub fees: Decimal,
    /// C rounded to 0.01: what is paid.
    pub cash_due: Decimal,
    /// Cash due less C.
    pub cash_rounding: Decimal,
}

impl From<&event::Totals> for Totals {
    fn from(t: &event::Totals) -> Self {
        Self {
            currency: "THB",
            sub_total: t.sub_total.into(),
            total_charge: t.total_charge.into(),
            order_total: t.order_total.into(),
            total_discount: t.total_discount.into(),
            total_taxes: t.total_taxes.into(),
            informational_taxes: t.informational_taxes.into(),
            fees: t.fees.into(),
            cash_due: t.cash_due.into(),
            cash_rounding: t.cash_rounding.into(),
        }
    }
}

/// A recorded payment.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct PaymentMade {
    /// COD.
    pub method: String,
    /// How much, in whole 0.01 THB.
    pub amount: Decimal,
    /// Amount less the order total.
    pub rounding: Decimal,
}

impl From<&Payment> for PaymentMade {
    fn from(p: &Payment) -> Self {
        Self {
            method: p.method.clone(),
            amount: p.amount.into(),
            rounding: p.rounding.into(),
        }
    }
}

/// A time slot.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct Slot {
    /// Start, inclusive.
    pub from: DateTime,
    /// End, exclusive.
    pub to: DateTime,
}

impl Slot {
    pub(crate) const fn of(slot: event::Slot) -> Self {
        Self {
            from: DateTime(slot.from),
            to: DateTime(slot.to),
        }
    }
}
