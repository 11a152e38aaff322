//! The cash desk's tables.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    ids::{OrderId, PartnerId, RegionId, StoreId},
    money::Money,
    remittance::RemittanceId,
};
use sqlx::{PgConnection, Row as _, postgres::PgRow};
use store::{Log, LogId, StoreError};
use uuid::Uuid;

/// Cash of an order.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) order_id: OrderId,
    pub(super) number: String,
    pub(super) remittance: RemittanceId,
    pub(super) region: RegionId,
    pub(super) amount: Money,
    pub(super) rider_id: Option<String>,
    pub(super) collected_at: DateTime<Utc>,
    pub(super) due_at: DateTime<Utc>,
    pub(super) is_expected: bool,
}

/// A partner's report of a day that is not over, or whose end was not told yet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Report {
    pub(super) id: RemittanceId,
    pub(super) region: RegionId,
    pub(super) due_at: DateTime<Utc>,
}

/// A remittance that is to be told something.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Due {
    pub(super) id: RemittanceId,
    pub(super) region: RegionId,
    /// The partner has reported.
    pub(super) is_reported: bool,
}

macro_rules! column {
    ($rows:expr, $row:ident => $value:expr) => {
        $rows.iter().map(|$row| $value).collect::<Vec<_>>()
    };
}

/// Adds items; those that are there stay.
pub(super) async fn add(
    conn: &mut PgConnection,
    log_id: LogId,
    items: &[Item],
) -> Result<(), StoreError> {
    if items.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("sql/add.sql"))
        .bind(log_id.0)
        .bind(column!(items, i => i.order_id.0))
        .bind(column!(items, i => i.number.as_str()))
        .bind(column!(items, i => i.remittance.partner().as_str()))
        .bind(column!(items, i => i.remittance.store().as_str()))
        .bind(column!(items, i => i.region.as_str()))
        .bind(column!(items, i => i.remittance.day()))
        .bind(column!(items, i => i.amount.to_string()))
        .bind(column!(items, i => i.rider_id.as_deref()))
        .bind(column!(items, i => i.collected_at))
        .bind(column!(items, i => i.due_at))
        .execute(conn)
        .await?;
    Ok(())
}

/// Changes amounts; a remittance that was told of one is to be told again.
pub(super) async fn correct(
    conn: &mut PgConnection,
    log_id: LogId,
    corrected: &[(OrderId, Money)],
) -> Result<(), StoreError> {
    if corrected.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("sql/correct.sql"))
        .bind(log_id.0)
        .bind(column!(corrected, c => c.0.0))
        .bind(column!(corrected, c => c.1.to_string()))
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes items that are settled.
pub(super) async fn remove(
    conn: &mut PgConnection,
    log_id: LogId,
    orders: &[OrderId],
) -> Result<(), StoreError> {
    if orders.is_empty() {
        return Ok(());
    }
    sqlx::query("delete from process_cash_item where log_id = $1 and order_id = any($2::uuid[])")
        .bind(log_id.0)
        .bind(column!(orders, id => id.0))
        .execute(conn)
        .await?;
    Ok(())
}

/// Adds reports.
pub(super) async fn reported(
    conn: &mut PgConnection,
    log_id: LogId,
    reports: &[Report],
) -> Result<(), StoreError> {
    if reports.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("sql/report.sql"))
        .bind(log_id.0)
        .bind(column!(reports, r => r.id.partner().as_str()))
        .bind(column!(reports, r => r.id.store().as_str()))
        .bind(column!(reports, r => r.region.as_str()))
        .bind(column!(reports, r => r.id.day()))
        .bind(column!(reports, r => r.due_at))
        .execute(conn)
        .await?;
    Ok(())
}

/// These remittances know what is expected: reports need not wait any more.
pub(super) async fn opened(
    conn: &mut PgConnection,
    log_id: LogId,
    remittances: &[RemittanceId],
) -> Result<(), StoreError> {
    if remittances.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("sql/opened.sql"))
        .bind(log_id.0)
        .bind(column!(remittances, r => r.partner().as_str()))
        .bind(column!(remittances, r => r.store().as_str()))
        .bind(column!(remittances, r => r.day()))
        .execute(conn)
        .await?;
    Ok(())
}

/// The same for one.
pub(super) async fn report_done(log: &Log, id: &RemittanceId) -> Result<(), StoreError> {
    let mut conn = log.pool().acquire().await?;
    opened(&mut conn, log.log_id(), std::slice::from_ref(id)).await
}

/// The remittances that are to be told something, the oldest day first.
pub(super) async fn due(log: &Log, now: DateTime<Utc>, limit: i64) -> Result<Vec<Due>, StoreError> {
    let rows = sqlx::query(include_str!("sql/due.sql"))
        .bind(log.log_id().0)
        .bind(now)
        .bind(limit)
        .fetch_all(log.pool())
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Due {
                id: remittance(row)?,
                region: RegionId::new(row.try_get::<String, _>("region")?).map_err(corrupt)?,
                is_reported: row.try_get("is_reported")?,
            })
        })
        .collect()
}

/// The items that one remittance is to be told of.
pub(super) async fn items(
    log: &Log,
    id: &RemittanceId,
    now: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Item>, StoreError> {
    let rows = sqlx::query(include_str!("sql/items.sql"))
        .bind(log.log_id().0)
        .bind(id.partner().as_str())
        .bind(id.store().as_str())
        .bind(id.day())
        .bind(now)
        .bind(limit)
        .fetch_all(log.pool())
        .await?;
    rows.iter().map(|row| item(row, id)).collect()
}

/// Whether one remittance is to be told of anything, now or later.
pub(super) async fn is_any_untold(log: &Log, id: &RemittanceId) -> Result<bool, StoreError> {
    let is_any = sqlx::query_scalar(include_str!("sql/untold.sql"))
        .bind(log.log_id().0)
        .bind(id.partner().as_str())
        .bind(id.store().as_str())
        .bind(id.day())
        .fetch_one(log.pool())
        .await?;
    Ok(is_any)
}

/// The remittance was told of these amounts.
pub(super) async fn told(log: &Log, items: &[Item]) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/told.sql"))
        .bind(log.log_id().0)
        .bind(column!(items, i => i.order_id.0))
        .bind(column!(items, i => i.amount.to_string()))
        .execute(log.pool())
        .await?;
    Ok(())
}

/// The remittance is to be told of these again, later.
pub(super) async fn refused(
    log: &Log,
    items: &[Item],
    due_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(
        "update process_cash_item set due_at = $3 where log_id = $1 and order_id = any($2::uuid[])",
    )
    .bind(log.log_id().0)
    .bind(column!(items, i => i.order_id.0))
    .bind(due_at)
    .execute(log.pool())
    .await?;
    Ok(())
}

/// The remittance is closed: what it was never told of goes into the one of another day, and corrections come too late.
pub(super) async fn put_off(
    log: &Log,
    id: &RemittanceId,
    now: DateTime<Utc>,
    day: NaiveDate,
    due_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/put_off.sql"))
        .bind(log.log_id().0)
        .bind(id.partner().as_str())
        .bind(id.store().as_str())
        .bind(id.day())
        .bind(now)
        .bind(day)
        .bind(due_at)
        .execute(log.pool())
        .await?;
    Ok(())
}

fn remittance(row: &PgRow) -> Result<RemittanceId, StoreError> {
    let partner: String = row.try_get("partner_id")?;
    let store: String = row.try_get("store_id")?;
    Ok(RemittanceId::new(
        PartnerId::new(partner).map_err(corrupt)?,
        StoreId::new(store).map_err(corrupt)?,
        row.try_get("day")?,
    ))
}

fn item(row: &PgRow, id: &RemittanceId) -> Result<Item, StoreError> {
    let amount: String = row.try_get("amount")?;
    Ok(Item {
        order_id: OrderId(row.try_get::<Uuid, _>("order_id")?),
        number: row.try_get("number")?,
        remittance: id.clone(),
        region: RegionId::new(row.try_get::<String, _>("region")?).map_err(corrupt)?,
        amount: amount.parse().map_err(corrupt)?,
        rider_id: row.try_get("rider_id")?,
        collected_at: row.try_get("collected_at")?,
        due_at: row.try_get("due_at")?,
        is_expected: row.try_get("is_expected")?,
    })
}

fn corrupt(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("the cash desk's rows: {error}"))
}
