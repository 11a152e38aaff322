//! An order that came by a message and could not be placed: kept with all its reasons until somebody mends it.
//!
//! What came is kept as it came, so that it can be placed again once its cause is gone. Personal data is sealed.

mod decide;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize, Serializer};

pub use crate::ids::IntakeId;
pub use decide::{MAX_AGE, check_age, check_name};

use crate::{
    actor::{Action, Actor},
    entity::{Command, Entity, event_types},
    ids::{OrderId, RegionId, StoreId},
    order::{command::PlaceOrder, event::Sealed},
    refusal::{Problem, Refusal},
};

/// A message that asked for an order, as its events left it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intake {
    /// What came; `None` before the first event.
    pub message: Option<Message>,
    /// Why it could not be placed the last time.
    pub problems: Vec<Problem>,
    /// How often it was tried.
    pub attempts: u32,
    /// What became of it.
    pub outcome: IntakeOutcome,
}

/// What became of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub enum IntakeOutcome {
    /// It is a dead letter: somebody must look at it.
    #[default]
    Rejected,
    /// It was placed after all.
    Placed {
        /// The order.
        order_id: OrderId,
    },
    /// Somebody decided that it is not to be placed.
    Dismissed {
        /// Why.
        reason: String,
    },
}

/// A message that asked for an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Where it came from, such as a topic or a partner.
    pub source: String,
    /// The sender's id of it.
    pub message_id: String,
    /// What it asked for, without the contact.
    pub order: Box<PlaceOrder>,
    /// The contact, sealed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contact: Option<Sealed>,
}

/// What may be asked of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum IntakeCommand {
    /// It could not be placed: the first time with the message, later for other reasons.
    Reject {
        /// What came.
        message: Message,
        /// Every reason.
        problems: Vec<Problem>,
        /// A keyed fingerprint of what was asked: of the message as it came, or of the attempt to place it again. It
        /// alone tells a repeat of this command, since a contact is sealed differently each time and the reasons
        /// change with the world.
        fingerprint: String,
    },
    /// It was placed after all.
    MarkPlaced {
        /// The order.
        order_id: OrderId,
        /// Why it was tried again, 1 to 500 characters.
        reason: String,
        /// A keyed fingerprint of what was asked, where the message was mended: it tells a repeat of this command from
        /// another order under the same id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fingerprint: Option<String>,
    },
    /// It is not to be placed.
    Dismiss {
        /// Why, 1 to 500 characters.
        reason: String,
    },
}

/// What happened to a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all_fields = "camelCase")]
pub enum IntakeEvent {
    /// It could not be placed.
    #[serde(rename = "intake.rejected")]
    Rejected {
        /// What came.
        message: Message,
        /// Every reason.
        problems: Vec<Problem>,
        /// Which attempt it was, from 1.
        attempt: u32,
    },
    /// It was placed after all.
    #[serde(rename = "intake.placed")]
    Placed {
        /// The order.
        order_id: OrderId,
        /// Why it was tried again.
        reason: String,
    },
    /// Somebody decided that it is not to be placed.
    #[serde(rename = "intake.dismissed")]
    Dismissed {
        /// Why.
        reason: String,
    },
}

event_types!(IntakeEvent {
    "intake.rejected" = Rejected { .. },
    "intake.placed" = Placed { .. },
    "intake.dismissed" = Dismissed { .. },
});

impl Command for IntakeCommand {
    fn action(&self) -> Action {
        match self {
            Self::Reject { .. } => Action::Place,
            Self::MarkPlaced { .. } | Self::Dismiss { .. } => Action::Redrive,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Reject { .. } => "reject_intake",
            Self::MarkPlaced { .. } => "mark_intake_placed",
            Self::Dismiss { .. } => "dismiss_intake",
        }
    }

    fn creates(&self) -> bool {
        matches!(self, Self::Reject { .. })
    }

    fn content<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Reject { fingerprint, .. } => fingerprint.serialize(serializer),
            Self::MarkPlaced { .. } | Self::Dismiss { .. } => self.serialize(serializer),
        }
    }
}

impl Entity for Intake {
    const TYPE: &'static str = "intake";
    const STATE_VERSION: u32 = 1;
    type Id = IntakeId;
    type Command = IntakeCommand;
    type Event = IntakeEvent;
    type Facts = ();

    fn exists(&self) -> bool {
        self.message.is_some()
    }

    fn apply(&mut self, event: &IntakeEvent) {
        match event {
            IntakeEvent::Rejected {
                message,
                problems,
                attempt,
            } => {
                self.message = Some(message.clone());
                self.problems.clone_from(problems);
                self.attempts = *attempt;
                self.outcome = IntakeOutcome::Rejected;
            }
            IntakeEvent::Placed { order_id, .. } => {
                self.outcome = IntakeOutcome::Placed {
                    order_id: *order_id,
                };
            }
            IntakeEvent::Dismissed { reason } => {
                self.outcome = IntakeOutcome::Dismissed {
                    reason: reason.clone(),
                };
            }
        }
    }

    fn decide(
        &self,
        command: &IntakeCommand,
        _actor: &Actor,
        (): &(),
    ) -> Result<Vec<IntakeEvent>, Refusal> {
        decide::decide(self, command)
    }

    /// The store named in the message may be wrong: only who sees the whole chain sees dead letters.
    fn store_id(&self) -> Option<&StoreId> {
        None
    }

    fn region(&self) -> Option<&RegionId> {
        None
    }
}
