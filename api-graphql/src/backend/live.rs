//! The running ledger.

use std::sync::Arc;

use async_trait::async_trait;
use commands::{
    CommandBus, CommandError, Kind, Outcome, Rehearsal, Request,
    intake::{self, Context, Incoming, Redrive, Redriven, Submitted},
    personal::{Erasure, Subject},
};
use domain::{
    actor::{Actor, StoreScope},
    ids::{CommandId, IntakeId},
    intake::Intake,
    order::{
        Order,
        command::{Contact, Proof},
        event::Sealed,
    },
};
use projections::{
    Model, Nodes, ReadError,
    cache::Cache,
    changes::Changes,
    freshness::{self, ModelStatus},
    nodes::{AtLeast, NoNode},
};
use serde::de::DeserializeOwned;
use store::{Log, PhoneHash, Position, audit};

use super::{Backend, Executes, Opened, Reads, RefusedAccess, reads::Answers};

/// The running ledger.
#[derive(Clone)]
pub struct Live {
    /// The write side.
    pub bus: CommandBus,
    /// The read side.
    pub nodes: Nodes,
    /// The log, for the audit table.
    pub log: Log,
    /// Hears of changes.
    pub changes: Changes,
    /// Keeps figures.
    pub cache: Cache,
}

impl Live {
    async fn open<T: DeserializeOwned>(&self, sealed: &[Sealed]) -> Result<Vec<Opened<T>>, String> {
        let opened = self.bus.vault().open_all(sealed).await;
        let opened = opened.map_err(|e| e.to_string())?.into_iter();
        Ok(opened.map(|one| one.map_err(|e| e.to_string())).collect())
    }
}

#[async_trait]
impl<E: Kind> Executes<E> for Live {
    async fn execute(&self, request: Request<E>) -> Result<Outcome<E>, CommandError> {
        self.bus.execute(request).await
    }
}

#[async_trait]
impl Backend for Live {
    async fn rehearse(&self, request: Request<Order>) -> Result<Rehearsal<Order>, CommandError> {
        self.bus.rehearse(&request).await
    }

    async fn submit(&self, incoming: Incoming) -> Result<Submitted, CommandError> {
        intake::submit(&self.bus, incoming).await
    }

    async fn redrive(&self, id: IntakeId, redrive: Redrive) -> Result<Redriven, CommandError> {
        intake::redrive(&self.bus, id, redrive).await
    }

    async fn dismiss(
        &self,
        id: IntakeId,
        command_id: CommandId,
        reason: String,
        context: Context,
    ) -> Result<Outcome<Intake>, CommandError> {
        intake::dismiss(&self.bus, id, command_id, reason, &context).await
    }

    async fn forget(&self, subject: &Subject, actor: &Actor) -> Result<Erasure, CommandError> {
        self.bus.forget(subject, actor).await
    }

    async fn open_contacts(&self, sealed: &[Sealed]) -> Result<Vec<Opened<Contact>>, String> {
        self.open(sealed).await
    }

    async fn open_proofs(&self, sealed: &[Sealed]) -> Result<Vec<Opened<Proof>>, String> {
        self.open(sealed).await
    }

    fn phone_hash(&self, phone: &str) -> Option<PhoneHash> {
        self.bus.vault().phone_hash(phone)
    }

    async fn read(
        &self,
        scope: &StoreScope,
        models: &[Model],
        at_least: Option<AtLeast>,
    ) -> Result<Arc<dyn Reads>, NoNode> {
        let chosen = self.nodes.choose(scope, models, at_least).await?;
        Ok(Arc::new(Answers {
            chosen,
            cache: self.cache.clone(),
            log: self.log.log_id(),
            at_least: at_least.map_or(Position::START, |least| least.position),
        }))
    }

    fn changes(&self) -> &Changes {
        &self.changes
    }

    async fn models(&self) -> Result<Vec<ModelStatus>, ReadError> {
        freshness::status(self.nodes.primary(), self.log.log_id()).await
    }

    async fn refused(&self, access: RefusedAccess) {
        let row = audit::RefusedAccess {
            actor: &access.actor,
            role: access.role,
            action: access.action,
            target: &access.target,
            reason: access.reason,
        };
        if let Err(error) = audit::refused(self.log.pool(), &row).await {
            tracing::error!(%error, action = access.action, "a refused access could not be audited");
        }
    }
}
