//! How well the cash of each day was collected, by store.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::{
    actor::StoreScope,
    calendar::business_day,
    ids::{RegionId, StoreId},
    money::Money,
    order::{COLLECTION_WITHIN, CollectionStatus},
};
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow};

use super::CashOrder;
use crate::{
    ReadDb, ReadError,
    read_db::{allowed_ids, check_rows},
    words::text,
};

/// The most days of one query.
pub const MAX_DAYS: i64 = 92;
/// The most rows of one query: [`MAX_DAYS`] of a thousand stores.
const MAX_ROWS: i64 = 92_000;

/// Bangkok business day, store and region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DayCell {
    pub(crate) day: NaiveDate,
    pub(crate) store_id: String,
    pub(crate) region: String,
}

/// What is counted of a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) delivered: i64,
    pub(crate) collected: i64,
    pub(crate) in_time: i64,
    pub(crate) failed: i64,
    pub(crate) discrepancies: i64,
    /// Units of 1/10,000 THB.
    pub(crate) discrepancy_sum: i64,
}

impl Counts {
    fn add(&mut self, other: Self, sign: i64) {
        self.delivered += sign * other.delivered;
        self.collected += sign * other.collected;
        self.in_time += sign * other.in_time;
        self.failed += sign * other.failed;
        self.discrepancies += sign * other.discrepancies;
        let sum = sign.saturating_mul(other.discrepancy_sum);
        self.discrepancy_sum = self.discrepancy_sum.saturating_add(sum);
    }
}

/// Adds what an order counts for, or takes it off (`sign` -1).
///
/// Delivered, collected and collected in time count on the day of the delivery; discrepancies on the day of the
/// collection; failures, as long as they stand, on the day of the failure.
pub(crate) fn add_up(counts: &mut BTreeMap<DayCell, Counts>, order: &CashOrder, sign: i64) {
    let mut add = |at, other| {
        let cell = DayCell {
            day: business_day(at),
            store_id: order.store_id.to_string(),
            region: order.region.to_string(),
        };
        counts.entry(cell).or_default().add(other, sign);
    };
    if let Some(delivered) = order.delivered_at {
        let collected = order.collected_at;
        let in_time =
            collected.is_some_and(|at| at.signed_duration_since(delivered) <= COLLECTION_WITHIN);
        add(
            delivered,
            Counts {
                delivered: 1,
                collected: collected.is_some().into(),
                in_time: in_time.into(),
                ..Counts::default()
            },
        );
    }
    if let Some(collected) = order.collected_at
        && !order.discrepancy.is_zero()
    {
        add(
            collected,
            Counts {
                discrepancies: 1,
                discrepancy_sum: order.discrepancy.units(),
                ..Counts::default()
            },
        );
    }
    if let Some(failed) = order.failed_at
        && order.status == CollectionStatus::Failed
    {
        add(
            failed,
            Counts {
                failed: 1,
                ..Counts::default()
            },
        );
    }
}

/// Adds changes to the table; cells without a change are left out.
pub(super) async fn save(
    conn: &mut PgConnection,
    mut deltas: BTreeMap<DayCell, Counts>,
) -> Result<(), sqlx::Error> {
    deltas.retain(|_, counts| *counts != Counts::default());
    if deltas.is_empty() {
        return Ok(());
    }
    let days: Vec<NaiveDate> = deltas.keys().map(|c| c.day).collect();
    let stores: Vec<&str> = deltas.keys().map(|c| c.store_id.as_str()).collect();
    let regions: Vec<&str> = deltas.keys().map(|c| c.region.as_str()).collect();
    let column = |of: fn(&Counts) -> i64| deltas.values().map(of).collect::<Vec<i64>>();
    let sums: Vec<String> = deltas
        .values()
        .map(|c| Money::from_units(c.discrepancy_sum).to_string())
        .collect();
    // Two statements, because an upsert checks that no count is below zero on the delta before it adds it.
    sqlx::query(include_str!("sql/make_days.sql"))
        .bind(&days)
        .bind(&stores)
        .bind(&regions)
        .execute(&mut *conn)
        .await?;
    sqlx::query(include_str!("sql/add_days.sql"))
        .bind(&days)
        .bind(&stores)
        .bind(&regions)
        .bind(column(|c| c.delivered))
        .bind(column(|c| c.collected))
        .bind(column(|c| c.in_time))
        .bind(column(|c| c.failed))
        .bind(column(|c| c.discrepancies))
        .bind(sums)
        .execute(conn)
        .await?;
    Ok(())
}

/// How the cash of a store was collected on one day.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CollectionDay {
    /// The Bangkok business day.
    pub day: NaiveDate,
    /// The store.
    pub store_id: StoreId,
    /// The region the store had when the orders were placed.
    pub region: RegionId,
    /// Orders delivered that day.
    pub delivered: i64,
    /// Those of them whose cash was collected, whenever.
    pub collected: i64,
    /// Those of them whose cash was collected within 24 hours of the delivery, or before it.
    pub collected_in_time: i64,
    /// Orders whose collection failed that day and that still stand so.
    pub failed: i64,
    /// Orders collected that day with another amount than was due.
    pub discrepancies: i64,
    /// What they were too much (positive) or too little (negative), together.
    pub discrepancy_sum: Money,
}

impl CollectionDay {
    /// The success rate as an exact fraction: collected within 24 hours, of delivered. `None` when nothing was
    /// delivered.
    pub const fn success_rate(&self) -> Option<(i64, i64)> {
        if self.delivered > 0 {
            Some((self.collected_in_time, self.delivered))
        } else {
            None
        }
    }
}

impl FromRow<'_, PgRow> for CollectionDay {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            day: row.try_get("day")?,
            store_id: text(row, "store_id")?,
            region: text(row, "region")?,
            delivered: row.try_get("delivered")?,
            collected: row.try_get("collected")?,
            collected_in_time: row.try_get("in_time")?,
            failed: row.try_get("failed")?,
            discrepancies: row.try_get("discrepancies")?,
            discrepancy_sum: text(row, "discrepancy_sum")?,
        })
    }
}

/// Which days and stores to read.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct DayFilter {
    /// The stores the caller may see. Not a wish but a limit: there is no default.
    pub allowed: StoreScope,
    /// Any of these stores.
    pub stores: Option<Vec<StoreId>>,
    /// Stores of this region.
    pub region: Option<RegionId>,
    /// The first day.
    pub from: NaiveDate,
    /// The last day, at most [`MAX_DAYS`] from the first; nothing when it is before the first.
    pub to: NaiveDate,
}

/// The days of the stores the caller may see, by day, store and region. Days without any event are left out.
///
/// # Errors
/// [`ReadError::PageSize`] for more than [`MAX_DAYS`], or more rows than one query may read: narrow it to stores; the
/// database did not answer.
pub async fn collection_days(
    db: &ReadDb,
    filter: &DayFilter,
) -> Result<Vec<CollectionDay>, ReadError> {
    let days = filter.to.signed_duration_since(filter.from).num_days() + 1;
    if days < 1 {
        return Ok(Vec::new());
    }
    if days > MAX_DAYS {
        return Err(ReadError::PageSize {
            asked: days,
            max: MAX_DAYS,
        });
    }
    let rows: Vec<CollectionDay> = sqlx::query_as(include_str!("sql/days.sql"))
        .bind(filter.from)
        .bind(filter.to)
        .bind(allowed_ids(&filter.allowed, filter.stores.as_deref()))
        .bind(filter.region.as_ref().map(ToString::to_string))
        .bind(MAX_ROWS + 1)
        .fetch_all(&mut *db.connection().await?)
        .await?;
    check_rows(rows.len(), MAX_ROWS)?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use domain::ids::OrderId;
    use store::Position;
    use uuid::Uuid;

    use super::*;

    fn order() -> CashOrder {
        CashOrder {
            order_id: OrderId(Uuid::nil()),
            number: "QC-2026-01-01-000001".parse().unwrap(),
            store_id: "CFR001".parse().unwrap(),
            region: "R1".parse().unwrap(),
            partner_id: None,
            status: CollectionStatus::Pending,
            receivable: Money::ZERO,
            rider: Money::ZERO,
            since: None,
            booked_at: None,
            delivered_at: None,
            collected_at: None,
            failed_at: None,
            discrepancy: Money::ZERO,
            version: 1,
            position: Position(1),
        }
    }

    fn counted(order: &CashOrder) -> Vec<(String, Counts)> {
        let mut counts = BTreeMap::new();
        add_up(&mut counts, order, 1);
        let mut back = counts.clone();
        add_up(&mut back, order, -1);
        assert!(
            back.values().all(|c| *c == Counts::default()),
            "what is added can be taken off"
        );
        counts
            .into_iter()
            .map(|(cell, counts)| (cell.day.to_string(), counts))
            .collect()
    }

    #[test]
    fn days_begin_at_midnight_in_bangkok_and_a_day_is_24_hours() {
        let at = |text: &str| Some(text.parse().unwrap());
        let one = Counts {
            delivered: 1,
            collected: 1,
            in_time: 1,
            ..Counts::default()
        };
        let mut order = order();
        assert_eq!(counted(&order), vec![]);
        order.delivered_at = at("2026-01-05T17:00:00Z");
        let delivered = Counts {
            collected: 0,
            in_time: 0,
            ..one
        };
        assert_eq!(counted(&order), vec![("2026-01-06".to_owned(), delivered)]);
        for (collected, in_time) in [
            ("2026-01-05T16:59:00Z", 1),
            ("2026-01-06T17:00:00Z", 1),
            ("2026-01-06T17:00:00.000001Z", 0),
        ] {
            order.collected_at = at(collected);
            let expected = Counts { in_time, ..one };
            assert_eq!(
                counted(&order),
                vec![("2026-01-06".to_owned(), expected)],
                "{collected}"
            );
        }
    }

    #[test]
    fn discrepancies_count_when_collected_and_failures_while_they_stand() {
        let at = |text: &str| Some(text.parse().unwrap());
        let mut order = order();
        order.failed_at = at("2026-01-05T03:00:00Z");
        order.status = CollectionStatus::Failed;
        let failed = Counts {
            failed: 1,
            ..Counts::default()
        };
        assert_eq!(counted(&order), vec![("2026-01-05".to_owned(), failed)]);
        order.status = CollectionStatus::Collected;
        order.collected_at = at("2026-01-07T03:00:00Z");
        order.discrepancy = Money::from_units(-5_000);
        let short = Counts {
            discrepancies: 1,
            discrepancy_sum: -5_000,
            ..Counts::default()
        };
        assert_eq!(counted(&order), vec![("2026-01-07".to_owned(), short)]);
    }
}
