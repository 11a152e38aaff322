//! How far each projection is, and who may move it.
//!
//! A runner takes a projection over with [`take_over`], which raises its epoch. Each batch then
//! runs in one transaction: [`lock`] the row (which refuses an older epoch), write the model's
//! rows, [`save`]. So a batch is applied exactly once, and a runner that was thought dead cannot
//! apply anything after its successor began.

pub mod lease;
mod status;

pub use status::{Failure, Status, clear_failure, record_failure, status};

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgExecutor};

use crate::error::StoreError;
use crate::record::{LogId, Position};

/// One projection's progress.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Checkpoint {
    /// The projection.
    pub name: String,
    /// The last position it has applied.
    #[sqlx(try_from = "i64")]
    pub position: Position,
    /// How many times it was taken over.
    pub owner_epoch: i64,
    /// When it moved last.
    pub updated_at: DateTime<Utc>,
}

impl From<i64> for Position {
    fn from(position: i64) -> Self {
        Self(position)
    }
}

/// The last position the projection has applied; the start if it never ran.
///
/// # Errors
/// The database is unreachable.
pub async fn load(
    executor: impl PgExecutor<'_>,
    log_id: LogId,
    name: &str,
) -> Result<Position, StoreError> {
    let position: Option<i64> = sqlx::query_scalar(
        "SELECT position FROM projection_checkpoint WHERE log_id = $1 AND name = $2",
    )
    .bind(log_id.0)
    .bind(name)
    .fetch_optional(executor)
    .await?;
    Ok(position.map_or(Position::START, Position))
}

/// Every projection's progress, by name.
///
/// # Errors
/// The database is unreachable.
pub async fn all(
    executor: impl PgExecutor<'_>,
    log_id: LogId,
) -> Result<Vec<Checkpoint>, StoreError> {
    let rows = sqlx::query_as(
        // A migration that resets a projection keeps older programs away from it by a time that never comes.
        "SELECT name, position, owner_epoch, least(updated_at, clock_timestamp()) AS updated_at \
         FROM projection_checkpoint WHERE log_id = $1 ORDER BY name",
    )
    .bind(log_id.0)
    .fetch_all(executor)
    .await?;
    Ok(rows)
}

/// Makes the caller the projection's owner and returns its epoch, creating the row if need be.
/// Earlier owners are refused from now on.
///
/// # Errors
/// The database is unreachable.
pub async fn take_over(
    executor: impl PgExecutor<'_>,
    log_id: LogId,
    name: &str,
) -> Result<i64, StoreError> {
    let epoch = sqlx::query_scalar(
        "INSERT INTO projection_checkpoint AS c (log_id, name, position, owner_epoch) \
         VALUES ($1, $2, 0, 1) \
         ON CONFLICT (log_id, name) DO UPDATE SET owner_epoch = c.owner_epoch + 1 \
         RETURNING owner_epoch",
    )
    .bind(log_id.0)
    .bind(name)
    .fetch_one(executor)
    .await?;
    Ok(epoch)
}

/// Locks the projection's row until the end of the transaction and returns its position.
///
/// # Errors
/// [`StoreError::Fenced`] if another process took it over, or the database is unreachable.
pub async fn lock(
    transaction: &mut PgConnection,
    log_id: LogId,
    name: &str,
    epoch: i64,
) -> Result<Position, StoreError> {
    let row: Option<(i64, i64)> = sqlx::query_as(
        "SELECT position, owner_epoch FROM projection_checkpoint \
         WHERE log_id = $1 AND name = $2 FOR UPDATE",
    )
    .bind(log_id.0)
    .bind(name)
    .fetch_optional(transaction)
    .await?;
    match row {
        Some((position, current)) if current == epoch => Ok(Position(position)),
        other => Err(StoreError::Fenced {
            name: name.to_owned(),
            ours: epoch,
            current: other.map_or(0, |(_, current)| current),
        }),
    }
}

/// Moves a projection to a position, in the transaction that wrote its rows.
///
/// # Errors
/// The database is unreachable.
pub async fn save(
    transaction: &mut PgConnection,
    log_id: LogId,
    name: &str,
    position: Position,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO projection_checkpoint (log_id, name, position) VALUES ($1, $2, $3) \
         ON CONFLICT (log_id, name) \
         DO UPDATE SET position = excluded.position, updated_at = clock_timestamp()",
    )
    .bind(log_id.0)
    .bind(name)
    .bind(position.0)
    .execute(transaction)
    .await?;
    Ok(())
}
