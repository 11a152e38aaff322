//! The order view and its references.

use std::collections::BTreeMap;

use domain::ids::OrderId;
use sqlx::{FromRow, PgConnection};
use store::Position;
use uuid::Uuid;

use super::{CheckError, CheckReport, compare_counts, count};
use crate::{
    decode::{OrderRecord, Poison},
    order_view::{Derived, OrderRow, references},
};

/// What the view is compared with.
pub(super) struct View {
    pub(super) at: Position,
    rows: i64,
    refs: i64,
}

/// One order as the log has it.
struct Fold {
    row: OrderRow,
    refs: Vec<(String, String)>,
}

#[derive(FromRow)]
struct DerivedRow {
    order_id: Uuid,
    #[sqlx(flatten)]
    derived: Derived,
}

impl View {
    pub(super) const fn new(at: Position) -> Self {
        Self {
            at,
            rows: 0,
            refs: 0,
        }
    }

    pub(super) async fn chunk(
        &mut self,
        conn: &mut PgConnection,
        records: &[OrderRecord<'_>],
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        let folds = fold(records, self.at)?;
        let ids: Vec<Uuid> = folds.keys().copied().collect();
        report.orders += folds.len() as u64;
        self.rows += count(folds.len());
        compare_rows(conn, &ids, &folds, report).await?;
        self.compare_refs(conn, &ids, &folds, report).await
    }

    pub(super) async fn finish(
        &self,
        conn: &mut PgConnection,
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        let tables = [("order_view", self.rows), ("order_ref", self.refs)];
        compare_counts(conn, &tables, report).await
    }

    async fn compare_refs(
        &mut self,
        conn: &mut PgConnection,
        ids: &[Uuid],
        folds: &BTreeMap<Uuid, Fold>,
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        let rows: Vec<(Uuid, String, String)> =
            sqlx::query_as(include_str!("../sql/check_refs.sql"))
                .bind(ids)
                .persistent(false)
                .fetch_all(conn)
                .await?;
        let mut stored: BTreeMap<Uuid, Vec<(String, String)>> = BTreeMap::new();
        for (id, system, reference) in rows {
            stored.entry(id).or_default().push((system, reference));
        }
        for (id, fold) in folds {
            self.refs += count(fold.refs.len());
            let mut found = stored.remove(id).unwrap_or_default();
            found.sort_unstable();
            if found != fold.refs {
                report.add("order_ref", id, "the references differ");
            }
        }
        Ok(())
    }
}

async fn compare_rows(
    conn: &mut PgConnection,
    ids: &[Uuid],
    folds: &BTreeMap<Uuid, Fold>,
    report: &mut CheckReport,
) -> Result<(), CheckError> {
    let rows: Vec<OrderRow> = sqlx::query_as(include_str!("../order_view/sql/load.sql"))
        .bind(ids)
        .persistent(false)
        .fetch_all(&mut *conn)
        .await?;
    let rows: BTreeMap<Uuid, OrderRow> = rows.into_iter().map(|row| (row.id.0, row)).collect();
    let derived: Vec<DerivedRow> = sqlx::query_as(include_str!("../sql/check_derived.sql"))
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
            None => report.add("order_view", id, "the row is missing"),
            Some(row) if *row != fold.row => report.add("order_view", id, "the state differs"),
            Some(_) if derived.get(id) != Some(&Derived::of(&fold.row)) => {
                report.add("order_view", id, "the columns differ from the state");
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Folds the events up to a position, order by order.
fn fold(records: &[OrderRecord<'_>], until: Position) -> Result<BTreeMap<Uuid, Fold>, Poison> {
    let mut folds: BTreeMap<Uuid, Fold> = BTreeMap::new();
    for record in records.iter().filter(|r| r.recorded.position <= until) {
        let fold = folds
            .entry(record.id.0)
            .or_insert_with(|| Fold::new(*record.id));
        fold.row.advance(record)?;
        let refs = references(record.event);
        fold.refs.extend(
            refs.into_iter()
                .map(|(system, reference)| (system.to_owned(), reference.to_owned())),
        );
    }
    Ok(folds)
}

impl Fold {
    fn new(id: OrderId) -> Self {
        Self {
            row: OrderRow::unplaced(id),
            refs: Vec::new(),
        }
    }
}
