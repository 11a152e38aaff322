//! The metrics.

use std::collections::BTreeMap;

use sqlx::PgConnection;
use store::Position;
use uuid::Uuid;

use super::{CheckError, CheckReport, compare_counts, count};
use crate::{
    decode::OrderRecord,
    metrics::{self, Cells, Life, Sums, Table, each_table},
};

/// What the metrics are compared with. The sums grow with stores and time, not with orders.
pub(super) struct Metrics {
    pub(super) at: Position,
    orders: i64,
    sums: Sums,
}

impl Metrics {
    pub(super) fn new(at: Position) -> Self {
        Self {
            at,
            orders: 0,
            sums: Sums::default(),
        }
    }

    pub(super) async fn chunk(
        &mut self,
        conn: &mut PgConnection,
        records: &[OrderRecord<'_>],
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        let mut orders: BTreeMap<Uuid, Life> = BTreeMap::new();
        for record in records.iter().filter(|r| r.recorded.position <= self.at) {
            if let Some(placed) = Life::placed(record) {
                orders.entry(record.id.0).or_insert(placed);
            }
            let order = orders
                .get_mut(&record.id.0)
                .ok_or_else(|| record.poison("its order does not begin with a placement"))?;
            let happened = order.advance(record)?;
            self.sums.event(order, &happened);
        }
        self.orders += count(orders.len());
        let ids: Vec<Uuid> = orders.keys().copied().collect();
        let stored = metrics::load(conn, &ids).await?;
        for (id, order) in &orders {
            self.sums.change(None, order);
            if stored.get(id) != Some(order) {
                report.add("metrics_order", id, "the row differs");
            }
        }
        Ok(())
    }

    /// The sums, and rows that the log has no order for.
    pub(super) async fn finish(
        self,
        conn: &mut PgConnection,
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        each_table!(self.sums, expected => compare(conn, expected, report).await?);
        compare_counts(conn, &[("metrics_order", self.orders)], report).await
    }
}

async fn compare<T: Table>(
    conn: &mut PgConnection,
    expected: Cells<T>,
    report: &mut CheckReport,
) -> Result<(), CheckError> {
    let mut stored = Cells::<T>::load(conn).await?.0;
    for (key, measures) in expected.0 {
        let found = stored.remove(&key).unwrap_or_default();
        if found != measures {
            report.add(T::NAME, format!("{key:?}"), "the figures differ");
        }
    }
    for key in stored.into_keys() {
        report.add(
            T::NAME,
            format!("{key:?}"),
            "counts what the log does not have",
        );
    }
    Ok(())
}
