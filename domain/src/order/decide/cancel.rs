//! Cancelling the whole order: irreversible, and harmless to repeat.

use super::{Decision, already_applied, reason};
use crate::{
    actor::{Action, Actor},
    order::{
        command::Cancel,
        event::OrderEvent,
        state::Order,
        status::{Cancellable, PaymentStatus},
    },
    refusal::{Code, Refusal},
    validate::Problems,
};

/// Cancels up to 3000 for everybody who may cancel, and at 3500 and 3600 for those who may cancel
/// late. No cash has been collected by then, so the payment falls back to not applicable.
pub(super) fn cancel(order: &Order, command: &Cancel, actor: &Actor) -> Decision {
    let from = order.status;
    let allowed = match from.cancellable() {
        Cancellable::Already => return already_applied(),
        Cancellable::Freely => Ok(()),
        Cancellable::Late if actor.role.may(Action::CancelLate) => Ok(()),
        Cancellable::Late => Err("picking has begun: only operations can cancel it, with a reason"),
        Cancellable::No => Err("it is packed or further: wait for delivery and return it"),
    };
    if let Err(why) = allowed {
        let message = format!("an order at {} cannot be cancelled: {why}", from.code());
        return Err(Refusal::one(Code::CancellationNotAllowed, "", message));
    }
    let mut problems = Problems::default();
    let reason = reason(&mut problems, &command.reason);
    let reason = problems.finish(reason)?;
    let payment_status = PaymentStatus::NotApplicable;
    Ok(vec![OrderEvent::Cancelled {
        from,
        reason,
        payment_status,
    }])
}
