//! Recording the payment: settled before any cash exists, which is collected at the door.

use super::{Decision, already_applied, not_possible};
use crate::{
    order::{
        command::Pay,
        event::OrderEvent,
        state::Order,
        status::{OrderStatus, PaymentStatus},
    },
    refusal::Code,
    validate::{Problems, clean},
};

/// Cash on delivery: today the only method.
pub(super) const COD: &str = "COD";

/// Takes the cash due, to the satang: the order total rounded half-even to 0.01.
pub(super) fn pay(order: &Order, command: &Pay) -> Decision {
    let mut problems = Problems::default();
    if clean(&command.method) != Some(COD) {
        problems.add(
            Code::ErrInvalidPaymentMethod,
            "method",
            format!("method must be {COD}"),
        );
    }
    let due = order.totals.cash_due;
    if command.amount != due {
        problems.add(
            Code::ErrPaymentAmountMismatch,
            "amount",
            format!("amount must equal the cash due, {due}"),
        );
    }
    problems.finish(Some(()))?;
    if order.payment_status == PaymentStatus::Paid {
        return already_applied();
    }
    if order.status != OrderStatus::Allocated {
        return Err(not_possible(format!(
            "an order is paid at 2000, this one stands at {}: allocate it first",
            order.status.code()
        )));
    }
    let rounding = order.totals.cash_rounding;
    Ok(vec![OrderEvent::Paid {
        method: COD.to_owned(),
        amount: due,
        rounding,
    }])
}
