//! From a page of events to deltas of counts.

use std::collections::BTreeMap;

use domain::order::Order;
use sqlx::{FromRow, PgConnection, Row, postgres::PgRow, types::Json};
use uuid::Uuid;

use super::{Cell, Standing};
use crate::{
    copy::{Rows, copy},
    decode::{OrderRecord, Record},
    lives::{Held, Lives, Orders},
    model::ApplyError,
};

/// Applies a page of events, in order. The caller's transaction makes it whole.
pub(crate) async fn apply(conn: &mut PgConnection, page: &[Record<'_>]) -> Result<(), ApplyError> {
    let mut lives = Lives::over_rows();
    advance(conn, &mut lives, page).await?;
    let (new, moved) = moved(lives.take_all());
    let all = || new.iter().chain(&moved);
    save_orders(conn, all().map(|(id, held)| (*id, &held.now))).await?;
    save_counts(conn, deltas(all())).await
}

/// Orders and counts in memory while the tables are filled.
pub(crate) struct Filling {
    lives: Lives<Standing>,
    /// Changes to the counts, by what the rows written so far say. Bounded by the stores and statuses there are.
    deltas: BTreeMap<Cell, i64>,
}

impl Filling {
    /// Over empty tables.
    pub(crate) fn new() -> Self {
        Self {
            lives: Lives::over_nothing(),
            deltas: BTreeMap::new(),
        }
    }

    /// As [`apply`], but orders stay in memory, at most so many.
    pub(crate) async fn page(
        &mut self,
        conn: &mut PgConnection,
        page: &[Record<'_>],
        most: usize,
    ) -> Result<(), ApplyError> {
        advance(conn, &mut self.lives, page).await?;
        let overflow = self.lives.take_overflow(most);
        self.write(conn, overflow).await
    }

    /// Writes what is in memory.
    pub(crate) async fn end(mut self, conn: &mut PgConnection) -> Result<(), ApplyError> {
        let rest = self.lives.take_all();
        self.write(conn, rest).await?;
        self.deltas.retain(|_, delta| *delta != 0);
        save_counts(conn, self.deltas).await
    }

    async fn write(
        &mut self,
        conn: &mut PgConnection,
        orders: Orders<Standing>,
    ) -> Result<(), ApplyError> {
        let (new, moved) = moved(orders);
        for (cell, delta) in deltas(new.iter().chain(&moved)) {
            *self.deltas.entry(cell).or_insert(0) += delta;
        }
        let rows = Rows::of(
            "store_board_order",
            &["order_id", "store_id", "region", "status", "lines"],
        );
        copy(conn, rows, &new, |rows, (id, held)| {
            let now = &held.now;
            rows.row()
                .uuid(*id)
                .text(&now.cell.store_id)
                .text(&now.cell.region)
                .smallint(now.cell.status)
                .json(&now.lines)?;
            Ok(())
        })
        .await?;
        save_orders(conn, moved.iter().map(|(id, held)| (*id, &held.now))).await
    }
}

/// Orders without a row, and those whose row says something else.
fn moved(orders: Orders<Standing>) -> (Orders<Standing>, Orders<Standing>) {
    let moved = orders
        .into_iter()
        .filter(|(_, held)| held.stored.as_ref() != Some(&held.now));
    moved.partition(|(_, held)| held.stored.is_none())
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

/// Takes in the events of a page.
async fn advance(
    conn: &mut PgConnection,
    lives: &mut Lives<Standing>,
    page: &[Record<'_>],
) -> Result<(), ApplyError> {
    let page: Vec<OrderRecord<'_>> = page.iter().filter_map(Record::of::<Order>).collect();
    // Those whose first event is in the page as well: to be on the board already is an error.
    let known = load(conn, &lives.missing(page.iter().map(|r| r.id.0))).await?;
    for (id, standing) in known {
        lives.look_up(id, standing.clone(), standing);
    }
    for record in &page {
        let (id, at) = (record.id.0, record.recorded.position);
        if let Some(placed) = Standing::placed(record.event) {
            if lives.get_mut(id, at).is_some() {
                return Err(record.poison("its order is on the board already").into());
            }
            lives.entry(id, at, || placed);
        } else {
            lives
                .get_mut(id, at)
                .ok_or_else(|| record.poison("its order is not on the board; rebuild the board"))?
                .apply(record.event);
        }
    }
    Ok(())
}

/// The counts' changes; cells that end where they began are left out.
fn deltas<'a>(moved: impl Iterator<Item = &'a (Uuid, Box<Held<Standing>>)>) -> BTreeMap<Cell, i64> {
    let mut deltas = BTreeMap::new();
    for (_, order) in moved {
        let mut add = |standing: &Standing, delta| match deltas.get_mut(&standing.cell) {
            Some(sum) => *sum += delta,
            None => {
                deltas.insert(standing.cell.clone(), delta);
            }
        };
        add(&order.now, 1);
        if let Some(from) = &order.stored {
            add(from, -1);
        }
    }
    deltas.retain(|_, delta| *delta != 0);
    deltas
}

async fn save_orders(
    conn: &mut PgConnection,
    moved: impl Iterator<Item = (Uuid, &Standing)>,
) -> Result<(), ApplyError> {
    let (ids, moved): (Vec<Uuid>, Vec<&Standing>) = moved.unzip();
    if ids.is_empty() {
        return Ok(());
    }
    let cells = || moved.iter().map(|s| &s.cell);
    let stores: Vec<&str> = cells().map(|c| c.store_id.as_str()).collect();
    let regions: Vec<&str> = cells().map(|c| c.region.as_str()).collect();
    let statuses: Vec<i16> = cells().map(|c| c.status).collect();
    let lines = moved
        .iter()
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
    deltas: BTreeMap<Cell, i64>,
) -> Result<(), ApplyError> {
    if deltas.is_empty() {
        return Ok(());
    }
    let stores: Vec<&str> = deltas.keys().map(|c| c.store_id.as_str()).collect();
    let regions: Vec<&str> = deltas.keys().map(|c| c.region.as_str()).collect();
    let statuses: Vec<i16> = deltas.keys().map(|c| c.status).collect();
    let changes: Vec<i64> = deltas.values().copied().collect();
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
    use store::Position;

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

    fn count(places: &BTreeMap<Uuid, Standing>) -> BTreeMap<Cell, i64> {
        let mut counts = BTreeMap::new();
        for standing in places.values() {
            *counts.entry(standing.cell.clone()).or_insert(0) += 1;
        }
        counts
    }

    proptest! {
        /// Counting before, plus the deltas, is counting after; and no count ends below zero.
        #[test]
        fn deltas_lead_from_one_count_to_the_next(before in places(), moves in places()) {
            let mut after = before.clone();
            after.extend(moves);
            let mut lives = Lives::over_rows();
            for (id, standing) in &before {
                lives.look_up(*id, standing.clone(), standing.clone());
            }
            for (id, standing) in &after {
                *lives.entry(*id, Position(1), || standing.clone()) = standing.clone();
            }
            let (new, moved) = moved(lives.take_all());
            let mut counts = count(&before);
            for (cell, delta) in deltas(new.iter().chain(&moved)) {
                prop_assert_ne!(delta, 0);
                *counts.entry(cell).or_insert(0) += delta;
            }
            prop_assert!(counts.values().all(|n| *n >= 0));
            counts.retain(|_, n| *n != 0);
            prop_assert_eq!(counts, count(&after));
        }
    }
}
