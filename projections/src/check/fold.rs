//! The orders as the log has them.

use std::collections::BTreeMap;

use domain::ids::OrderId;
use sqlx::FromRow;
use store::Position;
use uuid::Uuid;

use crate::{
    decode::{OrderRecord, Poison},
    order_view::{Change, OrderRow, references, status_code},
};

/// One order as the log has it.
pub(super) struct Fold {
    pub(super) row: OrderRow,
    pub(super) history: Vec<HistoryRow>,
    pub(super) refs: Vec<(String, String)>,
}

#[derive(Debug, PartialEq, FromRow)]
pub(super) struct HistoryRow {
    pub(super) order_id: Uuid,
    version: i64,
    position: i64,
    event_id: Uuid,
    event_type: String,
    status_from: Option<i16>,
    status_to: i16,
}

/// Folds the events up to a position, order by order.
pub(super) fn fold(
    records: &[OrderRecord<'_>],
    until: Position,
) -> Result<BTreeMap<Uuid, Fold>, Poison> {
    let mut folds: BTreeMap<Uuid, Fold> = BTreeMap::new();
    for record in records.iter().filter(|r| r.recorded.position <= until) {
        let fold = folds
            .entry(record.order_id.0)
            .or_insert_with(|| Fold::new(record.order_id));
        let Change { from, to } = fold.row.advance(record)?;
        fold.history.push(HistoryRow {
            order_id: record.order_id.0,
            version: fold.row.version,
            position: record.recorded.position.0,
            event_id: record.recorded.event_id,
            event_type: record.recorded.event_type.clone(),
            status_from: from.map(|s| status_code(s.code())),
            status_to: status_code(to.code()),
        });
        let refs = references(&record.event);
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
