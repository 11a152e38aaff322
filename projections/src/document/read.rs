//! Queries over the documents.

use sqlx::{Postgres, QueryBuilder};

use super::{Document, Row};
use crate::{
    ReadDb, ReadError,
    paging::{Page, Parts, Place, Window},
    read_db::check_page_size,
};

/// The most ids of one [`by_ids`] call.
pub const MAX_IDS: i64 = 1_000;

const SELECT: &str =
    "select id, version, first_position, position, created_at, updated_at, doc from ";

/// The aggregate of this id.
pub async fn by_id<E: Document>(db: &ReadDb, id: &E::Id) -> Result<Option<Row<E>>, ReadError> {
    let mut sql = QueryBuilder::<Postgres>::new(SELECT);
    sql.push(E::TABLE)
        .push(" where id = ")
        .push_bind(id.to_string());
    Ok(sql
        .build_query_as()
        .fetch_optional(&mut *db.connection().await?)
        .await?)
}

/// The aggregates of these ids, in no particular order; absent ones are left out. At most [`MAX_IDS`].
pub async fn by_ids<E: Document>(db: &ReadDb, ids: &[E::Id]) -> Result<Vec<Row<E>>, ReadError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    check_page_size(i64::try_from(ids.len()).unwrap_or(i64::MAX), MAX_IDS)?;
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let mut sql = QueryBuilder::<Postgres>::new(SELECT);
    sql.push(E::TABLE)
        .push(" where id = any(")
        .push_bind(ids)
        .push(")");
    Ok(sql
        .build_query_as()
        .fetch_all(&mut *db.connection().await?)
        .await?)
}

/// Reads one page of the list. Rows that appear or vanish between two pages are never the reason that
/// another row is shown twice or left out.
pub async fn page<E: Document>(
    db: &ReadDb,
    filter: &E::Filter,
    window: &Window,
) -> Result<Page<Row<E>>, ReadError> {
    let parts = parts::<E>(window)?;
    let Some(mut sql) = page_sql::<E>("", filter, &parts) else {
        return Ok(Page::default());
    };
    // Not kept as a prepared statement: a plan for all filters alike would be wrong for most.
    let rows: Vec<Row<E>> = sql
        .build_query_as()
        .persistent(false)
        .fetch_all(&mut *db.connection().await?)
        .await?;
    Ok(parts.page(rows, |row| {
        let place = Place {
            key: E::place(row),
            id: row.id.to_string(),
        };
        place.encode(E::LIST)
    }))
}

/// How the database would read a page: the lines of `explain`, for tests and operators. Empty when no
/// row can match and nothing is asked.
pub async fn explain<E: Document>(
    db: &ReadDb,
    filter: &E::Filter,
    window: &Window,
) -> Result<Vec<String>, ReadError> {
    let parts = parts::<E>(window)?;
    let Some(mut sql) = page_sql::<E>("explain ", filter, &parts) else {
        return Ok(Vec::new());
    };
    Ok(sql
        .build_query_scalar()
        .persistent(false)
        .fetch_all(&mut *db.connection().await?)
        .await?)
}

fn parts<E: Document>(window: &Window) -> Result<Parts<Place>, ReadError> {
    Parts::of(window, |text| Place::decode(text, E::LIST))
}

/// The query of a page; `None` when no row can match.
fn page_sql<E: Document>(
    prefix: &'static str,
    filter: &E::Filter,
    parts: &Parts<Place>,
) -> Option<QueryBuilder<'static, Postgres>> {
    let mut sql = QueryBuilder::new(prefix);
    sql.push(SELECT).push(E::TABLE).push(" where true");
    if !E::push(filter, &mut sql) {
        return None;
    }
    let (comparison, direction) = parts.direction(E::DESCENDS);
    if let Some(place) = &parts.cursor {
        sql.push(" and (place, id)")
            .push(comparison)
            .push("(")
            .push_bind(place.key)
            .push(", ")
            .push_bind(place.id.clone())
            .push(")");
    }
    sql.push(" order by place")
        .push(direction)
        .push(", id")
        .push(direction)
        .push(" limit ")
        .push_bind(parts.limit());
    Some(sql)
}
