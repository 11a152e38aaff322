//! Discounts, fees and the rules of the order's sums.

use super::{
    super::limits,
    lines::{DEFAULT_TAX_RATE, MAX_TAX_RATE},
};
use crate::{
    money::Money,
    order::{
        command::{AdjustmentInput, PlaceOrder},
        event::{Adjustment, Line, Totals},
        facts::Facts,
    },
    pricing::{self, Fee, Item, PricingError},
    refusal::Code,
    validate::Problems,
};

/// Most discounts on an order, and most fees.
const MAX_ADJUSTMENTS: usize = 10;
/// Longest kind of a discount or a fee.
const MAX_KIND: usize = 50;
/// How far a stated total may lie from ours: 0.01 THB.
const TOTAL_TOLERANCE: u64 = 100;

/// Order discounts and fees as they came, checked.
pub(super) struct Adjustments {
    order_discounts: Vec<Adjustment>,
    fees: Vec<Adjustment>,
    /// As `fees`, with what pricing needs of them.
    fee_terms: Vec<Fee>,
}

/// The order's figures.
pub(super) struct Priced {
    pub(super) lines: Vec<Line>,
    pub(super) order_discounts: Vec<Adjustment>,
    pub(super) fees: Vec<Adjustment>,
    pub(super) totals: Totals,
    /// Sum of the original prices.
    gross: Money,
}

/// A list of discounts or fees; `None` where one is wrong.
pub(super) fn check_list(
    problems: &mut Problems,
    code: Code,
    path: &str,
    inputs: &[AdjustmentInput],
    max: usize,
) -> Option<Vec<Adjustment>> {
    let before = problems.count();
    if inputs.len() > max {
        problems.add(
            code,
            path,
            format!("{path} must have at most {max} entries"),
        );
    }
    let mut adjustments = Vec::with_capacity(inputs.len().min(max));
    for (index, input) in inputs.iter().take(max).enumerate() {
        let kind = format!("{path}[{index}].kind");
        let kind = problems.required(code, &kind, Some(&input.kind), MAX_KIND);
        if input.amount.is_negative() {
            let path = format!("{path}[{index}].amount");
            let message = format!("{path} must not be negative");
            problems.add(code, path, message);
        }
        adjustments.extend(kind.map(|kind| Adjustment {
            kind,
            amount: input.amount,
            informational: input.informational,
            ..Adjustment::default()
        }));
    }
    (problems.count() == before).then_some(adjustments)
}

/// Order discounts and fees.
pub(super) fn check_adjustments(
    problems: &mut Problems,
    command: &PlaceOrder,
) -> Option<Adjustments> {
    let code = Code::Validation;
    let discounts = &command.order_discounts;
    let discounts = check_list(problems, code, "orderDiscounts", discounts, MAX_ADJUSTMENTS);
    let fees = check_list(problems, code, "fees", &command.fees, MAX_ADJUSTMENTS);
    let before = problems.count();
    let mut fee_terms = Vec::with_capacity(MAX_ADJUSTMENTS);
    for (index, input) in command.fees.iter().take(MAX_ADJUSTMENTS).enumerate() {
        let tax_rate = input.tax_rate.unwrap_or(DEFAULT_TAX_RATE);
        if tax_rate.is_negative() || tax_rate > MAX_TAX_RATE {
            let path = format!("fees[{index}].taxRate");
            let message = format!("{path} must lie between 0.0000 and 1.0000");
            problems.add(code, path, message);
        }
        fee_terms.push(Fee {
            amount: input.amount,
            tax_rate,
            is_tax_included: input.is_tax_included.unwrap_or(true),
            informational: input.informational,
        });
    }
    let rates_are_right = problems.count() == before;
    let (order_discounts, fees) = discounts.zip(fees)?;
    rates_are_right.then_some(Adjustments {
        order_discounts,
        fees,
        fee_terms,
    })
}

/// Cal A to F.
pub(super) fn price(
    problems: &mut Problems,
    mut lines: Vec<Line>,
    adjustments: Adjustments,
) -> Option<Priced> {
    let items: Vec<Item> = lines.iter().map(item).collect();
    let Adjustments {
        order_discounts,
        mut fees,
        fee_terms,
    } = adjustments;
    let counted = order_discounts
        .iter()
        .filter(|d| !d.informational)
        .map(|d| d.amount);
    let sums = pricing::add(counted)
        .ok_or(PricingError::OutOfRange)
        .and_then(|discount| pricing::price(&items, discount, &fee_terms));
    let sums = match sums {
        Ok(sums) => sums,
        Err(e) => {
            let (code, path) = match e {
                PricingError::OutOfRange => (Code::Validation, ""),
                PricingError::LineDiscount { .. } => (Code::ErrInvalidLineItem, "lines"),
                PricingError::OrderDiscount => (Code::MaxDiscountPercent, "orderDiscounts"),
            };
            problems.add(code, path, e.to_string());
            return None;
        }
    };
    for (line, sums) in lines.iter_mut().zip(&sums.items) {
        line.net = sums.net;
        line.order_discount_share = sums.order_discount_share;
        line.tax_contained = sums.tax.contained;
        line.tax_added = sums.tax.added;
    }
    for (fee, charge) in fees.iter_mut().zip(&sums.fees) {
        fee.tax_contained = charge.tax.contained;
        fee.tax_added = charge.tax.added;
    }
    Some(Priced {
        lines,
        order_discounts,
        fees,
        totals: sums.totals,
        gross: sums.gross,
    })
}

fn item(line: &Line) -> Item {
    Item {
        original_unit_price: line.original_unit_price,
        quantity: line.quantity,
        discount: line.discount,
        tax_rate: line.tax_rate,
        is_tax_included: line.is_tax_included,
    }
}

/// What the sums must keep to.
pub(super) fn check_totals(
    problems: &mut Problems,
    command: &PlaceOrder,
    facts: &Facts,
    priced: &Priced,
) {
    let totals = &priced.totals;
    let total = totals.order_total;
    limits::check_totals(problems, totals, priced.gross);
    if let Some(stated) = command.expected_total
        && stated.units().abs_diff(total.units()) > TOTAL_TOLERANCE
    {
        let message = format!("expectedTotal is {stated}, the order comes to {total}");
        problems.add(Code::ErrTotalMismatch, "expectedTotal", message);
    }
    let store = facts.store.as_ref();
    limits::check_cod(problems, "paymentMethod", store, totals.cash_due);
}
