//! Proof that a command is in the log.

use async_graphql::{ID, SimpleObject};
use domain::{entity::Entity, order::Order};

use super::{
    problem::int,
    scalars::{Position, Uuid},
};

/// Proof that a command is in the log, and where. Sending the command again answers the same receipt.
#[derive(Debug, Clone, SimpleObject)]
pub struct Receipt {
    /// The command.
    pub command_id: Uuid,
    /// What the command changed: an order, a bundle, a store, a remittance or a dead letter.
    pub entity_id: ID,
    /// The order, where the command changed one.
    pub order_id: Option<ID>,
    /// The version of what it changed after the command.
    pub version: i32,
    /// The log's position after the command: hand it to `fresh.minPosition` to read what you wrote.
    pub position: Position,
    /// The events the command wrote. None: its effect was there already.
    pub event_ids: Vec<ID>,
    /// The command was carried out before; this is the receipt of then.
    pub replayed: bool,
}

impl Receipt {
    pub(crate) fn of<E: Entity>(receipt: commands::Receipt<E::Id>) -> Self {
        let entity_id = ID::from(receipt.id.to_string());
        let is_order = E::TYPE == Order::TYPE;
        Self {
            command_id: Uuid(receipt.command_id.0),
            order_id: is_order.then(|| entity_id.clone()),
            entity_id,
            version: int(receipt.version),
            position: Position(receipt.position),
            event_ids: receipt.event_ids.into_iter().map(ID::from).collect(),
            replayed: receipt.replayed,
        }
    }
}
