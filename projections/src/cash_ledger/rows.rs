//! The ledger's rows in the database.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::ids::{OrderId, PartnerId};
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow, types::Json};
use store::Position;
use uuid::Uuid;

use super::{Booked, CashOrder};
use crate::{
    copy::{Rows, copy},
    model::ApplyError,
    words::{from_word, optional, text, word},
};

impl FromRow<'_, PgRow> for CashOrder {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            order_id: OrderId(row.try_get("order_id")?),
            number: text(row, "number")?,
            store_id: text(row, "store_id")?,
            region: text(row, "region")?,
            partner_id: optional(row, "partner_id")?,
            status: from_word(row.try_get("status")?)?,
            receivable: text(row, "receivable")?,
            rider: text(row, "rider")?,
            since: row.try_get("since")?,
            booked_at: row.try_get("booked_at")?,
            delivered_at: row.try_get("delivered_at")?,
            collected_at: row.try_get("collected_at")?,
            failed_at: row.try_get("failed_at")?,
            discrepancy: text(row, "discrepancy")?,
            version: row.try_get("version")?,
            position: Position(row.try_get("position")?),
        })
    }
}

impl FromRow<'_, PgRow> for Booked {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(cash) = row.try_get("cash")?;
        Ok(Self {
            order: CashOrder::from_row(row)?,
            cash,
        })
    }
}

/// The cash of these orders, as far as it is booked.
pub(crate) async fn load_orders(
    conn: &mut PgConnection,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Booked>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<Booked> = sqlx::query_as(include_str!("sql/load_orders.sql"))
        .bind(ids)
        // A plan made while the table was small would scan it for ever.
        .persistent(false)
        .fetch_all(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.order.order_id.0, row))
        .collect())
}

/// Writes rows in the order of their ids.
pub(super) async fn save_orders(
    conn: &mut PgConnection,
    rows: &[&Booked],
) -> Result<(), ApplyError> {
    if rows.is_empty() {
        return Ok(());
    }
    let cash = rows
        .iter()
        .map(|row| serde_json::to_string(&row.cash))
        .collect::<Result<Vec<String>, _>>()
        .map_err(ApplyError::Encode)?;
    let texts = |of: fn(&CashOrder) -> String| column(rows, of);
    let times = |of: fn(&CashOrder) -> Option<DateTime<Utc>>| column(rows, of);
    sqlx::query(include_str!("sql/save_orders.sql"))
        .bind(column(rows, |o| o.order_id.0))
        .bind(texts(|o| o.number.to_string()))
        .bind(texts(|o| o.store_id.to_string()))
        .bind(texts(|o| o.region.to_string()))
        .bind(column(rows, |o| {
            o.partner_id.as_ref().map(ToString::to_string)
        }))
        .bind(texts(|o| word(&o.status)))
        .bind(texts(|o| o.receivable.to_string()))
        .bind(texts(|o| o.rider.to_string()))
        .bind(times(|o| o.since))
        .bind(times(|o| o.booked_at))
        .bind(times(|o| o.delivered_at))
        .bind(times(|o| o.collected_at))
        .bind(times(|o| o.failed_at))
        .bind(texts(|o| o.discrepancy.to_string()))
        .bind(column(rows, |o| o.version))
        .bind(column(rows, |o| o.position.0))
        .bind(cash)
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes rows of orders that have none.
pub(super) async fn copy_orders(
    conn: &mut PgConnection,
    orders: &[&Booked],
) -> Result<(), ApplyError> {
    let rows = Rows::of("cash_order", COLUMNS);
    copy(conn, rows, orders, |rows, Booked { order, cash }| {
        rows.row()
            .uuid(order.order_id.0)
            .text(&order.number.to_string())
            .text(order.store_id.as_str())
            .text(order.region.as_str())
            .option(order.partner_id.as_ref().map(PartnerId::as_str), Rows::text)
            .text(&word(&order.status))
            .amount(order.receivable)
            .amount(order.rider)
            .option(order.since, Rows::moment)
            .option(order.booked_at, Rows::moment)
            .option(order.delivered_at, Rows::moment)
            .option(order.collected_at, Rows::moment)
            .option(order.failed_at, Rows::moment)
            .amount(order.discrepancy)
            .bigint(order.version)
            .bigint(order.position.0)
            .json(cash)?;
        Ok(())
    })
    .await
}

/// The columns, as [`copy_orders`] fills them.
const COLUMNS: &[&str] = &[
    "order_id",
    "number",
    "store_id",
    "region",
    "partner_id",
    "status",
    "receivable",
    "rider",
    "since",
    "booked_at",
    "delivered_at",
    "collected_at",
    "failed_at",
    "discrepancy",
    "version",
    "position",
    "cash",
];

fn column<T>(rows: &[&Booked], of: impl Fn(&CashOrder) -> T) -> Vec<T> {
    rows.iter().map(|row| of(&row.order)).collect()
}

/// The regions of these remittances, as far as they are known.
pub(crate) async fn load_regions(
    conn: &mut PgConnection,
    ids: &[String],
) -> Result<BTreeMap<String, String>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(String, String)> = sqlx::query_as(
        "select remittance_id, region from cash_remittance where remittance_id = any($1)",
    )
    .bind(ids)
    .persistent(false)
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Writes the regions of new remittances.
pub(super) async fn save_regions(
    conn: &mut PgConnection,
    new: &BTreeMap<String, String>,
) -> Result<(), sqlx::Error> {
    if new.is_empty() {
        return Ok(());
    }
    sqlx::query("insert into cash_remittance (remittance_id, region) select * from unnest($1::text[], $2::text[])")
        .bind(new.keys().collect::<Vec<_>>())
        .bind(new.values().collect::<Vec<_>>())
        .execute(conn)
        .await?;
    Ok(())
}

/// Where these stores lie, as far as it is known.
pub(crate) async fn load_stores(
    conn: &mut PgConnection,
    ids: &[String],
) -> Result<BTreeMap<String, String>, sqlx::Error> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("select store_id, region from cash_store where store_id = any($1)")
            .bind(ids)
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().collect())
}

/// Writes where stores lie from now on.
pub(super) async fn save_stores(
    conn: &mut PgConnection,
    regions: &BTreeMap<String, String>,
) -> Result<(), sqlx::Error> {
    if regions.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into cash_store (store_id, region) select * from unnest($1::text[], $2::text[]) \
         on conflict (store_id) do update set region = excluded.region",
    )
    .bind(regions.keys().collect::<Vec<_>>())
    .bind(regions.values().collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}
