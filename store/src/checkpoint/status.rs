//! How far readers of the log are, and why one stands still.

use chrono::{DateTime, Utc};
use sqlx::PgExecutor;

use crate::error::StoreError;
use crate::record::{LogId, Position};

/// How far one reader is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its checkpoint's name.
    pub name: String,
    /// The last position it is done with.
    pub position: Position,
    /// The end of the log.
    pub head: Position,
    /// For how many milliseconds the oldest event it is not done with has been in the log.
    pub lag_millis: i64,
    /// The event at which it stands still, if it does.
    pub failed: Option<Failure>,
}

/// An event that a reader cannot get past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Where it stands.
    pub position: Position,
    /// What is wrong with it. Holds no part of the event's content.
    pub reason: String,
    /// When it was tried the last time.
    pub at: DateTime<Utc>,
}

impl Status {
    /// Events it is not done with.
    pub const fn lag_events(&self) -> i64 {
        self.head.0.saturating_sub(self.position.0)
    }
}

type Row = (
    String,
    i64,
    i64,
    i64,
    Option<i64>,
    Option<String>,
    Option<DateTime<Utc>>,
);

/// How far these readers are, in the order of their names as given.
///
/// # Errors
/// The database is unreachable.
pub async fn status(
    executor: impl PgExecutor<'_>,
    log_id: LogId,
    names: &[&str],
) -> Result<Vec<Status>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(include_str!("sql/status.sql"))
        .bind(log_id.0)
        .bind(names)
        .fetch_all(executor)
        .await?;
    let mut found: Vec<Status> = rows.into_iter().map(status_of).collect();
    found.sort_by_key(|s| names.iter().position(|name| *name == s.name));
    Ok(found)
}

fn status_of((name, position, head, lag_millis, failed, reason, at): Row) -> Status {
    let failed = failed.map(|position| Failure {
        position: Position(position),
        reason: reason.unwrap_or_default(),
        at: at.unwrap_or_default(),
    });
    Status {
        name,
        position: Position(position),
        head: Position(head),
        lag_millis,
        failed,
    }
}

/// Records the event that a reader cannot get past.
///
/// # Errors
/// The database is unreachable.
pub async fn record_failure(
    executor: impl PgExecutor<'_>,
    log_id: LogId,
    name: &str,
    position: Position,
    reason: &str,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("sql/save_failure.sql"))
        .bind(log_id.0)
        .bind(name)
        .bind(position.0)
        .bind(reason)
        .execute(executor)
        .await?;
    Ok(())
}

/// Forgets a failure: the reader moves again.
///
/// # Errors
/// The database is unreachable.
pub async fn clear_failure(
    executor: impl PgExecutor<'_>,
    log_id: LogId,
    name: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM projection_failure WHERE log_id = $1 AND name = $2")
        .bind(log_id.0)
        .bind(name)
        .execute(executor)
        .await?;
    Ok(())
}
