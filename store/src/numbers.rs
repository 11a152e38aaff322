//! Order numbers: one counter per day, drawn in blocks. A block that is not used up leaves a gap.

use chrono::NaiveDate;
use sqlx::PgPool;

use crate::error::StoreError;
use crate::record::LogId;

/// Largest block.
pub const MAX_BLOCK: i64 = 100_000;

/// Takes `size` numbers of the day for the caller alone and returns the first; days begin at 1.
///
/// # Errors
/// The size is not 1 to [`MAX_BLOCK`], or the database is unreachable.
pub async fn draw_block(
    pool: &PgPool,
    log_id: LogId,
    day: NaiveDate,
    size: i64,
) -> Result<i64, StoreError> {
    if !(1..=MAX_BLOCK).contains(&size) {
        return Err(StoreError::Invalid(format!("a block of {size} numbers")));
    }
    let first = sqlx::query_scalar(
        "INSERT INTO number_counter AS c (log_id, day, next) VALUES ($1, $2, 1 + $3) \
         ON CONFLICT (log_id, day) DO UPDATE SET next = c.next + $3 \
         RETURNING next - $3",
    )
    .bind(log_id.0)
    .bind(day)
    .bind(size)
    .fetch_one(pool)
    .await?;
    Ok(first)
}
