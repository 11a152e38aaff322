//! Values that belong to one stream, such as order numbers. They are claimed by appending only.

use sqlx::PgPool;
use uuid::Uuid;

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

/// Who holds a value.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Claimant {
    /// The aggregate's id.
    #[sqlx(rename = "aggregate_id")]
    pub holder: String,
    /// The command that claimed it.
    pub command_id: Uuid,
}

/// The holder of the value with the command that claimed it, if anybody did.
///
/// # Errors
/// The database is unreachable.
pub async fn claimant(
    pool: &PgPool,
    log_id: LogId,
    scope: &str,
    value: &str,
) -> Result<Option<Claimant>, StoreError> {
    let claimant = sqlx::query_as(
        "SELECT aggregate_id, command_id FROM claims \
         WHERE log_id = $1 AND scope = $2 AND value = $3",
    )
    .bind(log_id.0)
    .bind(scope)
    .bind(value)
    .fetch_optional(pool)
    .await?;
    Ok(claimant)
}

/// Most values one look-up of [`holders`] takes.
pub const MAX_HOLDERS: usize = 1_000;

/// Looks each value up by itself, by the whole key. `value = ANY ($3)` reads every claim of the scope and compares it with
/// all values, as long as the planner knows nothing of a table that has just been filled.
const HOLDERS: &str = "SELECT v.value, c.aggregate_id \
     FROM (SELECT DISTINCT unnest($3::text[]) AS value) AS v \
     CROSS JOIN LATERAL ( \
         SELECT aggregate_id FROM claims WHERE log_id = $1 AND scope = $2 AND value = v.value LIMIT 1 \
     ) AS c";

/// Those of the values that some aggregate claimed, each with that aggregate's id.
///
/// # Errors
/// More than [`MAX_HOLDERS`] values, or the database is unreachable.
pub async fn holders(
    pool: &PgPool,
    log_id: LogId,
    scope: &str,
    values: &[&str],
) -> Result<Vec<(String, String)>, StoreError> {
    if values.len() > MAX_HOLDERS {
        return Err(StoreError::Invalid(format!("{} values", values.len())));
    }
    let holders = sqlx::query_as(HOLDERS)
        .bind(log_id.0)
        .bind(scope)
        .bind(values)
        .fetch_all(pool)
        .await?;
    Ok(holders)
}
