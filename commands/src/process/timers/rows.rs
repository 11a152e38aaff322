//! The timers' table.

use chrono::{DateTime, Utc};
use domain::ids::OrderId;
use sqlx::{PgConnection, Row as _, postgres::PgRow};
use store::{Log, LogId, StoreError};
use uuid::Uuid;

use super::{
    super::fact::Cause,
    plan::{Kind, Plan, Timer},
};

const DUE: &str = "select timer_id, due_at, kind, order_id, detail, cause_event_id, correlation_id \
     from process_timer where log_id = $1 and due_at <= $2 order by due_at limit $3";

/// Writes what a page does to the timers.
pub(super) async fn save(
    conn: &mut PgConnection,
    log_id: LogId,
    plan: &Plan,
) -> Result<(), StoreError> {
    if !plan.clear.is_empty() {
        let orders: Vec<Uuid> = plan.clear.iter().map(|c| c.order_id.0).collect();
        let kinds: Vec<_> = plan
            .clear
            .iter()
            .map(|c| c.kind.map(Kind::as_str))
            .collect();
        let details: Vec<_> = plan.clear.iter().map(|c| c.detail.as_deref()).collect();
        sqlx::query(include_str!("sql/clear.sql"))
            .bind(log_id.0)
            .bind(orders)
            .bind(kinds)
            .bind(details)
            .execute(&mut *conn)
            .await?;
    }
    if !plan.set.is_empty() {
        let column = |value: fn(&Timer) -> Uuid| plan.set.iter().map(value).collect::<Vec<_>>();
        let due: Vec<DateTime<Utc>> = plan.set.iter().map(|t| t.due_at).collect();
        let kinds: Vec<&str> = plan.set.iter().map(|t| t.kind.as_str()).collect();
        let details: Vec<&str> = plan.set.iter().map(|t| t.detail.as_str()).collect();
        sqlx::query(include_str!("sql/set.sql"))
            .bind(log_id.0)
            .bind(column(|t| t.id))
            .bind(due)
            .bind(kinds)
            .bind(column(|t| t.order_id.0))
            .bind(details)
            .bind(column(|t| t.cause.event_id))
            .bind(column(|t| t.cause.correlation_id))
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Those whose time has come, the longest due first.
pub(super) async fn due(
    log: &Log,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Timer>, StoreError> {
    let rows = sqlx::query(DUE)
        .bind(log.log_id().0)
        .bind(now)
        .bind(limit)
        .fetch_all(log.pool())
        .await?;
    rows.iter().map(timer).collect()
}

/// Removes timers that have fired, or puts them off.
pub(super) async fn done(
    log: &Log,
    fired: &[(Uuid, Option<DateTime<Utc>>)],
) -> Result<(), StoreError> {
    if fired.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = fired.iter().map(|(id, _)| *id).collect();
    let again: Vec<Option<DateTime<Utc>>> = fired.iter().map(|(_, again)| *again).collect();
    sqlx::query(include_str!("sql/done.sql"))
        .bind(log.log_id().0)
        .bind(ids)
        .bind(again)
        .execute(log.pool())
        .await?;
    Ok(())
}

fn timer(row: &PgRow) -> Result<Timer, StoreError> {
    let kind: String = row.try_get("kind")?;
    let unknown = || StoreError::Corrupt(format!("a timer of unknown kind {kind}"));
    Ok(Timer {
        id: row.try_get("timer_id")?,
        due_at: row.try_get("due_at")?,
        kind: Kind::parse(&kind).ok_or_else(unknown)?,
        order_id: OrderId(row.try_get("order_id")?),
        detail: row.try_get("detail")?,
        cause: Cause {
            event_id: row.try_get("cause_event_id")?,
            correlation_id: row.try_get("correlation_id")?,
        },
    })
}
