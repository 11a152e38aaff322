//! The input of `placeOrder`. Field names are the domain's, so that a problem's path names the input's field.

use async_graphql::InputObject;
use domain::order::{
    Order, OrderCommand,
    command::{self, PlaceOrder},
};

use super::line_input::{AdjustmentInput, LineInput};
use crate::schema::{
    command::{Stated, Statement},
    scalars::{DateTime, Decimal, Uuid},
};

/// A new order. Every broken rule is answered at once.
#[derive(Debug, Clone, InputObject)]
pub struct PlaceOrderInput {
    /// Your name for this command. Sending it again repeats the receipt, not the effect.
    pub command_id: Uuid,
    /// The order.
    #[graphql(flatten)]
    pub order: OrderInput,
}

impl From<PlaceOrderInput> for Statement<Order> {
    fn from(i: PlaceOrderInput) -> Self {
        let command = OrderCommand::Place(Box::new(i.order.into()));
        Ok(Stated::new(i.command_id, command))
    }
}

/// What a new order is.
#[derive(Debug, Clone, InputObject)]
pub struct OrderInput {
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

impl From<OrderInput> for PlaceOrder {
    fn from(i: OrderInput) -> Self {
        Self {
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

impl std::fmt::Debug for ContactInput {
    /// Says only that there is one: contacts must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ContactInput(..)")
    }
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

impl std::fmt::Debug for AddressInput {
    /// As [`ContactInput`]'s.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AddressInput(..)")
    }
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
