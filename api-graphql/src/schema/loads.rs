//! What the nodes of a list have to be read for, read for all of them at once: one statement a field, not one a node.
//!
//! Fields of one level that ask within [`GATHERED`] are answered together. There is one [`Loads`] a request, so that
//! no caller ever gets what was read for another; it remembers nothing, so that a subscription sees what is new and a
//! person who was erased is not shown again. Who may see what is decided before something is asked for here, or of
//! what is answered: see [`super::access`].

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_graphql::{
    Context, Error,
    dataloader::{DataLoader, Loader},
};
use domain::{
    actor::StoreScope,
    ids::{OrderId, StoreId},
    order::{
        command::{Contact, Proof},
        event::Sealed,
    },
};
use projections::{
    Model, Poison,
    nodes::{AtLeast, NoNode},
    order_view::{HistoryPage, HistoryWindow},
};
use store::Position;
use tracing::Instrument;

use super::access::Access;
use crate::{
    backend::{Backend, Opened},
    limits::{DEFAULT_FRESH_WAIT_MS, MAX_BATCH},
};

/// How long a read waits for others of its field.
const GATHERED: Duration = Duration::from_millis(1);

/// The reads of one request that are gathered.
pub(crate) struct Loads(DataLoader<Batches>);

impl Loads {
    /// For one request.
    pub(crate) fn new(backend: Arc<dyn Backend>, scope: StoreScope) -> Self {
        let spawn = |batch: futures_util::future::BoxFuture<'static, ()>| {
            tokio::spawn(batch.in_current_span())
        };
        let loader = DataLoader::new(Batches { backend, scope }, spawn);
        Self(loader.delay(GATHERED).max_batch_size(MAX_BATCH))
    }

    fn of<'a>(ctx: &Context<'a>) -> Result<&'a DataLoader<Batches>, Error> {
        ctx.data::<Self>().map(|loads| &loads.0)
    }
}

/// A part of the history of an order that the caller sees, at least up to a position.
///
/// # Errors
/// As [`Access::read`]; a fault of ours where an event does not fold.
pub(crate) async fn history(
    ctx: &Context<'_>,
    access: &Access<'_>,
    window: HistoryWindow,
    seen: Position,
) -> Result<HistoryPage, Error> {
    let key = PartOfHistory { window, seen };
    let page = Loads::of(ctx)?.load_one(key).await;
    let page = page.map_err(|no| access.no_node(no, Some(seen)))?;
    let page = page.unwrap_or_else(|| Ok(HistoryPage::default()));
    page.map_err(|poison| access.fault(&poison.to_string()))
}

/// The stores of orders; without those of orders that are another store's, or that nobody knows.
///
/// # Errors
/// As [`Access::read`].
pub(crate) async fn stores_of(
    ctx: &Context<'_>,
    access: &Access<'_>,
    orders: impl Iterator<Item = OrderId>,
) -> Result<HashMap<OrderId, StoreId>, Error> {
    let stores = Loads::of(ctx)?.load_many(orders.map(StoreOf)).await;
    let stores = stores.map_err(|no| access.no_node(no, None))?;
    Ok(stores.into_iter().map(|(key, id)| (key.0, id)).collect())
}

/// A contact that the caller may see; `None` when the person was erased.
///
/// # Errors
/// A fault of ours: the vault does not answer, or does not understand what it sealed.
pub(crate) async fn contact(
    ctx: &Context<'_>,
    access: &Access<'_>,
    sealed: &Sealed,
) -> Result<Option<Contact>, Error> {
    let opened = Loads::of(ctx)?.load_one(SealedContact(sealed.clone()));
    let opened = opened.await.map_err(|why| access.fault(&why))?;
    opened.unwrap_or(Ok(None)).map_err(|why| access.fault(&why))
}

/// A proof of a collection, as [`contact`].
///
/// # Errors
/// As [`contact`].
pub(crate) async fn proof(
    ctx: &Context<'_>,
    access: &Access<'_>,
    sealed: &Sealed,
) -> Result<Option<Proof>, Error> {
    let opened = Loads::of(ctx)?.load_one(SealedProof(sealed.clone()));
    let opened = opened.await.map_err(|why| access.fault(&why))?;
    opened.unwrap_or(Ok(None)).map_err(|why| access.fault(&why))
}

/// Reads for many nodes at once.
struct Batches {
    backend: Arc<dyn Backend>,
    /// The caller's stores.
    scope: StoreScope,
}

/// A part of an order's history, and what its node must show of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct PartOfHistory {
    window: HistoryWindow,
    seen: Position,
}

impl Loader<PartOfHistory> for Batches {
    type Value = Result<HistoryPage, Poison>;
    type Error = NoNode;

    async fn load(
        &self,
        keys: &[PartOfHistory],
    ) -> Result<HashMap<PartOfHistory, Self::Value>, NoNode> {
        // One node for all of them: it shows the newest of what is at hand.
        let newest = keys.iter().map(|key| key.seen).max();
        let at_least = AtLeast {
            position: newest.unwrap_or(Position::START),
            wait: Duration::from_millis(DEFAULT_FRESH_WAIT_MS.unsigned_abs()),
        };
        let node = self
            .backend
            .read(&self.scope, &[Model::OrderView], Some(at_least));
        let windows: Vec<HistoryWindow> = keys.iter().map(|key| key.window).collect();
        let pages = node.await?.histories(&windows).await?;
        Ok(keys.iter().copied().zip(pages).collect())
    }
}

/// An order whose store is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct StoreOf(OrderId);

impl Loader<StoreOf> for Batches {
    type Value = StoreId;
    type Error = NoNode;

    async fn load(&self, keys: &[StoreOf]) -> Result<HashMap<StoreOf, StoreId>, NoNode> {
        let node = self
            .backend
            .read(&self.scope, &[Model::CashLedger], None)
            .await?;
        let ids: Vec<OrderId> = keys.iter().map(|key| key.0).collect();
        let orders = node.cash_orders(&ids).await?.into_iter();
        Ok(orders
            .map(|order| (StoreOf(order.order_id), order.store_id))
            .collect())
    }
}

/// A contact to open.
#[derive(Clone, PartialEq, Eq, Hash)]
struct SealedContact(Sealed);

impl Loader<SealedContact> for Batches {
    type Value = Opened<Contact>;
    type Error = String;

    async fn load(
        &self,
        keys: &[SealedContact],
    ) -> Result<HashMap<SealedContact, Opened<Contact>>, String> {
        let sealed: Vec<Sealed> = keys.iter().map(|key| key.0.clone()).collect();
        let opened = self.backend.open_contacts(&sealed).await?;
        Ok(keys.iter().cloned().zip(opened).collect())
    }
}

/// A proof to open.
#[derive(Clone, PartialEq, Eq, Hash)]
struct SealedProof(Sealed);

impl Loader<SealedProof> for Batches {
    type Value = Opened<Proof>;
    type Error = String;

    async fn load(
        &self,
        keys: &[SealedProof],
    ) -> Result<HashMap<SealedProof, Opened<Proof>>, String> {
        let sealed: Vec<Sealed> = keys.iter().map(|key| key.0.clone()).collect();
        let opened = self.backend.open_proofs(&sealed).await?;
        Ok(keys.iter().cloned().zip(opened).collect())
    }
}
