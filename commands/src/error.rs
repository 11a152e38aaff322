//! Why a command was not carried out, for the caller to branch on.

use domain::{actor::Action, entity::Entity, ids::PartnerId, refusal::Refusal};

/// A command that had no effect, or whose effect is not known.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CommandError {
    /// The entity's rules forbid it; every broken rule is named.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nobody knows the entity, or it belongs to a store outside the caller's scope.
    #[error("{kind} {id} is not known; check the id")]
    NotFound {
        /// The kind of entity, as the log names it.
        kind: &'static str,
        /// Its id.
        id: String,
    },
    /// The caller's role may never do this, or it belongs to the whole chain and the caller to some stores.
    #[error("you may not {}; ask somebody who may", .action.as_str())]
    Forbidden {
        /// What was asked for.
        action: Action,
    },
    /// The caller's credential is a partner's, and the command is about another partner's cash.
    #[error(
        "your credential does not {} for partner {partner}; send what is yours, and leave this to {partner}",
        .action.as_str()
    )]
    OtherPartner {
        /// What was asked for.
        action: Action,
        /// The other partner.
        partner: PartnerId,
    },
    /// The entity has moved on since the caller looked.
    #[error("it is at version {actual} by now; read it again and decide anew")]
    VersionConflict {
        /// What the caller expected, where it said so.
        expected: Option<i64>,
        /// Where the entity stands.
        actual: i64,
    },
    /// The command id was used before for another command.
    #[error("this commandId was used for another command; a new command needs a new id")]
    CommandReused,
    /// The order number or a partner's reference is taken by another order.
    #[error("{scope} {value} belongs to {}", belongs_to(.holder.as_deref()))]
    OrderExists {
        /// The order that has it; `None` where the caller may not see it.
        holder: Option<String>,
        /// `number` or `ref:<SYSTEM>`.
        scope: String,
        /// The number or reference.
        value: String,
    },
    /// The deadline passed before the command reached the log: nothing was written.
    #[error("the deadline passed and nothing was written; send the command again")]
    DeadlineExceeded,
    /// The deadline passed, or the connection broke, while the log was being written.
    #[error("the outcome is not known; send the command again with the same commandId")]
    OutcomeUnknown,
    /// Too many commands are waiting: nothing was written.
    #[error("too many commands are waiting; send the command again in a second")]
    Overloaded,
    /// The database is out of reach: nothing was written.
    #[error("the ledger cannot reach its database; send the command again")]
    Unavailable(String),
    /// A fault of ours: nothing was written.
    #[error("the ledger failed: {0}")]
    Internal(String),
}

/// Whose a number or reference is, and what to do about it.
fn belongs_to(holder: Option<&str>) -> String {
    holder.map_or_else(
        || "another order; send a reference of its own".to_owned(),
        |holder| format!("order {holder}; read that order, or send a reference of its own"),
    )
}

impl CommandError {
    /// Nobody knows this entity, or the caller may not know of it.
    pub fn not_found<E: Entity>(id: &E::Id) -> Self {
        Self::NotFound {
            kind: E::TYPE,
            id: id.to_string(),
        }
    }

    /// Whether sending the same command with the same id again may succeed.
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::DeadlineExceeded | Self::OutcomeUnknown | Self::Overloaded | Self::Unavailable(_)
        )
    }

    /// A label for metrics: one word per variant.
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::NotFound { .. } => "not_found",
            Self::Forbidden { .. } | Self::OtherPartner { .. } => "forbidden",
            Self::VersionConflict { .. } => "conflict",
            Self::CommandReused => "reused",
            Self::OrderExists { .. } => "exists",
            Self::DeadlineExceeded => "deadline",
            Self::OutcomeUnknown => "unknown",
            Self::Overloaded => "overloaded",
            Self::Unavailable(_) => "unavailable",
            Self::Internal(_) => "internal",
        }
    }
}
