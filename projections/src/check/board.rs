//! The store board.

use std::{collections::BTreeMap, fmt};

use domain::order::Order;
use sqlx::PgConnection;
use store::Position;
use uuid::Uuid;

use super::{CheckError, CheckReport, compare_counts, count};
use crate::{
    decode::OrderRecord,
    order_view::status_code,
    store_board::{self, Cell},
};

/// What the board is compared with.
pub(super) struct Board {
    pub(super) at: Position,
    orders: i64,
    counts: BTreeMap<Cell, i64>,
}

impl Board {
    pub(super) const fn new(at: Position) -> Self {
        Self {
            at,
            orders: 0,
            counts: BTreeMap::new(),
        }
    }

    pub(super) async fn chunk(
        &mut self,
        conn: &mut PgConnection,
        records: &[OrderRecord<'_>],
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        let mut orders: BTreeMap<Uuid, Order> = BTreeMap::new();
        for record in records.iter().filter(|r| r.recorded.position <= self.at) {
            orders.entry(record.id.0).or_default().apply(record.event);
        }
        self.orders += count(orders.len());
        let ids: Vec<Uuid> = orders.keys().copied().collect();
        let stored = store_board::load(conn, &ids).await?;
        for (id, order) in orders {
            let cell = Cell {
                store_id: order.store_id.to_string(),
                region: order.region.to_string(),
                status: status_code(order.status.code()),
            };
            if stored.get(&id).map(|s| &s.cell) != Some(&cell) {
                report.add("store_board_order", id, "the row differs");
            }
            *self.counts.entry(cell).or_insert(0) += 1;
        }
        Ok(())
    }

    /// What no single order shows: the sums, and rows that the log has no order for.
    pub(super) async fn finish(
        self,
        conn: &mut PgConnection,
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        let rows: Vec<(String, String, i16, i64)> = sqlx::query_as(
            "select store_id, region, status, orders from store_board where orders <> 0",
        )
        .fetch_all(&mut *conn)
        .await?;
        let mut stored = BTreeMap::new();
        for (store_id, region, status, orders) in rows {
            let cell = Cell {
                store_id,
                region,
                status,
            };
            stored.insert(cell, orders);
        }
        for (cell, expected) in self.counts {
            let found = stored.remove(&cell).unwrap_or(0);
            if found != expected {
                let what = format!("counts {found} orders, the log {expected}");
                report.add("store_board", &cell, what);
            }
        }
        for (cell, found) in stored {
            let what = format!("counts {found} orders, the log none");
            report.add("store_board", &cell, what);
        }
        compare_counts(conn, &[("store_board_order", self.orders)], report).await
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.store_id, self.region, self.status)
    }
}
