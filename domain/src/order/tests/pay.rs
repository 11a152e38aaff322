use super::*;
use crate::order::PaymentStatus;

#[test]
fn an_allocated_order_is_paid_with_the_cash_due() {
    let event = OrderEvent::Paid {
        method: "COD".into(),
        amount: baht("100"),
        rounding: Money::ZERO,
    };
    order_at(OrderStatus::Allocated)
        .when(pay("100.00"))
        .happens(event);
    let paid = order_at(OrderStatus::Allocated).and(pay("100"));
    assert_eq!(paid.order.payment_status, PaymentStatus::Paid);
    assert_eq!(paid.order.status, OrderStatus::Allocated);
}

#[test]
fn the_amount_is_compared_with_the_rounded_total() {
    let given = nothing()
        .and(place(order_of(vec![weighed(1, "189", "0.745")])))
        .and(OrderCommand::Allocate);
    let mismatch = [(Code::ErrPaymentAmountMismatch, "amount")];
    for amount in ["140.805", "140.81", "140.79", "140.8001", "0", "-140.80"] {
        given.when(pay(amount)).is_refused(&mismatch);
    }
    given.when(pay("140.80")).happens(OrderEvent::Paid {
        method: "COD".into(),
        amount: baht("140.80"),
        rounding: baht("-0.005"),
    });
}

#[test]
fn another_method_is_refused_with_whatever_else_is_wrong() {
    for method in ["CARD", "cod", "", "undefined"] {
        let command = OrderCommand::Pay(Pay {
            method: method.into(),
            amount: baht("1"),
        });
        order_at(OrderStatus::Allocated).when(command).is_refused(&[
            (Code::ErrInvalidPaymentMethod, "method"),
            (Code::ErrPaymentAmountMismatch, "amount"),
        ]);
    }
}

#[test]
fn payment_follows_allocation() {
    for status in [OrderStatus::Open, OrderStatus::BackOrdered] {
        order_at(status)
            .when(pay("100"))
            .is_refused(&[(Code::ErrInvalidTransition, "")]);
    }
    let cancelled = order_at(OrderStatus::Cancelled);
    cancelled
        .when(pay("100"))
        .is_refused(&[(Code::ErrOrderNotModifiable, "")]);
}

#[test]
fn repeating_it_changes_nothing_but_another_amount_is_no_repeat() {
    for status in [OrderStatus::Released, OrderStatus::Delivered] {
        order_at(status).when(pay("100")).nothing_happens();
        order_at(status)
            .when(pay("99"))
            .is_refused(&[(Code::ErrPaymentAmountMismatch, "amount")]);
    }
}
