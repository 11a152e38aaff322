//! What the API needs of the write side and the read side, as one port: the schema is tested against a fake, and
//! [`Live`] is the real thing.

mod live;
mod metrics;
mod past;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use commands::{
    CommandError, Outcome, Rehearsal, Request,
    intake::{Context, Incoming, Redrive, Redriven, Submitted},
    personal::{Erasure, Subject},
};
use domain::{
    actor::{Actor, StoreScope},
    bundle::Bundle,
    entity::Entity,
    ids::{CommandId, IntakeId, OrderId, StoreId},
    intake::Intake,
    order::{
        Order,
        command::{Contact, Proof},
        event::{Sealed, System},
    },
    remittance::Remittance,
    store::Store,
};
use projections::{
    Model, Reached, ReadError,
    cash_ledger::{
        Balances, CashFilter, CashOrder, CollectionDay, DayFilter, Grouping, OutstandingFilter,
        PostingRow, PostingsOf,
    },
    changes::Changes,
    document::{Document, Row},
    freshness::ModelStatus,
    order_view::{HistoryPage, OrderRow, PageRequest},
    paging::{Page, Window},
    store_board::StoreCount,
};
use store::Position;

pub use live::Live;
pub use metrics::ShowsMetrics;
pub use past::{LooksBack, Verified, VerifyError};

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

/// Carries out commands on a kind of entity.
#[async_trait]
pub trait Executes<E: Entity>: Send + Sync {
    /// Carries out a command.
    async fn execute(&self, request: Request<E>) -> Result<Outcome<E>, CommandError>;
}

/// Shows a kind of entity.
#[async_trait]
pub trait Shows<E: Document>: Send + Sync {
    /// One by id, whatever its store.
    async fn by_id(&self, id: &E::Id) -> Result<Option<Row<E>>, ReadError>;
    /// A page of them.
    async fn page(&self, filter: &E::Filter, window: &Window) -> Result<Page<Row<E>>, ReadError>;
}

/// Both sides of the ledger, as the API uses them.
#[async_trait]
pub trait Backend:
    Executes<Order>
    + Executes<Bundle>
    + Executes<Store>
    + Executes<Remittance>
    + Shows<Bundle>
    + Shows<Store>
    + Shows<Remittance>
    + Shows<Intake>
    + ShowsMetrics
    + LooksBack
{
    /// Says what a command on an order would do, and does nothing.
    async fn rehearse(&self, request: Request<Order>) -> Result<Rehearsal<Order>, CommandError>;
    /// Takes in an order that came by a message.
    async fn submit(&self, incoming: Incoming) -> Result<Submitted, CommandError>;
    /// Places a dead letter again.
    async fn redrive(&self, id: IntakeId, redrive: Redrive) -> Result<Redriven, CommandError>;
    /// Decides that a dead letter is not to be placed.
    async fn dismiss(
        &self,
        id: IntakeId,
        command_id: CommandId,
        reason: String,
        context: Context,
    ) -> Result<Outcome<Intake>, CommandError>;
    /// Destroys a person's key.
    async fn forget(&self, subject: &Subject, actor: &Actor) -> Result<Erasure, CommandError>;
    /// Opens a sealed contact; `None` when the person was erased.
    async fn open_contact(&self, sealed: &Sealed) -> Result<Option<Contact>, String>;
    /// Opens a sealed proof of a collection; `None` when the person was erased.
    async fn open_proof(&self, sealed: &Sealed) -> Result<Option<Proof>, String>;
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
    async fn orders(&self, request: &PageRequest) -> Result<Page<OrderRow>, ReadError>;
    /// A part of an order's history.
    async fn history(&self, id: OrderId, first: i64, after: i64) -> Result<HistoryPage, ReadError>;
    /// Counts by store and status.
    async fn board(
        &self,
        allowed: &StoreScope,
        stores: Option<&[StoreId]>,
    ) -> Result<Vec<StoreCount>, ReadError>;
    /// Balances of the cash ledger.
    async fn cash_balances(&self, filter: &CashFilter, by: Grouping)
    -> Result<Balances, ReadError>;
    /// Where an order's cash is, whatever its store.
    async fn cash_order(&self, id: OrderId) -> Result<Option<CashOrder>, ReadError>;
    /// A page of the postings of an order or a remittance, whatever its store.
    async fn cash_postings(
        &self,
        of: &PostingsOf,
        window: &Window,
    ) -> Result<Page<PostingRow>, ReadError>;
    /// A page of orders whose cash is still out.
    async fn outstanding_cash(
        &self,
        filter: &OutstandingFilter,
        window: &Window,
    ) -> Result<Page<CashOrder>, ReadError>;
    /// Collections by day and store.
    async fn collection_days(&self, filter: &DayFilter) -> Result<Vec<CollectionDay>, ReadError>;
    /// Where to hear of changes.
    fn changes(&self) -> &Changes;
    /// How far the read models are.
    async fn models(&self) -> Result<Vec<ModelStatus>, ReadError>;
    /// Records a refused access.
    async fn refused(&self, access: RefusedAccess);
}

impl Live {
    /// As a port.
    pub fn shared(self) -> Arc<dyn Backend> {
        Arc::new(self)
    }
}
