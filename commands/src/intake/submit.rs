//! A message comes in.

use domain::{
    actor::Action,
    ids::{CommandId, IntakeId},
    intake::{Intake, IntakeCommand, Message},
    order::{
        Order, OrderCommand,
        command::{Contact, PlaceOrder},
    },
    refusal::{Code, Problem},
};
use store::SubjectKey;
use uuid::Uuid;

use super::{Context, intake_id, placing_id};
use crate::{
    CommandBus, CommandError, Loaded, Outcome, Target,
    kind::{NUMBER, customer_of},
    personal::Subject,
};

/// A message that asks for an order.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Where it comes from, such as a topic or a partner.
    pub source: String,
    /// The sender's id of it.
    pub message_id: String,
    /// What it asks for.
    pub order: PlaceOrder,
    /// Who sends it, and what it belongs to.
    pub context: Context,
}

/// What became of a message.
#[derive(Debug, Clone)]
pub enum Submitted {
    /// It is an order; the receipt says whether it was one before.
    Placed(Box<Outcome<Order>>),
    /// It could not be placed and is kept, now or since an earlier time; its state says what became of it.
    Kept(Box<Loaded<Intake>>),
}

/// Takes a message in: places its order, or keeps it with every reason why not. The same message again has no
/// second effect.
///
/// # Errors
/// Faults only, not refusals: send the message again where [`CommandError::is_retryable`] says so.
pub async fn submit(bus: &CommandBus, incoming: Incoming) -> Result<Submitted, CommandError> {
    let Incoming {
        source,
        message_id,
        order,
        context,
    } = incoming;
    let id = intake_id(&source, &message_id);
    bus.check_role(&context.actor, Action::Place, &id.to_string())
        .await?;
    if let Some(kept) = bus.load::<Intake>(&id).await? {
        return Ok(Submitted::Kept(Box::new(kept)));
    }
    let placing = placing_id(&source, &message_id, 0);
    let problems = match place(bus, &context, placing, order.clone()).await {
        Ok(outcome) => return Ok(Submitted::Placed(Box::new(outcome))),
        Err(error) => problems(error)?,
    };
    let rejection = Rejection {
        id,
        source,
        message_id,
        order,
        problems,
        expected_version: 0,
    };
    match reject(bus, &context, rejection).await {
        Ok(outcome) => Ok(Submitted::Kept(Box::new(outcome.entity))),
        // The same message came twice at once, and the other one was faster.
        Err(CommandError::VersionConflict { .. }) => {
            let kept = bus.load::<Intake>(&id).await?;
            let kept = kept.ok_or_else(|| CommandError::not_found::<Intake>(&id))?;
            Ok(Submitted::Kept(Box::new(kept)))
        }
        Err(error) => Err(error),
    }
}

/// Places an order under a derived command id.
pub(super) async fn place(
    bus: &CommandBus,
    context: &Context,
    command_id: CommandId,
    order: PlaceOrder,
) -> Result<Outcome<Order>, CommandError> {
    let command = OrderCommand::Place(Box::new(order));
    bus.execute(context.request(command_id, None, Target::New, command))
        .await
}

/// The reasons in a refusal; a fault stays an error.
pub(super) fn problems(error: CommandError) -> Result<Vec<Problem>, CommandError> {
    let exists = |path: &str, message: String| {
        Ok(vec![Problem {
            code: Code::OrderExists,
            path: path.to_owned(),
            message,
        }])
    };
    match error {
        CommandError::Refused(refusal) => Ok(refusal.problems),
        CommandError::OrderExists { ref scope, .. } => {
            let path = if scope == NUMBER { "number" } else { "" };
            exists(path, error.to_string())
        }
        CommandError::CommandReused => exists(
            "",
            "the sender used this message's id before, for another order".to_owned(),
        ),
        fault => Err(fault),
    }
}

/// A message that could not be placed.
pub(super) struct Rejection {
    pub(super) id: IntakeId,
    pub(super) source: String,
    pub(super) message_id: String,
    pub(super) order: PlaceOrder,
    pub(super) problems: Vec<Problem>,
    pub(super) expected_version: i64,
}

/// Keeps a message with its reasons, its contact sealed.
pub(super) async fn reject(
    bus: &CommandBus,
    context: &Context,
    rejection: Rejection,
) -> Result<Outcome<Intake>, CommandError> {
    let Rejection { id, mut order, .. } = rejection;
    let customer = customer_of(&order);
    let subject = customer.map_or_else(|| Subject::intake(id), |c| Subject::customer(&c));
    let (contact, key): (_, Option<SubjectKey>) = match order.contact.take() {
        Some(contact) => {
            let sealing = bus.vault().seal::<Contact>(&contact, &subject).await?;
            (Some(sealing.data), Some(sealing.key))
        }
        None => (None, None),
    };
    let command = IntakeCommand::Reject {
        message: Message {
            source: rejection.source,
            message_id: rejection.message_id,
            order: Box::new(order),
            contact,
        },
        problems: rejection.problems,
    };
    // The sealed contact differs each time, so this command is no repeat of any other: the expected version is what
    // keeps it single.
    let expected = Some(rejection.expected_version);
    let new = CommandId(Uuid::now_v7());
    let request = context.request::<Intake>(new, expected, Target::Entity(id), command);
    bus.execute_sealed(&request, key.as_ref()).await
}
