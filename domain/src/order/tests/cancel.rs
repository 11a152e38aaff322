use super::*;
use crate::order::PaymentStatus;
use OrderStatus as S;

fn cancelled(from: S) -> OrderEvent {
    OrderEvent::Cancelled {
        from,
        reason: "customer called".into(),
        payment_status: PaymentStatus::NotApplicable,
    }
}

#[test]
fn whoever_may_cancel_does_so_up_to_the_release() {
    for status in [S::Open, S::BackOrdered, S::Allocated, S::Released] {
        for role in [
            Role::StoreManager,
            Role::CustomerService,
            Role::Slick,
            Role::Ops,
        ] {
            order_at(status)
                .by(role)
                .when(cancel("customer called"))
                .happens(cancelled(status));
        }
    }
}

#[test]
fn once_picking_has_begun_only_operations_cancel() {
    for status in [S::InProcess, S::Picked] {
        for role in [Role::Ops, Role::Admin] {
            order_at(status)
                .by(role)
                .when(cancel("customer called"))
                .happens(cancelled(status));
        }
        for role in [Role::StoreManager, Role::CustomerService, Role::Slick] {
            order_at(status)
                .by(role)
                .when(cancel("customer called"))
                .is_refused(&[(Code::CancellationNotAllowed, "")]);
        }
    }
}

#[test]
fn from_packed_on_nobody_cancels() {
    for status in [
        S::Packed,
        S::Fulfilled,
        S::Shipped,
        S::OutForDelivery,
        S::Delivered,
    ] {
        order_at(status)
            .when(cancel("customer called"))
            .is_refused(&[(Code::CancellationNotAllowed, "")]);
    }
}

#[test]
fn a_reason_is_required_and_bounded() {
    let longest = "เ".repeat(500);
    assert!(order_at(S::Open).when(cancel(&longest)).0.is_ok());
    for reason in ["", "  ", "-", "undefined", "a\u{7}", &format!("{longest}!")] {
        order_at(S::Open)
            .when(cancel(reason))
            .is_refused(&[(Code::Validation, "reason")]);
    }
}

#[test]
fn repeating_it_changes_nothing() {
    order_at(S::Cancelled)
        .when(cancel("another reason"))
        .nothing_happens();
    order_at(S::Cancelled).when(cancel("")).nothing_happens();
}

#[test]
fn a_cancel_takes_the_payment_and_the_lines_with_it() {
    let given = order_at(S::Released);
    assert_eq!(given.order.cod_due(), baht("100"));
    let order = given.and(cancel(" customer called ")).order;
    assert_eq!(order.status, S::Cancelled);
    assert_eq!(order.payment_status, PaymentStatus::NotApplicable);
    assert_eq!(order.cod_due(), Money::ZERO);
    assert_eq!(
        (order.min_line_status(), order.max_line_status()),
        (S::Cancelled, S::Cancelled)
    );
    assert_eq!(order.cancel_reason.as_deref(), Some("customer called"));
}

#[test]
fn the_cash_of_a_cancelled_order_is_not_awaited() {
    let given = order_at(S::Picked).and(cancel("out of everything"));
    let collection = &given.order.collection;
    assert_eq!(collection.status, crate::order::CollectionStatus::Pending);
    assert_eq!(given.order.cod_due(), Money::ZERO);
    assert_eq!(given.order.refund_promised(), Money::ZERO);
    let line = &given.order.lines[0];
    assert_eq!(
        (line.cancelled(), line.allocated()),
        (quantity("1"), Quantity::ZERO)
    );
}

#[test]
fn what_comes_or_came_back_is_not_cancelled() {
    let back = order_at(S::Delivered).and(take_back(&[], false));
    let received = order_at(S::Delivered)
        .and(take_back(&[], false))
        .and(OrderCommand::ReceiveReturn);
    for given in [back, received] {
        given
            .when(cancel("customer called"))
            .is_refused(&[(Code::CancellationNotAllowed, "")]);
    }
}
