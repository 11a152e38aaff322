//! People decide what becomes of a message that could not be placed.

use domain::{
    actor::{Action, Actor},
    entity::Entity,
    ids::{CommandId, IntakeId, OrderId},
    intake::{Intake, IntakeCommand, IntakeOutcome, Message},
    order::{Order, command::PlaceOrder},
    refusal::{Code, Refusal},
};
use store::{Hash, hash::hex};
use uuid::Uuid;

use super::{
    Context, before, fingerprint,
    submit::{Rejection, order_id, place, problems, reject},
};
use crate::{CommandBus, CommandError, Loaded, Outcome, Receipt, Target};

/// Most attempts at one message; each one later looks for what the earlier ones did.
const MAX_ATTEMPTS: u32 = 100;

/// What became of a message that was tried again.
#[derive(Debug, Clone)]
pub struct Redriven {
    /// The message: placed, or rejected for the reasons it now holds.
    pub intake: Outcome<Intake>,
    /// Its order, where it was placed.
    pub order: Option<Loaded<Order>>,
}

/// How to try a message again.
#[derive(Debug, Clone)]
pub struct Redrive {
    /// The caller's name for this command.
    pub command_id: CommandId,
    /// Why, 1 to 500 characters.
    pub reason: String,
    /// The order to place instead of the one that came; without a contact it takes that of the message.
    pub corrected: Option<Box<PlaceOrder>>,
    /// Who asks, and what it belongs to.
    pub context: Context,
}

/// Tries a message again. One that is an order by now is only noted as placed.
///
/// # Errors
/// The actor may not, nobody knows the message, it was dismissed or tried too often; faults, after which the same
/// call finds what this one did. That the order is refused again is no error.
pub async fn redrive(
    bus: &CommandBus,
    id: IntakeId,
    redrive: Redrive,
) -> Result<Redriven, CommandError> {
    let kept = authorised(bus, &redrive.context.actor, id).await?;
    let asked = fingerprint::of_redrive(bus, &redrive.reason, redrive.corrected.as_deref())?;
    let known = fingerprint::kept(bus, redrive.command_id).await?;
    if let Some((hash, receipt)) = &known
        && *hash == fingerprint::of_rejection(bus, id, &asked)?
    {
        return repeated(bus, kept, redrive.command_id, receipt).await;
    }
    if let Some(order_id) = placed_before(bus, &kept).await? {
        return note(bus, id, redrive, &asked, order_id).await;
    }
    if known.is_some() {
        return Err(CommandError::CommandReused);
    }
    let message = may_try(&kept, &redrive)?;
    let order = order_of(bus, message, redrive.corrected.as_deref()).await?;
    let placing = before::attempt_id(id, message, kept.state.attempts);
    let problems = match place(bus, &redrive.context, placing, &order).await {
        Ok(outcome) => return note(bus, id, redrive, &asked, outcome.receipt.id).await,
        Err(error) => {
            // Somebody else tried it at the same moment and got through.
            if error == CommandError::CommandReused
                && let Some(order_id) = placed_before(bus, &kept).await?
            {
                return note(bus, id, redrive, &asked, order_id).await;
            }
            problems(error)?
        }
    };
    let rejection = Rejection {
        id,
        source: message.source.clone(),
        message_id: message.message_id.clone(),
        order,
        problems,
        expected_version: kept.version,
        command_id: redrive.command_id,
        asked,
    };
    let intake = reject(bus, &redrive.context, rejection).await?;
    Ok(Redriven {
        intake,
        order: None,
    })
}

/// The answer to an attempt that was made before and failed: its receipt, and what became of the message since.
async fn repeated(
    bus: &CommandBus,
    kept: Loaded<Intake>,
    command_id: CommandId,
    receipt: &store::Receipt,
) -> Result<Redriven, CommandError> {
    let order = match kept.state.outcome {
        IntakeOutcome::Placed { order_id } => bus.load::<Order>(&order_id).await?,
        IntakeOutcome::Rejected | IntakeOutcome::Dismissed { .. } => None,
    };
    let receipt = Receipt {
        command_id,
        id: kept.id,
        version: receipt.version,
        position: receipt.last_position,
        event_ids: receipt.event_ids.clone(),
        replayed: true,
    };
    let intake = Outcome {
        entity: kept,
        receipt,
    };
    Ok(Redriven { intake, order })
}

/// Decides that a message is not to be placed.
///
/// # Errors
/// The actor may not, nobody knows the message, or it is an order.
pub async fn dismiss(
    bus: &CommandBus,
    id: IntakeId,
    command_id: CommandId,
    reason: String,
    context: &Context,
) -> Result<Outcome<Intake>, CommandError> {
    let kept = authorised(bus, &context.actor, id).await?;
    if kept.state.outcome == IntakeOutcome::Rejected
        && let Some(order_id) = placed_before(bus, &kept).await?
    {
        let message = format!("it was placed as order {order_id}: redrive it to note that");
        return Err(Refusal::one(Code::OrderExists, "", message).into());
    }
    let command = IntakeCommand::Dismiss { reason };
    bus.execute(context.request(command_id, None, Target::Entity(id), command))
        .await
}

/// The message, to who may decide about it: dead letters are for those who see the whole chain.
async fn authorised(
    bus: &CommandBus,
    actor: &Actor,
    id: IntakeId,
) -> Result<Loaded<Intake>, CommandError> {
    let target = id.to_string();
    bus.check_chain(actor, Action::Redrive, &target).await?;
    let kept = bus.load::<Intake>(&id).await?;
    kept.ok_or_else(|| CommandError::not_found::<Intake>(&id))
}

/// The message to try again. What would keep the attempt from being noted is found before it is made.
fn may_try<'a>(kept: &'a Loaded<Intake>, redrive: &Redrive) -> Result<&'a Message, CommandError> {
    let impossible = |message: String| Refusal::one(Code::ErrInvalidTransition, "", message);
    if let IntakeOutcome::Dismissed { reason } = &kept.state.outcome {
        let message = format!("it was dismissed ({reason}): have it sent anew");
        return Err(impossible(message).into());
    }
    if kept.state.attempts >= MAX_ATTEMPTS {
        let message = format!("it was tried {MAX_ATTEMPTS} times: dismiss it");
        return Err(impossible(message).into());
    }
    let note = IntakeCommand::MarkPlaced {
        order_id: OrderId(Uuid::nil()),
        reason: redrive.reason.clone(),
        fingerprint: None,
    };
    kept.state.decide(&note, &redrive.context.actor, &())?;
    let message = kept.state.message.as_ref();
    message.ok_or_else(|| CommandError::not_found::<Intake>(&kept.id))
}

/// The order that the message is, also where nobody came to note it.
async fn placed_before(
    bus: &CommandBus,
    kept: &Loaded<Intake>,
) -> Result<Option<OrderId>, CommandError> {
    if let IntakeOutcome::Placed { order_id } = kept.state.outcome {
        return Ok(Some(order_id));
    }
    let Some(message) = &kept.state.message else {
        return Ok(None);
    };
    for attempt in 0..=kept.state.attempts.min(MAX_ATTEMPTS) {
        let placing = before::attempt_id(kept.id, message, attempt);
        match fingerprint::kept(bus, placing).await? {
            // That it was kept goes by the id of the first attempt.
            Some((_, receipt)) if receipt.aggregate_id != kept.id.to_string() => {
                return order_id(&receipt).map(Some);
            }
            _ => {}
        }
    }
    Ok(None)
}

/// The order to place: as it came or as somebody mended it, with the message's contact where nobody gave another.
async fn order_of(
    bus: &CommandBus,
    message: &Message,
    corrected: Option<&PlaceOrder>,
) -> Result<PlaceOrder, CommandError> {
    let mut order = corrected.unwrap_or(&message.order).clone();
    if let (None, Some(sealed)) = (&order.contact, &message.contact) {
        order.contact = bus.vault().open(sealed).await?;
    }
    Ok(order)
}

/// Notes that the message is an order.
async fn note(
    bus: &CommandBus,
    id: IntakeId,
    redrive: Redrive,
    asked: &Hash,
    order_id: OrderId,
) -> Result<Redriven, CommandError> {
    // Without a mended order the reason is all that was asked.
    let fingerprint = redrive.corrected.map(|_| hex(asked));
    let command = IntakeCommand::MarkPlaced {
        order_id,
        reason: redrive.reason,
        fingerprint,
    };
    let target = Target::Entity(id);
    let request = redrive
        .context
        .request::<Intake>(redrive.command_id, None, target, command);
    Ok(Redriven {
        intake: bus.execute(request).await?,
        order: bus.load::<Order>(&order_id).await?,
    })
}
