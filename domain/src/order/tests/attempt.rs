use super::*;
use crate::order::{
    CollectionStatus, PaymentStatus,
    event::{ReturnCause, Step},
};
use OrderStatus as S;

fn failed(number: u8, id: Option<&str>, step: Option<Step>) -> OrderEvent {
    OrderEvent::DeliveryFailed {
        attempt: number,
        attempt_id: id.map(str::to_owned),
        reason: "nobody at home".into(),
        step,
        occurred_at: None,
    }
}

fn shown(from: S, skipped: &[S]) -> Option<Step> {
    Some(Step {
        from,
        to: S::OutForDelivery,
        skipped: skipped.to_vec(),
        occurred_at: None,
        recorded_at: Some(now()),
    })
}

fn attempted(given: Scenario, times: usize) -> Scenario {
    (0..times).fold(given, |given, n| {
        given.and(attempt(Some(&format!("A-{n}"))))
    })
}

#[test]
fn a_failed_attempt_leaves_the_order_out_for_delivery() {
    order_at(S::OutForDelivery)
        .when(attempt(Some(" A-1 ")))
        .happens(failed(1, Some("A-1"), None));
    let order = order_at(S::OutForDelivery).and(attempt(Some("A-1"))).order;
    assert_eq!(order.status, S::OutForDelivery);
    assert_eq!(order.attempts.len(), 1);
    assert_eq!(order.cod_due(), baht("100"));
}

#[test]
fn an_attempt_shows_that_the_goods_are_out() {
    for (status, skipped) in [
        (S::InTransit, vec![]),
        (S::Shipped, vec![S::InTransit]),
        (S::Fulfilled, vec![S::Shipped, S::InTransit]),
    ] {
        let given = order_at(status);
        given
            .when(attempt(None))
            .happens(failed(1, None, shown(status, &skipped)));
        let order = given.and(attempt(None)).order;
        assert_eq!(order.status, S::OutForDelivery);
        assert_eq!(order.collection.status, CollectionStatus::InTransit);
    }
}

#[test]
fn before_the_shipment_nothing_is_delivered() {
    for status in [S::Open, S::BackOrdered, S::Released, S::Packed] {
        order_at(status)
            .when(attempt(Some("A-1")))
            .is_refused(&[(Code::ErrInvalidTransition, "")]);
    }
    order_at(S::Cancelled)
        .when(attempt(Some("A-1")))
        .is_refused(&[(Code::ErrOrderNotModifiable, "")]);
}

#[test]
fn an_attempt_counts_once() {
    let given = order_at(S::OutForDelivery).and(attempt(Some("A-1")));
    given.when(attempt(Some("A-1"))).nothing_happens();
    given
        .when(attempt(Some("A-2")))
        .happens(failed(2, Some("A-2"), None));
    // Without ids the time tells them apart, and without a time they are different ones.
    let at = |minutes: i64| {
        OrderCommand::RecordFailedDelivery(RecordFailedDelivery {
            attempt_id: None,
            reason: "nobody at home".into(),
            tracking_id: Some("TH-1".into()),
            occurred_at: Some(in_minutes(minutes)),
        })
    };
    let given = given.and(at(-5));
    given.when(at(-5)).nothing_happens();
    assert_eq!(given.when(at(-4)).events().len(), 3);
    assert_eq!(given.when(attempt(None)).events().len(), 3);
}

#[test]
fn news_after_the_end_is_acknowledged() {
    order_at(S::Delivered)
        .when(attempt(Some("A-1")))
        .nothing_happens();
    let back = attempted(order_at(S::OutForDelivery), 3);
    back.when(attempt(Some("A-4"))).nothing_happens();
    back.when(attempt(Some("A-2"))).nothing_happens();
}

#[test]
fn the_fields_are_checked_all_at_once() {
    let command = OrderCommand::RecordFailedDelivery(RecordFailedDelivery {
        attempt_id: Some("x".repeat(51)),
        reason: "".into(),
        tracking_id: Some("TH-2".into()),
        occurred_at: Some(DateTime::<Utc>::MIN_UTC),
    });
    order_at(S::OutForDelivery).when(command).is_refused(&[
        (Code::Validation, "reason"),
        (Code::Validation, "attemptId"),
        (Code::Validation, "occurredAt"),
        (Code::Validation, "trackingId"),
    ]);
}

#[test]
fn after_the_third_the_goods_go_back_and_nothing_is_due() {
    let given = attempted(order_at(S::OutForDelivery), 2);
    let events = given.when(attempt(Some("A-3"))).events();
    let [third, no_cash, OrderEvent::ReturnRequested(back)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(third, &failed(3, Some("A-3"), None));
    let expected = OrderEvent::CollectionFailed {
        reason: "nobody at home".into(),
        is_final: true,
        occurred_at: None,
    };
    assert_eq!(no_cash, &expected);
    assert_eq!(back.cause, ReturnCause::Undelivered);
    assert_eq!((back.refund, back.waived), (Money::ZERO, baht("100")));
    assert_eq!((back.lines.len(), back.lines[0].value), (1, baht("100")));
    let given = given.and(attempt(Some("A-3")));
    let order = &given.order;
    assert_eq!(order.status, S::PendingReturn);
    assert_eq!(order.collection.status, CollectionStatus::Failed);
    assert_eq!(order.payment_status, PaymentStatus::Failed);
    assert_eq!(
        (order.cod_due(), order.refund_promised()),
        (Money::ZERO, Money::ZERO)
    );
    let line = &order.lines[0];
    assert_eq!(
        (line.shipped(), line.delivered()),
        (quantity("1"), Quantity::ZERO)
    );
    let given = given.and(OrderCommand::ReceiveReturn);
    assert_eq!(given.order.status, S::Returned);
    given.when(OrderCommand::ReceiveReturn).nothing_happens();
    given.when(take_back(&[], true)).nothing_happens();
    given
        .when(take_back(&[(1, "1")], false))
        .is_refused(&[(Code::ErrInvalidLineItem, "lines[0].quantity")]);
}

#[test]
fn a_delivery_after_the_last_attempt_is_not_believed() {
    let back = attempted(order_at(S::InTransit), 3);
    let received = attempted(order_at(S::InTransit), 3).and(OrderCommand::ReceiveReturn);
    for given in [back, received] {
        given
            .when(delivery(S::Delivered))
            .is_refused(&[(Code::ErrInvalidTransition, "")]);
        given.when(delivery(S::InTransit)).nothing_happens();
        given.when(shipment(S::Shipped, None)).nothing_happens();
        given
            .when(cancel("give up"))
            .is_refused(&[(Code::CancellationNotAllowed, "")]);
    }
}

#[test]
fn all_that_is_left_goes_back_with_its_fees() {
    let command = PlaceOrder {
        fees: vec![adjustment("SHIPPING", "40")],
        order_discounts: vec![adjustment("MEMBER", "10")],
        ..grab_order()
    };
    let given = walked(nothing().and(place(command)), S::InProcess);
    let short = OrderCommand::ReportShort(crate::order::command::ReportShort {
        lines: named(&[(2, "0")]),
        reason: "not on the shelf".into(),
        report_id: None,
        occurred_at: None,
    });
    let given = walked(given.and(short), S::OutForDelivery);
    let back = attempted(given, 3).order;
    let goods = &back.returns[0];
    assert_eq!(goods.lines.len(), 2);
    assert_eq!((goods.fees, goods.waived), (baht("40"), baht("358")));
    assert_eq!(shape(&back).0, "1:1@8000 2:0@9000 3:1@8000");
}

#[test]
fn cash_that_was_paid_for_what_goes_back_is_owed_back() {
    let given = order_at(S::OutForDelivery).given(|facts| facts.sealed = Some(sealed()));
    let given = attempted(given.and(collect("80")), 2);
    let events = given.when(attempt(Some("A-3"))).events();
    let [_, OrderEvent::ReturnRequested(back)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((back.refund, back.waived), (baht("80"), baht("20")));
    let given = given.and(attempt(Some("A-3")));
    assert_eq!(given.order.payment_status, PaymentStatus::AwaitingRefund);
    assert_eq!(given.order.collection.status, CollectionStatus::Collected);
    let given = given.and(refund("80"));
    assert_eq!(given.order.payment_status, PaymentStatus::Refunded);
}
