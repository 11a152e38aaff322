//! What holds for figures computed anew, whatever changes.

use super::*;
use crate::{
    order::{
        command::{ChangeLines, ProposeSubstitution, ReportShort},
        event::Line,
    },
    pricing::extend,
    random::{Rng, for_all},
};

/// Runs of each property.
const CASES: u64 = 200;
/// Most lines of an order here.
const LINES: i64 = 12;

/// A line with up to two discounts of less than half of it, and an informational one.
fn any_line(rng: &mut Rng) -> LineInput {
    let price = rng.between(100_000, 2_999_999);
    let grams = rng.maybe(|rng| rng.between(1, 4_999));
    let quantity = grams.map_or_else(|| rng.between(1, 8) * 10_000, |grams| grams * 10);
    let mut discounts = rng.list(0, 2, |rng| AdjustmentInput {
        amount: Money::from_units(price / 100 * rng.below(20) / 10_000 * quantity),
        ..adjustment("PROMOTION", "0")
    });
    discounts.push(AdjustmentInput {
        informational: true,
        ..adjustment("SHOWN", "7")
    });
    LineInput {
        quantity: Quantity::from_units(quantity),
        is_weight_item: grams.is_some(),
        discounts,
        is_tax_included: Some(rng.permille(500)),
        unit_price: Money::from_units(price),
        ..line(1, "1", "1")
    }
}

fn any_order(rng: &mut Rng) -> PlaceOrder {
    let mut lines = rng.list(1, LINES, any_line);
    for (line, number) in lines.iter_mut().zip(1..) {
        line.line_number = number;
    }
    let gross = |l: &LineInput| extend(l.unit_price, l.quantity).unwrap().units();
    let gross: i64 = lines.iter().map(gross).sum();
    let fee = Money::from_units(rng.below(500_000));
    PlaceOrder {
        // Together less than a third of the goods at their original prices, so that placing takes them.
        order_discounts: rng.list(0, 2, |rng| AdjustmentInput {
            amount: Money::from_units(rng.below(4_000_000).min(gross / 10)),
            ..adjustment("MEMBER", "0")
        }),
        fees: vec![
            AdjustmentInput {
                amount: fee,
                ..adjustment("SHIPPING", "0")
            },
            adjustment("SERVICE", "10"),
        ],
        ..order_of(lines)
    }
}

/// So many percent of each line.
fn percents(rng: &mut Rng, most: i64) -> Vec<i64> {
    rng.list(LINES, LINES, |rng| rng.between(0, most))
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
fn check(order: &Order) {
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
        assert_eq!(
            listed.map(|d| d.amount.units()).sum::<i64>(),
            line.discount.units()
        );
        assert!(line.discounts.iter().all(|d| !d.amount.is_negative()));
        let shown = line.discounts.iter().filter(|d| d.informational);
        assert!(shown.map(|d| d.amount).eq([baht("7")]));
        assert_eq!(
            line.gross,
            extend(line.original_unit_price, line.quantity).unwrap()
        );
        assert_eq!(line.net.units(), line.gross.units() - line.discount.units());
        assert!(!line.net.is_negative() && !line.discount.is_negative());
        assert!(!line.order_discount_share.is_negative() && line.order_discount_share <= line.net);
        assert!(!line.tax_contained.is_negative() && !line.tax_added.is_negative());
        assert_eq!(state.is_open(), line.quantity.is_positive());
        let parts = line.quantity.units() + state.short.units() + state.cancelled().units();
        assert_eq!(parts, state.ordered.units());
    }
    assert_eq!(sum(&lines, |l| l.order_discount_share), discount);
    assert_eq!(sum(&lines, |l| l.net), t.sub_total.units());
    assert_eq!(
        sum(&lines, |l| l.discount) + discount,
        t.total_discount.units()
    );
    assert_eq!(
        sum(&lines, |l| l.tax_contained) + fee(|f| f.tax_contained),
        t.informational_taxes.units()
    );
    assert_eq!(
        sum(&lines, |l| l.tax_added) + fee(|f| f.tax_added),
        t.total_taxes.units()
    );
    assert_eq!(fee(|f| f.amount), t.fees.units());
    let charge = t.sub_total.units() + t.total_taxes.units() + t.fees.units();
    assert_eq!(charge, t.total_charge.units());
    assert_eq!(charge - discount, t.order_total.units());
    assert!(!t.order_total.is_negative());
    assert_eq!(
        t.cash_due.units() - t.cash_rounding.units(),
        t.order_total.units()
    );
    assert_eq!(t.cash_due.units() % 100, 0);
}

#[test]
fn figures_stay_exact_through_changes_and_shorts() {
    for_all(CASES, |rng| {
        let mut given = no_limit().and(place(any_order(rng)));
        check(&given.order);
        let change = OrderCommand::ChangeLines(ChangeLines {
            lines: scaled(&given.order, &percents(rng, 299)),
            reason: "why".into(),
        });
        if given.decide(&change).is_ok() {
            given = given.and(change);
        }
        check(&given.order);
        given = walked(given, OrderStatus::InProcess);
        for _ in 0..2 {
            if given.order.status == OrderStatus::Cancelled {
                break;
            }
            let report = ReportShort {
                lines: scaled(&given.order, &percents(rng, 100)),
                reason: "why".into(),
                report_id: None,
                occurred_at: None,
            };
            given = given.and(OrderCommand::ReportShort(report));
            check(&given.order);
        }
        let payment = given.order.payment.as_ref().unwrap();
        assert_eq!(payment.amount, given.order.totals.cash_due);
    });
}

#[test]
fn figures_stay_exact_when_products_change() {
    for_all(CASES, |rng| {
        let command = PlaceOrder {
            allow_substitution: true,
            ..any_order(rng)
        };
        let mut given = walked(no_limit().and(place(command)), OrderStatus::Picked);
        for n in 0..rng.between(1, 5) {
            let index = rng.index(given.order.lines.len());
            let (price, percent) = (Money::from_units(rng.below(4_000_000)), rng.between(1, 100));
            let whole = scaled(&given.order, &[percent; 12]);
            let Some(line) = whole.get(index).filter(|l| l.quantity.is_positive()) else {
                continue;
            };
            let id = format!("P-{n}");
            let offer = ProposeSubstitution {
                unit_price: price,
                quantity: Some(line.quantity),
                sku: id.clone(),
                via_merchant_app: true,
                ..substitution::other(&id, line.line_number, "1")
            };
            given = given
                .and(OrderCommand::ProposeSubstitution(offer))
                .and(substitution::answer(&id, true));
            check(&given.order);
            let state = &given.order.lines[index];
            assert_eq!(state.line.quantity, line.quantity);
            assert_eq!(state.line.unit_price, price);
        }
    });
}

#[test]
fn whatever_comes_back_in_whatever_parts_is_worth_what_was_paid() {
    for_all(CASES, |rng| {
        let given = no_limit().and(place(any_order(rng)));
        let due = given.order.totals.cash_due;
        let is_paid = rng.permille(500);
        let paid = is_paid.then(|| due.to_string());
        let mut given = returns::delivered_from(given, paid.as_deref());
        for _ in 0..rng.between(0, 4) {
            let mut lines = scaled(&given.order, &percents(rng, 100));
            for (line, state) in lines.iter_mut().zip(&given.order.lines) {
                let left = state.line.quantity.units() - state.returned.units();
                line.quantity = line.quantity.min(Quantity::from_units(left));
            }
            lines.retain(|l| l.quantity.is_positive());
            if lines.is_empty() {
                continue;
            }
            let command = RequestReturn {
                lines,
                refund_fees: false,
                reason: "why".into(),
            };
            let worth = |order: &Order| order.refund_promised().units() + order.waived().units();
            let before = worth(&given.order);
            given = given.and(OrderCommand::RequestReturn(command));
            let after = worth(&given.order);
            assert!(before <= after && after <= due.units());
            assert_eq!(after % 100, 0);
        }
        comes_back_whole(given, due, is_paid);
    });
}

/// With the rest of it, an order is worth what was paid for it.
fn comes_back_whole(given: Scenario, due: Money, is_paid: bool) {
    let mut lines = given.order.lines.iter();
    let left = lines.any(|l| l.returned < l.line.quantity);
    let given = given.and(take_back(&[], left));
    let (refund, waived) = (given.order.refund_promised(), given.order.waived());
    let back = if left {
        due
    } else {
        refund.checked_add(waived).unwrap()
    };
    let expected = if is_paid {
        (back, Money::ZERO)
    } else {
        (Money::ZERO, back)
    };
    assert_eq!((refund, waived), expected);
    assert_eq!(given.order.status, OrderStatus::PendingReturn);
}
