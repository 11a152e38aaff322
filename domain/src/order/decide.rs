//! What a command does to an order: pure decisions, one module per kind of command.

mod cancel;
mod pay;
mod place;
mod progress;
mod stock;

use super::{
    command::OrderCommand,
    event::OrderEvent,
    facts::Facts,
    refusal::{Code, Refusal},
    state::Order,
    status::OrderStatus,
};
use crate::actor::Actor;

/// What a decision answers.
type Decision = Result<Vec<OrderEvent>, Refusal>;

/// Decides a command against the order's own history.
///
/// An empty answer means that the command's effect is already there: a repeat is harmless. The
/// caller has checked that the actor may do [`OrderCommand::action`] and may see the order's store;
/// what depends on the order or the command itself (a late cancel, the store of a new order) is
/// checked here.
///
/// # Errors
/// A [`Refusal`] with every broken rule at once. Any command but `Place` on an order that is not
/// placed is refused as well: the caller ought to have answered "not found".
pub fn decide(order: &Order, command: &OrderCommand, actor: &Actor, facts: &Facts) -> Decision {
    match command {
        OrderCommand::Place(command) => place::place(order, command, actor, facts),
        _ if !order.exists() => Err(not_possible("the order is not placed yet: place it first")),
        OrderCommand::Cancel(command) => cancel::cancel(order, command, actor),
        _ if order.status == OrderStatus::Cancelled => {
            let message = "the order is cancelled, which is final: place a new one";
            Err(Refusal::one(Code::ErrOrderNotModifiable, "", message))
        }
        OrderCommand::Allocate => stock::allocate(order, facts),
        OrderCommand::Pay(command) => pay::pay(order, command),
        OrderCommand::Release => stock::release(order),
        OrderCommand::RecordPicking(command) => progress::picking(order, command),
        OrderCommand::RecordShipment(command) => progress::shipment(order, command),
        OrderCommand::RecordDelivery(command) => progress::delivery(order, command),
    }
}

/// The command's effect is already there.
fn already_applied() -> Decision {
    Ok(Vec::new())
}

/// The order does not stand where the command could move it on.
fn not_possible(message: impl Into<String>) -> Refusal {
    Refusal::one(Code::ErrInvalidTransition, "", message)
}
