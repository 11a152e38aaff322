//! The server that answers a read: see [`crate::nodes`] for which one that is.

use std::sync::Arc;

use domain::{actor::StoreScope, ids::StoreId};
use sqlx::{PgPool, Postgres, QueryBuilder, pool::PoolConnection};

use store::connect::{READER, ReadingPools};

use crate::paging::CursorError;

/// What the database calls the stores that a reader may see: see `migrations/0015_row_security.sql`.
const SCOPE: &str = "ledger.stores";
/// What a connection is that the database would show every row.
const NOT_A_READER: &str = "the connection is not the role for readers: see docs/access.md";
/// Dead connections that are thrown away before a read gives up, besides as many as the pool has.
const DEAD_CONNECTIONS: u32 = 2;

/// One node, and the stores whose rows may be read through it: none, before [`Self::within`]. Cheap to clone.
///
/// The database itself holds readers to that: the connections of [`ReadingPools`] are those of roles that it shows no
/// other rows.
#[derive(Debug, Clone)]
pub struct ReadDb {
    pools: ReadingPools,
    /// `None` for the whole chain; else as the database's setting has it.
    stores: Option<Arc<str>>,
}

impl ReadDb {
    /// Reads go to this server, and show no store's rows.
    pub fn new(pools: ReadingPools) -> Self {
        Self {
            pools,
            stores: Some(Arc::from("")),
        }
    }

    /// The same server's rows of these stores.
    #[must_use]
    pub fn within(&self, scope: &StoreScope) -> Self {
        let stores = match scope {
            StoreScope::All => None,
            StoreScope::Only(stores) => {
                let stores: Vec<&str> = stores.iter().map(StoreId::as_str).collect();
                Some(stores.join(",").into())
            }
        };
        Self {
            stores,
            ..self.clone()
        }
    }

    /// The server's pool, for whoever makes connections of its own: one that is taken from it shows what it showed
    /// before, and may be dead.
    pub(crate) const fn pool(&self) -> &PgPool {
        self.pools.readers()
    }

    /// A connection for what belongs to no store: how far the models are. A wait for a checkpoint and the read that
    /// follows it must use the same node.
    pub(crate) async fn of_no_store(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        Self::new(self.pools.clone()).connection().await
    }

    /// A connection that shows the rows of the scope.
    ///
    /// What it showed before is no matter: the scope is set each time. A pool for readers does not ask a connection
    /// whether it lives when it is taken, because setting the scope is that question, so no round trip is added.
    pub(crate) async fn connection(&self) -> Result<PoolConnection<Postgres>, sqlx::Error> {
        let Some(stores) = &self.stores else {
            return self.pools.overseers().acquire().await;
        };
        let (mut dead, limit) = (0, self.pool().options().get_acquire_timeout());
        // Ends: every turn but the last throws a connection away, and the number of those has a bound.
        loop {
            let mut connection = self.pool().acquire().await?;
            let setting =
                sqlx::query_scalar("select current_user = $3 from set_config($1, $2, false)")
                    .bind(SCOPE)
                    .bind(&**stores)
                    .bind(READER)
                    .fetch_one(&mut *connection);
            // The pool's own question would have this limit: a host that fell silent ends no connection.
            let set: Result<bool, _> = tokio::time::timeout(limit, setting)
                .await
                .unwrap_or(Err(sqlx::Error::PoolTimedOut));
            match set {
                Ok(true) => return Ok(connection),
                // Something between us and the server has kept the role to itself.
                Ok(false) => {
                    connection.close_on_drop();
                    return Err(sqlx::Error::Configuration(NOT_A_READER.into()));
                }
                Err(error) if is_dead(&error) && dead < self.most_dead() => {
                    dead += 1;
                    connection.close_on_drop();
                }
                Err(error) => {
                    connection.close_on_drop();
                    return Err(error);
                }
            }
        }
    }

    fn most_dead(&self) -> u32 {
        let pool = self.pool().options().get_max_connections();
        pool.saturating_add(DEAD_CONNECTIONS)
    }
}

/// Whether the server has ended the connection, such as by being started again.
fn is_dead(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        // 57P: ended by the server's operator, or by its stop.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P")),
        _ => false,
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
    /// The answer takes too many rows: ask for less.
    #[error(
        "the answer takes more than {max} rows; ask for fewer orders or stores, or for a shorter time"
    )]
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
