//! From a page of events to rows: one query loads the orders, memory folds, one statement per table
//! writes. A long page costs little more than a short one.

use domain::order::Order;
use sqlx::PgConnection;

use super::{
    OrderRow,
    refs::{self, Ref},
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
    let added = advance(conn, &mut lives, page).await?;
    let orders = lives.take_all();
    rows::save(conn, orders.iter().map(|(_, held)| &held.now)).await?;
    refs::insert(conn, &added).await
}

/// Orders in memory while their tables are filled.
pub(crate) struct Filling {
    lives: Lives<OrderRow, ()>,
}

impl Filling {
    /// Over empty tables.
    pub(crate) fn new() -> Self {
        Self {
            lives: Lives::over_nothing(),
        }
    }

    /// As [`apply`], but orders stay in memory, at most so many. Answers the rows of tables to which is only added.
    pub(crate) async fn page(
        &mut self,
        conn: &mut PgConnection,
        page: &[Record<'_>],
        most: usize,
    ) -> Result<Rows, ApplyError> {
        let added = advance(conn, &mut self.lives, page).await?;
        let overflow = self.lives.take_overflow(most);
        write(conn, overflow).await?;
        Ok(refs::rows(&added))
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

/// Takes in the events of a page. Answers the references that they bring.
async fn advance<'p>(
    conn: &mut PgConnection,
    lives: &mut Lives<OrderRow, ()>,
    page: &'p [Record<'_>],
) -> Result<Vec<Ref<'p>>, ApplyError> {
    let page: Vec<OrderRecord<'p>> = page.iter().filter_map(Record::of::<Order>).collect();
    for row in rows::load(conn, lives.missing(begun_before(&page))).await? {
        lives.look_up(row.id.0, row, ());
    }
    let mut added = Vec::new();
    for record in &page {
        let at = record.recorded.position;
        let row = lives.entry(record.id.0, at, || OrderRow::unplaced(*record.id));
        row.advance(record)?;
        added.extend(refs::of(record));
    }
    Ok(added)
}
