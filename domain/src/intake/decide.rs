//! Decisions on a message that could not be placed.

use super::{Intake, IntakeCommand, IntakeEvent, IntakeOutcome, Message};
use crate::{
    entity::Entity,
    ids::OrderId,
    refusal::{Code, Problem, Refusal},
    validate::Problems,
};

/// Most reasons that are kept of one attempt: an order of twenty lines has them all.
pub(super) const MAX_PROBLEMS: usize = 100;
/// Longest source.
const MAX_SOURCE: usize = 50;
/// Longest id that a sender gives a message.
const MAX_MESSAGE_ID: usize = 200;

type Decision = Result<Vec<IntakeEvent>, Refusal>;

pub(super) fn decide(intake: &Intake, command: &IntakeCommand) -> Decision {
    match command {
        IntakeCommand::Reject { message, problems } => reject(intake, message, problems),
        _ if !intake.exists() => Err(not_possible("no message came under this id")),
        IntakeCommand::MarkPlaced { order_id, reason } => placed(intake, *order_id, reason),
        IntakeCommand::Dismiss { reason } => dismiss(intake, reason),
    }
}

/// Another attempt that failed. A message that is settled stays settled: it came once more, no more than that.
fn reject(intake: &Intake, message: &Message, reasons: &[Problem]) -> Decision {
    if intake.exists() && intake.outcome != IntakeOutcome::Rejected {
        return Ok(Vec::new());
    }
    let code = Code::Validation;
    let mut problems = Problems::default();
    let source = problems.required(code, "message.source", Some(&message.source), MAX_SOURCE);
    let id = Some(&message.message_id);
    let message_id = problems.required(code, "message.messageId", id, MAX_MESSAGE_ID);
    if message.order.contact.is_some() {
        let text = "message.order.contact is personal data: seal it before it is stored";
        problems.add(code, "message.order.contact", text);
    }
    if reasons.is_empty() {
        problems.add(code, "problems", "problems must name at least one reason");
    }
    let first = intake.message.as_ref();
    if first.is_some_and(|m| (&m.source, &m.message_id) != (&message.source, &message.message_id)) {
        let text = "message.messageId is another message's: this one has an id of its own";
        problems.add(code, "message.messageId", text);
    }
    problems.finish(source.zip(message_id))?;
    Ok(vec![IntakeEvent::Rejected {
        message: message.clone(),
        problems: reasons.iter().take(MAX_PROBLEMS).cloned().collect(),
        attempt: intake.attempts.saturating_add(1),
    }])
}

/// The order exists, so this is taken in even where somebody dismissed the message meanwhile.
fn placed(intake: &Intake, order_id: OrderId, reason: &String) -> Decision {
    if let IntakeOutcome::Placed { order_id: other } = &intake.outcome {
        if *other == order_id {
            return Ok(Vec::new());
        }
        return Err(not_possible(
            "the message was placed already, as another order",
        ));
    }
    let mut problems = Problems::default();
    let reason = problems.reason(reason);
    let reason = problems.finish(reason)?;
    Ok(vec![IntakeEvent::Placed { order_id, reason }])
}

fn dismiss(intake: &Intake, reason: &String) -> Decision {
    match intake.outcome {
        IntakeOutcome::Rejected => {
            let mut problems = Problems::default();
            let reason = problems.reason(reason);
            let reason = problems.finish(reason)?;
            Ok(vec![IntakeEvent::Dismissed { reason }])
        }
        IntakeOutcome::Dismissed { .. } => Ok(Vec::new()),
        IntakeOutcome::Placed { .. } => Err(not_possible(
            "the message was placed: cancel its order instead",
        )),
    }
}

fn not_possible(message: &str) -> Refusal {
    Refusal::one(Code::ErrInvalidTransition, "", message)
}
