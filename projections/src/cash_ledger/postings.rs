//! Postings and balances in the database.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{cash::Account, ids::PartnerId, money::Money, remittance::RemittanceId};
use sqlx::PgConnection;
use store::LogId;
use uuid::Uuid;

use super::PostingRow;
use crate::copy::Rows;

/// An account of a store, and where it is kept by partner, of a partner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BalanceCell {
    store_id: String,
    region: String,
    account: Account,
    /// Empty for no partner's.
    partner_id: String,
}

/// Adds what postings move to each balance, in units of 1/10,000 THB.
pub(super) fn add_balances(balances: &mut BTreeMap<BalanceCell, i64>, postings: &[PostingRow]) {
    for row in postings {
        let cell = BalanceCell {
            store_id: row.store_id.to_string(),
            region: row.region.to_string(),
            account: row.account,
            partner_id: row
                .partner_id
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        };
        let balance = balances.entry(cell).or_default();
        *balance = balance.saturating_add(row.amount.units());
    }
}

/// Writes postings down, whole ones in one statement: the database refuses one that does not balance.
pub(super) async fn insert_postings(
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
        .execute(conn)
        .await?;
    Ok(())
}

/// Rows of postings for a table that is being filled: none yet.
pub(super) fn posting_rows() -> Rows {
    Rows::of("cash_posting", COLUMNS)
}

/// Adds postings to the rows.
pub(super) fn make_postings(rows: &mut Rows, log: LogId, lines: &[PostingRow]) {
    for line in lines {
        rows.row()
            .smallint(log.0)
            .bigint(line.position.0)
            .integer(line.line)
            .text(&line.event_type)
            .text(line.account.as_str())
            .amount(line.amount)
            .option(line.order_id.map(|id| id.0), Rows::uuid)
            .option(
                line.remittance_id
                    .as_ref()
                    .map(RemittanceId::to_string)
                    .as_deref(),
                Rows::text,
            )
            .text(line.store_id.as_str())
            .text(line.region.as_str())
            .option(line.partner_id.as_ref().map(PartnerId::as_str), Rows::text)
            .moment(line.recorded_at);
    }
}

/// The columns, as [`make_postings`] fills them.
const COLUMNS: &[&str] = &[
    "log_id",
    "position",
    "line",
    "event_type",
    "account",
    "amount",
    "order_id",
    "remittance_id",
    "store_id",
    "region",
    "partner_id",
    "recorded_at",
];

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
}

impl PostingColumns {
    fn push(&mut self, row: PostingRow) {
        self.position.push(row.position.0);
        self.line.push(row.line);
        self.event_type.push(row.event_type);
        self.account.push(row.account.as_str());
        self.amount.push(row.amount.to_string());
        self.order_id.push(row.order_id.map(|id| id.0));
        self.remittance_id.push(row.remittance_id.map(String::from));
        self.store_id.push(row.store_id.into());
        self.region.push(row.region.into());
        self.partner_id.push(row.partner_id.map(String::from));
        self.recorded_at.push(row.recorded_at);
    }
}

/// Adds to balances.
pub(super) async fn save_balances(
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
