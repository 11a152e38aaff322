//! What goes into the bus and what comes out.

use domain::{
    actor::Actor,
    entity::Entity,
    ids::{CommandId, OrderId},
    order::Order,
};
use store::Position;
use uuid::Uuid;

use crate::load::Loaded;

/// One command as it reaches the bus.
#[derive(Debug, Clone)]
pub struct Request<E: Entity = Order> {
    /// The caller's name for this command: repeating it repeats the receipt.
    pub command_id: CommandId,
    /// Who acts.
    pub actor: Actor,
    /// The version the caller decided on, 0 for an entity that must not exist yet; a conflict when the entity has
    /// moved on. Without it the bus decides anew on the newest version.
    pub expected_version: Option<i64>,
    /// Which entity.
    pub target: Target<E::Id>,
    /// What is asked.
    pub command: E::Command,
    /// What belongs together across systems.
    pub correlation_id: Uuid,
    /// What caused this command, where known.
    pub causation_id: Option<Uuid>,
    /// W3C trace context, where known.
    pub traceparent: Option<String>,
}

/// The entity a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<Id = OrderId> {
    /// A new one, whose id the bus draws: orders only.
    New,
    /// This one. A command that creates starts it where nobody knows it yet.
    Entity(Id),
}

impl<Id> Target<Id> {
    /// The entity's id, where the caller named it.
    pub const fn id(&self) -> Option<&Id> {
        match self {
            Self::New => None,
            Self::Entity(id) => Some(id),
        }
    }
}

/// Proof that a command is in the log, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt<Id = OrderId> {
    /// The command.
    pub command_id: CommandId,
    /// The entity it changed.
    pub id: Id,
    /// The entity's version after it.
    pub version: i64,
    /// The log's position after it: a read at this position sees it.
    pub position: Position,
    /// The events it wrote. Empty when there was nothing left to do: repeated, the command does nothing either.
    pub event_ids: Vec<Uuid>,
    /// The command was carried out before; this is the receipt of then.
    pub replayed: bool,
}

/// What a command would do, were it given now. Nothing of it is in the log.
#[derive(Debug, Clone)]
pub struct Rehearsal<E: Entity = Order> {
    /// The entity as it would be. A new one has the id of nobody, a number to be drawn the sequence of none, and
    /// personal data that the command brings is not sealed. Its position is that of its last event in the log.
    pub entity: Loaded<E>,
    /// The version that the log has of it; 0 before the first event.
    pub stored: i64,
    /// The types of the events that would be written, in their order; none where the effect is there already.
    pub event_types: Vec<&'static str>,
    /// The command was carried out before: it would be answered with its first receipt, and the entity as it is now.
    pub replayed: bool,
}

/// A command that was carried out.
#[derive(Debug, Clone)]
pub struct Outcome<E: Entity = Order> {
    /// The entity as it is after the command; after a replay, as it is now.
    pub entity: Loaded<E>,
    /// The proof.
    pub receipt: Receipt<E::Id>,
}
