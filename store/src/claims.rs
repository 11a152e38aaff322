//! Values that belong to one stream, such as order numbers. They are claimed by appending only.

use sqlx::PgPool;

use crate::error::StoreError;
use crate::record::LogId;

/// The id of the aggregate that claimed the value, if any did.
///
/// # Errors
/// The database is unreachable.
pub async fn holder(
    pool: &PgPool,
    log_id: LogId,
    scope: &str,
    value: &str,
) -> Result<Option<String>, StoreError> {
    let holder = sqlx::query_scalar(
        "SELECT aggregate_id FROM claims WHERE log_id = $1 AND scope = $2 AND value = $3",
    )
    .bind(log_id.0)
    .bind(scope)
    .bind(value)
    .fetch_optional(pool)
    .await?;
    Ok(holder)
}
