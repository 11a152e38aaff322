//! From a page of events to changes of sums.

use std::collections::{BTreeMap, BTreeSet};

use domain::order::Order;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{Life, Sums};
use crate::{
    decode::{OrderRecord, Record},
    model::ApplyError,
};

/// Applies a page of events, in order. The caller's transaction makes it whole.
pub(crate) async fn apply(conn: &mut PgConnection, page: &[Record<'_>]) -> Result<(), ApplyError> {
    let page: Vec<OrderRecord<'_>> = page.iter().filter_map(Record::of::<Order>).collect();
    // An order whose first event is in the page has no row yet; in a rebuild that is most of them.
    let first = page.iter().filter(|r| r.recorded.sequence == 1);
    let new: BTreeSet<Uuid> = first.map(|r| r.id.0).collect();
    let known: BTreeSet<Uuid> = page.iter().map(|r| r.id.0).collect();
    let known: Vec<Uuid> = known.difference(&new).copied().collect();
    let before = load(conn, &known).await?;
    let mut sums = Sums::default();
    let after = advance(before.clone(), &page, &mut sums)?;
    for (id, order) in &after {
        sums.change(before.get(id), order);
    }
    save(conn, &after).await?;
    sums.save(conn).await?;
    Ok(())
}

/// The orders of the page after it; what its events count for goes into `sums`.
fn advance(
    mut orders: BTreeMap<Uuid, Life>,
    page: &[OrderRecord<'_>],
    sums: &mut Sums,
) -> Result<BTreeMap<Uuid, Life>, ApplyError> {
    for record in page {
        if let Some(placed) = Life::placed(record) {
            orders.entry(record.id.0).or_insert(placed);
        }
        let order = orders
            .get_mut(&record.id.0)
            .ok_or_else(|| record.poison("its order is not in the metrics; rebuild the metrics"))?;
        let happened = order.advance(record)?;
        sums.event(order, &happened);
    }
    Ok(orders)
}

/// These orders, as far as the metrics have them.
pub(crate) async fn load(
    conn: &mut PgConnection,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Life>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(Uuid, Json<Life>)> =
        sqlx::query_as("select order_id, life from metrics_order where order_id = any($1)")
            .bind(ids)
            // A plan made while the table was small would scan it for ever.
            .persistent(false)
            .fetch_all(conn)
            .await?;
    Ok(rows
        .into_iter()
        .map(|(id, Json(life))| (id, life))
        .collect())
}

/// Writes orders in the order of their ids.
async fn save(conn: &mut PgConnection, orders: &BTreeMap<Uuid, Life>) -> Result<(), ApplyError> {
    if orders.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = orders.keys().copied().collect();
    let lives = orders
        .values()
        .map(serde_json::to_string)
        .collect::<Result<Vec<String>, _>>()
        .map_err(ApplyError::Encode)?;
    sqlx::query(include_str!("sql/save_orders.sql"))
        .bind(ids)
        .bind(lives)
        .execute(conn)
        .await?;
    Ok(())
}
