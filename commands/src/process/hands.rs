//! How a process acts: commands in the ledger's own name, each fired once.

use std::time::Duration;

use domain::{
    actor::{Actor, Role, StoreScope},
    entity::Command as _,
    ids::CommandId,
    refusal::Refusal,
};
use metrics::counter;
use observability::names;
use store::StoreError;

use super::fact::{Cause, Poison};
use crate::{CommandBus, CommandError, Kind, Loaded, Outcome, Request, Target};

/// The actor in the events of the ledger's own commands.
pub const ACTOR_ID: &str = "ledger";
/// Tries of one command before its process pauses.
const TRIES: u32 = 4;
/// First pause between two tries; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(25);

/// Why a process could not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The database, or the rows it was given.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A command found no way through, and may later.
    #[error("a command was not carried out: {0}")]
    Passing(CommandError),
    /// An event stands in the way.
    #[error(transparent)]
    Poison(#[from] Poison),
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What became of a command.
#[derive(Debug)]
pub(crate) enum Answer<E: Kind> {
    /// It was carried out, now or before.
    Done(Box<Outcome<E>>),
    /// The business says no, or knows nothing of it: no error, and nothing to repeat.
    Refused,
    /// A fault of ours, about this one entity.
    Fault,
}

/// Gives commands for one process.
#[derive(Clone)]
pub(crate) struct Hands {
    bus: CommandBus,
    process: &'static str,
}

impl Hands {
    pub(crate) const fn new(bus: CommandBus, process: &'static str) -> Self {
        Self { bus, process }
    }

    pub(crate) const fn bus(&self) -> &CommandBus {
        &self.bus
    }

    /// The entity as it is now; `None` where nobody knows it, or it cannot be read.
    ///
    /// # Errors
    /// [`Trouble::Passing`] while the database is out of reach.
    pub(crate) async fn load<E: Kind>(&self, id: &E::Id) -> Result<Option<Loaded<E>>, Trouble> {
        self.found(id, self.bus.load::<E>(id).await)
    }

    /// The same, or as it was a moment ago: see [`CommandBus::recall`].
    ///
    /// # Errors
    /// As [`Self::load`].
    pub(crate) async fn recall<E: Kind>(&self, id: &E::Id) -> Result<Option<Loaded<E>>, Trouble> {
        self.found(id, self.bus.recall::<E>(id).await)
    }

    fn found<E: Kind>(
        &self,
        id: &E::Id,
        result: Result<Option<Loaded<E>>, CommandError>,
    ) -> Result<Option<Loaded<E>>, Trouble> {
        match result {
            Ok(loaded) => Ok(loaded),
            Err(error) if error.is_retryable() => Err(Trouble::Passing(error)),
            Err(error) => {
                tracing::error!(process = self.process, kind = E::TYPE, %id, %error, "cannot be read: it waits for an operator");
                Ok(None)
            }
        }
    }

    /// Gives a command until it is answered.
    ///
    /// # Errors
    /// [`Trouble::Passing`] where nobody answers.
    pub(crate) async fn give<E: Kind>(
        &self,
        id: E::Id,
        command: E::Command,
        command_id: CommandId,
        cause: Cause,
    ) -> Result<Answer<E>, Trouble> {
        let name = command.name();
        let request = Request::<E> {
            command_id,
            actor: actor(),
            expected_version: None,
            target: Target::Entity(id.clone()),
            command,
            correlation_id: cause.correlation_id,
            causation_id: Some(cause.event_id),
            traceparent: None,
        };
        let result = self.patiently(request).await;
        let outcome = match &result {
            Ok(outcome) if outcome.receipt.replayed => "replayed",
            Ok(outcome) if outcome.receipt.event_ids.is_empty() => "already_applied",
            Ok(_) => "done",
            Err(error) => error.outcome(),
        };
        counter!(names::PROCESS_COMMANDS_TOTAL, "process" => self.process, "command" => name, "outcome" => outcome)
            .increment(1);
        match result {
            Ok(outcome) => Ok(Answer::Done(Box::new(outcome))),
            Err(CommandError::Refused(refusal)) => {
                let codes = codes(&refusal);
                tracing::info!(process = self.process, kind = E::TYPE, %id, command = name, codes, "refused");
                Ok(Answer::Refused)
            }
            Err(CommandError::NotFound { .. }) => {
                tracing::warn!(process = self.process, kind = E::TYPE, %id, command = name, "not known");
                Ok(Answer::Refused)
            }
            Err(error) if may_pass(&error) => Err(Trouble::Passing(error)),
            Err(error) => {
                tracing::error!(process = self.process, kind = E::TYPE, %id, command = name, %error, "not carried out: it waits for an operator");
                Ok(Answer::Fault)
            }
        }
    }

    async fn patiently<E: Kind>(&self, request: Request<E>) -> Result<Outcome<E>, CommandError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..TRIES {
            match self.bus.execute(request.clone()).await {
                Err(error) if may_pass(&error) => {}
                other => return other,
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        self.bus.execute(request).await
    }
}

/// Everybody else on the same entity got in first, or nobody answered: neither is an answer.
const fn may_pass(error: &CommandError) -> bool {
    error.is_retryable() || matches!(error, CommandError::VersionConflict { .. })
}

/// The ledger's own processes, as events name them.
pub(crate) fn actor() -> Actor {
    Actor {
        id: ACTOR_ID.to_owned(),
        role: Role::System,
        stores: StoreScope::All,
    }
}

/// The broken rules without their words, which may tell of a customer.
fn codes(refusal: &Refusal) -> String {
    let mut codes: Vec<&str> = refusal.problems.iter().map(|p| p.code.as_str()).collect();
    codes.dedup();
    codes.join(",")
}
