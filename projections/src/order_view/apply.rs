//! From a page of events to rows: one query loads the orders, memory folds, one statement per table
//! writes. A long page costs little more than a short one.

use domain::order::{Order, OrderEvent};
use sqlx::PgConnection;

use super::{
    OrderRow,
    added::{Added, Copied, Happened, Take},
    rows,
};
use crate::{
    copy::Rows,
    decode::{OrderRecord, Record},
    lives::{Lives, Orders, begun_before},
    model::ApplyError,
};

/// Applies a page of events, in order. The caller's transaction makes it whole.
pub(crate) async fn apply(conn: &mut PgConnection, page: &[Record<'_>]) -> Result<(), ApplyError> {
    let mut lives = Lives::over_rows();
    let mut added = Added::default();
    advance(conn, &mut lives, page, &mut added).await?;
    let orders = lives.take_all();
    rows::save(conn, orders.iter().map(|(_, held)| &held.now)).await?;
    added.insert(conn).await
}

/// Orders in memory while their tables are filled.
pub(crate) struct Filling {
    lives: Lives<OrderRow, ()>,
    added: Copied,
}

impl Filling {
    /// Over empty tables.
    pub(crate) fn new() -> Self {
        Self {
            lives: Lives::over_nothing(),
            added: Copied::new(),
        }
    }

    /// As [`apply`], but orders stay in memory, at most so many. Answers the rows of tables to which is only added.
    pub(crate) async fn page(
        &mut self,
        conn: &mut PgConnection,
        page: &[Record<'_>],
        most: usize,
    ) -> Result<Vec<Rows>, ApplyError> {
        advance(conn, &mut self.lives, page, &mut self.added).await?;
        let overflow = self.lives.take_overflow(most);
        write(conn, overflow).await?;
        Ok(self.added.rows())
    }

    /// Writes what is in memory.
    pub(crate) async fn end(mut self, conn: &mut PgConnection) -> Result<(), ApplyError> {
        write(conn, self.lives.take_all()).await
    }
}

async fn write(conn: &mut PgConnection, orders: Orders<OrderRow, ()>) -> Result<(), ApplyError> {
    let (old, new): (Vec<_>, Vec<_>) = orders
        .into_iter()
        .partition(|(_, held)| held.stored.is_some());
    rows::add(conn, &new).await?;
    rows::save(conn, old.iter().map(|(_, held)| &held.now)).await
}

/// Takes in the events of a page; the rows that they add go into `added`.
async fn advance(
    conn: &mut PgConnection,
    lives: &mut Lives<OrderRow, ()>,
    page: &[Record<'_>],
    added: &mut impl Take,
) -> Result<(), ApplyError> {
    let page: Vec<OrderRecord<'_>> = page.iter().filter_map(Record::of::<Order>).collect();
    for row in rows::load(conn, lives.missing(begun_before(&page))).await? {
        lives.look_up(row.id.0, row, ());
    }
    for record in &page {
        let at = record.recorded.position;
        let row = lives.entry(record.id.0, at, || OrderRow::unplaced(*record.id));
        let change = row.advance(record)?;
        added.take(record, Happened::of(record, row.version, change)?)?;
    }
    Ok(())
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
