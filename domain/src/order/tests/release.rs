use super::*;

#[test]
fn a_paid_order_is_released_once() {
    let paid = order_at(OrderStatus::Allocated).and(pay("100"));
    paid.when(OrderCommand::Release)
        .happens(OrderEvent::Released { at: Some(now()) });
    for status in [
        OrderStatus::Released,
        OrderStatus::Picked,
        OrderStatus::Delivered,
    ] {
        order_at(status)
            .when(OrderCommand::Release)
            .nothing_happens();
    }
}

#[test]
fn release_wants_allocation_and_payment() {
    for status in [
        OrderStatus::Open,
        OrderStatus::BackOrdered,
        OrderStatus::Allocated,
    ] {
        order_at(status)
            .when(OrderCommand::Release)
            .is_refused(&[(Code::ErrInvalidTransition, "")]);
    }
}

#[test]
fn a_cancelled_order_is_final() {
    order_at(OrderStatus::Cancelled)
        .when(OrderCommand::Release)
        .is_refused(&[(Code::ErrOrderNotModifiable, "")]);
}
