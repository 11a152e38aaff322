//! From a page of events to rows: one query loads, memory folds, one statement writes.

use std::collections::BTreeMap;

use domain::entity::Entity;
use sqlx::{FromRow, PgConnection, Row as _, postgres::PgRow, types::Json};
use store::Position;

use super::{Document, Row, document};
use crate::{
    decode::{Logged, Of, Record},
    model::ApplyError,
};

/// Applies a page of events, in order. The caller's transaction makes it whole.
pub(crate) async fn apply<E: Document + Logged>(
    conn: &mut PgConnection,
    page: &[Record<'_>],
) -> Result<(), ApplyError> {
    let page: Vec<Of<'_, E>> = page.iter().filter_map(Record::of::<E>).collect();
    let ids: Vec<String> = page.iter().map(|r| r.id.to_string()).collect();
    let mut rows = load::<E>(conn, &ids).await?;
    for (record, id) in page.iter().zip(ids) {
        rows.entry(id)
            .or_insert_with(|| Row::blank(record.id.clone()))
            .advance(record)?;
    }
    save(conn, rows).await
}

/// The rows of these ids, as far as they are there, by id.
pub(crate) async fn load<E: Document>(
    conn: &mut PgConnection,
    ids: &[String],
) -> Result<BTreeMap<String, Row<E>>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = include_str!("sql/load.sql").replace("document_table", E::TABLE);
    let rows: Vec<Row<E>> = sqlx::query_as(&sql)
        .bind(ids)
        // A plan made while the table was small would scan it for ever.
        .persistent(false)
        .fetch_all(conn)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id.to_string(), row))
        .collect())
}

/// Rows that are held in memory at most while a table is filled: a settled remittance is some hundred kilobytes.
const MAX_HELD: usize = 500;

/// Rows in memory while their table is filled.
pub(crate) struct Filling<E: Entity>(BTreeMap<String, Row<E>>);

impl<E: Document + Logged> Filling<E> {
    /// Over an empty table.
    pub(crate) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// As [`apply`], but rows stay in memory.
    pub(crate) async fn page(
        &mut self,
        conn: &mut PgConnection,
        page: &[Record<'_>],
    ) -> Result<(), ApplyError> {
        for record in page.iter().filter_map(Record::of::<E>) {
            let id = record.id.to_string();
            if !self.0.contains_key(&id) {
                if self.0.len() >= MAX_HELD {
                    save(conn, std::mem::take(&mut self.0)).await?;
                }
                let row = if record.recorded.sequence == 1 {
                    None
                } else {
                    load::<E>(conn, std::slice::from_ref(&id))
                        .await?
                        .remove(&id)
                };
                let blank = || Row::blank(record.id.clone());
                self.0.insert(id.clone(), row.unwrap_or_else(blank));
            }
            if let Some(row) = self.0.get_mut(&id) {
                row.advance(&record)?;
            }
        }
        Ok(())
    }

    /// Writes what is in memory.
    pub(crate) async fn end(self, conn: &mut PgConnection) -> Result<(), ApplyError> {
        save(conn, self.0).await
    }
}

async fn save<E: Document>(
    conn: &mut PgConnection,
    rows: BTreeMap<String, Row<E>>,
) -> Result<(), ApplyError> {
    if rows.is_empty() {
        return Ok(());
    }
    let docs = rows
        .values()
        .map(|row| document(&row.state))
        .collect::<Result<Vec<String>, _>>()
        .map_err(ApplyError::Encode)?;
    let column = |of: fn(&Row<E>) -> i64| rows.values().map(of).collect::<Vec<i64>>();
    let sql = include_str!("sql/save.sql").replace("document_table", E::TABLE);
    sqlx::query(&sql)
        .bind(rows.keys().collect::<Vec<_>>())
        .bind(column(E::place))
        .bind(column(|row| row.version))
        .bind(column(|row| row.first_position.0))
        .bind(column(|row| row.position.0))
        .bind(rows.values().map(|row| row.created_at).collect::<Vec<_>>())
        .bind(rows.values().map(|row| row.updated_at).collect::<Vec<_>>())
        .bind(docs)
        .execute(conn)
        .await?;
    Ok(())
}

impl<E: Document> FromRow<'_, PgRow> for Row<E> {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(state) = row.try_get("doc")?;
        let id: String = row.try_get("id")?;
        Ok(Self {
            id: id.parse().map_err(|_| {
                sqlx::Error::Decode(format!("{id} does not name a {}", E::TYPE).into())
            })?,
            version: row.try_get("version")?,
            first_position: Position(row.try_get("first_position")?),
            position: Position(row.try_get("position")?),
            state,
            created_at: row.try_get("created_at")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}
