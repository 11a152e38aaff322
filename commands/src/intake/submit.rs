//! A message comes in.

use domain::{
    actor::Action,
    ids::{CommandId, IntakeId, OrderId},
    intake::{Intake, IntakeCommand, Message, check_age, check_name},
    order::{
        Order, OrderCommand,
        command::{Contact, PlaceOrder},
    },
    refusal::{Code, Problem},
};
use store::{Hash, Receipt, SubjectKey, hash::hex};

use super::{Context, before, fingerprint, intake_id, placing_id};
use crate::{
    CommandBus, CommandError, Loaded, Outcome, Request, Target,
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

/// Looks at one message: one for it, and one for each time that the same message was faster.
const MAX_LOOKS: u32 = 3;

/// Takes a message in: places its order, or keeps it with every reason why not. The same message again has no
/// second effect.
///
/// # Errors
/// The message has no usable name; its name was used before for other content, [`CommandError::CommandReused`]. For
/// the rest faults only, not refusals: send the message again where [`CommandError::is_retryable`] says so.
pub async fn submit(bus: &CommandBus, incoming: Incoming) -> Result<Submitted, CommandError> {
    let arrival = Arrival::of(bus, &incoming)?;
    let actor = &incoming.context.actor;
    bus.check_role(actor, Action::Place, &arrival.id.to_string())
        .await?;
    for _ in 0..MAX_LOOKS {
        if let Some(known) = arrival.known(bus).await? {
            return Ok(known);
        }
        match arrival.take_in(bus).await {
            // The same message came twice at once, and the other one was faster.
            Err(CommandError::CommandReused | CommandError::VersionConflict { .. }) => {}
            done => return done,
        }
    }
    Err(CommandError::CommandReused)
}

/// A message on its way in.
struct Arrival<'a> {
    incoming: &'a Incoming,
    id: IntakeId,
    /// Of the command that would place it, its contact included.
    fingerprint: Hash,
}

impl<'a> Arrival<'a> {
    fn of(bus: &CommandBus, incoming: &'a Incoming) -> Result<Self, CommandError> {
        let Incoming {
            source,
            message_id,
            order,
            context,
        } = incoming;
        let id = intake_id(&context.actor.id, source, message_id);
        Ok(Self {
            incoming,
            id,
            fingerprint: fingerprint::of_request(bus, &placing(context, placing_id(id, 0), order))?,
        })
    }

    /// What became of it before, if it came before.
    async fn known(&self, bus: &CommandBus) -> Result<Option<Submitted>, CommandError> {
        let placing = placing_id(self.id, 0);
        match fingerprint::kept(bus, placing).await? {
            Some((hash, receipt)) if receipt.aggregate_id == self.id.to_string() => {
                expect(
                    hash,
                    fingerprint::of_rejection(bus, self.id, &self.fingerprint)?,
                )?;
                kept(bus, self.id).await.map(Some)
            }
            Some((hash, _)) => self.placed(bus, placing, hash).await.map(Some),
            None => self.known_before(bus).await,
        }
    }

    /// As [`Self::known`], by the names of before. What another sender sent under the same names is nothing to it.
    async fn known_before(&self, bus: &CommandBus) -> Result<Option<Submitted>, CommandError> {
        let Incoming {
            source, message_id, ..
        } = self.incoming;
        let sender = &self.incoming.context.actor.id;
        let placing = before::first_placing_id(source, message_id, 0);
        if let Some((hash, receipt)) = fingerprint::kept(bus, placing).await? {
            let order = order_id(&receipt)?;
            if before::began::<Order>(bus, &order, sender).await? {
                return self.placed(bus, placing, hash).await.map(Some);
            }
        }
        // No fingerprint was kept of it, so what comes under its name is taken for it.
        let id = before::intake_id(source, message_id);
        if before::began::<Intake>(bus, &id, sender).await? {
            return kept(bus, id).await.map(Some);
        }
        Ok(None)
    }

    /// It was placed under this command id: the receipt of then, where its content is that of then.
    async fn placed(
        &self,
        bus: &CommandBus,
        placing: CommandId,
        hash: Hash,
    ) -> Result<Submitted, CommandError> {
        expect(hash, self.fingerprint)?;
        let Incoming { order, context, .. } = self.incoming;
        let outcome = place(bus, context, placing, order).await?;
        Ok(Submitted::Placed(Box::new(outcome)))
    }

    /// Places it, or keeps it: either under the same command id.
    async fn take_in(&self, bus: &CommandBus) -> Result<Submitted, CommandError> {
        let Incoming {
            source,
            message_id,
            order,
            context,
        } = self.incoming;
        check_name(source, message_id)?;
        let placing = placing_id(self.id, 0);
        let problems = match check_age(order, bus.clock().now()) {
            // What is too old is not looked into further: whoever places it after all hears of the rest.
            Err(too_old) => vec![too_old],
            Ok(()) => match place(bus, context, placing, order).await {
                Ok(outcome) => return Ok(Submitted::Placed(Box::new(outcome))),
                Err(error) => problems(error)?,
            },
        };
        let rejection = Rejection {
            id: self.id,
            source: source.clone(),
            message_id: message_id.clone(),
            order: order.clone(),
            problems,
            expected_version: 0,
            command_id: placing,
            asked: self.fingerprint,
        };
        let outcome = reject(bus, context, rejection).await?;
        Ok(Submitted::Kept(Box::new(outcome.entity)))
    }
}

/// What came under a name is what came under it before.
fn expect(found: Hash, expected: Hash) -> Result<(), CommandError> {
    if found == expected {
        Ok(())
    } else {
        Err(CommandError::CommandReused)
    }
}

async fn kept(bus: &CommandBus, id: IntakeId) -> Result<Submitted, CommandError> {
    let kept = bus.load::<Intake>(&id).await?;
    let kept = kept.ok_or_else(|| CommandError::not_found::<Intake>(&id))?;
    Ok(Submitted::Kept(Box::new(kept)))
}

/// The order that a receipt is about.
pub(super) fn order_id(receipt: &Receipt) -> Result<OrderId, CommandError> {
    let holder = &receipt.aggregate_id;
    holder
        .parse()
        .map_err(|_| CommandError::Internal(format!("{holder} is not an order id")))
}

fn placing(context: &Context, command_id: CommandId, order: &PlaceOrder) -> Request<Order> {
    let command = OrderCommand::Place(Box::new(order.clone()));
    context.request(command_id, None, Target::New, command)
}

/// Places an order under a derived command id.
pub(super) async fn place(
    bus: &CommandBus,
    context: &Context,
    command_id: CommandId,
    order: &PlaceOrder,
) -> Result<Outcome<Order>, CommandError> {
    bus.execute(placing(context, command_id, order)).await
}

/// The reasons in a refusal; a fault stays an error.
pub(super) fn problems(error: CommandError) -> Result<Vec<Problem>, CommandError> {
    match error {
        CommandError::Refused(refusal) => Ok(refusal.problems),
        CommandError::OrderExists { ref scope, .. } => {
            let path = if scope == NUMBER { "number" } else { "" };
            Ok(vec![Problem {
                code: Code::OrderExists,
                path: path.to_owned(),
                message: error.to_string(),
            }])
        }
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
    pub(super) command_id: CommandId,
    /// The fingerprint of what was asked: of the message, or of the attempt to place it again.
    pub(super) asked: Hash,
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
        fingerprint: hex(&rejection.asked),
    };
    let (target, expected) = (Target::Entity(id), Some(rejection.expected_version));
    let request = context.request::<Intake>(rejection.command_id, expected, target, command);
    bus.execute_sealed(&request, key.as_ref()).await
}
