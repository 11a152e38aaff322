//! The server that answers a read: see [`crate::nodes`] for which one that is.

use std::sync::Arc;

use domain::{actor::StoreScope, ids::StoreId};
use sqlx::{PgPool, Postgres, QueryBuilder};

use crate::paging::CursorError;

/// One node's pool. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReadDb {
    pool: PgPool,
}

impl ReadDb {
    /// Reads go to this server.
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// The server's pool. A wait for a checkpoint and the read that follows it must use the same node.
    pub(crate) const fn node(&self) -> &PgPool {
        &self.pool
    }
}

/// Why a read failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The caller's cursor cannot be used.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The caller asked for no rows, or for too many.
    #[error("a page has 1 to {max} rows, not {asked}")]
    PageSize {
        /// The size asked for.
        asked: i64,
        /// The largest page.
        max: i64,
    },
    /// The answer has too many rows: ask for less.
    #[error("the answer has more than {max} rows; ask for fewer stores or a shorter time")]
    TooMuch {
        /// The most rows of an answer.
        max: i64,
    },
    /// A stored row does not decode: the read model needs a rebuild.
    #[error("a stored row does not decode; rebuild the read model: {0}")]
    Corrupt(String),
    /// The database did not answer; worth a retry.
    #[error("the database did not answer the read: {0}")]
    Database(Arc<sqlx::Error>),
}

impl From<sqlx::Error> for ReadError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::Corrupt(error.to_string())
            }
            other => Self::Database(Arc::new(other)),
        }
    }
}

/// Checks a page size asked for by a caller.
pub(crate) fn check_page_size(asked: i64, max: i64) -> Result<i64, ReadError> {
    if (1..=max).contains(&asked) {
        Ok(asked)
    } else {
        Err(ReadError::PageSize { asked, max })
    }
}

/// Checks that a query read everything it was asked for, and not only as much as it may.
pub(crate) fn check_rows(read: usize, max: i64) -> Result<(), ReadError> {
    let read = i64::try_from(read).unwrap_or(i64::MAX);
    if read <= max {
        Ok(())
    } else {
        Err(ReadError::PageSize { asked: read, max })
    }
}

/// The stores that are both allowed and asked for; `None` means every store.
pub(crate) fn allowed_ids(allowed: &StoreScope, asked: Option<&[StoreId]>) -> Option<Vec<String>> {
    let text = |id: &StoreId| id.to_string();
    match (allowed, asked) {
        (StoreScope::All, None) => None,
        (StoreScope::All, Some(ids)) => Some(ids.iter().map(text).collect()),
        (StoreScope::Only(ids), None) => Some(ids.iter().map(text).collect()),
        (StoreScope::Only(_), Some(ids)) => Some(
            ids.iter()
                .filter(|id| allowed.covers(id))
                .map(text)
                .collect(),
        ),
    }
}

/// Adds `column = value` or `column = any(values)`, nothing for `None`. One value is kept apart: only then can an
/// index on (column, sort key) deliver the rows in order. `false`: no value will do, so no row can match.
pub(crate) fn push_any<T>(
    sql: &mut QueryBuilder<'_, Postgres>,
    column: &'static str,
    values: Option<Vec<T>>,
) -> bool
where
    T: 'static
        + Send
        + sqlx::Type<Postgres>
        + for<'q> sqlx::Encode<'q, Postgres>
        + sqlx::postgres::PgHasArrayType,
{
    let Some(mut values) = values else {
        return true;
    };
    match values.len() {
        0 => return false,
        1 => {
            if let Some(value) = values.pop() {
                sql.push(" and ").push(column).push(" = ").push_bind(value);
            }
        }
        _ => {
            sql.push(" and ")
                .push(column)
                .push(" = any(")
                .push_bind(values)
                .push(")");
        }
    }
    true
}
