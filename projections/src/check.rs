//! Proof that the read models equal a fold of the log.
//!
//! Everything is read in one `repeatable read` snapshot: the checkpoints, the log up to them, and the
//! tables. Streams are taken a few hundred at a time, so memory does not grow with the log.

mod fold;
mod report;

use std::{collections::BTreeMap, fmt};

use sqlx::{FromRow, PgConnection, PgPool};
use store::{LogId, Position, Recorded};
use uuid::Uuid;

use crate::{
    Model,
    decode::{ORDER_AGGREGATE, Poison, decode},
    order_view::{Derived, OrderRow, status_code},
    store_board::Cell,
};

use fold::{Fold, HistoryRow, fold};
pub use report::{CheckReport, Difference};

/// Streams folded at a time.
const CHUNK: i64 = 200;

/// Why a check could not be finished.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The database did not answer.
    #[error("the database did not answer: {0}")]
    Database(#[from] sqlx::Error),
    /// The log itself does not fold.
    #[error(transparent)]
    Poison(#[from] Poison),
}

/// Compares every read model with a fold of the log up to the model's checkpoint.
pub async fn check(pool: &PgPool, log: LogId) -> Result<CheckReport, CheckError> {
    let mut tx = pool.begin().await?;
    sqlx::query("set transaction isolation level repeatable read, read only")
        .execute(&mut *tx)
        .await?;
    // Counting a large table takes longer than a query of the service may.
    sqlx::query("set local statement_timeout = '10min'")
        .execute(&mut *tx)
        .await?;
    let view = checkpoint(&mut tx, log, Model::OrderView).await?;
    let board = checkpoint(&mut tx, log, Model::StoreBoard).await?;
    let mut check = Check {
        log,
        view,
        board,
        expected: Totals::default(),
        counts: BTreeMap::new(),
        report: CheckReport {
            positions: vec![(Model::OrderView, view), (Model::StoreBoard, board)],
            orders: 0,
            found: 0,
            differences: Vec::new(),
        },
    };
    let mut after = String::new();
    loop {
        let streams: Vec<String> = sqlx::query_scalar(include_str!("sql/check_streams.sql"))
            .bind(log.0)
            .bind(ORDER_AGGREGATE)
            .bind(&after)
            .bind(CHUNK)
            .persistent(false)
            .fetch_all(&mut *tx)
            .await?;
        let Some(last) = streams.last() else { break };
        after.clone_from(last);
        check.chunk(&mut tx, &streams).await?;
    }
    check.finish(&mut tx).await?;
    Ok(check.report)
}

async fn checkpoint(
    conn: &mut PgConnection,
    log: LogId,
    model: Model,
) -> Result<Position, sqlx::Error> {
    let position: Option<i64> = sqlx::query_scalar(
        "select position from projection_checkpoint where log_id = $1 and name = $2",
    )
    .bind(log.0)
    .bind(model.name())
    .fetch_optional(conn)
    .await?;
    Ok(Position(position.unwrap_or(0)))
}

/// How many rows each table must have.
#[derive(Default)]
struct Totals {
    view: i64,
    history: i64,
    refs: i64,
    board_orders: i64,
}

struct Check {
    log: LogId,
    view: Position,
    board: Position,
    expected: Totals,
    counts: BTreeMap<Cell, i64>,
    report: CheckReport,
}

#[derive(FromRow)]
struct DerivedRow {
    order_id: Uuid,
    #[sqlx(flatten)]
    derived: Derived,
}

impl Check {
    async fn chunk(
        &mut self,
        conn: &mut PgConnection,
        streams: &[String],
    ) -> Result<(), CheckError> {
        let events: Vec<Recorded> = sqlx::query_as(include_str!("sql/check_events.sql"))
            .bind(self.log.0)
            .bind(ORDER_AGGREGATE)
            .bind(streams)
            .bind(self.view.max(self.board).0)
            .persistent(false)
            .fetch_all(&mut *conn)
            .await?;
        let (records, poison) = decode(&events);
        if let Some(poison) = poison {
            return Err(poison.into());
        }
        let mut ids: Vec<Uuid> = records.iter().map(|r| r.order_id.0).collect();
        ids.dedup();
        let view = fold(&records, self.view)?;
        self.report.orders += view.len() as u64;
        self.compare_rows(conn, &ids, &view).await?;
        self.compare_history(conn, &ids, &view).await?;
        self.compare_refs(conn, &ids, &view).await?;
        let board = if self.board == self.view {
            view
        } else {
            fold(&records, self.board)?
        };
        self.compare_board_orders(conn, &ids, &board).await
    }

    async fn compare_rows(
        &mut self,
        conn: &mut PgConnection,
        ids: &[Uuid],
        folds: &BTreeMap<Uuid, Fold>,
    ) -> Result<(), CheckError> {
        self.expected.view += count(folds.len());
        let rows: Vec<OrderRow> = sqlx::query_as(include_str!("order_view/sql/load.sql"))
            .bind(ids)
            .persistent(false)
            .fetch_all(&mut *conn)
            .await?;
        let rows: BTreeMap<Uuid, OrderRow> = rows.into_iter().map(|row| (row.id.0, row)).collect();
        let derived: Vec<DerivedRow> = sqlx::query_as(include_str!("sql/check_derived.sql"))
            .bind(ids)
            .persistent(false)
            .fetch_all(conn)
            .await?;
        let derived: BTreeMap<Uuid, Derived> = derived
            .into_iter()
            .map(|d| (d.order_id, d.derived))
            .collect();
        for (id, fold) in folds {
            match rows.get(id) {
                None => self.report.add("order_view", id, "the row is missing"),
                Some(row) if *row != fold.row => {
                    self.report.add("order_view", id, "the state differs")
                }
                Some(_) if derived.get(id) != Some(&Derived::of(&fold.row)) => {
                    self.report
                        .add("order_view", id, "the columns differ from the state");
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    async fn compare_history(
        &mut self,
        conn: &mut PgConnection,
        ids: &[Uuid],
        folds: &BTreeMap<Uuid, Fold>,
    ) -> Result<(), CheckError> {
        let rows: Vec<HistoryRow> = sqlx::query_as(include_str!("sql/check_history.sql"))
            .bind(ids)
            .persistent(false)
            .fetch_all(conn)
            .await?;
        let mut stored: BTreeMap<Uuid, Vec<HistoryRow>> = BTreeMap::new();
        for row in rows {
            stored.entry(row.order_id).or_default().push(row);
        }
        for (id, fold) in folds {
            self.expected.history += count(fold.history.len());
            if stored.get(id) != Some(&fold.history) {
                self.report.add("order_history", id, "the entries differ");
            }
        }
        Ok(())
    }

    async fn compare_refs(
        &mut self,
        conn: &mut PgConnection,
        ids: &[Uuid],
        folds: &BTreeMap<Uuid, Fold>,
    ) -> Result<(), CheckError> {
        let rows: Vec<(Uuid, String, String)> = sqlx::query_as(include_str!("sql/check_refs.sql"))
            .bind(ids)
            .persistent(false)
            .fetch_all(conn)
            .await?;
        let mut stored: BTreeMap<Uuid, Vec<(String, String)>> = BTreeMap::new();
        for (id, system, reference) in rows {
            stored.entry(id).or_default().push((system, reference));
        }
        for (id, fold) in folds {
            self.expected.refs += count(fold.refs.len());
            let mut found = stored.remove(id).unwrap_or_default();
            found.sort_unstable();
            if found != fold.refs {
                self.report.add("order_ref", id, "the references differ");
            }
        }
        Ok(())
    }

    async fn compare_board_orders(
        &mut self,
        conn: &mut PgConnection,
        ids: &[Uuid],
        folds: &BTreeMap<Uuid, Fold>,
    ) -> Result<(), CheckError> {
        self.expected.board_orders += count(folds.len());
        let rows: Vec<(Uuid, String, String, i16)> =
            sqlx::query_as(include_str!("store_board/sql/load.sql"))
                .bind(ids)
                .persistent(false)
                .fetch_all(conn)
                .await?;
        let stored: BTreeMap<Uuid, Cell> = rows
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
            .collect();
        for (id, fold) in folds {
            let order = &fold.row.order;
            let cell = Cell {
                store_id: order.store_id.to_string(),
                region: order.region.to_string(),
                status: status_code(order.status.code()),
            };
            if stored.get(id) != Some(&cell) {
                self.report.add("store_board_order", id, "the row differs");
            }
            *self.counts.entry(cell).or_insert(0) += 1;
        }
        Ok(())
    }

    /// What no single order shows: the board's sums, and rows that the log has no order for.
    async fn finish(&mut self, conn: &mut PgConnection) -> Result<(), CheckError> {
        let rows: Vec<(String, String, i16, i64)> = sqlx::query_as(
            "select store_id, region, status, orders from store_board where orders <> 0",
        )
        .fetch_all(&mut *conn)
        .await?;
        let mut stored: BTreeMap<Cell, i64> = rows
            .into_iter()
            .map(|(store_id, region, status, orders)| {
                (
                    Cell {
                        store_id,
                        region,
                        status,
                    },
                    orders,
                )
            })
            .collect();
        for (cell, expected) in std::mem::take(&mut self.counts) {
            let found = stored.remove(&cell).unwrap_or(0);
            if found != expected {
                self.report.add(
                    "store_board",
                    &cell,
                    format!("counts {found} orders, the log {expected}"),
                );
            }
        }
        for (cell, found) in stored {
            self.report.add(
                "store_board",
                &cell,
                format!("counts {found} orders, the log none"),
            );
        }
        let tables = [
            (
                "order_view",
                self.expected.view,
                "select count(*) from order_view",
            ),
            (
                "order_history",
                self.expected.history,
                "select count(*) from order_history",
            ),
            (
                "order_ref",
                self.expected.refs,
                "select count(*) from order_ref",
            ),
            (
                "store_board_order",
                self.expected.board_orders,
                "select count(*) from store_board_order",
            ),
        ];
        for (table, expected, sql) in tables {
            let found: i64 = sqlx::query_scalar(sql).fetch_one(&mut *conn).await?;
            if found != expected {
                self.report.add(
                    table,
                    "as a whole",
                    format!("has {found} rows, the log says {expected}"),
                );
            }
        }
        Ok(())
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.store_id, self.region, self.status)
    }
}

/// A number of rows as the database counts them.
fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
