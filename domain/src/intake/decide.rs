//! Decisions on a message that could not be placed, and what a message must be to be looked into at all.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Intake, IntakeCommand, IntakeEvent, IntakeOutcome, Message};
use crate::{
    entity::Entity,
    ids::{OrderId, check_seen},
    order::command::PlaceOrder,
    refusal::{Code, Problem, Refusal},
    validate::Problems,
};

/// Most reasons that are kept of one attempt: an order of twenty lines has them all.
pub(super) const MAX_PROBLEMS: usize = 100;
/// Longest source.
const MAX_SOURCE: usize = 50;
/// Longest id that a sender gives a message.
const MAX_MESSAGE_ID: usize = 200;

/// A message whose order was captured longer ago is not placed by itself: the customer does not wait for it any more.
pub const MAX_AGE: TimeDelta = TimeDelta::hours(24);

type Decision = Result<Vec<IntakeEvent>, Refusal>;

pub(super) fn decide(intake: &Intake, command: &IntakeCommand) -> Decision {
    match command {
        IntakeCommand::Reject {
            message, problems, ..
        } => reject(intake, message, problems),
        _ if !intake.exists() => Err(not_possible("no message came under this id")),
        IntakeCommand::MarkPlaced {
            order_id, reason, ..
        } => placed(intake, *order_id, reason),
        IntakeCommand::Dismiss { reason } => dismiss(intake, reason),
    }
}

/// Checks what a message is named by, before anything is done with it: two names that look alike must be one.
///
/// # Errors
/// The source or the sender's id is blank, too long, or holds what is not seen: white space or invisible characters.
pub fn check_name(source: &str, message_id: &str) -> Result<(), Refusal> {
    let mut problems = Problems::default();
    name(&mut problems, source, message_id);
    problems.finish(Some(()))
}

fn name(problems: &mut Problems, source: &str, message_id: &str) {
    for (path, text, max) in [
        ("message.source", source, MAX_SOURCE),
        ("message.messageId", message_id, MAX_MESSAGE_ID),
    ] {
        let before = problems.count();
        problems.required(Code::Validation, path, Some(&text.to_owned()), max);
        if problems.count() > before {
            continue;
        }
        if let Err(problem) = check_seen(text) {
            problems.add(Code::Validation, path, format!("{path} {problem}"));
        }
    }
}

/// Checks that an order is not too old to be placed when its message first comes. People may place it all the same.
///
/// # Errors
/// It was captured more than [`MAX_AGE`] before `now`.
pub fn check_age(order: &PlaceOrder, now: DateTime<Utc>) -> Result<(), Problem> {
    let oldest = now.checked_sub_signed(MAX_AGE);
    if order
        .captured_at
        .zip(oldest)
        .is_none_or(|(at, oldest)| at >= oldest)
    {
        return Ok(());
    }
    let hours = MAX_AGE.num_hours();
    Err(Problem {
        code: Code::Validation,
        path: "capturedAt".to_owned(),
        message: format!(
            "the order was captured more than {hours} hours before it came: ask the customer, then place it again \
             or dismiss it"
        ),
    })
}

/// Another attempt that failed. A message that is settled stays settled: it came once more, no more than that.
fn reject(intake: &Intake, message: &Message, reasons: &[Problem]) -> Decision {
    if intake.exists() && intake.outcome != IntakeOutcome::Rejected {
        return Ok(Vec::new());
    }
    let code = Code::Validation;
    let mut problems = Problems::default();
    // A message that is kept already keeps the name it came with.
    if !intake.exists() {
        name(&mut problems, &message.source, &message.message_id);
    }
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
    problems.finish(Some(()))?;
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
