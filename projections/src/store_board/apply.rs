//! From a page of events to deltas of counts.

use std::collections::BTreeMap;

use domain::order::Order;
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::{Cell, Standing};
use crate::{
    decode::{OrderRecord, Record},
    model::ApplyError,
};

/// Applies a page of events, in order. The caller's transaction makes it whole.
pub(crate) async fn apply(conn: &mut PgConnection, page: &[Record<'_>]) -> Result<(), ApplyError> {
    let page: Vec<OrderRecord<'_>> = page.iter().filter_map(Record::of::<Order>).collect();
    let mut ids: Vec<Uuid> = page.iter().map(|r| r.id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let before = load(conn, &ids).await?;
    let after = advance(before.clone(), &page)?;
    let moved: BTreeMap<Uuid, &Standing> = after
        .iter()
        .filter(|(id, standing)| before.get(*id) != Some(*standing))
        .map(|(id, standing)| (*id, standing))
        .collect();
    save_orders(conn, &moved).await?;
    save_counts(conn, deltas(&moved, &before)).await
}

/// Where these orders stand, as far as they are on the board.
pub(crate) async fn load(
    conn: &mut PgConnection,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Standing>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<Stored> = sqlx::query_as(include_str!("sql/load.sql"))
        .bind(ids)
        // A plan made while the table was small would scan it for ever.
        .persistent(false)
        .fetch_all(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.order_id, row.standing))
        .collect())
}

struct Stored {
    order_id: Uuid,
    standing: Standing,
}

impl FromRow<'_, PgRow> for Stored {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(lines) = row.try_get("lines")?;
        Ok(Self {
            order_id: row.try_get("order_id")?,
            standing: Standing {
                cell: Cell {
                    store_id: row.try_get("store_id")?,
                    region: row.try_get("region")?,
                    status: row.try_get("status")?,
                },
                lines,
            },
        })
    }
}

/// Where each order of the page stands after it.
fn advance(
    mut standings: BTreeMap<Uuid, Standing>,
    page: &[OrderRecord<'_>],
) -> Result<BTreeMap<Uuid, Standing>, ApplyError> {
    for record in page {
        if let Some(placed) = Standing::placed(record.event) {
            if standings.insert(record.id.0, placed).is_some() {
                return Err(record.poison("its order is on the board already").into());
            }
        } else {
            standings
                .get_mut(&record.id.0)
                .ok_or_else(|| record.poison("its order is not on the board; rebuild the board"))?
                .apply(record.event);
        }
    }
    Ok(standings)
}

/// The counts' changes; cells that end where they began are left out.
fn deltas<'a>(
    moved: &BTreeMap<Uuid, &'a Standing>,
    before: &'a BTreeMap<Uuid, Standing>,
) -> BTreeMap<&'a Cell, i64> {
    let mut deltas = BTreeMap::new();
    for (id, to) in moved {
        *deltas.entry(&to.cell).or_insert(0) += 1;
        if let Some(from) = before.get(id) {
            *deltas.entry(&from.cell).or_insert(0) -= 1;
        }
    }
    deltas.retain(|_, delta| *delta != 0);
    deltas
}

async fn save_orders(
    conn: &mut PgConnection,
    moved: &BTreeMap<Uuid, &Standing>,
) -> Result<(), ApplyError> {
    if moved.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = moved.keys().copied().collect();
    let cells = || moved.values().map(|s| &s.cell);
    let stores: Vec<&str> = cells().map(|c| c.store_id.as_str()).collect();
    let regions: Vec<&str> = cells().map(|c| c.region.as_str()).collect();
    let statuses: Vec<i16> = cells().map(|c| c.status).collect();
    let lines = moved
        .values()
        .map(|s| serde_json::to_string(&s.lines))
        .collect::<Result<Vec<String>, _>>()
        .map_err(ApplyError::Encode)?;
    sqlx::query(include_str!("sql/save_orders.sql"))
        .bind(ids)
        .bind(stores)
        .bind(regions)
        .bind(statuses)
        .bind(lines)
        .execute(conn)
        .await?;
    Ok(())
}

async fn save_counts(
    conn: &mut PgConnection,
    deltas: BTreeMap<&Cell, i64>,
) -> Result<(), ApplyError> {
    if deltas.is_empty() {
        return Ok(());
    }
    let stores: Vec<&str> = deltas.keys().map(|c| c.store_id.as_str()).collect();
    let regions: Vec<&str> = deltas.keys().map(|c| c.region.as_str()).collect();
    let statuses: Vec<i16> = deltas.keys().map(|c| c.status).collect();
    let changes: Vec<i64> = deltas.into_values().collect();
    // Two statements, because an upsert checks `orders >= 0` on the delta before it adds it.
    sqlx::query(include_str!("sql/make_cells.sql"))
        .bind(&stores)
        .bind(&regions)
        .bind(&statuses)
        .execute(&mut *conn)
        .await?;
    sqlx::query(include_str!("sql/add_deltas.sql"))
        .bind(&stores)
        .bind(&regions)
        .bind(&statuses)
        .bind(&changes)
        .execute(conn)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn standing(store: u8, status: i16) -> Standing {
        Standing {
            cell: Cell {
                store_id: format!("CFR{store:03}"),
                region: format!("R{}", store % 2),
                status,
            },
            lines: Vec::new(),
        }
    }

    /// Where a few orders stand, some nowhere yet.
    fn places() -> impl Strategy<Value = BTreeMap<Uuid, Standing>> {
        let places = prop::collection::btree_map(0..12u128, (0..3u8, 1..5i16), 0..12);
        places.prop_map(|places| {
            places
                .into_iter()
                .map(|(id, (store, status))| (Uuid::from_u128(id), standing(store, status)))
                .collect()
        })
    }

    fn count(places: &BTreeMap<Uuid, Standing>) -> BTreeMap<&Cell, i64> {
        let mut counts = BTreeMap::new();
        for standing in places.values() {
            *counts.entry(&standing.cell).or_insert(0) += 1;
        }
        counts
    }

    proptest! {
        /// Counting before, plus the deltas, is counting after; and no count ends below zero.
        #[test]
        fn deltas_lead_from_one_count_to_the_next(before in places(), moves in places()) {
            let mut after = before.clone();
            after.extend(moves);
            let moved: BTreeMap<Uuid, &Standing> = after
                .iter()
                .filter(|(id, standing)| before.get(*id) != Some(*standing))
                .map(|(id, standing)| (*id, standing))
                .collect();
            let mut counts = count(&before);
            for (cell, delta) in deltas(&moved, &before) {
                prop_assert_ne!(delta, 0);
                *counts.entry(cell).or_insert(0) += delta;
            }
            prop_assert!(counts.values().all(|n| *n >= 0));
            counts.retain(|_, n| *n != 0);
            prop_assert_eq!(counts, count(&after));
        }
    }
}
