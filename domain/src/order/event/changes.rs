//! What befalls an order after it was placed.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::placed::Sealed;
use crate::{
    ids::{PartnerId, Sku},
    money::{Money, Quantity},
};

/// A quantity of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LineQuantity {
    /// Which line.
    pub line_number: u16,
    /// How much of it.
    pub quantity: Quantity,
}

/// An offer of another product for a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Proposal {
    /// The sender's id of the offer, unique in the order.
    pub proposal_id: String,
    /// The line it is for.
    pub line_number: u16,
    /// The other product.
    pub replacement: Replacement,
    /// Until when the customer may answer; silence is no.
    pub approve_by: DateTime<Utc>,
    /// Offered in the merchant's app, which shows the customer the price: no limit on it.
    pub via_merchant_app: bool,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// The product that takes the place of a line's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Replacement {
    pub sku: Sku,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_th: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name_en: Option<String>,
    pub unit_price: Money,
    pub quantity: Quantity,
}

/// Who or what declined an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeclineCause {
    /// The customer said no.
    Customer,
    /// Nobody answered in time.
    Timeout,
}

/// Cash in a rider's hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct CashCollected {
    /// How much, above zero.
    pub amount: Money,
    /// The cash due then.
    pub due: Money,
    /// `amount - due`, kept as a fact; zero within 0.01.
    pub discrepancy: Money,
    /// What the partner says about a discrepancy; nobody explained it when absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub discrepancy_reason: Option<String>,
    /// The delivery partner whose rider has the cash.
    pub partner_id: PartnerId,
    /// The rider, as the partner knows them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rider_id: Option<String>,
    /// When.
    pub collected_at: DateTime<Utc>,
    /// Photo, signature and place, under the key of the order's subject: they are personal data.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proof: Option<Sealed>,
}

/// Goods on their way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReturnRequested {
    /// Why they come back.
    pub cause: ReturnCause,
    /// What was said about it.
    pub reason: String,
    /// The lines, with what each is worth.
    pub lines: Vec<ReturnedLine>,
    /// Fees given back with them, with VAT where it comes on top.
    pub fees: Money,
    /// What the customer gets back in cash: never more than was collected and not yet refunded.
    pub refund: Money,
    /// What the customer need not pay any more of what was never collected.
    pub waived: Money,
    /// When.
    pub at: DateTime<Utc>,
}

/// A line on its way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ReturnedLine {
    /// Which line.
    pub line_number: u16,
    /// How much of it.
    pub quantity: Quantity,
    /// What the customer pays for it: price times quantity less its own discounts and its share of the
    /// order's, with VAT where it comes on top. The last return of a line is worth the rest.
    pub value: Money,
}

/// Why goods come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReturnCause {
    /// The customer does not want them.
    Customer,
    /// They could not be delivered.
    Undelivered,
}
