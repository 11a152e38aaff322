//! An order on its way, as stores and partners report it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    money::{Money, Quantity},
    order::status::OrderStatus,
};

/// The payment of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pay {
    /// `COD`.
    pub method: String,
    /// Must equal the cash due.
    pub amount: Money,
}

/// Picking progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordPicking {
    /// 3500, 3600 or 3700.
    pub status: OrderStatus,
    /// When it happened, where the sender knows.
    #[serde(default)]
    pub occurred_at: Option<DateTime<Utc>>,
}

/// Shipment progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordShipment {
    /// 7000 or 7100.
    pub status: OrderStatus,
    /// The carrier's tracking id: required for 7000.
    #[serde(default)]
    pub tracking_id: Option<String>,
    /// The carrier: required for 7000.
    #[serde(default)]
    pub carrier: Option<String>,
    /// The sender's id of the shipment.
    #[serde(default)]
    pub shipment_id: Option<String>,
    /// When it happened, where the sender knows.
    #[serde(default)]
    pub occurred_at: Option<DateTime<Utc>>,
}

/// Delivery progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordDelivery {
    /// 7200, 7300 or 7500.
    pub status: OrderStatus,
    /// Must be the shipment's, where given.
    #[serde(default)]
    pub tracking_id: Option<String>,
    /// When it happened, where the sender knows.
    #[serde(default)]
    pub occurred_at: Option<DateTime<Utc>>,
}

/// A cancel of the whole order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cancel {
    /// Why, 1 to 500 characters.
    pub reason: String,
}

/// A quantity of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineQuantityInput {
    /// Which line.
    pub line_number: i32,
    /// How much of it.
    pub quantity: Quantity,
}

/// New quantities of lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeLines {
    /// The lines and what is wanted of each now: nothing cancels the line.
    pub lines: Vec<LineQuantityInput>,
    /// Why, 1 to 500 characters.
    pub reason: String,
}

/// Less than ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReportShort {
    /// The lines and what there is of each.
    pub lines: Vec<LineQuantityInput>,
    /// Why, 1 to 500 characters.
    pub reason: String,
    /// The sender's id of the report: the same report again changes nothing, another one under the
    /// same id is refused.
    #[serde(default)]
    pub report_id: Option<String>,
    /// When it happened, where the sender knows.
    #[serde(default)]
    pub occurred_at: Option<DateTime<Utc>>,
}

/// An offer of another product for a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposeSubstitution {
    /// The sender's id of the offer, unique in the order.
    pub proposal_id: String,
    /// The line.
    pub line_number: i32,
    /// The other product.
    pub sku: String,
    /// Its name in Thai.
    #[serde(default)]
    pub name_th: Option<String>,
    /// Its name in English.
    #[serde(default)]
    pub name_en: Option<String>,
    /// Its price per unit.
    pub unit_price: Money,
    /// How much of it; the line's quantity when absent.
    #[serde(default)]
    pub quantity: Option<Quantity>,
    /// Offered in the merchant's app, where the customer sees the price: the limit on its rise does not hold.
    #[serde(default)]
    pub via_merchant_app: bool,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// The customer's answer to an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DecideSubstitution {
    /// Which offer.
    pub proposal_id: String,
    /// Whether the customer takes it.
    pub approve: bool,
}

/// Names an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProposalRef {
    /// Which offer.
    pub proposal_id: String,
}

/// A delivery that did not happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RecordFailedDelivery {
    /// The sender's id of the attempt: the same one again changes nothing.
    #[serde(default)]
    pub attempt_id: Option<String>,
    /// Why, 1 to 500 characters.
    pub reason: String,
    /// Must be the shipment's, where given.
    #[serde(default)]
    pub tracking_id: Option<String>,
    /// When it happened, where the sender knows.
    #[serde(default)]
    pub occurred_at: Option<DateTime<Utc>>,
}
