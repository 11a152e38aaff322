//! Wrapped personal-data keys, one per subject. What is sealed with a key can be read as long as
//! its row exists.

use sqlx::PgPool;

use crate::error::StoreError;
use crate::record::LogId;

/// The subject's wrapped key, if it has one.
///
/// # Errors
/// The database is unreachable.
pub async fn get(
    pool: &PgPool,
    log_id: LogId,
    subject: &str,
) -> Result<Option<Vec<u8>>, StoreError> {
    let wrapped =
        sqlx::query_scalar("SELECT wrapped FROM subject_key WHERE log_id = $1 AND subject = $2")
            .bind(log_id.0)
            .bind(subject)
            .fetch_optional(pool)
            .await?;
    Ok(wrapped)
}

/// Some subject with its wrapped key, if any has one.
///
/// # Errors
/// The database is unreachable.
pub async fn any(pool: &PgPool, log_id: LogId) -> Result<Option<(String, Vec<u8>)>, StoreError> {
    let found = sqlx::query_as(
        "SELECT subject, wrapped FROM subject_key WHERE log_id = $1 ORDER BY subject LIMIT 1",
    )
    .bind(log_id.0)
    .fetch_optional(pool)
    .await?;
    Ok(found)
}

/// Stores the key unless the subject has one; returns the one that counts.
///
/// # Errors
/// The database is unreachable, or the key was destroyed in this very moment.
pub async fn insert_if_absent(
    pool: &PgPool,
    log_id: LogId,
    subject: &str,
    wrapped: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO subject_key (log_id, subject, wrapped) VALUES ($1, $2, $3) \
         ON CONFLICT DO NOTHING",
    )
    .bind(log_id.0)
    .bind(subject)
    .bind(wrapped)
    .execute(pool)
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok(wrapped.to_vec());
    }
    // In a statement of its own: the one above cannot see a row that was committed after it began.
    get(pool, log_id, subject)
        .await?
        .ok_or_else(|| StoreError::Corrupt("a subject's key vanished while it was read".to_owned()))
}
