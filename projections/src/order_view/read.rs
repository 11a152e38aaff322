//! Queries over the order view.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{
    ids::{OrderId, OrderNumber},
    money::Money,
    order::{Order, event::System},
};
use sqlx::{FromRow, Postgres, QueryBuilder, Row, postgres::PgRow, types::Json};
use store::Position;
use uuid::Uuid;

use super::{
    OrderRow,
    cursor::Cursor,
    filter::{OrderSort, PageRequest, push_window},
};
use crate::{
    ReadDb, ReadError,
    paging::{self, Parts},
    read_db::check_page_size,
};

/// The most ids of one [`by_ids`] call.
pub const MAX_IDS: i64 = 1_000;

const SELECT: &str =
    "select order_id, version, position, doc, placed_at, updated_at from order_view where ";

impl FromRow<'_, PgRow> for OrderRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(order) = row.try_get::<Json<Arc<Order>>, _>("doc")?;
        Ok(Self {
            id: OrderId(row.try_get::<Uuid, _>("order_id")?),
            version: row.try_get("version")?,
            position: Position(row.try_get("position")?),
            order,
            placed_at: row.try_get::<DateTime<Utc>, _>("placed_at")?,
            updated_at: row.try_get::<DateTime<Utc>, _>("updated_at")?,
        })
    }
}

impl OrderRow {
    fn cursor(&self, sort: OrderSort) -> String {
        let key = match sort {
            OrderSort::NewestFirst | OrderSort::OldestFirst => self.placed_at.timestamp_micros(),
            OrderSort::UpdatedFirst => self.updated_at.timestamp_micros(),
            OrderSort::TotalDesc => self.total().units(),
        };
        Cursor {
            sort,
            key,
            id: self.id.0,
        }
        .encode()
    }

    /// The total the view sorts and filters by.
    pub(crate) fn total(&self) -> Money {
        self.order.totals.order_total
    }
}

/// The order of this id.
pub async fn by_id(db: &ReadDb, id: OrderId) -> Result<Option<OrderRow>, ReadError> {
    let mut sql = QueryBuilder::<Postgres>::new(SELECT);
    sql.push("order_id = ").push_bind(id.0);
    Ok(sql
        .build_query_as()
        .fetch_optional(&mut *db.connection().await?)
        .await?)
}

/// The orders of these ids, in no particular order; absent ones are left out. At most [`MAX_IDS`].
pub async fn by_ids(db: &ReadDb, ids: &[OrderId]) -> Result<Vec<OrderRow>, ReadError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    check_page_size(i64::try_from(ids.len()).unwrap_or(i64::MAX), MAX_IDS)?;
    let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let mut sql = QueryBuilder::<Postgres>::new(SELECT);
    sql.push("order_id = any(").push_bind(ids).push(")");
    Ok(sql
        .build_query_as()
        .fetch_all(&mut *db.connection().await?)
        .await?)
}

/// The order of this number.
pub async fn by_number(db: &ReadDb, number: &OrderNumber) -> Result<Option<OrderRow>, ReadError> {
    let mut sql = QueryBuilder::<Postgres>::new(SELECT);
    sql.push("number = ").push_bind(number.as_str());
    Ok(sql
        .build_query_as()
        .fetch_optional(&mut *db.connection().await?)
        .await?)
}

/// The order that another system knows by this reference.
pub async fn by_ref(
    db: &ReadDb,
    system: System,
    reference: &str,
) -> Result<Option<OrderRow>, ReadError> {
    // PostgreSQL's text cannot hold NUL, so no order has such a reference.
    if reference.contains('\0') {
        return Ok(None);
    }
    let mut sql = QueryBuilder::<Postgres>::new(SELECT);
    sql.push("order_id = (select order_id from order_ref where system = ")
        .push_bind(system.as_str())
        .push(" and reference = ")
        .push_bind(reference)
        .push(")");
    Ok(sql
        .build_query_as()
        .fetch_optional(&mut *db.connection().await?)
        .await?)
}

/// A row and its place in the list.
pub type Edge = paging::Edge<OrderRow>;

/// One page of a list.
pub type Page = paging::Page<OrderRow>;

/// Reads one page. Rows that appear or vanish between two pages are never the reason that another row
/// is shown twice or left out.
pub async fn page(db: &ReadDb, request: &PageRequest) -> Result<Page, ReadError> {
    let parts = parts(request)?;
    let Some(mut sql) = page_sql("", request, &parts) else {
        return Ok(Page::default());
    };
    // Not kept as a prepared statement: there are thousands of shapes, and a plan for all stores and
    // statuses alike would be wrong for most of them.
    let rows: Vec<OrderRow> = sql
        .build_query_as()
        .persistent(false)
        .fetch_all(&mut *db.connection().await?)
        .await?;
    Ok(parts.page(rows, |row| row.cursor(request.sort)))
}

fn parts(request: &PageRequest) -> Result<Parts<Cursor>, ReadError> {
    Parts::of(&request.window, |text| Cursor::decode(text, request.sort))
}

/// The query of a page; `None` when no row can match.
fn page_sql(
    prefix: &'static str,
    request: &PageRequest,
    parts: &Parts<Cursor>,
) -> Option<QueryBuilder<'static, Postgres>> {
    let mut sql = QueryBuilder::new(prefix);
    sql.push(SELECT).push("true");
    if !request.filter.push(&mut sql) {
        return None;
    }
    push_window(&mut sql, request.sort, parts);
    Some(sql)
}

/// How the database would read a page: the lines of `explain`, for tests and operators. Empty when no
/// row can match and nothing is asked.
pub async fn explain(db: &ReadDb, request: &PageRequest) -> Result<Vec<String>, ReadError> {
    let parts = parts(request)?;
    let Some(mut sql) = page_sql("explain ", request, &parts) else {
        return Ok(Vec::new());
    };
    Ok(sql
        .build_query_scalar()
        .persistent(false)
        .fetch_all(&mut *db.connection().await?)
        .await?)
}
