//! The order view, its histories and references.

use std::collections::BTreeMap;

use domain::ids::OrderId;
use sqlx::{FromRow, PgConnection};
use store::Position;
use uuid::Uuid;

use super::{CheckError, CheckReport, compare_counts, count};
use crate::{
    decode::{OrderRecord, Poison},
    order_view::{Change, Derived, OrderRow, references, status_code},
};

/// What the view is compared with.
pub(super) struct View {
    pub(super) at: Position,
    rows: i64,
    history: i64,
    refs: i64,
}

/// One order as the log has it.
struct Fold {
    row: OrderRow,
    history: Vec<HistoryRow>,
    refs: Vec<(String, String)>,
}

#[derive(Debug, PartialEq, FromRow)]
struct HistoryRow {
    order_id: Uuid,
    version: i64,
    position: i64,
    event_id: Uuid,
    event_type: String,
    status_from: Option<i16>,
    status_to: i16,
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
            history: 0,
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
        self.compare_history(conn, &ids, &folds, report).await?;
        self.compare_refs(conn, &ids, &folds, report).await
    }

    pub(super) async fn finish(
        &self,
        conn: &mut PgConnection,
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        let tables = [
            ("order_view", self.rows),
            ("order_history", self.history),
            ("order_ref", self.refs),
        ];
        compare_counts(conn, &tables, report).await
    }

    async fn compare_history(
        &mut self,
        conn: &mut PgConnection,
        ids: &[Uuid],
        folds: &BTreeMap<Uuid, Fold>,
        report: &mut CheckReport,
    ) -> Result<(), CheckError> {
        let rows: Vec<HistoryRow> = sqlx::query_as(include_str!("../sql/check_history.sql"))
            .bind(ids)
            .persistent(false)
            .fetch_all(conn)
            .await?;
        let mut stored: BTreeMap<Uuid, Vec<HistoryRow>> = BTreeMap::new();
        for row in rows {
            stored.entry(row.order_id).or_default().push(row);
        }
        for (id, fold) in folds {
            self.history += count(fold.history.len());
            if stored.get(id) != Some(&fold.history) {
                report.add("order_history", id, "the entries differ");
            }
        }
        Ok(())
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
        let Change { from, to } = fold.row.advance(record)?;
        fold.history.push(HistoryRow {
            order_id: record.id.0,
            version: fold.row.version,
            position: record.recorded.position.0,
            event_id: record.recorded.event_id,
            event_type: record.recorded.event_type.clone(),
            status_from: from.map(|s| status_code(s.code())),
            status_to: status_code(to.code()),
        });
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
            history: Vec::new(),
            refs: Vec::new(),
        }
    }
}
