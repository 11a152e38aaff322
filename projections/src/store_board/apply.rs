//! From a page of events to deltas of counts.

use std::collections::BTreeMap;

use domain::order::OrderEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use super::Cell;
use crate::{decode::OrderRecord, model::ApplyError, order_view::status_code};

/// Applies a page of events, in order. The caller's transaction makes it whole.
pub(crate) async fn apply(
    conn: &mut PgConnection,
    page: &[OrderRecord<'_>],
) -> Result<(), ApplyError> {
    let before = load(conn, page).await?;
    let after = advance(before.clone(), page)?;
    let moved: BTreeMap<Uuid, &Cell> = after
        .iter()
        .filter(|(id, cell)| before.get(*id) != Some(*cell))
        .map(|(id, cell)| (*id, cell))
        .collect();
    save_orders(conn, &moved).await?;
    let deltas = deltas(&moved, &before);
    save_counts(conn, deltas).await
}

async fn load(
    conn: &mut PgConnection,
    page: &[OrderRecord<'_>],
) -> Result<BTreeMap<Uuid, Cell>, ApplyError> {
    let mut ids: Vec<Uuid> = page.iter().map(|r| r.order_id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(Uuid, String, String, i16)> = sqlx::query_as(include_str!("sql/load.sql"))
        .bind(ids)
        // A plan made while the table was small would scan it for ever.
        .persistent(false)
        .fetch_all(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|(id, store_id, region, status)| {
            (
                id,
                Cell {
                    store_id,
                    region,
                    status,
                },
            )
        })
        .collect())
}

/// Where each order of the page counts after it.
fn advance(
    mut cells: BTreeMap<Uuid, Cell>,
    page: &[OrderRecord<'_>],
) -> Result<BTreeMap<Uuid, Cell>, ApplyError> {
    for record in page {
        let Some(status) = record.event.status_after().map(|s| status_code(s.code())) else {
            continue;
        };
        if let OrderEvent::Placed(placed) = &record.event {
            let cell = Cell {
                store_id: placed.store_id.to_string(),
                region: placed.region.to_string(),
                status,
            };
            if cells.insert(record.order_id.0, cell).is_some() {
                return Err(record.poison("its order is on the board already").into());
            }
        } else {
            let cell = cells
                .get_mut(&record.order_id.0)
                .ok_or_else(|| record.poison("its order is not on the board; rebuild the board"))?;
            cell.status = status;
        }
    }
    Ok(cells)
}

/// The counts' changes; cells that end where they began are left out.
fn deltas<'a>(
    moved: &BTreeMap<Uuid, &'a Cell>,
    before: &'a BTreeMap<Uuid, Cell>,
) -> BTreeMap<&'a Cell, i64> {
    let mut deltas = BTreeMap::new();
    for (id, to) in moved {
        *deltas.entry(*to).or_insert(0) += 1;
        if let Some(from) = before.get(id) {
            *deltas.entry(from).or_insert(0) -= 1;
        }
    }
    deltas.retain(|_, delta| *delta != 0);
    deltas
}

async fn save_orders(
    conn: &mut PgConnection,
    moved: &BTreeMap<Uuid, &Cell>,
) -> Result<(), ApplyError> {
    if moved.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = moved.keys().copied().collect();
    let stores: Vec<&str> = moved.values().map(|c| c.store_id.as_str()).collect();
    let regions: Vec<&str> = moved.values().map(|c| c.region.as_str()).collect();
    let statuses: Vec<i16> = moved.values().map(|c| c.status).collect();
    sqlx::query(include_str!("sql/save_orders.sql"))
        .bind(ids)
        .bind(stores)
        .bind(regions)
        .bind(statuses)
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

    fn cell(store: u8, status: i16) -> Cell {
        Cell {
            store_id: format!("CFR{store:03}"),
            region: format!("R{}", store % 2),
            status,
        }
    }

    /// Where a few orders stand, some nowhere yet.
    fn places() -> impl Strategy<Value = BTreeMap<Uuid, Cell>> {
        let places = prop::collection::btree_map(0..12u128, (0..3u8, 1..5i16), 0..12);
        places.prop_map(|places| {
            places
                .into_iter()
                .map(|(id, (store, status))| (Uuid::from_u128(id), cell(store, status)))
                .collect()
        })
    }

    fn count(places: &BTreeMap<Uuid, Cell>) -> BTreeMap<&Cell, i64> {
        let mut counts = BTreeMap::new();
        for cell in places.values() {
            *counts.entry(cell).or_insert(0) += 1;
        }
        counts
    }

    proptest! {
        /// Counting before, plus the deltas, is counting after; and no count ends below zero.
        #[test]
        fn deltas_lead_from_one_count_to_the_next(before in places(), moves in places()) {
            let mut after = before.clone();
            after.extend(moves);
            let moved: BTreeMap<Uuid, &Cell> = after
                .iter()
                .filter(|(id, cell)| before.get(*id) != Some(*cell))
                .map(|(id, cell)| (*id, cell))
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
