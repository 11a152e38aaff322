//! What holds for figures computed anew, whatever changes.

use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::order::{
    command::{ChangeLines, ProposeSubstitution, ReportShort},
    event::Line,
};

/// Runs of each property.
const CASES: u32 = 200;

prop_compose! {
    /// A line with up to three discounts of less than half of it, one of them informational.
    fn any_line()(
        price in 100_000..3_000_000i64, pieces in 1..9i64, grams in option::of(1..5_000i64),
        percents in vec(0..20i64, 0..3), is_tax_included: bool,
    ) -> LineInput {
        let quantity = grams.map_or(pieces * 10_000, |grams| grams * 10);
        let off = |percent: i64| Money::from_units(price / 100 * percent / 10_000 * quantity);
        let counted = percents.iter().map(|p| AdjustmentInput { amount: off(*p), ..adjustment("PROMOTION", "0") });
        let shown = AdjustmentInput { informational: true, ..adjustment("SHOWN", "7") };
        LineInput {
            quantity: Quantity::from_units(quantity),
            is_weight_item: grams.is_some(),
            discounts: counted.chain([shown]).collect(),
            is_tax_included: Some(is_tax_included),
            unit_price: Money::from_units(price),
            ..line(1, "1", "1")
        }
    }
}

prop_compose! {
    fn any_order()(
        mut lines in vec(any_line(), 1..=12), discounts in vec(0..4_000_000i64, 0..3), fee in 0..500_000i64,
    ) -> PlaceOrder {
        for (line, number) in lines.iter_mut().zip(1..) {
            line.line_number = number;
        }
        let gross: i64 = lines.iter().map(|l| crate::pricing::extend(l.unit_price, l.quantity).unwrap().units()).sum();
        // Together less than a third of the goods at their original prices, so that placing takes them.
        let off = |d: i64| AdjustmentInput { amount: Money::from_units(d.min(gross / 10)), ..adjustment("MEMBER", "0") };
        PlaceOrder {
            order_discounts: discounts.into_iter().map(off).collect(),
            fees: vec![AdjustmentInput { amount: Money::from_units(fee), ..adjustment("SHIPPING", "0") }, adjustment("SERVICE", "10")],
            ..order_of(lines)
        }
    }
}

fn no_limit() -> Scenario {
    let limit = Money::from_units(crate::money::MAX_UNITS);
    nothing().given(|facts| {
        facts
            .store
            .iter_mut()
            .for_each(|s| s.cod_limit = Some(limit));
    })
}

/// The quantity of each line that so many percent of it come to.
fn scaled(order: &Order, percents: &[i64]) -> Vec<LineQuantityInput> {
    let lines = order.lines.iter().zip(percents).map(|(state, percent)| {
        let line = &state.line;
        let step = if line.is_weight_item { 1 } else { 10_000 };
        let units = line.quantity.units() * percent / 100 / step * step;
        LineQuantityInput {
            line_number: i32::from(line.line_number),
            quantity: Quantity::from_units(units),
        }
    });
    lines.collect()
}

fn sum(lines: &[&Line], figure: impl Fn(&Line) -> Money) -> i64 {
    lines.iter().map(|line| figure(line).units()).sum()
}

/// Every identity between the figures of an order.
fn check(order: &Order) -> Result<(), TestCaseError> {
    let t = &order.totals;
    let lines: Vec<&Line> = order.lines.iter().map(|l| &l.line).collect();
    let counted = order.order_discounts.iter().filter(|d| !d.informational);
    let discount: i64 = counted.map(|d| d.amount.units()).sum();
    let fee = |figure: fn(&crate::order::event::Adjustment) -> Money| -> i64 {
        order.fees.iter().map(|f| figure(f).units()).sum()
    };
    for state in &order.lines {
        let line = &state.line;
        let listed = line.discounts.iter().filter(|d| !d.informational);
        prop_assert_eq!(
            listed.map(|d| d.amount.units()).sum::<i64>(),
            line.discount.units()
        );
        prop_assert!(line.discounts.iter().all(|d| !d.amount.is_negative()));
        let shown = line.discounts.iter().filter(|d| d.informational);
        prop_assert!(shown.map(|d| d.amount).eq([baht("7")]));
        prop_assert_eq!(
            line.gross,
            crate::pricing::extend(line.original_unit_price, line.quantity).unwrap()
        );
        prop_assert_eq!(line.net.units(), line.gross.units() - line.discount.units());
        prop_assert!(!line.net.is_negative() && !line.discount.is_negative());
        prop_assert!(
            !line.order_discount_share.is_negative() && line.order_discount_share <= line.net
        );
        prop_assert!(!line.tax_contained.is_negative() && !line.tax_added.is_negative());
        prop_assert_eq!(state.is_open(), line.quantity.is_positive());
        let parts = line.quantity.units() + state.short.units() + state.cancelled().units();
        prop_assert_eq!(parts, state.ordered.units());
    }
    prop_assert_eq!(sum(&lines, |l| l.order_discount_share), discount);
    prop_assert_eq!(sum(&lines, |l| l.net), t.sub_total.units());
    prop_assert_eq!(
        sum(&lines, |l| l.discount) + discount,
        t.total_discount.units()
    );
    prop_assert_eq!(
        sum(&lines, |l| l.tax_contained) + fee(|f| f.tax_contained),
        t.informational_taxes.units()
    );
    prop_assert_eq!(
        sum(&lines, |l| l.tax_added) + fee(|f| f.tax_added),
        t.total_taxes.units()
    );
    prop_assert_eq!(fee(|f| f.amount), t.fees.units());
    let charge = t.sub_total.units() + t.total_taxes.units() + t.fees.units();
    prop_assert_eq!(charge, t.total_charge.units());
    prop_assert_eq!(charge - discount, t.order_total.units());
    prop_assert!(!t.order_total.is_negative());
    prop_assert_eq!(
        t.cash_due.units() - t.cash_rounding.units(),
        t.order_total.units()
    );
    prop_assert_eq!(t.cash_due.units() % 100, 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn figures_stay_exact_through_changes_and_shorts(
        command in any_order(), up in vec(0..300i64, 12), down in vec(0..=100i64, 12), again in vec(0..=100i64, 12),
    ) {
        let mut given = no_limit().and(place(command));
        check(&given.order)?;
        let lines = scaled(&given.order, &up);
        let change = OrderCommand::ChangeLines(ChangeLines { lines, reason: "why".into() });
        if given.decide(&change).is_ok() {
            given = given.and(change);
        }
        check(&given.order)?;
        given = walked(given, OrderStatus::InProcess);
        for percents in [down, again] {
            if given.order.status == OrderStatus::Cancelled {
                break;
            }
            let lines = scaled(&given.order, &percents);
            let report = ReportShort { lines, reason: "why".into(), report_id: None, occurred_at: None };
            given = given.and(OrderCommand::ReportShort(report));
            check(&given.order)?;
        }
        let payment = given.order.payment.as_ref().unwrap();
        prop_assert_eq!(payment.amount, given.order.totals.cash_due);
    }

    #[test]
    fn figures_stay_exact_when_products_change(
        command in any_order(), changes in vec((0..12usize, 0..4_000_000i64, 1..=100i64), 1..6),
    ) {
        let command = PlaceOrder { allow_substitution: true, ..command };
        let mut given = walked(no_limit().and(place(command)), OrderStatus::Picked);
        for (n, (index, price, percent)) in changes.into_iter().enumerate() {
            let whole = scaled(&given.order, &[percent; 12]);
            let Some(line) = whole.get(index).filter(|l| l.quantity.is_positive()) else { continue };
            let id = format!("P-{n}");
            let offer = ProposeSubstitution {
                unit_price: Money::from_units(price),
                quantity: Some(line.quantity),
                sku: id.clone(),
                via_merchant_app: true,
                ..substitution::other(&id, line.line_number, "1")
            };
            given = given.and(OrderCommand::ProposeSubstitution(offer)).and(substitution::answer(&id, true));
            check(&given.order)?;
            let state = &given.order.lines[index];
            prop_assert_eq!(state.line.quantity, line.quantity);
            prop_assert_eq!(state.line.unit_price, Money::from_units(price));
        }
    }

    #[test]
    fn whatever_comes_back_in_whatever_parts_is_worth_what_was_paid(
        command in any_order(), percents in vec(vec(0..=100i64, 12), 0..5), is_paid: bool,
    ) {
        let given = no_limit().and(place(command));
        let due = given.order.totals.cash_due;
        let paid = is_paid.then(|| due.to_string());
        let mut given = returns::delivered_from(given, paid.as_deref());
        for percents in percents {
            let mut lines = scaled(&given.order, &percents);
            for (line, state) in lines.iter_mut().zip(&given.order.lines) {
                let left = state.line.quantity.units() - state.returned.units();
                line.quantity = line.quantity.min(Quantity::from_units(left));
            }
            lines.retain(|l| l.quantity.is_positive());
            let command = RequestReturn { lines, refund_fees: false, reason: "why".into() };
            if command.lines.is_empty() {
                continue;
            }
            let before = given.order.refund_promised().units() + given.order.waived().units();
            given = given.and(OrderCommand::RequestReturn(command));
            let after = given.order.refund_promised().units() + given.order.waived().units();
            prop_assert!(before <= after && after <= due.units());
            prop_assert_eq!(after % 100, 0);
        }
        let left = given.order.lines.iter().any(|l| l.returned < l.line.quantity);
        let given = given.and(take_back(&[], left));
        let (refund, waived) = (given.order.refund_promised(), given.order.waived());
        let back = if left { due } else { refund.checked_add(waived).unwrap() };
        let expected = if is_paid { (back, Money::ZERO) } else { (Money::ZERO, back) };
        prop_assert_eq!((refund, waived), expected);
        prop_assert_eq!(given.order.status, OrderStatus::PendingReturn);
    }
}
