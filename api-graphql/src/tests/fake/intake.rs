//! Messages and erasure in memory.

use chrono::Utc;
use commands::{
    CommandError, Loaded, Outcome, Request, Target,
    intake::{Context, Incoming, Redrive, Redriven, Submitted},
    personal::{Erasure, Subject},
};
use domain::{
    actor::{Action, Actor},
    entity::Entity,
    ids::{CommandId, IntakeId},
    intake::{Intake, IntakeCommand, Message},
    order::{Order, OrderCommand, command::PlaceOrder, event::Sealed},
    refusal::Problem,
};
use store::Position;
use uuid::Uuid;

use super::{
    kinds::{Faked, intake_id},
    ledger::Fake,
};

impl Fake {
    fn asked<E: Entity>(
        context: &Context,
        command_id: CommandId,
        target: Target<E::Id>,
        command: E::Command,
    ) -> Request<E> {
        Request {
            command_id,
            actor: context.actor.clone(),
            expected_version: None,
            target,
            command,
            correlation_id: context.correlation_id,
            causation_id: context.causation_id,
            traceparent: context.traceparent.clone(),
        }
    }

    fn loaded<E: Faked>(&self, id: &E::Id) -> Option<Loaded<E>> {
        let (version, state) = E::shelf(self).lock().unwrap().get(id).cloned()?;
        let now = Utc::now();
        Some(Loaded {
            id: id.clone(),
            version,
            position: Position(version),
            created_at: now,
            updated_at: now,
            state,
        })
    }

    pub(super) fn take_in(&self, incoming: Incoming) -> Result<Submitted, CommandError> {
        let sender = &incoming.context.actor.id;
        let id = intake_id(sender, &incoming.source, &incoming.message_id);
        if let Some(kept) = self.loaded::<Intake>(&id) {
            return Ok(Submitted::Kept(Box::new(kept)));
        }
        let placed = self.place(&incoming.context, incoming.order.clone());
        let problems = match placed {
            Ok(outcome) => return Ok(Submitted::Placed(Box::new(outcome))),
            Err(CommandError::Refused(refusal)) => refusal.problems,
            Err(other) => return Err(other),
        };
        let message = Message {
            source: incoming.source,
            message_id: incoming.message_id,
            order: Box::new(incoming.order),
            contact: None,
        };
        let kept = self.reject(&incoming.context, id, message, problems)?;
        Ok(Submitted::Kept(Box::new(kept.entity)))
    }

    fn place(&self, context: &Context, order: PlaceOrder) -> Result<Outcome<Order>, CommandError> {
        let command = OrderCommand::Place(Box::new(order));
        let command_id = CommandId(Uuid::now_v7());
        self.carry_out(&Self::asked(context, command_id, Target::New, command))
    }

    fn reject(
        &self,
        context: &Context,
        id: IntakeId,
        mut message: Message,
        problems: Vec<Problem>,
    ) -> Result<Outcome<Intake>, CommandError> {
        if message.order.contact.take().is_some() {
            message.contact = Some(Sealed {
                subject: format!("intake:{id}"),
                sealed: "c2VhbGVk".into(),
            });
        }
        let command = IntakeCommand::Reject {
            message,
            problems,
            fingerprint: String::new(),
        };
        let command_id = CommandId(Uuid::now_v7());
        self.carry_out(&Self::asked(
            context,
            command_id,
            Target::Entity(id),
            command,
        ))
    }

    pub(super) fn place_again(
        &self,
        id: IntakeId,
        redrive: Redrive,
    ) -> Result<Redriven, CommandError> {
        let context = &redrive.context;
        let message = self.dead_letter(context, id)?;
        let order = redrive.corrected.unwrap_or_else(|| message.order.clone());
        match self.place(context, (*order).clone()) {
            Ok(placed) => {
                let command = IntakeCommand::MarkPlaced {
                    order_id: placed.entity.id,
                    reason: redrive.reason,
                    fingerprint: None,
                };
                let target = Target::Entity(id);
                let noted = Self::asked(context, redrive.command_id, target, command);
                Ok(Redriven {
                    intake: self.carry_out(&noted)?,
                    order: Some(placed.entity),
                })
            }
            Err(CommandError::Refused(refusal)) => {
                let message = Message { order, ..message };
                Ok(Redriven {
                    intake: self.reject(context, id, message, refusal.problems)?,
                    order: None,
                })
            }
            Err(other) => Err(other),
        }
    }

    fn dead_letter(&self, context: &Context, id: IntakeId) -> Result<Message, CommandError> {
        let action = Action::Redrive;
        if !context.actor.role.may(action) {
            return Err(CommandError::Forbidden { action });
        }
        let kept = self.loaded::<Intake>(&id);
        let message = kept.and_then(|kept| kept.state.message.clone());
        message.ok_or_else(|| CommandError::not_found::<Intake>(&id))
    }

    pub(super) fn give_up(
        &self,
        id: IntakeId,
        command_id: CommandId,
        reason: String,
        context: Context,
    ) -> Result<Outcome<Intake>, CommandError> {
        self.dead_letter(&context, id)?;
        let command = IntakeCommand::Dismiss { reason };
        self.carry_out(&Self::asked(
            &context,
            command_id,
            Target::Entity(id),
            command,
        ))
    }

    pub(super) fn erase(&self, subject: &Subject, actor: &Actor) -> Result<Erasure, CommandError> {
        let action = Action::ErasePerson;
        if !actor.role.may(action) {
            return Err(CommandError::Forbidden { action });
        }
        let name = subject.to_string();
        let mut erased = self.erased.lock().unwrap();
        let destroyed = if erased.contains(&name) {
            Vec::new()
        } else {
            erased.push(name.clone());
            vec![name]
        };
        Ok(Erasure {
            destroyed,
            at: Utc::now(),
        })
    }
}
