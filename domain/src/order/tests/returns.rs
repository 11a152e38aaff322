//! Goods that come back from the customer, and the money for them.

use super::*;
use crate::order::{
    CollectionStatus, PaymentStatus,
    event::{ReturnCause, ReturnRequested},
};
use OrderStatus as S;

const RECEIVE: OrderCommand = OrderCommand::ReceiveReturn;

/// A delivered order; its cash collected, if an amount is given.
pub(super) fn delivered(command: PlaceOrder, collected: Option<&str>) -> Scenario {
    delivered_from(nothing().and(place(command)), collected)
}

pub(super) fn delivered_from(given: Scenario, collected: Option<&str>) -> Scenario {
    let given = walked(given, S::Delivered).given(|facts| facts.sealed = Some(sealed()));
    match collected {
        Some(amount) => given.and(collect(amount)),
        None => given,
    }
}

/// V8 with shipping: 45, 62 and 28 less 15, and 40 on top, 160.00 in all.
fn discounted() -> PlaceOrder {
    PlaceOrder {
        order_discounts: vec![adjustment("MEMBER", "15")],
        fees: vec![adjustment("SHIPPING", "40")],
        ..order_of(vec![
            line(1, "45", "1"),
            line(2, "62", "1"),
            line(3, "28", "1"),
        ])
    }
}

/// Three of 30.00 less 10.00.
fn three() -> PlaceOrder {
    order_of(vec![LineInput {
        discounts: vec![adjustment("PROMOTION", "10")],
        ..line(1, "30", "3")
    }])
}

#[track_caller]
pub(super) fn requested(given: &Scenario, command: OrderCommand) -> ReturnRequested {
    match given.when(command).events().pop() {
        Some(OrderEvent::ReturnRequested(request)) => *request,
        other => panic!("not requested: {other:?}"),
    }
}

fn values(request: &ReturnRequested) -> Vec<String> {
    request.lines.iter().map(|l| l.value.to_string()).collect()
}

#[test]
fn all_of_it_comes_back_for_exactly_what_was_paid() {
    let given = delivered(discounted(), Some("160"));
    let request = requested(&given, take_back(&[], true));
    assert_eq!(request.cause, ReturnCause::Customer);
    assert_eq!(values(&request), ["40.0000", "55.1111", "24.8889"]);
    assert_eq!(
        (request.fees, request.refund, request.waived),
        (baht("40"), baht("160"), Money::ZERO)
    );
    let given = given.and(take_back(&[], true));
    assert_eq!(given.order.status, S::PendingReturn);
    assert_eq!(given.order.payment_status, PaymentStatus::AwaitingRefund);
    let line = &given.order.lines[0];
    assert_eq!(
        (line.delivered(), line.returned),
        (quantity("1"), quantity("1"))
    );
    given.when(take_back(&[], true)).nothing_happens();
    let given = given.and(RECEIVE);
    assert_eq!(given.order.status, S::Returned);
    given.when(RECEIVE).nothing_happens();
    given.when(take_back(&[], true)).nothing_happens();
    given.when(delivery(S::Delivered)).nothing_happens();
    let given = given.and(refund("160"));
    assert_eq!(given.order.payment_status, PaymentStatus::Refunded);
    assert_eq!(given.order.refunded, baht("160"));
}

#[test]
fn fees_go_back_with_all_of_it_and_only_when_asked_for() {
    let given = delivered(discounted(), Some("160"));
    assert_eq!(requested(&given, take_back(&[], false)).refund, baht("120"));
    given
        .when(take_back(&[(1, "1"), (2, "1")], true))
        .is_refused(&[(Code::Validation, "refundFees")]);
    let all = [(3, "1"), (1, "1"), (2, "1")];
    assert_eq!(requested(&given, take_back(&all, true)).refund, baht("160"));
    let rest = given.and(take_back(&[(1, "1"), (2, "1")], false));
    assert_eq!(
        requested(&rest, take_back(&[(3, "1")], true)).refund,
        baht("64.89")
    );
}

#[test]
fn nothing_is_lost_to_rounding() {
    let mut given = delivered(three(), Some("80"));
    for (value, refund) in [
        ("26.6667", "26.67"),
        ("26.6666", "26.66"),
        ("26.6667", "26.67"),
    ] {
        let request = requested(&given, take_back(&[(1, "1")], false));
        assert_eq!(values(&request), [value]);
        assert_eq!(request.refund, baht(refund));
        given = given.and(take_back(&[(1, "1")], false));
    }
    assert_eq!(given.order.status, S::PendingReturn);
    assert_eq!(given.order.refund_promised(), baht("80"));
    // One by one the three are worth the same as together.
    let given = delivered(discounted(), Some("160"));
    let refunds = [(1, "40"), (2, "55.11"), (3, "24.89")];
    refunds.into_iter().fold(given, |given, (number, refund)| {
        let command = take_back(&[(number, "1")], false);
        assert_eq!(requested(&given, command.clone()).refund, baht(refund));
        given.and(command)
    });
}

#[test]
fn the_cash_is_rounded_once_for_the_whole_order() {
    let given = delivered(order_of(vec![weighed(1, "189", "0.745")]), Some("140.80"));
    let request = requested(&given, take_back(&[], false));
    assert_eq!(values(&request), ["140.8050"]);
    assert_eq!(
        (request.refund, request.waived),
        (baht("140.80"), Money::ZERO)
    );
    let request = requested(&given, take_back(&[(1, "0.0001")], false));
    assert_eq!(
        (values(&request), request.refund),
        (vec!["0.0189".to_owned()], baht("0.02"))
    );
}

#[test]
fn vat_on_top_goes_back_as_well() {
    let command = order_of(vec![LineInput {
        is_tax_included: Some(false),
        ..line(1, "100", "2")
    }]);
    let given = delivered(command, Some("214"));
    let request = requested(&given, take_back(&[(1, "1")], false));
    assert_eq!(
        (values(&request), request.refund),
        (vec!["107.0000".to_owned()], baht("107"))
    );
}

#[test]
fn a_part_comes_back_and_the_order_stays_delivered() {
    let given = delivered(
        order_of(vec![line(1, "20", "3"), line(2, "40", "1")]),
        Some("100"),
    );
    let given = given.and(take_back(&[(1, "2")], false));
    assert_eq!(shape(&given.order).0, "1:3@7500 2:1@7500");
    assert_eq!(given.order.lines[0].returned, quantity("2"));
    let given = given.and(RECEIVE);
    assert_eq!(given.order.status, S::Delivered);
    assert!(given.order.returns[0].received_at.is_some());
    given.when(RECEIVE).nothing_happens();
    let given = given.and(take_back(&[(2, "1")], false));
    assert_eq!(shape(&given.order).0, "1:3@7500 2:1@8000");
    let given = given.and(RECEIVE).and(take_back(&[], false));
    assert_eq!(shape(&given.order).0, "1:3@8000 2:1@8500");
    assert_eq!(given.order.status, S::PendingReturn);
    let given = given.and(RECEIVE);
    assert_eq!(given.order.status, S::Returned);
    assert_eq!(given.order.refund_promised(), baht("100"));
}

#[test]
fn nothing_comes_back_before_it_was_delivered() {
    for status in [
        S::Open,
        S::BackOrdered,
        S::Released,
        S::Packed,
        S::Fulfilled,
        S::OutForDelivery,
    ] {
        let given = order_at(status);
        let expected = [(Code::ErrInvalidTransition, "")];
        given.when(take_back(&[], false)).is_refused(&expected);
        given.when(RECEIVE).is_refused(&expected);
        given
            .when(refund("1"))
            .is_refused(&[(Code::Validation, "amount")]);
    }
    let expected = [(Code::ErrOrderNotModifiable, "")];
    order_at(S::Cancelled)
        .when(take_back(&[], false))
        .is_refused(&expected);
    order_at(S::Cancelled).when(RECEIVE).is_refused(&expected);
    order_at(S::Cancelled)
        .when(refund("1"))
        .is_refused(&expected);
    order_at(S::Delivered)
        .when(RECEIVE)
        .is_refused(&[(Code::ErrInvalidTransition, "")]);
}

#[test]
fn goods_come_back_within_30_days() {
    const DAYS: i64 = 30 * 24 * 60;
    let given = order_at(S::Delivered);
    assert!(given.given_at(DAYS).when(take_back(&[], false)).0.is_ok());
    let late = given
        .given_at(DAYS)
        .given(|facts| facts.now += Duration::milliseconds(1));
    late.when(take_back(&[], false))
        .is_refused(&[(Code::ErrInvalidTransition, "")]);
    // An old event does not say when the goods were delivered.
    let mut unknown = given.given_at(2 * DAYS);
    unknown.order.delivered_at = None;
    assert!(unknown.when(take_back(&[], false)).0.is_ok());
}

#[test]
fn the_fields_are_checked_all_at_once() {
    let given = delivered(
        order_of(vec![line(1, "20", "3"), weighed(2, "40", "1.5")]),
        None,
    );
    let invalid = Code::ErrInvalidLineItem;
    for (lines, path) in [
        (vec![(9, "1")], "lines[0].lineNumber"),
        (vec![(1, "1"), (1, "1")], "lines[1].lineNumber"),
        (vec![(1, "0")], "lines[0].quantity"),
        (vec![(1, "-1")], "lines[0].quantity"),
        (vec![(1, "0.5")], "lines[0].quantity"),
        (vec![(1, "4")], "lines[0].quantity"),
        (vec![(2, "1.5001")], "lines[0].quantity"),
    ] {
        given
            .when(take_back(&lines, false))
            .is_refused(&[(invalid, path)]);
    }
    let given = given.and(take_back(&[(1, "2")], false));
    given
        .when(take_back(&[(1, "2")], false))
        .is_refused(&[(invalid, "lines[0].quantity")]);
    let unexplained = OrderCommand::RequestReturn(RequestReturn {
        lines: named(&[(2, "0")]),
        refund_fees: true,
        reason: "".into(),
    });
    given.when(unexplained).is_refused(&[
        (Code::Validation, "reason"),
        (invalid, "lines[0].quantity"),
        (Code::Validation, "refundFees"),
    ]);
}

#[test]
fn a_line_cancelled_on_the_way_does_not_come_back() {
    let short = OrderCommand::ReportShort(crate::order::command::ReportShort {
        lines: named(&[(2, "0")]),
        reason: "not on the shelf".into(),
        report_id: None,
        occurred_at: None,
    });
    let picked = walked(nothing().and(place(discounted())), S::InProcess).and(short);
    let given = delivered_from(picked, Some("98"));
    given
        .when(take_back(&[(2, "1")], false))
        .is_refused(&[(Code::ErrInvalidLineItem, "lines[0].quantity")]);
    let request = requested(&given, take_back(&[], true));
    assert_eq!((request.lines.len(), request.refund), (2, baht("98")));
    assert_eq!(
        given.and(take_back(&[], true)).order.status,
        S::PendingReturn
    );
}

#[test]
fn returns_are_bounded() {
    let mut given = delivered(order_of(vec![weighed(1, "189", "1")]), None);
    for _ in 0..100 {
        given = given.and(take_back(&[(1, "0.001")], false));
    }
    given
        .when(take_back(&[], false))
        .is_refused(&[(Code::ErrInvalidTransition, "")]);
}

#[test]
fn what_was_not_paid_is_waived_and_not_refunded() {
    let given = delivered(three(), None);
    let request = requested(&given, take_back(&[(1, "1")], false));
    assert_eq!(
        (request.refund, request.waived),
        (Money::ZERO, baht("26.67"))
    );
    let given = given.and(take_back(&[(1, "1")], false));
    assert_eq!(given.order.cod_due(), baht("53.33"));
    assert_eq!(given.order.payment_status, PaymentStatus::Paid);
    // What is still due is collected, and goes back like any other cash.
    let paid = given.given_at(0).and(collect("53.33"));
    assert_eq!(paid.order.collection.discrepancy, Money::ZERO);
    let request = requested(&paid, take_back(&[], false));
    assert_eq!(
        (request.refund, request.waived),
        (baht("53.33"), Money::ZERO)
    );
    // Or all of it comes back unpaid.
    let given = given.and(take_back(&[], false));
    assert_eq!(given.order.cod_due(), Money::ZERO);
    assert_eq!(given.order.payment_status, PaymentStatus::NotApplicable);
    assert_eq!(given.order.waived(), baht("80"));
}

#[test]
fn a_part_that_was_paid_goes_back_first() {
    let given = delivered(three(), Some("30"));
    let request = requested(&given, take_back(&[(1, "1")], false));
    assert_eq!(
        (request.refund, request.waived),
        (baht("26.67"), Money::ZERO)
    );
    let given = given.and(take_back(&[(1, "1")], false));
    let request = requested(&given, take_back(&[], false));
    assert_eq!((request.refund, request.waived), (baht("3.33"), baht("50")));
    assert_eq!(given.order.collection.status, CollectionStatus::Collected);
}

#[test]
fn a_satang_too_little_is_not_given_back_and_one_too_much_neither() {
    let given = delivered(three(), Some("79.99"));
    let request = requested(&given, take_back(&[], false));
    assert_eq!(
        (request.refund, request.waived),
        (baht("79.99"), baht("0.01"))
    );
    let given = delivered(three(), Some("85"));
    assert_eq!(requested(&given, take_back(&[], false)).refund, baht("80"));
}

#[test]
fn cash_heard_of_after_it_was_waived_is_owed_back() {
    let given = delivered(three(), None)
        .and(take_back(&[(1, "1")], false))
        .and(collect("80"));
    assert_eq!(given.order.collection.discrepancy, baht("26.67"));
    assert_eq!(given.order.refund_promised(), baht("26.67"));
    assert_eq!(given.order.payment_status, PaymentStatus::AwaitingRefund);
    let given = given.and(take_back(&[], false));
    assert_eq!(given.order.refund_promised(), baht("80"));
    let given = given.and(refund("80"));
    assert_eq!(given.order.payment_status, PaymentStatus::Refunded);
}

#[test]
fn a_refund_is_at_most_what_is_owed() {
    let given = delivered(three(), Some("80")).and(take_back(&[(1, "1")], false));
    for amount in ["0", "-1", "26.68", "1.001"] {
        given
            .when(refund(amount))
            .is_refused(&[(Code::Validation, "amount")]);
    }
    given.when(refund("20")).happens(OrderEvent::Refunded {
        amount: baht("20"),
        remaining: baht("6.67"),
        reference: Some("RF-1".into()),
    });
    let given = given.and(refund("20"));
    assert_eq!(given.order.payment_status, PaymentStatus::AwaitingRefund);
    given
        .when(refund("6.68"))
        .is_refused(&[(Code::Validation, "amount")]);
    let given = given.and(refund("6.67"));
    assert_eq!(given.order.payment_status, PaymentStatus::Refunded);
    given
        .when(refund("0.01"))
        .is_refused(&[(Code::Validation, "amount")]);
    // More comes back: more is owed.
    let given = given.and(take_back(&[], false));
    assert_eq!(given.order.payment_status, PaymentStatus::AwaitingRefund);
    let given = given.and(refund("53.33"));
    assert_eq!(
        (given.order.payment_status, given.order.refunded),
        (PaymentStatus::Refunded, baht("80"))
    );
    let unreadable = OrderCommand::Refund(Refund {
        amount: baht("1"),
        reference: Some("x".repeat(51)),
    });
    given.when(unreadable).is_refused(&[
        (Code::Validation, "reference"),
        (Code::Validation, "amount"),
    ]);
}
