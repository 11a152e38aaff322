//! The cash ledger.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use domain::{
    cash::RemittanceCash, ids::RegionId, money::Money, remittance::Remittance, store::Store,
};
use sqlx::PgConnection;
use store::Position;
use uuid::Uuid;

use super::{CheckError, CheckReport, compare_counts, count};
use crate::{
    cash_ledger::{
        self, Booked, CollectionDay, Counts, DayCell, PostingRow, add_up, first_region, lines,
        store_region,
    },
    decode::{Of, OrderRecord},
};

/// What the ledger is compared with.
pub(super) struct Cash {
    pub(super) at: Position,
    postings: i64,
    orders: i64,
    remittances: i64,
    stores: i64,
    days: BTreeMap<DayCell, Counts>,
}

impl Cash {
    pub(super) const fn new(at: Position) -> Self {
        Self {
            at,
            postings: 0,
            orders: 0,
            remittances: 0,
            stores: 0,
            days: BTreeMap::new(),
        }
    }

    /// The postings of orders' own events, and what follows for each order from all postings about it.
    pub(super) async fn orders(
        &mut self,
        conn: &mut PgConnection,
        records: &[OrderRecord<'_>],
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        let mut orders: BTreeMap<Uuid, Booked> = BTreeMap::new();
        let mut expected: HashMap<Uuid, Vec<PostingRow>> = HashMap::new();
        for record in records.iter().filter(|r| r.recorded.position <= self.at) {
            if let Some(placed) = Booked::placed(record) {
                orders.entry(record.id.0).or_insert(placed);
            }
            let row = orders
                .get_mut(&record.id.0)
                .ok_or_else(|| record.poison("its order does not begin with a placement"))?;
            let posting = row.advance(record)?;
            let (store, region) = (&row.order.store_id, &row.order.region);
            expected.entry(record.id.0).or_default().extend(lines(
                record.recorded,
                None,
                store,
                region,
                &posting,
            ));
        }
        let ids: Vec<Uuid> = orders.keys().copied().collect();
        let mut own: HashMap<Uuid, Vec<PostingRow>> = HashMap::new();
        for line in postings(conn, "order_id = any($1)", &ids).await? {
            let Some(id) = line.order_id.map(|id| id.0) else {
                continue;
            };
            if line.remittance_id.is_none() {
                own.entry(id).or_default().push(line);
            } else if let Some(row) = orders.get_mut(&id) {
                // A remittance's line; the remittance's own check compares it with the log.
                row.take(line.account, line.amount, || line.recorded_at);
            }
        }
        let stored = cash_ledger::load_orders(conn, &ids).await?;
        self.orders += count(orders.len());
        for (id, row) in orders {
            let expected = expected.remove(&id).unwrap_or_default();
            self.postings += count(expected.len());
            if own.remove(&id).unwrap_or_default() != expected {
                report.add("cash_posting", id, "the order's lines differ");
            }
            if stored.get(&id) != Some(&row) {
                report.add("cash_order", id, "the row differs");
            }
            add_up(&mut self.days, &row.order, 1);
        }
        Ok(())
    }

    /// The postings of remittances' events.
    pub(super) async fn remittances(
        &mut self,
        conn: &mut PgConnection,
        records: &[Of<'_, Remittance>],
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        let mut regions: BTreeMap<String, RegionId> = BTreeMap::new();
        let mut expected: HashMap<String, Vec<PostingRow>> = HashMap::new();
        for record in records.iter().filter(|r| r.recorded.position <= self.at) {
            let id = record.id.to_string();
            if let Some(first) = first_region(record.event) {
                regions.entry(id.clone()).or_insert_with(|| first.clone());
            }
            let region = regions
                .get(&id)
                .ok_or_else(|| record.poison("its remittance does not begin with a region"))?;
            let posting = RemittanceCash::post(record.id, record.event);
            let (store, remittance) = (record.id.store(), Some(record.id));
            expected.entry(id).or_default().extend(lines(
                record.recorded,
                remittance,
                store,
                region,
                &posting,
            ));
        }
        let ids: Vec<String> = regions.keys().cloned().collect();
        let mut found: HashMap<String, Vec<PostingRow>> = HashMap::new();
        for line in postings(conn, "remittance_id = any($1)", &ids).await? {
            if let Some(id) = line.remittance_id.as_ref().map(ToString::to_string) {
                found.entry(id).or_default().push(line);
            }
        }
        let stored = cash_ledger::load_regions(conn, &ids).await?;
        self.remittances += count(regions.len());
        for (id, region) in regions {
            let expected = expected.remove(&id).unwrap_or_default();
            self.postings += count(expected.len());
            if found.remove(&id).unwrap_or_default() != expected {
                report.add("cash_posting", &id, "the remittance's lines differ");
            }
            if stored.get(&id).map(String::as_str) != Some(region.as_str()) {
                report.add("cash_remittance", id, "the row differs");
            }
        }
        Ok(())
    }

    /// Where stores lie.
    pub(super) async fn stores(
        &mut self,
        conn: &mut PgConnection,
        records: &[Of<'_, Store>],
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        let mut regions: BTreeMap<String, String> = BTreeMap::new();
        for record in records.iter().filter(|r| r.recorded.position <= self.at) {
            if let Some(region) = store_region(record.event) {
                regions.insert(record.id.to_string(), region.to_string());
            }
        }
        let ids: Vec<String> = regions.keys().cloned().collect();
        let stored = cash_ledger::load_stores(conn, &ids).await?;
        self.stores += count(regions.len());
        for (id, region) in regions {
            if stored.get(&id) != Some(&region) {
                report.add("cash_store", id, "the row differs");
            }
        }
        Ok(())
    }

    /// What no single order or remittance shows: balances, days, and rows that the log has nothing for.
    pub(super) async fn finish(
        self,
        conn: &mut PgConnection,
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        balances(conn, report).await?;
        let rows: Vec<CollectionDay> = sqlx::query_as(include_str!("../sql/check_days.sql"))
            .fetch_all(&mut *conn)
            .await?;
        let mut stored: BTreeMap<DayCell, Counts> = rows.into_iter().map(counted).collect();
        for (cell, expected) in self.days {
            if stored.remove(&cell).unwrap_or_default() != expected {
                report.add("cash_day", &cell, "the counts differ");
            }
        }
        for (cell, counts) in stored {
            if counts != Counts::default() {
                report.add("cash_day", &cell, "counts what the log does not have");
            }
        }
        let tables = [
            ("cash_posting", self.postings),
            ("cash_order", self.orders),
            ("cash_remittance", self.remittances),
            ("cash_store", self.stores),
        ];
        compare_counts(conn, &tables, report).await
    }
}

fn counted(row: CollectionDay) -> (DayCell, Counts) {
    let cell = DayCell {
        day: row.day,
        store_id: row.store_id.into(),
        region: row.region.into(),
    };
    let counts = Counts {
        delivered: row.delivered,
        collected: row.collected,
        in_time: row.collected_in_time,
        failed: row.failed,
        discrepancies: row.discrepancies,
        discrepancy_sum: row.discrepancy_sum.units(),
    };
    (cell, counts)
}

async fn postings<T>(
    conn: &mut PgConnection,
    condition: &'static str,
    ids: &[T],
) -> Result<Vec<PostingRow>, sqlx::Error>
where
    for<'q> &'q [T]: sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    let select = include_str!("../cash_ledger/sql/postings.sql");
    sqlx::query_as(&format!(
        "{select} where {condition} order by position, line"
    ))
    .bind(ids)
    .persistent(false)
    .fetch_all(conn)
    .await
}

/// Every balance is the sum of its postings, and all of them add up to nothing.
async fn balances(conn: &mut PgConnection, report: &mut CheckReport) -> Result<(), CheckError> {
    let wrong: Vec<(String, String, String)> =
        sqlx::query_as(include_str!("../sql/check_balances.sql"))
            .fetch_all(&mut *conn)
            .await?;
    for (cell, balance, postings) in wrong {
        let what = format!("holds {balance}, its postings add up to {postings}");
        report.add("cash_balance", cell, what);
    }
    let total: String =
        sqlx::query_scalar("select coalesce(sum(balance), 0)::text from cash_balance")
            .fetch_one(conn)
            .await?;
    if total.parse() != Ok(Money::ZERO) {
        let what = format!("adds up to {total}, not to zero");
        report.add("cash_balance", "as a whole", what);
    }
    Ok(())
}

impl fmt::Display for DayCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.day, self.store_id, self.region)
    }
}
