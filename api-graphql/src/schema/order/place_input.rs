//! The input of `placeOrder`. Field names are the domain's, so that a problem's path names the input's field.

use async_graphql::InputObject;
use domain::{
    ids::CommandId,
    order::{
        OrderCommand,
        command::{
            self, AdjustmentInput as DomainAdjustment, LineInput as DomainLine,
            PackInput as DomainPack, PlaceOrder,
        },
    },
};

use super::mutation::Stated;
use crate::schema::scalars::{DateTime, Decimal, Uuid};

/// A new order. Every broken rule is answered at once.
#[derive(Clone, InputObject)]
pub struct PlaceOrderInput {
    /// Your name for this command. Sending it again repeats the receipt, not the effect.
    pub command_id: Uuid,
    /// The order number, where you bring one; assigned otherwise.
    pub number: Option<String>,
    /// GRAB, WEB, STORE or PMP.
    pub channel: String,
    /// The channel's own kind of order, such as MKP-HD-STD.
    pub order_type: Option<String>,
    /// The channel's own id of the order, unique within the channel.
    pub alternate_order_id: Option<String>,
    /// Slick's reference.
    pub cust_ref: Option<String>,
    /// The store that ships the order.
    pub store_id: String,
    /// Must be true.
    pub is_force_allocation: Option<bool>,
    /// The customer, where the channel knows one.
    pub customer_id: Option<String>,
    /// The loyalty membership.
    pub t1_membership_id: Option<String>,
    /// The loyalty number.
    pub t1_number: Option<String>,
    /// Who gets the goods.
    pub contact: Option<ContactInput>,
    /// 1 to 20 lines.
    pub lines: Vec<LineInput>,
    /// Discounts on the whole order.
    #[graphql(default)]
    pub order_discounts: Vec<AdjustmentInput>,
    /// Fees on the whole order, such as shipping.
    #[graphql(default)]
    pub fees: Vec<AdjustmentInput>,
    /// COD, today the only method.
    pub payment_method: Option<String>,
    /// The order total you computed, compared with ours within 0.01.
    pub expected_total: Option<Decimal>,
    /// The delivery slot the customer asked for.
    pub requested_slot: Option<SlotInput>,
    /// The delivery time promised to the customer.
    pub promised_at: Option<DateTime>,
    /// When the channel captured the order.
    pub captured_at: Option<DateTime>,
    /// Whether the customer accepts substitutes.
    #[graphql(default)]
    pub allow_substitution: bool,
}

impl From<PlaceOrderInput> for Stated {
    fn from(i: PlaceOrderInput) -> Self {
        let command_id = CommandId(i.command_id.0);
        let command = OrderCommand::Place(Box::new(PlaceOrder {
            number: i.number,
            channel: i.channel,
            order_type: i.order_type,
            alternate_order_id: i.alternate_order_id,
            cust_ref: i.cust_ref,
            store_id: i.store_id,
            is_force_allocation: i.is_force_allocation,
            customer_id: i.customer_id,
            t1_membership_id: i.t1_membership_id,
            t1_number: i.t1_number,
            contact: i.contact.map(Into::into),
            lines: i.lines.into_iter().map(Into::into).collect(),
            order_discounts: i.order_discounts.into_iter().map(Into::into).collect(),
            fees: i.fees.into_iter().map(Into::into).collect(),
            payment_method: i.payment_method,
            expected_total: i.expected_total.map(|d| d.0),
            requested_slot: i.requested_slot.map(|s| command::Slot {
                from: s.from.0,
                to: s.to.0,
            }),
            promised_at: i.promised_at.map(|t| t.0),
            captured_at: i.captured_at.map(|t| t.0),
            allow_substitution: i.allow_substitution,
        }));
        Self {
            command_id,
            order_id: None,
            expected_version: None,
            command,
        }
    }
}

/// Who gets the goods: personal data, encrypted before it is stored.
#[derive(Clone, InputObject)]
pub struct ContactInput {
    /// Name.
    pub name: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Postal address.
    pub address: Option<AddressInput>,
}

impl From<ContactInput> for command::Contact {
    fn from(i: ContactInput) -> Self {
        Self {
            name: i.name,
            phone: i.phone,
            email: i.email,
            address: i.address.map(Into::into),
        }
    }
}

/// A postal address in Thailand.
#[derive(Clone, InputObject)]
#[allow(missing_docs)]
pub struct AddressInput {
    pub line1: String,
    pub line2: Option<String>,
    pub line3: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    /// TH when absent.
    pub country: Option<String>,
}

impl From<AddressInput> for command::Address {
    fn from(i: AddressInput) -> Self {
        let AddressInput {
            line1,
            line2,
            line3,
            city,
            state,
            postal_code,
            country,
        } = i;
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

/// A time slot.
#[derive(Debug, Clone, InputObject)]
pub struct SlotInput {
    /// Start, inclusive.
    pub from: DateTime,
    /// End, exclusive.
    pub to: DateTime,
}

/// A line of a new order.
#[derive(Debug, Clone, InputObject)]
pub struct LineInput {
    /// Unique in the order, from 1.
    pub line_number: i32,
    /// What is sold.
    pub sku: String,
    /// Pieces, kilograms of a weighed line, or packs.
    pub quantity: Decimal,
    /// Unit of measure, such as EA.
    pub uom: Option<String>,
    /// The price per unit now.
    pub unit_price: Decimal,
    /// The price per unit before promotions; `unitPrice` when absent.
    pub original_unit_price: Option<Decimal>,
    /// Discounts on this line.
    #[graphql(default)]
    pub discounts: Vec<AdjustmentInput>,
    /// VAT rate; 0.0700 when absent.
    pub tax_rate: Option<Decimal>,
    /// Whether prices contain VAT; true when absent.
    pub is_tax_included: Option<bool>,
    /// Weighed goods: a fractional quantity.
    #[graphql(default)]
    pub is_weight_item: bool,
    /// Pack details, where the line sells packs.
    pub pack: Option<PackInput>,
    /// Product name in Thai.
    pub name_th: Option<String>,
    /// Product name in English.
    pub name_en: Option<String>,
    /// Gift with purchase.
    #[graphql(default)]
    pub is_gift: bool,
    /// The promotion behind the price.
    pub promotion_id: Option<String>,
}

impl From<LineInput> for DomainLine {
    fn from(i: LineInput) -> Self {
        Self {
            line_number: i.line_number,
            sku: i.sku,
            quantity: i.quantity.into(),
            uom: i.uom,
            unit_price: i.unit_price.0,
            original_unit_price: i.original_unit_price.map(|d| d.0),
            discounts: i.discounts.into_iter().map(Into::into).collect(),
            tax_rate: i.tax_rate.map(Into::into),
            is_tax_included: i.is_tax_included,
            is_weight_item: i.is_weight_item,
            pack: i.pack.map(Into::into),
            name_th: i.name_th,
            name_en: i.name_en,
            is_gift: i.is_gift,
            promotion_id: i.promotion_id,
        }
    }
}

/// Packs of a line: `ordered` packs of `unitsPerPack` pieces at `unitPrice` per pack.
#[derive(Debug, Clone, InputObject)]
pub struct PackInput {
    /// Price of one pack.
    pub unit_price: Decimal,
    /// Packs ordered.
    pub ordered: i32,
    /// Pieces in one pack.
    pub units_per_pack: i32,
}

impl From<PackInput> for DomainPack {
    fn from(i: PackInput) -> Self {
        Self {
            unit_price: i.unit_price.0,
            ordered: i.ordered,
            units_per_pack: i.units_per_pack,
        }
    }
}

/// A discount or a fee.
#[derive(Debug, Clone, InputObject)]
pub struct AdjustmentInput {
    /// What it is, such as PROMOTION, MEMBER or SHIPPING.
    pub kind: String,
    /// How much: not negative.
    pub amount: Decimal,
    /// Already inside the prices: shown, never counted.
    #[graphql(default)]
    pub informational: bool,
    /// VAT rate of a fee; 0.0700 when absent.
    pub tax_rate: Option<Decimal>,
    /// Whether a fee contains its VAT; true when absent.
    pub is_tax_included: Option<bool>,
}

impl From<AdjustmentInput> for DomainAdjustment {
    fn from(i: AdjustmentInput) -> Self {
        Self {
            kind: i.kind,
            amount: i.amount.0,
            informational: i.informational,
            tax_rate: i.tax_rate.map(Into::into),
            is_tax_included: i.is_tax_included,
        }
    }
}
