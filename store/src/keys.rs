//! Wrapped personal-data keys, one per name. What is sealed with a key can be read as long as its row
//! holds it; a destroyed key leaves an empty row, so that its name is never used again.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use crate::error::StoreError;
use crate::record::LogId;

/// What is stored under a name.
#[derive(Clone, PartialEq, Eq)]
pub enum StoredKey {
    /// The key, encrypted under the master key.
    Wrapped(Vec<u8>),
    /// There was one; it was destroyed for good.
    Destroyed,
}

impl std::fmt::Debug for StoredKey {
    /// Leaves the key out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Wrapped(_) => "Wrapped(..)",
            Self::Destroyed => "Destroyed",
        })
    }
}

/// What is stored under these names, where anything ever was; in no order.
///
/// # Errors
/// The database is unreachable.
pub async fn get(
    pool: &PgPool,
    log_id: LogId,
    names: &[String],
) -> Result<Vec<(String, StoredKey)>, StoreError> {
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(
        "SELECT subject, wrapped FROM subject_key WHERE log_id = $1 AND subject = ANY ($2)",
    )
    .bind(log_id.0)
    .bind(names)
    .fetch_all(pool)
    .await?;
    let stored = |wrapped: Vec<u8>| {
        if wrapped.is_empty() {
            StoredKey::Destroyed
        } else {
            StoredKey::Wrapped(wrapped)
        }
    };
    Ok(rows
        .into_iter()
        .map(|(name, wrapped)| (name, stored(wrapped)))
        .collect())
}

/// Some name with its wrapped key, if any has one.
///
/// # Errors
/// The database is unreachable.
pub async fn any(pool: &PgPool, log_id: LogId) -> Result<Option<(String, Vec<u8>)>, StoreError> {
    let found = sqlx::query_as(
        "SELECT subject, wrapped FROM subject_key WHERE log_id = $1 AND wrapped <> '' \
         ORDER BY subject LIMIT 1",
    )
    .bind(log_id.0)
    .fetch_optional(pool)
    .await?;
    Ok(found)
}

/// A person was erased.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Erasure {
    /// The names whose keys were destroyed; none where there were no keys.
    pub destroyed: Vec<String>,
    /// When.
    pub at: DateTime<Utc>,
}

/// Destroys the keys of one subject, and keeps for good that `actor` did. `names` are all names that
/// its keys may have, oldest first: the first is the one that is kept.
///
/// # Errors
/// No name at all, or the database is unreachable.
pub async fn forget(
    pool: &PgPool,
    log_id: LogId,
    names: &[String],
    actor: &str,
) -> Result<Erasure, StoreError> {
    let erasure = sqlx::query_as("SELECT destroyed, at FROM ledger_forget($1, $2, $3)")
        .bind(log_id.0)
        .bind(names)
        .bind(actor)
        .fetch_one(pool)
        .await?;
    Ok(erasure)
}
