//! A new order.

use chrono::{DateTime, Utc};
use domain::{
    bundle::Offer,
    ids::StoreId,
    order::command::{AdjustmentInput, LineInput, PlaceOrder},
};
use rust_decimal::Decimal;

use super::{
    bundles, money, number, round4,
    sums::{Extra, Row, Sums, sums},
};

/// A line before the sums.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub number: i32,
    pub sku: String,
    pub quantity: Decimal,
    /// Before promotions.
    pub price: Decimal,
    /// Now.
    pub unit: Decimal,
    pub discount: Decimal,
    pub rate: Decimal,
    pub is_tax_included: bool,
    /// It may become part of a bundle.
    pub is_plain: bool,
    /// Which of the order's bundles it is part of.
    pub bundle: Option<usize>,
}

impl Line {
    pub fn gross(&self) -> Decimal {
        round4(self.price * self.quantity)
    }

    pub fn row(&self) -> Row {
        Row {
            gross: self.gross(),
            discount: self.discount,
            rate: self.rate,
            is_tax_included: self.is_tax_included,
        }
    }
}

/// What an order comes to when it is placed.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    pub lines: Vec<Line>,
    pub discounts: Vec<Extra>,
    pub fees: Vec<Extra>,
    pub sums: Sums,
}

/// Channels of our own are priced by the chain.
pub fn is_own(channel: &str) -> bool {
    matches!(channel, "WEB" | "STORE")
}

pub fn rate_of(input: &LineInput) -> Decimal {
    input.tax_rate.map_or(Decimal::new(7, 2), super::rate)
}

pub fn place(
    command: &PlaceOrder,
    offers: &[Offer],
    store: &StoreId,
    now: DateTime<Utc>,
) -> Placed {
    let lines = bundles::lines(
        &command.lines,
        ordinary,
        &command.channel,
        offers,
        store,
        now,
    );
    let discounts: Vec<Extra> = command.order_discounts.iter().map(extra).collect();
    let fees: Vec<Extra> = command.fees.iter().map(extra).collect();
    let rows: Vec<Row> = lines.iter().map(Line::row).collect();
    let sums = sums(&rows, &discounts, &fees);
    Placed {
        lines,
        discounts,
        fees,
        sums,
    }
}

/// A line that names no bundle. What counts is the discounts it states; where it states none, its
/// price below the original one is the discount.
fn ordinary(input: &LineInput) -> Line {
    let unit = money(input.unit_price);
    let price = input.original_unit_price.map_or(unit, money);
    let quantity = number(input.quantity);
    let stated = input.discounts.iter().filter(|d| !d.informational);
    let stated: Decimal = stated.map(|d| money(d.amount)).sum();
    let gap = round4(price * quantity) - round4(unit * quantity);
    let discount = if stated.is_zero() { gap } else { stated };
    Line {
        number: input.line_number,
        sku: input.sku.clone(),
        quantity,
        price,
        unit,
        discount,
        rate: rate_of(input),
        is_tax_included: input.is_tax_included.unwrap_or(true),
        is_plain: input.pack.is_none()
            && !input.is_weight_item
            && !input.is_gift
            && input.discounts.is_empty()
            && gap.is_zero()
            && input.promotion_id.is_none()
            && input.is_tax_included.unwrap_or(true),
        bundle: None,
    }
}

fn extra(input: &AdjustmentInput) -> Extra {
    Extra {
        amount: money(input.amount),
        rate: input.tax_rate.map_or(Decimal::new(7, 2), super::rate),
        is_tax_included: input.is_tax_included.unwrap_or(true),
        informational: input.informational,
    }
}

/// Why an order of these sums is not taken, by code.
pub fn refused(command: &PlaceOrder, placed: &Placed, cod_limit: Decimal) -> Vec<&'static str> {
    let sums = &placed.sums;
    let gross: Decimal = placed.lines.iter().map(Line::gross).sum();
    let discounts = placed.discounts.iter().filter(|d| !d.informational);
    if discounts.map(|d| d.amount).sum::<Decimal>() > sums.a_sub_total {
        // There are no sums of such an order to break another rule.
        return vec!["MAX_DISCOUNT_PERCENT"];
    }
    let mut codes = Vec::new();
    if sums.c_order_total < Decimal::TEN {
        codes.push("MIN_ORDER_VALUE");
    }
    if sums.d_total_discount > gross * Decimal::new(9, 1) {
        codes.push("MAX_DISCOUNT_PERCENT");
    }
    if command
        .expected_total
        .is_some_and(|stated| (money(stated) - sums.c_order_total).abs() > Decimal::new(1, 2))
    {
        codes.push("ERR_TOTAL_MISMATCH");
    }
    if sums.cash_due > cod_limit || sums.cash_due < Decimal::ONE {
        codes.push("ERR_INVALID_PAYMENT_METHOD");
    }
    codes
}
