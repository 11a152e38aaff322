//! The ledger's rows in the database.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{cash::Account, ids::OrderId, money::Money};
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow, types::Json};
use store::{LogId, Position};
use uuid::Uuid;

use super::{Booked, CashOrder, PostingRow};
use crate::{
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

/// An account of a store, and where it is kept by partner, of a partner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BalanceCell {
    store_id: String,
    region: String,
    account: Account,
    /// Empty for no partner's.
    partner_id: String,
}

/// Writes postings down, whole ones in one statement: the database refuses one that does not balance.
pub(super) async fn save_postings(
    conn: &mut PgConnection,
    log: LogId,
    lines: Vec<PostingRow>,
) -> Result<(), sqlx::Error> {
    let mut c = PostingColumns::default();
    for line in lines {
        c.push(line);
    }
    if c.position.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("sql/insert_postings.sql"))
        .bind(log.0)
        .bind(c.position)
        .bind(c.line)
        .bind(c.event_type)
        .bind(c.account)
        .bind(c.amount)
        .bind(c.order_id)
        .bind(c.remittance_id)
        .bind(c.store_id)
        .bind(c.region)
        .bind(c.partner_id)
        .bind(c.recorded_at)
        .execute(&mut *conn)
        .await?;
    add_balances(conn, c.balances).await
}

#[derive(Default)]
struct PostingColumns {
    position: Vec<i64>,
    line: Vec<i32>,
    event_type: Vec<String>,
    account: Vec<&'static str>,
    amount: Vec<String>,
    order_id: Vec<Option<Uuid>>,
    remittance_id: Vec<Option<String>>,
    store_id: Vec<String>,
    region: Vec<String>,
    partner_id: Vec<Option<String>>,
    recorded_at: Vec<DateTime<Utc>>,
    /// What the page adds to each balance, in units of 1/10,000 THB.
    balances: BTreeMap<BalanceCell, i64>,
}

impl PostingColumns {
    fn push(&mut self, row: PostingRow) {
        let partner_id = row.partner_id.map(String::from);
        let cell = BalanceCell {
            store_id: row.store_id.to_string(),
            region: row.region.to_string(),
            account: row.account,
            partner_id: partner_id.clone().unwrap_or_default(),
        };
        let balance = self.balances.entry(cell).or_default();
        *balance = balance.saturating_add(row.amount.units());
        self.position.push(row.position.0);
        self.line.push(row.line);
        self.event_type.push(row.event_type);
        self.account.push(row.account.as_str());
        self.amount.push(row.amount.to_string());
        self.order_id.push(row.order_id.map(|id| id.0));
        self.remittance_id.push(row.remittance_id.map(String::from));
        self.store_id.push(row.store_id.into());
        self.region.push(row.region.into());
        self.partner_id.push(partner_id);
        self.recorded_at.push(row.recorded_at);
    }
}

async fn add_balances(
    conn: &mut PgConnection,
    mut deltas: BTreeMap<BalanceCell, i64>,
) -> Result<(), sqlx::Error> {
    deltas.retain(|_, units| *units != 0);
    if deltas.is_empty() {
        return Ok(());
    }
    let stores: Vec<&str> = deltas.keys().map(|c| c.store_id.as_str()).collect();
    let regions: Vec<&str> = deltas.keys().map(|c| c.region.as_str()).collect();
    let accounts: Vec<&str> = deltas.keys().map(|c| c.account.as_str()).collect();
    let partners: Vec<&str> = deltas.keys().map(|c| c.partner_id.as_str()).collect();
    let amounts: Vec<String> = deltas
        .values()
        .map(|units| Money::from_units(*units).to_string())
        .collect();
    // Two statements: what the second one changes must add up to nothing, which the database checks.
    sqlx::query(include_str!("sql/make_balances.sql"))
        .bind(&stores)
        .bind(&regions)
        .bind(&accounts)
        .bind(&partners)
        .execute(&mut *conn)
        .await?;
    sqlx::query(include_str!("sql/add_balances.sql"))
        .bind(&stores)
        .bind(&regions)
        .bind(&accounts)
        .bind(&partners)
        .bind(amounts)
        .execute(conn)
        .await?;
    Ok(())
}
