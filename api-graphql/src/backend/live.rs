//! The running ledger.

use std::time::Duration;

use async_trait::async_trait;
use commands::{
    CommandBus, CommandError, Kind, Outcome, Rehearsal, Request,
    intake::{self, Context, Incoming, Redrive, Redriven, Submitted},
    personal::{Erasure, Subject},
};
use domain::{
    actor::{Actor, StoreScope},
    ids::{CommandId, IntakeId, OrderId, StoreId},
    intake::Intake,
    order::{
        Order,
        command::{Contact, Proof},
        event::{Sealed, System},
    },
};
use projections::{
    Freshness, Model, Reached, ReadDb, ReadError,
    cash_ledger::{
        self, Balances, CashFilter, CashOrder, CollectionDay, DayFilter, Grouping,
        OutstandingFilter, PostingRow, PostingsOf,
    },
    changes::Changes,
    document::{self, Document, Row},
    freshness::{self, ModelStatus},
    order_view::{self, HistoryPage, OrderRow, PageRequest},
    paging::{Page, Window},
    store_board::{self, StoreCount},
};
use store::{Log, Position, audit};

use super::{Backend, Executes, RefusedAccess, Shows};

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
    /// Hears of changes.
    pub changes: Changes,
}

#[async_trait]
impl<E: Kind> Executes<E> for Live {
    async fn execute(&self, request: Request<E>) -> Result<Outcome<E>, CommandError> {
        self.bus.execute(request).await
    }
}

#[async_trait]
impl<E: Document> Shows<E> for Live {
    async fn by_id(&self, id: &E::Id) -> Result<Option<Row<E>>, ReadError> {
        document::by_id::<E>(&self.read, id).await
    }

    async fn page(&self, filter: &E::Filter, window: &Window) -> Result<Page<Row<E>>, ReadError> {
        document::page::<E>(&self.read, filter, window).await
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

    async fn open_contact(&self, sealed: &Sealed) -> Result<Option<Contact>, String> {
        let opened = self.bus.vault().open(sealed).await;
        opened.map_err(|e| e.to_string())
    }

    async fn open_proof(&self, sealed: &Sealed) -> Result<Option<Proof>, String> {
        let opened = self.bus.vault().open(sealed).await;
        opened.map_err(|e| e.to_string())
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

    async fn orders(&self, request: &PageRequest) -> Result<Page<OrderRow>, ReadError> {
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

    async fn cash_balances(
        &self,
        filter: &CashFilter,
        by: Grouping,
    ) -> Result<Balances, ReadError> {
        cash_ledger::balances(&self.read, filter, by).await
    }

    async fn cash_order(&self, id: OrderId) -> Result<Option<CashOrder>, ReadError> {
        cash_ledger::cash_order(&self.read, id).await
    }

    async fn cash_postings(
        &self,
        of: &PostingsOf,
        window: &Window,
    ) -> Result<Page<PostingRow>, ReadError> {
        cash_ledger::postings(&self.read, of, window).await
    }

    async fn outstanding_cash(
        &self,
        filter: &OutstandingFilter,
        window: &Window,
    ) -> Result<Page<CashOrder>, ReadError> {
        cash_ledger::outstanding(&self.read, filter, window).await
    }

    async fn collection_days(&self, filter: &DayFilter) -> Result<Vec<CollectionDay>, ReadError> {
        cash_ledger::collection_days(&self.read, filter).await
    }

    fn changes(&self) -> &Changes {
        &self.changes
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
