//! From a page of events to changes of sums.

use std::collections::BTreeMap;

use domain::order::Order;
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{Life, Sums};
use crate::{
    copy::{Rows, copy},
    decode::{OrderRecord, Record},
    lives::{Lives, Orders, begun_before},
    model::ApplyError,
};

/// Cells that are held in memory at most while the tables are filled.
const MAX_CELLS: usize = 100_000;

/// Applies a page of events, in order. The caller's transaction makes it whole.
pub(crate) async fn apply(conn: &mut PgConnection, page: &[Record<'_>]) -> Result<(), ApplyError> {
    let (mut lives, mut sums) = (Lives::over_rows(), Sums::default());
    advance(conn, &mut lives, &mut sums, page).await?;
    let orders = lives.take_all();
    for (_, order) in &orders {
        sums.change(order.stored.as_ref(), &order.now);
    }
    save(conn, orders.iter().map(|(id, order)| (*id, &order.now))).await?;
    sums.save(conn).await?;
    Ok(())
}

/// Orders and sums in memory while the tables are filled.
pub(crate) struct Filling {
    lives: Lives<Life>,
    /// Changes to the sums: by every event so far, and by the rows written so far.
    sums: Sums,
}

impl Filling {
    /// Over empty tables.
    pub(crate) fn new() -> Self {
        Self {
            lives: Lives::over_nothing(),
            sums: Sums::default(),
        }
    }

    /// As [`apply`], but orders stay in memory, at most so many.
    pub(crate) async fn page(
        &mut self,
        conn: &mut PgConnection,
        page: &[Record<'_>],
        most: usize,
    ) -> Result<(), ApplyError> {
        advance(conn, &mut self.lives, &mut self.sums, page).await?;
        let overflow = self.lives.take_overflow(most);
        self.write(conn, overflow).await?;
        if self.sums.cells() > MAX_CELLS {
            std::mem::take(&mut self.sums).save(conn).await?;
        }
        Ok(())
    }

    /// Writes what is in memory.
    pub(crate) async fn end(mut self, conn: &mut PgConnection) -> Result<(), ApplyError> {
        let rest = self.lives.take_all();
        self.write(conn, rest).await?;
        self.sums.save(conn).await?;
        Ok(())
    }

    async fn write(
        &mut self,
        conn: &mut PgConnection,
        orders: Orders<Life>,
    ) -> Result<(), ApplyError> {
        for (_, order) in &orders {
            self.sums.change(order.stored.as_ref(), &order.now);
        }
        let (old, new): (Vec<_>, Vec<_>) = orders
            .into_iter()
            .partition(|(_, order)| order.stored.is_some());
        let rows = Rows::of("metrics_order", &["order_id", "life"]);
        copy(conn, rows, &new, |rows, (id, order)| {
            rows.row().uuid(*id).json(&order.now)?;
            Ok(())
        })
        .await?;
        save(conn, old.iter().map(|(id, order)| (*id, &order.now))).await
    }
}

/// Takes in the events of a page; what they count for goes into `sums`.
async fn advance(
    conn: &mut PgConnection,
    lives: &mut Lives<Life>,
    sums: &mut Sums,
    page: &[Record<'_>],
) -> Result<(), ApplyError> {
    let page: Vec<OrderRecord<'_>> = page.iter().filter_map(Record::of::<Order>).collect();
    for (id, life) in load(conn, &lives.missing(begun_before(&page))).await? {
        lives.look_up(id, life.clone(), life);
    }
    for record in &page {
        let (id, at) = (record.id.0, record.recorded.position);
        let order = match Life::placed(record) {
            Some(placed) => lives.entry(id, at, || placed),
            None => lives.get_mut(id, at).ok_or_else(|| {
                record.poison("its order is not in the metrics; rebuild the metrics")
            })?,
        };
        let happened = order.advance(record)?;
        sums.event(order, &happened);
    }
    Ok(())
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
async fn save(
    conn: &mut PgConnection,
    orders: impl Iterator<Item = (Uuid, &Life)>,
) -> Result<(), ApplyError> {
    let (ids, orders): (Vec<Uuid>, Vec<&Life>) = orders.unzip();
    if ids.is_empty() {
        return Ok(());
    }
    let lives = orders
        .into_iter()
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
