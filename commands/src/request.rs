//! What goes into the bus and what comes out.

use domain::{
    actor::Actor,
    ids::{CommandId, OrderId},
    order::OrderCommand,
};
use store::Position;
use uuid::Uuid;

use crate::load::LoadedOrder;

/// One command as it reaches the bus.
#[derive(Debug, Clone)]
pub struct Request {
    /// The caller's name for this command: repeating it repeats the receipt.
    pub command_id: CommandId,
    /// Who acts.
    pub actor: Actor,
    /// The version the caller decided on; a conflict when the order has moved on. Without it the bus decides
    /// anew on the order's newest version.
    pub expected_version: Option<i64>,
    /// Which order.
    pub target: Target,
    /// What is asked.
    pub command: OrderCommand,
    /// What belongs together across systems.
    pub correlation_id: Uuid,
    /// What caused this command, where known.
    pub causation_id: Option<Uuid>,
    /// W3C trace context, where known.
    pub traceparent: Option<String>,
}

/// The order a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A new one.
    New,
    /// This one.
    Order(OrderId),
}

impl Target {
    /// The order's id, where it has one.
    pub const fn order_id(self) -> Option<OrderId> {
        match self {
            Self::New => None,
            Self::Order(id) => Some(id),
        }
    }
}

/// Proof that a command is in the log, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The command.
    pub command_id: CommandId,
    /// The order it changed.
    pub order_id: OrderId,
    /// The order's version after it.
    pub version: i64,
    /// The log's position after it: a read at this position sees it.
    pub position: Position,
    /// The events it wrote. Empty when the command was already applied by another one.
    pub event_ids: Vec<Uuid>,
    /// The command was carried out before; this is the receipt of then.
    pub replayed: bool,
}

/// A command that was carried out.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The order as it is after the command; after a replay, as it is now.
    pub order: LoadedOrder,
    /// The proof.
    pub receipt: Receipt,
}
