//! What one node answers: the read models, and nothing else.

use async_trait::async_trait;
use domain::{
    actor::StoreScope,
    bundle::Bundle,
    ids::{OrderId, StoreId},
    intake::Intake,
    order::event::System,
    remittance::Remittance,
    store::Store,
};
use projections::{
    Model, Poison, ReadDb, ReadError,
    cache::{Answer, Cache, Question},
    cash_ledger::{
        self, Balances, CashFilter, CashOrder, CollectionDay, DayFilter, Grouping,
        OutstandingFilter, PostingRow, PostingsOf,
    },
    document::{self, Document, Row},
    freshness,
    nodes::Chosen,
    order_view::{self, HistoryPage, HistoryWindow, OrderRow, PageRequest},
    paging::{Page, Window},
    store_board::{self, StoreCount},
    whose::{self, Thing},
};

use serde::{Serialize, de::DeserializeOwned};
use store::{LogId, Position};

use super::ShowsMetrics;

/// Shows a kind of entity.
#[async_trait]
pub trait Shows<E: Document>: Send + Sync {
    /// One by id.
    async fn by_id(&self, id: &E::Id) -> Result<Option<Row<E>>, ReadError>;
    /// A page of them.
    async fn page(&self, filter: &E::Filter, window: &Window) -> Result<Page<Row<E>>, ReadError>;
}

/// The read models as one node has them, with the rows of the caller's stores.
#[async_trait]
pub trait Reads:
    Shows<Bundle> + Shows<Store> + Shows<Remittance> + Shows<Intake> + ShowsMetrics
{
    /// Whose something is that was not shown, for the record of refusals.
    async fn whose(&self, thing: Thing<'_>) -> Result<Option<(String, StoreId)>, ReadError>;
    /// An order by id.
    async fn order(&self, id: OrderId) -> Result<Option<OrderRow>, ReadError>;
    /// An order by a system's reference.
    async fn order_by_ref(
        &self,
        system: System,
        reference: &str,
    ) -> Result<Option<OrderRow>, ReadError>;
    /// A page of orders.
    async fn orders(&self, request: &PageRequest) -> Result<Page<OrderRow>, ReadError>;
    /// Parts of the histories of orders, each in its place; of one that does not fold, why.
    async fn histories(
        &self,
        windows: &[HistoryWindow],
    ) -> Result<Vec<Result<HistoryPage, Poison>>, ReadError>;
    /// Counts by store and status.
    async fn board(
        &self,
        allowed: &StoreScope,
        stores: Option<&[StoreId]>,
    ) -> Result<Vec<StoreCount>, ReadError>;
    /// Balances of the cash ledger.
    async fn cash_balances(&self, filter: &CashFilter, by: Grouping)
    -> Result<Balances, ReadError>;
    /// Where an order's cash is.
    async fn cash_order(&self, id: OrderId) -> Result<Option<CashOrder>, ReadError>;
    /// Where the cash of orders is, in no order; without those that are not shown.
    async fn cash_orders(&self, ids: &[OrderId]) -> Result<Vec<CashOrder>, ReadError>;
    /// A page of the postings of an order or a remittance.
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
}

/// What the chosen node answers, or has answered: answers are kept until something happens to what they are about.
#[derive(Debug)]
pub(super) struct Answers {
    /// The node.
    pub(super) chosen: Chosen,
    /// What is kept.
    pub(super) cache: Cache,
    /// The log that the models are of.
    pub(super) log: LogId,
    /// What an answer must have seen.
    pub(super) at_least: Position,
}

impl Answers {
    async fn read<T, F, Fut>(&self, read: F) -> Result<T, ReadError>
    where
        F: Fn(ReadDb) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, ReadError>> + Send,
        T: Send,
    {
        self.chosen.read(read).await
    }

    pub(super) async fn kept<A, T, F, Fut>(
        &self,
        question: Question<'_, A>,
        read: F,
    ) -> Result<T, ReadError>
    where
        A: Serialize + Send + Sync,
        T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
        F: Fn(ReadDb) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, ReadError>> + Send,
    {
        let question = Question {
            at_least: self.at_least,
            ..question
        }
        .within(self.chosen.scope());
        let (models, scope, read) = (question.models, &question.scope(), &read);
        let answer = |is_kept: bool| {
            self.read(move |db| async move {
                // The position first, on the same node: what is read after it has seen it.
                let position = if is_kept {
                    freshness::seen(&db, self.log, models).await?
                } else {
                    Position::START
                };
                // Of the stores that the key names, and of no others: whoever finds it may see them.
                let value = read(db.within(scope)).await?;
                Ok(Answer { value, position })
            })
        };
        self.cache.answer(&question, answer).await
    }
}

#[async_trait]
impl<E: Document> Shows<E> for Answers {
    async fn by_id(&self, id: &E::Id) -> Result<Option<Row<E>>, ReadError> {
        self.read(|db| async move { document::by_id::<E>(&db, id).await })
            .await
    }

    async fn page(&self, filter: &E::Filter, window: &Window) -> Result<Page<Row<E>>, ReadError> {
        self.read(|db| async move { document::page::<E>(&db, filter, window).await })
            .await
    }
}

#[async_trait]
impl Reads for Answers {
    async fn whose(&self, thing: Thing<'_>) -> Result<Option<(String, StoreId)>, ReadError> {
        self.read(|db| async move { whose::whose(&db, thing).await })
            .await
    }

    async fn order(&self, id: OrderId) -> Result<Option<OrderRow>, ReadError> {
        let models = [Model::OrderView];
        let question =
            Question::about("order", &models, (self.chosen.scope(), None), ()).of_order(id);
        self.kept(
            question,
            |db| async move { order_view::by_id(&db, id).await },
        )
        .await
    }

    async fn order_by_ref(
        &self,
        system: System,
        reference: &str,
    ) -> Result<Option<OrderRow>, ReadError> {
        self.read(|db| async move { order_view::by_ref(&db, system, reference).await })
            .await
    }

    async fn orders(&self, request: &PageRequest) -> Result<Page<OrderRow>, ReadError> {
        let read = |db| async move { order_view::page(&db, request).await };
        let filter = &request.filter;
        // Who has a phone number is forgotten without an event.
        if filter.phone.is_some() {
            return self.read(read).await;
        }
        let stores = (&filter.allowed, filter.stores.as_deref());
        let models = [Model::OrderView];
        self.kept(Question::about("orders", &models, stores, request), read)
            .await
    }

    async fn histories(
        &self,
        windows: &[HistoryWindow],
    ) -> Result<Vec<Result<HistoryPage, Poison>>, ReadError> {
        self.read(|db| async move { order_view::histories(&db, self.log, windows).await })
            .await
    }

    async fn board(
        &self,
        allowed: &StoreScope,
        stores: Option<&[StoreId]>,
    ) -> Result<Vec<StoreCount>, ReadError> {
        let models = [Model::StoreBoard];
        let question = Question::about("board", &models, (allowed, stores), ());
        self.kept(question, |db| async move {
            store_board::board(&db, allowed, stores).await
        })
        .await
    }

    async fn cash_balances(
        &self,
        filter: &CashFilter,
        by: Grouping,
    ) -> Result<Balances, ReadError> {
        let models = [Model::CashLedger];
        let stores = (&filter.allowed, filter.stores.as_deref());
        let question = Question::about("cash_balances", &models, stores, (filter, by));
        self.kept(question, |db| async move {
            cash_ledger::balances(&db, filter, by).await
        })
        .await
    }

    async fn cash_order(&self, id: OrderId) -> Result<Option<CashOrder>, ReadError> {
        self.read(|db| async move { cash_ledger::cash_order(&db, id).await })
            .await
    }

    async fn cash_orders(&self, ids: &[OrderId]) -> Result<Vec<CashOrder>, ReadError> {
        self.read(|db| async move { cash_ledger::cash_orders(&db, ids).await })
            .await
    }

    async fn cash_postings(
        &self,
        of: &PostingsOf,
        window: &Window,
    ) -> Result<Page<PostingRow>, ReadError> {
        self.read(|db| async move { cash_ledger::postings(&db, of, window).await })
            .await
    }

    async fn outstanding_cash(
        &self,
        filter: &OutstandingFilter,
        window: &Window,
    ) -> Result<Page<CashOrder>, ReadError> {
        let models = [Model::CashLedger];
        let stores = (&filter.allowed, filter.stores.as_deref());
        let question = Question::about("outstanding_cash", &models, stores, (filter, window));
        self.kept(question, |db| async move {
            cash_ledger::outstanding(&db, filter, window).await
        })
        .await
    }

    async fn collection_days(&self, filter: &DayFilter) -> Result<Vec<CollectionDay>, ReadError> {
        let models = [Model::CashLedger];
        let stores = (&filter.allowed, filter.stores.as_deref());
        let question = Question::about("collection_days", &models, stores, filter);
        self.kept(question, |db| async move {
            cash_ledger::collection_days(&db, filter).await
        })
        .await
    }
}
