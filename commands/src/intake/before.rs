//! Messages that came before their sender was part of their name. They are in logs for good, and may come again.

use domain::{
    entity::Entity,
    ids::{CommandId, IntakeId},
    intake::Message,
};
use serde::Deserialize;

use super::placing_id;
use crate::{
    CommandBus, CommandError, derived,
    load::{stream_id, unavailable},
};

/// The part of an event's metadata that names who acted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Acted {
    actor_id: String,
}

/// As [`super::intake_id`], without the sender.
pub(super) fn intake_id(source: &str, message_id: &str) -> IntakeId {
    IntakeId(derived::id("intake", &[source, message_id]))
}

/// As [`placing_id`], by the names of before.
pub(super) fn first_placing_id(source: &str, message_id: &str, attempt: u32) -> CommandId {
    derived::command_id("intake-place", &[source, message_id, &attempt.to_string()])
}

/// The command id of an attempt at a message that is kept, by the names it came under.
pub(super) fn attempt_id(id: IntakeId, message: &Message, attempt: u32) -> CommandId {
    let (source, message_id) = (&message.source, &message.message_id);
    if id == intake_id(source, message_id) {
        first_placing_id(source, message_id, attempt)
    } else {
        placing_id(id, attempt)
    }
}

/// Whether the actor of this id wrote the entity's first event; not where there is none.
pub(super) async fn began<E: Entity>(
    bus: &CommandBus,
    id: &E::Id,
    actor_id: &str,
) -> Result<bool, CommandError> {
    let stream = stream_id::<E>(id);
    let first = bus.log().stream(&stream, 0, 1).await.map_err(unavailable)?;
    let Some(first) = first.first() else {
        return Ok(false);
    };
    let acted: Acted = serde_json::from_str(&first.metadata)
        .map_err(|e| CommandError::Internal(format!("the metadata of {stream}: {e}")))?;
    Ok(acted.actor_id == actor_id)
}
