//! What tells a repeat of a message, or of an attempt to place it, from another one of the same name.

use domain::{
    entity::Entity,
    ids::{CommandId, IntakeId},
    intake::Intake,
    order::command::PlaceOrder,
};
use store::{Hash, Receipt, hash::hex};

use crate::{
    CommandBus, CommandError, Request,
    load::unavailable,
    record::{self, command_id},
};

/// The fingerprint under which the log keeps this request.
pub(super) fn of_request<E: Entity>(
    bus: &CommandBus,
    request: &Request<E>,
) -> Result<Hash, CommandError> {
    let content = record::content(request).map_err(internal)?;
    Ok(bus.vault().fingerprint(&content))
}

/// The fingerprint of an attempt by people to place a message again.
pub(super) fn of_redrive(
    bus: &CommandBus,
    reason: &str,
    corrected: Option<&PlaceOrder>,
) -> Result<Hash, CommandError> {
    let content = serde_json::to_vec(&("redrive", reason, corrected)).map_err(internal)?;
    Ok(bus.vault().fingerprint(&content))
}

/// The fingerprint under which the log keeps that a message was rejected, by that of what was asked.
pub(super) fn of_rejection(
    bus: &CommandBus,
    id: IntakeId,
    asked: &Hash,
) -> Result<Hash, CommandError> {
    let content = record::content_of::<Intake>(Some(&id), &hex(asked)).map_err(internal)?;
    Ok(bus.vault().fingerprint(&content))
}

/// What the log keeps of a command, where it was carried out.
pub(super) async fn kept(
    bus: &CommandBus,
    id: CommandId,
) -> Result<Option<(Hash, Receipt)>, CommandError> {
    bus.log().receipt(command_id(id)).await.map_err(unavailable)
}

#[allow(clippy::needless_pass_by_value)]
fn internal(error: serde_json::Error) -> CommandError {
    CommandError::Internal(error.to_string())
}
