//! What happened to an order: the only things ever stored. A variant's fields never change meaning;
//! a breaking change is a new version with an upcaster.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    command::{self, PackInput},
    status::{OrderStatus, PaymentStatus},
};
use crate::{
    ids::{CustomerId, OrderNumber, RegionId, Sku, StoreId},
    money::{Money, Quantity, Rate},
};

/// One fact of an order's life. `type` on the wire is the name integration partners see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    Released {},
    /// Picking moved on.
    #[serde(rename = "order.picking_recorded")]
    PickingRecorded {
        /// The move.
        #[serde(flatten)]
        step: Step,
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
}

impl OrderEvent {
    /// Every event type, in the order of an order's life.
    pub const TYPES: &'static [&'static str] = &[
        "order.placed",
        "order.allocated",
        "order.back_ordered",
        "order.paid",
        "order.released",
        "order.picking_recorded",
        "order.shipment_recorded",
        "order.delivery_recorded",
        "order.cancelled",
    ];

    /// The version every type is written in today.
    pub const VERSION: &'static str = "1";

    /// The type as it is stored and published; equals the payload's `type`.
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::Placed(_) => "order.placed",
            Self::Allocated { .. } => "order.allocated",
            Self::BackOrdered { .. } => "order.back_ordered",
            Self::Paid { .. } => "order.paid",
            Self::Released {} => "order.released",
            Self::PickingRecorded { .. } => "order.picking_recorded",
            Self::ShipmentRecorded { .. } => "order.shipment_recorded",
            Self::DeliveryRecorded { .. } => "order.delivery_recorded",
            Self::Cancelled { .. } => "order.cancelled",
        }
    }

    /// The version of the payload's shape.
    pub const fn version(&self) -> &'static str {
        Self::VERSION
    }

    /// The order's status after this event; `None` where it leaves the status alone.
    pub const fn status_after(&self) -> Option<OrderStatus> {
        match self {
            Self::Placed(_) => Some(OrderStatus::Open),
            Self::Allocated { .. } => Some(OrderStatus::Allocated),
            Self::BackOrdered { .. } => Some(OrderStatus::BackOrdered),
            Self::Paid { .. } => None,
            Self::Released {} => Some(OrderStatus::Released),
            Self::PickingRecorded { step }
            | Self::ShipmentRecorded { step, .. }
            | Self::DeliveryRecorded { step } => Some(step.to),
            Self::Cancelled { .. } => Some(OrderStatus::Cancelled),
        }
    }
}

/// A move along the status machine, with what it stepped over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// Everything known of an order when it is placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Placed {
    pub number: OrderNumber,
    pub channel: Channel,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order_type: Option<String>,
    /// Ids other systems know the order by; unique per system.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub refs: Vec<ExternalRef>,
    pub store_id: StoreId,
    pub region: RegionId,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub customer_id: Option<CustomerId>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub t1_membership_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub t1_number: Option<String>,
    /// The contact under its subject's key.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contact: Option<SealedContact>,
    pub lines: Vec<Line>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub order_discounts: Vec<Adjustment>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fees: Vec<Adjustment>,
    pub totals: Totals,
    pub payment_method: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub requested_slot: Option<Slot>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub promised_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub captured_at: Option<DateTime<Utc>>,
    pub allow_substitution: bool,
    /// Checks that could not be made, such as a lookup out of reach.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub warnings: Vec<String>,
}

/// Where an order comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum Channel {
    Grab,
    Web,
    Store,
    Pmp,
}

impl Channel {
    /// Every channel.
    pub const ALL: &'static [Self] = &[Self::Grab, Self::Web, Self::Store, Self::Pmp];

    /// The channel's name in commands and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grab => "GRAB",
            Self::Web => "WEB",
            Self::Store => "STORE",
            Self::Pmp => "PMP",
        }
    }

    /// The system whose ids the channel's orders carry.
    pub const fn system(self) -> System {
        match self {
            Self::Grab => System::Grab,
            Self::Web => System::Web,
            Self::Store => System::Store,
            Self::Pmp => System::Pmp,
        }
    }
}

/// A system that knows orders by ids of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum System {
    Grab,
    Web,
    Store,
    Pmp,
    Slick,
}

impl System {
    /// The system's name in commands and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grab => "GRAB",
            Self::Web => "WEB",
            Self::Store => "STORE",
            Self::Pmp => "PMP",
            Self::Slick => "SLICK",
        }
    }
}

/// An id by which another system knows the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct ExternalRef {
    pub system: System,
    pub reference: String,
}

/// A contact encrypted under the key of its subject; destroying the key erases the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealedContact {
    /// Names the subject's key: `customer:<id>` or `order:<id>`.
    pub subject: String,
    /// Nonce and ciphertext, base64.
    pub sealed: String,
}

/// A priced line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Line {
    pub line_number: u16,
    pub sku: Sku,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_th: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_en: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uom: Option<String>,
    pub quantity: Quantity,
    pub is_weight_item: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub pack: Option<Pack>,
    pub unit_price: Money,
    pub original_unit_price: Money,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub discounts: Vec<Adjustment>,
    pub is_gift: bool,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub promotion_id: Option<String>,
    pub tax_rate: Rate,
    pub is_tax_included: bool,
    /// Original price times quantity.
    pub gross: Money,
    /// Line discounts that count.
    pub discount: Money,
    /// `gross - discount`, VAT inside where included.
    pub net: Money,
    /// This line's share of the order discounts.
    pub order_discount_share: Money,
    /// VAT contained in `net - order_discount_share`.
    pub tax_contained: Money,
    /// VAT added on top.
    pub tax_added: Money,
}

/// Packs sold: `ordered` packs of `units_per_pack` pieces at `unit_price` a pack. Apart from the command's
/// [`PackInput`]: that one may grow, this one is stored for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Pack {
    pub unit_price: Money,
    pub ordered: i32,
    pub units_per_pack: i32,
}

impl From<PackInput> for Pack {
    fn from(pack: PackInput) -> Self {
        Self {
            unit_price: pack.unit_price,
            ordered: pack.ordered,
            units_per_pack: pack.units_per_pack,
        }
    }
}

/// A delivery slot, `from` inclusive, `to` exclusive. Apart from the command's slot, as [`Pack`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Slot {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

impl From<command::Slot> for Slot {
    fn from(slot: command::Slot) -> Self {
        Self {
            from: slot.from,
            to: slot.to,
        }
    }
}

/// A discount or a fee as it counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Adjustment {
    pub kind: String,
    pub amount: Money,
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub informational: bool,
    /// VAT contained in a fee.
    pub tax_contained: Money,
    /// VAT on top of a fee.
    pub tax_added: Money,
}

/// The sums of an order, Cal A to F.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// A: sum of the lines' net.
    pub sub_total: Money,
    /// B: A + E + fees.
    pub total_charge: Money,
    /// C: B minus order discounts.
    pub order_total: Money,
    /// D: line and order discounts.
    pub total_discount: Money,
    /// E: taxes added on top.
    pub total_taxes: Money,
    /// F: VAT contained in the amounts.
    pub informational_taxes: Money,
    /// Fees that count.
    pub fees: Money,
    /// C rounded half-even to 0.01.
    pub cash_due: Money,
    /// `cash_due - order_total`.
    pub cash_rounding: Money,
}
