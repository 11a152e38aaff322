//! The orders that wait.

use chrono::{DateTime, Utc};
use domain::ids::{OrderId, StoreId};
use sqlx::{PgConnection, Row as _, postgres::PgRow};
use store::{Log, LogId, StoreError};
use uuid::Uuid;

use super::Cause;

/// An order that waits.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Waiting {
    pub(super) order_id: OrderId,
    pub(super) store_id: StoreId,
    pub(super) cause: Cause,
    /// When it is tried again by itself; `None`: when its store changes.
    pub(super) retry_at: Option<DateTime<Utc>>,
}

const OF_STORE: &str = "select order_id, store_id, cause_event_id, correlation_id, retry_at \
     from process_waiting_order where log_id = $1 and store_id = $2 and order_id > $3 \
     order by order_id limit $4";
const DUE: &str = "select order_id, store_id, cause_event_id, correlation_id, retry_at \
     from process_waiting_order where log_id = $1 and retry_at <= $2 order by retry_at limit $3";
const REMOVE: &str =
    "delete from process_waiting_order where log_id = $1 and order_id = any($2::uuid[])";

/// A store's, after an order.
pub(super) async fn of_store(
    log: &Log,
    store: &StoreId,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<Waiting>, StoreError> {
    let rows = sqlx::query(OF_STORE)
        .bind(log.log_id().0)
        .bind(store.as_str())
        .bind(after.map_or(Uuid::nil(), |id| id.0))
        .bind(limit)
        .fetch_all(log.pool())
        .await?;
    rows.iter().map(waiting).collect()
}

/// Those whose time has come.
pub(super) async fn due(
    log: &Log,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Waiting>, StoreError> {
    let rows = sqlx::query(DUE)
        .bind(log.log_id().0)
        .bind(now)
        .bind(limit)
        .fetch_all(log.pool())
        .await?;
    rows.iter().map(waiting).collect()
}

/// These wait from now on.
pub(super) async fn save(
    conn: &mut PgConnection,
    log_id: LogId,
    waiting: &[Waiting],
) -> Result<(), StoreError> {
    if waiting.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = waiting.iter().map(|w| w.order_id.0).collect();
    let stores: Vec<&str> = waiting.iter().map(|w| w.store_id.as_str()).collect();
    let events: Vec<Uuid> = waiting.iter().map(|w| w.cause.event_id).collect();
    let correlations: Vec<Uuid> = waiting.iter().map(|w| w.cause.correlation_id).collect();
    let retries: Vec<Option<DateTime<Utc>>> = waiting.iter().map(|w| w.retry_at).collect();
    sqlx::query(include_str!("sql/save.sql"))
        .bind(log_id.0)
        .bind(ids)
        .bind(stores)
        .bind(events)
        .bind(correlations)
        .bind(retries)
        .execute(conn)
        .await?;
    Ok(())
}

/// These wait no more.
pub(super) async fn remove(
    conn: &mut PgConnection,
    log_id: LogId,
    orders: &[OrderId],
) -> Result<(), StoreError> {
    if orders.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = orders.iter().map(|id| id.0).collect();
    sqlx::query(REMOVE)
        .bind(log_id.0)
        .bind(ids)
        .execute(conn)
        .await?;
    Ok(())
}

fn waiting(row: &PgRow) -> Result<Waiting, StoreError> {
    let store: String = row.try_get("store_id")?;
    let store_id = StoreId::new(store).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    Ok(Waiting {
        order_id: OrderId(row.try_get("order_id")?),
        store_id,
        cause: Cause {
            event_id: row.try_get("cause_event_id")?,
            correlation_id: row.try_get("correlation_id")?,
        },
        retry_at: row.try_get("retry_at")?,
    })
}
