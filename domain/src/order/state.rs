//! What an order is now: the fold of its events.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    event::{
        Adjustment, Channel, ExternalRef, Line, OrderEvent, Placed, SealedContact, Slot, Step,
        Totals,
    },
    status::{OrderStatus, PaymentStatus},
};
use crate::{
    ids::{CustomerId, OrderNumber, RegionId, StoreId},
    money::Money,
};

/// An order as its events left it. [`Order::default`] is an order that is not placed: its fields
/// mean nothing until [`Order::exists`].
///
/// Serialised, it is the document that read models show and snapshots keep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Order {
    pub number: OrderNumber,
    pub status: OrderStatus,
    pub payment_status: PaymentStatus,
    pub channel: Channel,
    pub order_type: Option<String>,
    /// Ids other systems know the order by; unique per system.
    pub refs: Vec<ExternalRef>,
    pub store_id: StoreId,
    pub region: RegionId,
    pub customer_id: Option<CustomerId>,
    pub t1_membership_id: Option<String>,
    pub t1_number: Option<String>,
    /// The contact under its subject's key.
    pub contact: Option<SealedContact>,
    pub lines: Vec<LineState>,
    pub order_discounts: Vec<Adjustment>,
    pub fees: Vec<Adjustment>,
    pub totals: Totals,
    /// The method the order was placed with.
    pub payment_method: String,
    /// The payment, once recorded.
    pub payment: Option<Payment>,
    pub requested_slot: Option<Slot>,
    pub promised_at: Option<DateTime<Utc>>,
    pub captured_at: Option<DateTime<Utc>>,
    pub allow_substitution: bool,
    pub tracking_id: Option<String>,
    pub carrier: Option<String>,
    /// The sender's id of the shipment.
    pub shipment_id: Option<String>,
    /// Why the order is back-ordered, while it is.
    pub back_order_reason: Option<String>,
    pub cancel_reason: Option<String>,
    /// Checks that could not be made when the order was placed.
    pub warnings: Vec<String>,
}

/// A line and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineState {
    /// The line as priced.
    #[serde(flatten)]
    pub line: Line,
    /// Where it stands.
    pub status: OrderStatus,
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

impl Default for Order {
    /// An order that is not placed. The channel is a placeholder, as the blank ids are.
    fn default() -> Self {
        Self {
            number: OrderNumber::blank(),
            status: OrderStatus::Open,
            payment_status: PaymentStatus::NotApplicable,
            channel: Channel::Store,
            order_type: None,
            refs: Vec::new(),
            store_id: StoreId::blank(),
            region: RegionId::blank(),
            customer_id: None,
            t1_membership_id: None,
            t1_number: None,
            contact: None,
            lines: Vec::new(),
            order_discounts: Vec::new(),
            fees: Vec::new(),
            totals: Totals::default(),
            payment_method: String::new(),
            payment: None,
            requested_slot: None,
            promised_at: None,
            captured_at: None,
            allow_substitution: false,
            tracking_id: None,
            carrier: None,
            shipment_id: None,
            back_order_reason: None,
            cancel_reason: None,
            warnings: Vec::new(),
        }
    }
}

impl Order {
    /// The shape of the serialised state. Raise it with every change of shape: a snapshot of
    /// another version is thrown away and folded anew.
    pub const STATE_VERSION: u32 = 1;

    /// Whether the order has been placed.
    pub fn exists(&self) -> bool {
        !self.number.as_str().is_empty()
    }

    /// The status of the least advanced line.
    pub fn min_line_status(&self) -> OrderStatus {
        OrderStatus::roll_up(self.lines.iter().map(|l| l.status)).unwrap_or(self.status)
    }

    /// The status of the most advanced line.
    pub fn max_line_status(&self) -> OrderStatus {
        self.lines
            .iter()
            .map(|l| l.status)
            .max()
            .unwrap_or(self.status)
    }

    /// The cash to collect at the door: nothing for a cancelled order.
    pub fn cod_due(&self) -> Money {
        if self.status == OrderStatus::Cancelled {
            Money::ZERO
        } else {
            self.totals.cash_due
        }
    }

    /// Takes in one event. Total: whatever the log holds, it neither fails nor panics, because the
    /// decision was made when the event was written.
    pub fn apply(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::Placed(placed) => *self = Self::placed(placed),
            OrderEvent::Allocated { .. } => {
                self.back_order_reason = None;
                self.advance(OrderStatus::Allocated);
            }
            OrderEvent::BackOrdered { reason } => {
                self.back_order_reason = Some(reason.clone());
                self.advance(OrderStatus::BackOrdered);
            }
            OrderEvent::Paid {
                method,
                amount,
                rounding,
            } => {
                self.payment_status = PaymentStatus::Paid;
                self.payment = Some(Payment {
                    method: method.clone(),
                    amount: *amount,
                    rounding: *rounding,
                });
            }
            OrderEvent::Released {} => self.advance(OrderStatus::Released),
            OrderEvent::PickingRecorded { step } | OrderEvent::DeliveryRecorded { step } => {
                self.advance(step.to);
            }
            OrderEvent::ShipmentRecorded {
                step,
                tracking_id,
                carrier,
                shipment_id,
            } => {
                self.ship(step, tracking_id, carrier, shipment_id);
            }
            OrderEvent::Cancelled {
                reason,
                payment_status,
                ..
            } => {
                self.cancel_reason = Some(reason.clone());
                self.payment_status = *payment_status;
                self.advance(OrderStatus::Cancelled);
            }
        }
    }

    fn placed(placed: &Placed) -> Self {
        let line = |line: &Line| LineState {
            line: line.clone(),
            status: OrderStatus::Open,
        };
        Self {
            number: placed.number.clone(),
            channel: placed.channel,
            order_type: placed.order_type.clone(),
            refs: placed.refs.clone(),
            store_id: placed.store_id.clone(),
            region: placed.region.clone(),
            customer_id: placed.customer_id.clone(),
            t1_membership_id: placed.t1_membership_id.clone(),
            t1_number: placed.t1_number.clone(),
            contact: placed.contact.clone(),
            lines: placed.lines.iter().map(line).collect(),
            order_discounts: placed.order_discounts.clone(),
            fees: placed.fees.clone(),
            totals: placed.totals,
            payment_method: placed.payment_method.clone(),
            requested_slot: placed.requested_slot,
            promised_at: placed.promised_at,
            captured_at: placed.captured_at,
            allow_substitution: placed.allow_substitution,
            warnings: placed.warnings.clone(),
            ..Self::default()
        }
    }

    /// Moves every line that is not cancelled, and the order with them.
    fn advance(&mut self, to: OrderStatus) {
        for line in self
            .lines
            .iter_mut()
            .filter(|l| l.status != OrderStatus::Cancelled)
        {
            line.status = to;
        }
        self.status = OrderStatus::roll_up(self.lines.iter().map(|l| l.status)).unwrap_or(to);
    }

    fn ship(
        &mut self,
        step: &Step,
        tracking_id: &Option<String>,
        carrier: &Option<String>,
        shipment_id: &Option<String>,
    ) {
        for (field, news) in [
            (&mut self.tracking_id, tracking_id),
            (&mut self.carrier, carrier),
            (&mut self.shipment_id, shipment_id),
        ] {
            if news.is_some() {
                field.clone_from(news);
            }
        }
        self.advance(step.to);
    }
}
