//! The command bus: authorise, load, decide, append, answer with a receipt, inside a deadline. One engine for every
//! kind of entity; what differs between them is in [`crate::kind`].

mod answer;
mod rehearse;
mod run;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{
    actor::{Action, Actor},
    entity::{Command, Entity},
};
use observability::names;
use store::{Log, SubjectKey, audit};

use self::run::Run;
use crate::{
    bundles::BundleDirectory,
    catalogue::{Catalogue, PostgresCatalogue, ProductLookup},
    error::CommandError,
    facts::{Clock, Sources},
    kind::{Kind, Lanes, Scope},
    load::Loaded,
    numbers::Numbers,
    personal::{Erasure, Subject, Vault},
    request::{Outcome, Rehearsal, Request},
    stores::StoreDirectory,
};

/// How the bus behaves.
#[derive(Debug, Clone, Copy)]
pub struct BusOptions {
    /// The longest a caller waits for an answer.
    pub deadline: Duration,
    /// Orders kept in memory.
    pub hot_orders: u64,
    /// Events between snapshots of one entity; 0 for none.
    pub snapshot_every: i64,
}

impl Default for BusOptions {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(2),
            hot_orders: 10_000,
            snapshot_every: 50,
        }
    }
}

/// Executes commands. Cheap to clone.
#[derive(Clone)]
pub struct CommandBus(Arc<Inner>);

struct Inner {
    sources: Sources,
    lanes: Lanes,
    deadline: Duration,
}

impl CommandBus {
    /// A bus that appends to `log` and looks products up in the log's database. Must be called inside a Tokio
    /// runtime: it starts the snapshot writers.
    pub fn new(log: Log, vault: Vault, clock: Arc<dyn Clock>, options: BusOptions) -> Self {
        let catalogue = Arc::new(PostgresCatalogue::new(log.pool().clone()));
        Self::with_catalogue(log, vault, clock, catalogue, options)
    }

    /// As [`Self::new`], with another product catalogue.
    pub fn with_catalogue(
        log: Log,
        vault: Vault,
        clock: Arc<dyn Clock>,
        catalogue: Arc<dyn Catalogue>,
        options: BusOptions,
    ) -> Self {
        Self(Arc::new(Inner {
            lanes: Lanes::start(&log, &options),
            deadline: options.deadline,
            sources: Sources {
                stores: StoreDirectory::new(log.clone()),
                bundles: BundleDirectory::new(log.clone()),
                numbers: Numbers::new(log.clone()),
                products: ProductLookup::new(catalogue),
                log,
                vault,
                clock,
            },
        }))
    }

    /// The vault that opens sealed personal data.
    pub fn vault(&self) -> &Vault {
        &self.0.sources.vault
    }

    /// The log that the bus appends to.
    pub fn log(&self) -> &Log {
        &self.0.sources.log
    }

    /// The clock that decisions go by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.sources.clock
    }

    /// The stores as decisions see them.
    pub fn stores(&self) -> &StoreDirectory {
        &self.0.sources.stores
    }

    /// The bundles as decisions see them.
    pub fn bundles(&self) -> &BundleDirectory {
        &self.0.sources.bundles
    }

    /// Carries out one command and returns the proof, or says why not.
    pub async fn execute<E: Kind>(&self, request: Request<E>) -> Result<Outcome<E>, CommandError> {
        self.execute_sealed(&request, None).await
    }

    /// As [`Self::execute`], for a command that holds personal data sealed with this key.
    pub(crate) async fn execute_sealed<E: Kind>(
        &self,
        request: &Request<E>,
        key: Option<&SubjectKey>,
    ) -> Result<Outcome<E>, CommandError> {
        let started = Instant::now();
        let submitted = AtomicBool::new(false);
        let run = Run::new(&self.0, request, key, &submitted).execute();
        let result = match tokio::time::timeout(self.0.deadline, run).await {
            Ok(result) => result,
            Err(_) if submitted.load(Ordering::Relaxed) => Err(CommandError::OutcomeUnknown),
            Err(_) => Err(CommandError::DeadlineExceeded),
        };
        let outcome = match &result {
            Ok(outcome) if outcome.receipt.replayed => "replayed",
            Ok(outcome) if outcome.receipt.event_ids.is_empty() => "already_applied",
            Ok(_) => "done",
            Err(error) => error.outcome(),
        };
        let name = request.command.name();
        metrics::histogram!(names::COMMAND_SECONDS, "command" => name, "outcome" => outcome)
            .record(started.elapsed().as_secs_f64());
        result
    }

    /// Says what a command would do, and does nothing: see [`Rehearsal`]. The rights are the command's own.
    ///
    /// # Errors
    /// What the command would be refused with just now.
    pub async fn rehearse<E: Kind>(
        &self,
        request: &Request<E>,
    ) -> Result<Rehearsal<E>, CommandError> {
        let submitted = AtomicBool::new(false);
        let rehearsal = Run::rehearsal(&self.0, request, &submitted).rehearse();
        let rehearsed = tokio::time::timeout(self.0.deadline, rehearsal).await;
        rehearsed.unwrap_or(Err(CommandError::DeadlineExceeded))
    }

    /// The entity as the write side knows it, whatever the caller's scope; `None` when the log does not know it.
    pub async fn load<E: Kind>(&self, id: &E::Id) -> Result<Option<Loaded<E>>, CommandError> {
        E::lane(&self.0.lanes).loader.reload(id).await
    }

    /// The entity as this bus remembers it, else as [`Self::load`]: good enough to choose a command by, which is then
    /// decided on the newest version.
    pub(crate) async fn recall<E: Kind>(
        &self,
        id: &E::Id,
    ) -> Result<Option<Loaded<E>>, CommandError> {
        E::lane(&self.0.lanes).loader.load(id).await
    }

    /// Erases a person: see [`crate::personal`]. Repeating it is harmless.
    ///
    /// # Errors
    /// The actor may not, or sees only some stores; the database is unreachable.
    pub async fn forget(&self, subject: &Subject, actor: &Actor) -> Result<Erasure, CommandError> {
        self.check_chain(actor, Action::ErasePerson, &subject.to_string())
            .await?;
        Ok(self.vault().forget(subject, &actor.id).await?)
    }

    /// Refuses, and audits, what the actor's role may not do.
    pub(crate) async fn check_role(
        &self,
        actor: &Actor,
        action: Action,
        target: &str,
    ) -> Result<(), CommandError> {
        if actor.role.may(action) {
            return Ok(());
        }
        self.0.deny(actor, action, target, "role").await;
        Err(CommandError::Forbidden { action })
    }

    /// As [`Self::check_role`], and what is for those only who see the whole chain.
    pub(crate) async fn check_chain(
        &self,
        actor: &Actor,
        action: Action,
        target: &str,
    ) -> Result<(), CommandError> {
        self.check_role(actor, action, target).await?;
        if Scope::Chain.covers(actor) {
            return Ok(());
        }
        self.0.deny(actor, action, target, "store").await;
        Err(CommandError::Forbidden { action })
    }
}

impl Inner {
    /// Writes a refused access to the audit table; the refusal stands even when that fails.
    async fn deny(&self, actor: &Actor, action: Action, target: &str, reason: &str) {
        let access = audit::RefusedAccess {
            actor: &actor.id,
            role: actor.role.as_str(),
            action: action.as_str(),
            target,
            reason,
        };
        if let Err(error) = audit::refused(self.sources.log.pool(), &access).await {
            tracing::error!(%error, action = action.as_str(), "a refused access could not be audited");
        }
    }
}

fn target_text<E: Entity>(request: &Request<E>) -> String {
    match request.target.id() {
        Some(id) => id.to_string(),
        None => format!("new {}", E::TYPE),
    }
}
