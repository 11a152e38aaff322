//! The figures of an order and its lines.

use serde::{Deserialize, Serialize};

use crate::{
    money::{Money, Quantity},
    order::status::OrderStatus,
};

/// A discount or a fee as it counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

/// What an order comes to after its lines changed: results, so that no later formula can alter them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// Every line of the order, in their order.
    pub lines: Vec<LineFigures>,
    /// The order discounts as they count now: no more than the lines can bear.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub order_discounts: Vec<Adjustment>,
    /// The fees as they count now: none once every line is cancelled.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub fees: Vec<Adjustment>,
    /// The sums.
    pub totals: Totals,
}

/// A line's figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct LineFigures {
    pub line_number: u16,
    /// What is left of the line.
    pub quantity: Quantity,
    /// 9000 for a line of nothing.
    pub status: OrderStatus,
    pub gross: Money,
    pub discount: Money,
    /// The line's discounts as they count now: those that count add up to `discount`.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub discounts: Vec<Adjustment>,
    pub net: Money,
    pub order_discount_share: Money,
    pub tax_contained: Money,
    pub tax_added: Money,
}
