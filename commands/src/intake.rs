//! Orders that come by messages, from a topic or a partner: placed, or kept with all their reasons until somebody
//! mends them.
//!
//! A message is named by its sender, its source and the sender's id of it: what one sender says is never taken for
//! another's. Everything else follows from the three: the id of the stream that keeps it when it cannot be placed,
//! and one command id per attempt to place it. So a repeat finds what the first time did, also when the process died
//! between placing the order and noting it.
//!
//! Placing a message and keeping it have the same command id, so that one of the two happens, once, however often
//! and with whatever content the message comes. The log keeps a keyed fingerprint of the content beside the id: the
//! same content is answered with what became of it, other content is refused.

mod before;
mod fingerprint;
mod redrive;
mod submit;

use domain::{
    actor::Actor,
    entity::Entity,
    ids::{CommandId, IntakeId},
};
use uuid::Uuid;

use crate::{Request, Target, derived};

pub use redrive::{Redrive, Redriven, dismiss, redrive};
pub use submit::{Incoming, Submitted, submit};

/// Who acts, and what the message or request belongs to.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who acts.
    pub actor: Actor,
    /// What belongs together across systems.
    pub correlation_id: Uuid,
    /// What caused it, where known.
    pub causation_id: Option<Uuid>,
    /// W3C trace context, where known.
    pub traceparent: Option<String>,
}

impl Context {
    fn request<E: Entity>(
        &self,
        command_id: CommandId,
        expected_version: Option<i64>,
        target: Target<E::Id>,
        command: E::Command,
    ) -> Request<E> {
        Request {
            command_id,
            actor: self.actor.clone(),
            expected_version,
            target,
            command,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            traceparent: self.traceparent.clone(),
        }
    }
}

/// The stream of a message that could not be placed. The sender is the subject of a credential.
pub fn intake_id(sender: &str, source: &str, message_id: &str) -> IntakeId {
    IntakeId(derived::id("intake-of", &[sender, source, message_id]))
}

/// The command id of an attempt to place a message's order: 0 as it came, also of keeping it where it cannot be
/// placed, then 1, 2 .. by people.
pub fn placing_id(id: IntakeId, attempt: u32) -> CommandId {
    derived::command_id("intake-attempt", &[&id.to_string(), &attempt.to_string()])
}
