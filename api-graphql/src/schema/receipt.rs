//! Proof that a command is in the log.

use async_graphql::{ID, SimpleObject};

use super::{
    problem::int,
    scalars::{Position, Uuid},
};

/// Proof that a command is in the log, and where. Sending the command again answers the same receipt.
#[derive(Debug, Clone, SimpleObject)]
pub struct Receipt {
    /// The command.
    pub command_id: Uuid,
    /// The order.
    pub order_id: ID,
    /// The order's version after the command.
    pub version: i32,
    /// The log's position after the command: hand it to `fresh.minPosition` to read what you wrote.
    pub position: Position,
    /// The events the command wrote. None: its effect was there already.
    pub event_ids: Vec<ID>,
    /// The command was carried out before; this is the receipt of then.
    pub replayed: bool,
}

impl From<commands::Receipt> for Receipt {
    fn from(receipt: commands::Receipt) -> Self {
        Self {
            command_id: Uuid(receipt.command_id.0),
            order_id: ID::from(receipt.order_id.0),
            version: int(receipt.version),
            position: Position(receipt.position),
            event_ids: receipt.event_ids.into_iter().map(ID::from).collect(),
            replayed: receipt.replayed,
        }
    }
}
