//! Orders that come by messages: submitting, placing again, dismissing.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use commands::{
    CommandError,
    intake::{self, Incoming, Redrive, Submitted},
};
use domain::{
    actor::Action,
    ids::{CommandId, IntakeId},
    intake::{Intake as State, IntakeOutcome},
    order::Order as DomainOrder,
};

use super::DeadLetter;
use crate::schema::{
    access::Access,
    command::{answer, payload, refusal},
    order::{Order, place_input::OrderInput},
    problem::{self, Problem},
    receipt::Receipt,
    record::Record,
    scalars::Uuid,
};

/// An order as a queue or a webhook brings it.
#[derive(Debug, Clone, InputObject)]
pub struct SubmitOrderInput {
    /// Where the message came from, such as a topic or a partner: 1 to 50 characters without blanks.
    pub source: String,
    /// The sender's id of the message, 1 to 200 characters without blanks: the same one again, from the same sender
    /// with the same order, changes nothing; with another order it is refused.
    pub message_id: String,
    /// The order.
    #[graphql(flatten)]
    pub order: OrderInput,
}

/// A dead letter that is to be placed again.
#[derive(Debug, Clone, InputObject)]
pub struct RedriveDeadLetterInput {
    /// Your name for this command. Sending it again repeats the receipt, not the effect.
    pub command_id: Uuid,
    /// The dead letter.
    pub dead_letter_id: ID,
    /// Why, 1 to 500 characters.
    pub reason: String,
    /// The order as it should have come; as it came when absent.
    pub corrected: Option<OrderInput>,
}

/// A dead letter that is not to be placed.
#[derive(Debug, Clone, InputObject)]
pub struct DismissDeadLetterInput {
    /// Your name for this command. Sending it again repeats the receipt, not the effect.
    pub command_id: Uuid,
    /// The dead letter.
    pub dead_letter_id: ID,
    /// Why, 1 to 500 characters.
    pub reason: String,
}

payload! {
    /// The answer to a command on a dead letter: the dead letter and the receipt, or the problems.
    DeadLetterPayload {
        /// The dead letter right after the command, from the write side; null when there are problems.
        dead_letter: DeadLetter
    }
}

/// The answer to a message: the order it became, or the dead letter that keeps it.
#[derive(Default, SimpleObject)]
pub struct IntakePayload {
    /// The order that was placed, from the write side.
    pub order: Option<Order>,
    /// The dead letter, where the order could not be placed, or could not be until now.
    pub dead_letter: Option<DeadLetter>,
    /// The proof that the order was placed, or that the dead letter was tried again.
    pub receipt: Option<Receipt>,
    /// Why there is no order: every reason at once. The dead letter, where there is one, keeps them.
    pub problems: Vec<Problem>,
}

impl IntakePayload {
    fn refused(problems: Vec<Problem>) -> Self {
        Self {
            problems,
            ..Self::default()
        }
    }
}

/// The commands.
#[derive(Default)]
pub struct IntakeMutation;

#[Object]
impl IntakeMutation {
    /// Takes in an order as a queue or a webhook brings it. One that cannot be placed is kept as a dead letter.
    async fn submit_order(
        &self,
        ctx: &Context<'_>,
        input: SubmitOrderInput,
    ) -> Result<IntakePayload, Error> {
        let access = Access::of(ctx)?;
        if let Err(problems) = access.to_write(Action::Place, None::<&IntakeId>).await {
            return Ok(IntakePayload::refused(problems));
        }
        let incoming = Incoming {
            source: input.source,
            message_id: input.message_id,
            order: input.order.into(),
            context: context(&access),
        };
        match access.backend.submit(incoming).await {
            Ok(Submitted::Placed(outcome)) => Ok(IntakePayload {
                order: Some(Order::from(Record::from(outcome.entity))),
                receipt: Some(Receipt::of::<DomainOrder>(outcome.receipt)),
                ..IntakePayload::default()
            }),
            Ok(Submitted::Kept(kept)) => Ok(IntakePayload {
                problems: reasons(&kept.state, ""),
                dead_letter: Some(DeadLetter::from(Record::from(*kept))),
                ..IntakePayload::default()
            }),
            Err(error) => Ok(IntakePayload::refused(not_taken(&access, error)?)),
        }
    }

    /// Places a dead letter again, as it came or corrected. Refused once more, it keeps the new reasons.
    async fn redrive_dead_letter(
        &self,
        ctx: &Context<'_>,
        input: RedriveDeadLetterInput,
    ) -> Result<IntakePayload, Error> {
        let access = Access::of(ctx)?;
        let id = match named(&access, &input.dead_letter_id).await {
            Ok(id) => id,
            Err(problems) => return Ok(IntakePayload::refused(problems)),
        };
        let redrive = Redrive {
            command_id: CommandId(input.command_id.0),
            reason: input.reason,
            corrected: input.corrected.map(|order| Box::new(order.into())),
            context: context(&access),
        };
        match access.backend.redrive(id, redrive).await {
            Ok(redriven) => Ok(IntakePayload {
                problems: match redriven.order {
                    Some(_) => Vec::new(),
                    None => reasons(&redriven.intake.entity.state, "corrected."),
                },
                order: redriven.order.map(|o| Order::from(Record::from(o))),
                dead_letter: Some(DeadLetter::from(Record::from(redriven.intake.entity))),
                receipt: Some(Receipt::of::<State>(redriven.intake.receipt)),
            }),
            Err(error) => Ok(IntakePayload::refused(refusal::<State>(&access, error)?)),
        }
    }

    /// Decides that a dead letter is not to be placed.
    async fn dismiss_dead_letter(
        &self,
        ctx: &Context<'_>,
        input: DismissDeadLetterInput,
    ) -> Result<DeadLetterPayload, Error> {
        let access = Access::of(ctx)?;
        let id = match named(&access, &input.dead_letter_id).await {
            Ok(id) => id,
            Err(problems) => return Ok(Err(problems).into()),
        };
        let command_id = CommandId(input.command_id.0);
        let context = context(&access);
        let dismissing = access
            .backend
            .dismiss(id, command_id, input.reason, context);
        Ok(answer::<State>(&access, dismissing.await)?.into())
    }
}

/// The dead letter that an input names.
async fn named(access: &Access<'_>, id: &ID) -> Result<IntakeId, Vec<Problem>> {
    let Ok(id) = id.as_str().parse::<IntakeId>() else {
        return Err(vec![problem::unknown::<State>()]);
    };
    access.to_write(Action::Redrive, Some(&id)).await?;
    Ok(id)
}

fn context(access: &Access<'_>) -> intake::Context {
    intake::Context {
        actor: access.actor().clone(),
        correlation_id: access.request.correlation_id,
        causation_id: None,
        traceparent: access.request.traceparent.clone(),
    }
}

/// The input has the message's own fields at its top.
pub(crate) fn field(path: &str) -> &str {
    path.strip_prefix("message.").unwrap_or(path)
}

/// Why a message is no order, nothing once it is: each with the field, below `prefix`, that mends it.
fn reasons(state: &State, prefix: &str) -> Vec<Problem> {
    if matches!(state.outcome, IntakeOutcome::Placed { .. }) {
        return Vec::new();
    }
    let below = |mut problem: domain::refusal::Problem| {
        if !problem.path.is_empty() {
            problem.path.insert_str(0, prefix);
        }
        Problem::from(problem)
    };
    state.problems.iter().cloned().map(below).collect()
}

/// The problems of a message that was neither placed nor kept.
///
/// # Errors
/// A fault of ours, without its detail.
fn not_taken(access: &Access<'_>, error: CommandError) -> Result<Vec<Problem>, Error> {
    match error {
        CommandError::CommandReused => {
            let message = "this messageId came from you before, with another order; a new order needs a new messageId";
            Ok(vec![problem::reused("messageId", message.to_owned())])
        }
        // It is an order already, of a store that the caller does not see.
        CommandError::NotFound { .. } => refusal::<DomainOrder>(access, error),
        error => refusal::<State>(access, error),
    }
}
