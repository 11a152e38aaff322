//! What a command does to an order: pure decisions, one module per kind of command.

mod attempt;
mod cancel;
mod change;
mod collection;
mod flags;
mod limits;
mod named;
mod pay;
mod place;
mod progress;
mod returns;
mod short;
mod stock;
mod substitution;
mod times;

pub use flags::{COLLECTION_WITHIN, PICKING_WITHIN};

use super::{
    command::OrderCommand, event::OrderEvent, facts::Facts, state::Order, status::OrderStatus,
};
use crate::{
    actor::Actor,
    probe::Probe,
    refusal::{Code, Refusal},
    remittance::ItemOutcome,
    validate::Problems,
};

/// Longest reason.
const MAX_REASON: usize = 500;
/// Longest id of a partner's: of a parcel, a report, an offer, a rider, a receipt.
const MAX_PARTNER_ID: usize = 50;

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
    decide_probed(order, command, actor, facts, &mut ())
}

/// As [`decide`], telling the probe of each step of placing as soon as it is done.
///
/// # Errors
/// As [`decide`].
pub fn decide_probed(
    order: &Order,
    command: &OrderCommand,
    actor: &Actor,
    facts: &Facts,
    probe: &mut dyn Probe,
) -> Decision {
    match command {
        OrderCommand::Place(command) => place::place(order, command, actor, facts, probe),
        _ if !order.exists() => Err(not_possible("the order is not placed yet: place it first")),
        OrderCommand::Cancel(command) => cancel::cancel(order, command, actor),
        _ if order.status == OrderStatus::Cancelled => after_cancel(order, command),
        OrderCommand::Allocate => stock::allocate(order, facts),
        OrderCommand::Pay(command) => pay::pay(order, command),
        OrderCommand::Release => stock::release(order, facts),
        OrderCommand::ChangeLines(command) => change::lines(order, command, facts),
        OrderCommand::RecordPicking(command) => progress::picking(order, command, facts),
        OrderCommand::ReportShort(command) => short::report(order, command, facts),
        OrderCommand::ProposeSubstitution(command) => substitution::propose(order, command, facts),
        OrderCommand::DecideSubstitution(command) => substitution::answer(order, command, facts),
        OrderCommand::ExpireSubstitution(command) => substitution::expire(order, command, facts),
        OrderCommand::RecordShipment(command) => progress::shipment(order, command, facts),
        OrderCommand::RecordDelivery(command) => progress::delivery(order, command, facts),
        OrderCommand::RecordFailedDelivery(command) => attempt::failed(order, command, facts),
        OrderCommand::CollectCash(command) => collection::collect(order, command, facts),
        OrderCommand::FailCollection(command) => collection::fail(order, command, facts),
        OrderCommand::CorrectCollection(command) => collection::correct(order, command),
        OrderCommand::ReconcileCash(command) => collection::reconcile(order, command),
        OrderCommand::RequestReturn(command) => returns::request(order, command, facts),
        OrderCommand::ReceiveReturn => returns::receive(order, facts),
        OrderCommand::Refund(command) => returns::refund(order, command),
        OrderCommand::FlagStuck => flags::stuck(order, facts),
        OrderCommand::FlagOverdueCollection => flags::overdue(order, facts),
    }
}

/// Cancelled is final: only repeats are harmless, and nobody waits for anything any more. Cash that a closed remittance
/// accepted is a fact all the same.
fn after_cancel(order: &Order, command: &OrderCommand) -> Decision {
    if let OrderCommand::ReportShort(command) = command
        && let Some(answer) = short::repeated(order, command)
    {
        return answer;
    }
    // A partner may hand over cash for it that was never collected: remembered, so that none accepts it once more.
    if let OrderCommand::ReconcileCash(command) = command
        && command.outcome == ItemOutcome::Extra
    {
        return collection::reconcile(order, command);
    }
    let is_harmless = match command {
        OrderCommand::ProposeSubstitution(command) => {
            substitution::is_repeated_offer(order, command)
        }
        OrderCommand::DecideSubstitution(command) => {
            substitution::is_repeated_answer(order, command)
        }
        OrderCommand::ExpireSubstitution(_)
        | OrderCommand::FlagStuck
        | OrderCommand::FlagOverdueCollection => true,
        _ => false,
    };
    if is_harmless {
        return already_applied();
    }
    let message = "the order is cancelled, which is final: place a new one";
    Err(Refusal::one(Code::ErrOrderNotModifiable, "", message))
}

/// The command's effect is already there.
fn already_applied() -> Decision {
    Ok(Vec::new())
}

/// The order does not stand where the command could move it on.
fn not_possible(message: impl Into<String>) -> Refusal {
    Refusal::one(Code::ErrInvalidTransition, "", message)
}

/// Why somebody asks.
fn reason(problems: &mut Problems, text: &String) -> Option<String> {
    problems.required(Code::Validation, "reason", Some(text), MAX_REASON)
}

/// A partner's id of something.
fn partner_id(problems: &mut Problems, path: &str, text: Option<&String>) -> Option<String> {
    problems.label(Code::Validation, path, text, MAX_PARTNER_ID)
}

/// Figures that cannot be: no order comes to 14 digits before the point.
fn out_of_range(path: &str) -> Refusal {
    let message = "the amounts do not add up within 14 digits before the point";
    Refusal::one(Code::Validation, path, message)
}
