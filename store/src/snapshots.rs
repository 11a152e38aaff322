//! Folded streams, kept to save folding them again. A cache: correctness never depends on it.

use sqlx::PgPool;

use crate::error::StoreError;
use crate::record::{LogId, StreamId};

/// The state of a stream at a version.
#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Snapshot {
    /// The stream's version the state is of.
    pub version: i64,
    /// The state as JSON text.
    pub state: String,
}

impl std::fmt::Debug for Snapshot {
    /// Leaves the state out: it may hold personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The stream's snapshot of this shape (`state_tag`), if there is one.
///
/// # Errors
/// The database is unreachable.
pub async fn load(
    pool: &PgPool,
    log_id: LogId,
    stream: &StreamId,
    state_tag: &str,
) -> Result<Option<Snapshot>, StoreError> {
    let snapshot = sqlx::query_as(
        "SELECT version, state::text AS state FROM snapshots \
         WHERE log_id = $1 AND aggregate_type = $2 AND aggregate_id = $3 AND state_tag = $4",
    )
    .bind(log_id.0)
    .bind(&*stream.aggregate_type)
    .bind(&stream.aggregate_id)
    .bind(state_tag)
    .fetch_optional(pool)
    .await?;
    Ok(snapshot)
}

/// Stores the snapshot unless a newer one is there; says whether it was stored.
///
/// # Errors
/// The state is not JSON, or the database is unreachable.
pub async fn save(
    pool: &PgPool,
    log_id: LogId,
    stream: &StreamId,
    state_tag: &str,
    snapshot: &Snapshot,
) -> Result<bool, StoreError> {
    let saved = sqlx::query(
        "INSERT INTO snapshots AS s \
           (log_id, aggregate_type, aggregate_id, state_tag, version, state) \
         VALUES ($1, $2, $3, $4, $5, $6::text::json) \
         ON CONFLICT (log_id, aggregate_type, aggregate_id, state_tag) \
         DO UPDATE SET version = excluded.version, state = excluded.state, \
           created_at = excluded.created_at \
         WHERE s.version < excluded.version",
    )
    .bind(log_id.0)
    .bind(&*stream.aggregate_type)
    .bind(&stream.aggregate_id)
    .bind(state_tag)
    .bind(snapshot.version)
    .bind(&snapshot.state)
    .execute(pool)
    .await?;
    Ok(saved.rows_affected() == 1)
}

/// Removes the stream's snapshots of every shape: one of them was found wrong.
///
/// # Errors
/// The database is unreachable.
pub async fn delete(pool: &PgPool, log_id: LogId, stream: &StreamId) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM snapshots WHERE log_id = $1 AND aggregate_type = $2 AND aggregate_id = $3",
    )
    .bind(log_id.0)
    .bind(&*stream.aggregate_type)
    .bind(&stream.aggregate_id)
    .execute(pool)
    .await?;
    Ok(())
}
