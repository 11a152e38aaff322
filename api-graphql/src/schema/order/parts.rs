//! The parts of an order.

use async_graphql::{Enum, ID, SimpleObject};
use domain::order::{
    LineState, Payment, command,
    event::{self, Channel as DomainChannel, System as DomainSystem},
};

use super::status::OrderStatus;
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

/// A store.
#[derive(Debug, Clone, SimpleObject)]
pub struct Store {
    /// `CFR` and three digits.
    pub id: ID,
    /// The region the store had when the order was placed.
    pub region: String,
}

/// An id by which another system knows the order.
#[derive(Debug, Clone, SimpleObject)]
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

/// What may be shown of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum ContactState {
    /// Shown.
    Visible,
    /// The caller's role may not see it.
    Hidden,
    /// The person was erased; nobody can see it any more.
    Erased,
}

/// Who gets the goods: personal data.
#[derive(Clone, SimpleObject)]
pub struct Contact {
    /// Whether the fields below are shown.
    pub state: ContactState,
    /// The person was erased.
    pub erased: bool,
    /// Name.
    pub name: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Postal address.
    pub address: Option<Address>,
}

impl Contact {
    const fn empty(state: ContactState, erased: bool) -> Self {
        Self {
            state,
            erased,
            name: None,
            phone: None,
            email: None,
            address: None,
        }
    }

    pub(crate) const fn as_hidden() -> Self {
        Self::empty(ContactState::Hidden, false)
    }

    pub(crate) const fn as_erased() -> Self {
        Self::empty(ContactState::Erased, true)
    }

    pub(crate) fn shown(contact: command::Contact) -> Self {
        let command::Contact {
            name,
            phone,
            email,
            address,
        } = contact;
        let address = address.map(Address::from);
        Self {
            name,
            phone,
            email,
            address,
            ..Self::empty(ContactState::Visible, false)
        }
    }
}

/// A postal address in Thailand.
#[derive(Clone, SimpleObject)]
#[allow(missing_docs)]
pub struct Address {
    pub line1: String,
    pub line2: Option<String>,
    pub line3: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
}

impl From<command::Address> for Address {
    fn from(a: command::Address) -> Self {
        let command::Address {
            line1,
            line2,
            line3,
            city,
            state,
            postal_code,
            country,
        } = a;
        Self {
            line1,
            line2,
            line3,
            city,
            state,
            postal_code,
            country,
        }
    }
}

/// A line as it was priced.
#[derive(Debug, Clone, SimpleObject)]
pub struct OrderLine {
    /// Unique in the order.
    pub line_number: i32,
    /// Where the line stands.
    pub status: OrderStatus,
    /// The status as the chain's number.
    pub status_code: i32,
    /// What is sold.
    pub sku: String,
    /// Product name in Thai.
    pub name_th: Option<String>,
    /// Product name in English.
    pub name_en: Option<String>,
    /// Pieces, kilograms or packs.
    pub quantity: Decimal,
    /// Unit of measure.
    pub uom: Option<String>,
    /// Weighed goods.
    pub is_weight_item: bool,
    /// Gift with purchase.
    pub is_gift: bool,
    /// The pack, where the line sells packs.
    pub pack: Option<Pack>,
    /// Price per unit.
    pub unit_price: Decimal,
    /// Price per unit before promotions.
    pub original_unit_price: Decimal,
    /// The promotion behind the price.
    pub promotion_id: Option<String>,
    /// Discounts on the line.
    pub discounts: Vec<Adjustment>,
    /// Original price times quantity.
    pub gross: Decimal,
    /// Discounts that count.
    pub discount: Decimal,
    /// Gross less discount.
    pub net: Decimal,
    /// The line's share of the order discounts.
    pub order_discount_share: Decimal,
    /// VAT rate, 0.0700 for 7%.
    pub tax_rate: Decimal,
    /// Whether prices contain VAT.
    pub is_tax_included: bool,
    /// VAT inside the net less the share.
    pub tax_contained: Decimal,
    /// VAT on top.
    pub tax_added: Decimal,
}

impl From<&LineState> for OrderLine {
    fn from(state: &LineState) -> Self {
        let l = &state.line;
        Self {
            line_number: i32::from(l.line_number),
            status: state.status.into(),
            status_code: i32::from(state.status.code()),
            sku: l.sku.to_string(),
            name_th: l.name_th.clone(),
            name_en: l.name_en.clone(),
            quantity: l.quantity.into(),
            uom: l.uom.clone(),
            is_weight_item: l.is_weight_item,
            is_gift: l.is_gift,
            pack: l.pack.map(Pack::from),
            unit_price: l.unit_price.into(),
            original_unit_price: l.original_unit_price.into(),
            promotion_id: l.promotion_id.clone(),
            discounts: l.discounts.iter().map(Adjustment::from).collect(),
            gross: l.gross.into(),
            discount: l.discount.into(),
            net: l.net.into(),
            order_discount_share: l.order_discount_share.into(),
            tax_rate: l.tax_rate.into(),
            is_tax_included: l.is_tax_included,
            tax_contained: l.tax_contained.into(),
            tax_added: l.tax_added.into(),
        }
    }
}

/// Packs of a line.
#[derive(Debug, Clone, SimpleObject)]
pub struct Pack {
    /// Price of one pack.
    pub unit_price: Decimal,
    /// Packs ordered.
    pub ordered: i32,
    /// Pieces in one pack.
    pub units_per_pack: i32,
}

impl From<event::Pack> for Pack {
    fn from(p: event::Pack) -> Self {
        Self {
            unit_price: p.unit_price.into(),
            ordered: p.ordered,
            units_per_pack: p.units_per_pack,
        }
    }
}

/// A discount or a fee.
#[derive(Debug, Clone, SimpleObject)]
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
