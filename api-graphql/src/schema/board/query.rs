//! Counts by store and status.

use async_graphql::{Context, Error, ID, Object, SimpleObject};
use domain::actor::Action;
use projections::{Model, freshness::ModelStatus, store_board};

use crate::schema::{
    access::{Access, Fresh, coded},
    order::{filter::store_ids, status::OrderStatus},
    scalars::{DateTime, Position},
};

/// How many orders of a store stand in a status. Combinations without orders are left out.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct StoreCount {
    /// The store.
    pub store_id: ID,
    /// The region the store had when the orders were placed.
    pub region: String,
    /// The status.
    pub status: OrderStatus,
    /// The status as the chain's number.
    pub status_code: i32,
    /// Orders in it.
    pub count: i32,
}

impl From<store_board::StoreCount> for StoreCount {
    fn from(c: store_board::StoreCount) -> Self {
        Self {
            store_id: ID::from(c.store_id.as_str()),
            region: c.region.to_string(),
            status: c.status.into(),
            status_code: i32::from(c.status.code()),
            count: i32::try_from(c.count).unwrap_or(i32::MAX),
        }
    }
}

/// How far a read model is.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct Projection {
    /// Its name.
    pub name: &'static str,
    /// The last position it has applied.
    pub position: Position,
    /// The log's last position.
    pub head: Position,
    /// Events it has not applied.
    pub lag_events: i32,
    /// For how long the oldest of them has been in the log, in milliseconds.
    pub lag_ms: i32,
    /// Whether it stands still at an event it cannot apply.
    pub failed: bool,
    /// Since when it was last seen failing.
    pub failed_at: Option<DateTime>,
    /// Why; only for those who may operate the ledger.
    pub failure: Option<String>,
}

impl Projection {
    fn new(m: ModelStatus, operator: bool) -> Self {
        let clamp = |n: i64| i32::try_from(n.max(0)).unwrap_or(i32::MAX);
        Self {
            name: m.model.name(),
            position: Position(m.position),
            head: Position(m.head),
            lag_events: clamp(m.lag_events()),
            lag_ms: clamp(m.lag_millis),
            failed: m.failed.is_some(),
            failed_at: m.failed.as_ref().map(|f| DateTime(f.failed_at)),
            failure: m.failed.filter(|_| operator).map(|f| f.reason),
        }
    }
}

/// The queries over the board.
#[derive(Default)]
pub struct BoardQuery;

#[Object]
impl BoardQuery {
    /// How many orders stand in each status, by store, of the stores the caller may see.
    async fn store_board(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these stores, at most 200.")] store_ids: Option<Vec<ID>>,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<Vec<StoreCount>, Error> {
        let access = Access::to_read(ctx).await?;
        let stores = store_ids
            .map(|ids| self::store_ids("storeIds", &ids))
            .transpose()?;
        let allowed = &access.actor().stores;
        access.asks_for(stores.as_deref()).await;
        let node = access.read(&[Model::StoreBoard], fresh).await?;
        let counts = node
            .board(allowed, stores.as_deref())
            .await
            .map_err(|e| access.read_failed(e))?;
        Ok(counts.into_iter().map(StoreCount::from).collect())
    }

    /// How far the read models are behind the log.
    async fn projections(&self, ctx: &Context<'_>) -> Result<Vec<Projection>, Error> {
        let access = Access::of(ctx)?;
        if !access.caller.scopes.read {
            return Err(coded("FORBIDDEN", "your token may not read"));
        }
        let operator = access.actor().role.may(Action::Operate);
        let models = access
            .backend
            .models()
            .await
            .map_err(|e| access.read_failed(e))?;
        Ok(models
            .into_iter()
            .map(|m| Projection::new(m, operator))
            .collect())
    }
}
