//! What the API needs of the write side and the read side, as one port: the schema is tested against a fake, and
//! [`Live`] is the real thing.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use commands::{CommandBus, CommandError, Outcome, Request};
use domain::{
    actor::StoreScope,
    ids::{OrderId, StoreId},
    order::{
        command::Contact,
        event::{SealedContact, System},
    },
};
use projections::{
    Freshness, Model, Reached, ReadDb, ReadError,
    freshness::{self, ModelStatus},
    order_view::{self, HistoryPage, OrderRow, Page, PageRequest},
    store_board::{self, StoreCount},
};
use store::{Log, Position, audit};

/// A refused access, for the audit table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedAccess {
    /// Who asked.
    pub actor: String,
    /// In which role.
    pub role: &'static str,
    /// What they wanted to do.
    pub action: &'static str,
    /// To what.
    pub target: String,
    /// Why it was refused.
    pub reason: &'static str,
}

/// Both sides of the ledger, as the API uses them.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Carries out a command.
    async fn execute(&self, request: Request) -> Result<Outcome, CommandError>;
    /// Opens sealed personal data; `None` when it was erased.
    async fn open_contact(&self, sealed: &SealedContact) -> Result<Option<Contact>, String>;
    /// Waits until a read model has seen a position.
    async fn wait(
        &self,
        model: Model,
        position: Position,
        at_most: Duration,
    ) -> Result<Reached, ReadError>;
    /// An order by id, whatever its store.
    async fn order(&self, id: OrderId) -> Result<Option<OrderRow>, ReadError>;
    /// An order by a system's reference, whatever its store.
    async fn order_by_ref(
        &self,
        system: System,
        reference: &str,
    ) -> Result<Option<OrderRow>, ReadError>;
    /// A page of orders.
    async fn orders(&self, request: &PageRequest) -> Result<Page, ReadError>;
    /// A part of an order's history.
    async fn history(&self, id: OrderId, first: i64, after: i64) -> Result<HistoryPage, ReadError>;
    /// Counts by store and status.
    async fn board(
        &self,
        allowed: &StoreScope,
        stores: Option<&[StoreId]>,
    ) -> Result<Vec<StoreCount>, ReadError>;
    /// How far the read models are.
    async fn models(&self) -> Result<Vec<ModelStatus>, ReadError>;
    /// Records a refused access.
    async fn refused(&self, access: RefusedAccess);
}

/// The running ledger.
#[derive(Clone)]
pub struct Live {
    /// The write side.
    pub bus: CommandBus,
    /// The read side.
    pub read: ReadDb,
    /// Waits for the read side.
    pub freshness: Freshness,
    /// The log, for the audit table.
    pub log: Log,
}

impl Live {
    /// As a port.
    pub fn shared(self) -> Arc<dyn Backend> {
        Arc::new(self)
    }
}

#[async_trait]
impl Backend for Live {
    async fn execute(&self, request: Request) -> Result<Outcome, CommandError> {
        self.bus.execute(request).await
    }

    async fn open_contact(&self, sealed: &SealedContact) -> Result<Option<Contact>, String> {
        self.bus
            .vault()
            .open(sealed)
            .await
            .map_err(|e| e.to_string())
    }

    async fn wait(
        &self,
        model: Model,
        position: Position,
        at_most: Duration,
    ) -> Result<Reached, ReadError> {
        self.freshness.wait(model, position, at_most).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<OrderRow>, ReadError> {
        order_view::by_id(&self.read, id).await
    }

    async fn order_by_ref(
        &self,
        system: System,
        reference: &str,
    ) -> Result<Option<OrderRow>, ReadError> {
        order_view::by_ref(&self.read, system, reference).await
    }

    async fn orders(&self, request: &PageRequest) -> Result<Page, ReadError> {
        order_view::page(&self.read, request).await
    }

    async fn history(&self, id: OrderId, first: i64, after: i64) -> Result<HistoryPage, ReadError> {
        order_view::history(&self.read, id, first, after).await
    }

    async fn board(
        &self,
        allowed: &StoreScope,
        stores: Option<&[StoreId]>,
    ) -> Result<Vec<StoreCount>, ReadError> {
        store_board::board(&self.read, allowed, stores).await
    }

    async fn models(&self) -> Result<Vec<ModelStatus>, ReadError> {
        freshness::status(&self.read, self.log.log_id()).await
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
