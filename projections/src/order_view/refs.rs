//! The ids by which other systems know an order: rows that its first event adds, and that never change.

use domain::order::OrderEvent;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{copy::Rows, decode::OrderRecord, model::ApplyError};

/// An order by another system's name.
pub(super) struct Ref<'a> {
    system: &'static str,
    reference: &'a str,
    order: Uuid,
}

/// The references an event brings, each once.
pub(crate) fn references(event: &OrderEvent) -> Vec<(&'static str, &str)> {
    let OrderEvent::Placed(placed) = event else {
        return Vec::new();
    };
    let mut refs: Vec<_> = placed
        .refs
        .iter()
        .map(|r| (r.system.as_str(), r.reference.as_str()))
        .collect();
    refs.sort_unstable();
    refs.dedup();
    refs
}

/// The same with the order they are of.
pub(super) fn of<'a>(record: &OrderRecord<'a>) -> impl Iterator<Item = Ref<'a>> {
    let order = record.id.0;
    let refs = references(record.event).into_iter();
    refs.map(move |(system, reference)| Ref {
        system,
        reference,
        order,
    })
}

/// Writes them into the ordinary table.
pub(super) async fn insert(conn: &mut PgConnection, refs: &[Ref<'_>]) -> Result<(), ApplyError> {
    if refs.is_empty() {
        return Ok(());
    }
    let systems: Vec<&str> = refs.iter().map(|r| r.system).collect();
    let references: Vec<&str> = refs.iter().map(|r| r.reference).collect();
    let orders: Vec<Uuid> = refs.iter().map(|r| r.order).collect();
    sqlx::query(include_str!("sql/insert_refs.sql"))
        .bind(systems)
        .bind(references)
        .bind(orders)
        .execute(conn)
        .await?;
    Ok(())
}

/// Rows of a table that is being filled.
pub(super) fn rows(refs: &[Ref<'_>]) -> Rows {
    let mut rows = Rows::of("order_ref", &["system", "reference", "order_id"]);
    for Ref {
        system,
        reference,
        order,
    } in refs
    {
        rows.row().text(system).text(reference).uuid(*order);
    }
    rows
}
