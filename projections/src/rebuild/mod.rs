//! Filling a read model anew.

use sqlx::PgPool;
use store::LogId;

use crate::Model;

/// Empties a model and puts its checkpoint back to the start, in one transaction. The runner, which
/// loses its hold by this, takes the model again and fills it.
///
/// Until it is filled, queries show less than they should: their position says so.
///
/// # Errors
/// The database did not answer; nothing was changed.
pub async fn reset(pool: &PgPool, log: LogId, model: Model) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    // The checkpoint first, as the runner does.
    sqlx::query(include_str!("sql/reset_checkpoint.sql"))
        .bind(log.0)
        .bind(model.checkpoint())
        .execute(&mut *tx)
        .await?;
    sqlx::query(model.truncate()).execute(&mut *tx).await?;
    sqlx::query("delete from projection_failure where log_id = $1 and name = $2")
        .bind(log.0)
        .bind(model.checkpoint())
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}
