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
