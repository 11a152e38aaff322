//! Migrations: embedded in the program, applied by number, never edited once released.

use sqlx::PgPool;
use sqlx::migrate::Migrator;

use crate::error::StoreError;

/// The files of `migrations/`, embedded.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// Applies what is missing and makes sure there is a partition to write to. Safe to call from
/// several processes at once: one migrates, the others wait.
///
/// # Errors
/// A migration failed (it is rolled back), or the database is newer than this program.
pub async fn up(pool: &PgPool) -> Result<(), StoreError> {
    MIGRATOR.run(pool).await?;
    ensure_partitions(pool).await?;
    Ok(())
}

/// The migrations this program has and the database has not, as `number description`.
///
/// # Errors
/// The database is unreachable.
pub async fn pending(pool: &PgPool) -> Result<Vec<String>, StoreError> {
    let known: bool =
        sqlx::query_scalar("SELECT to_regclass('public._sqlx_migrations') IS NOT NULL")
            .fetch_one(pool)
            .await?;
    let applied: Vec<i64> = if known {
        sqlx::query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(pool)
            .await?
    } else {
        Vec::new()
    };
    let missing = MIGRATOR
        .iter()
        .filter(|m| !applied.contains(&m.version))
        .map(|m| format!("{:04} {}", m.version, m.description))
        .collect();
    Ok(missing)
}

/// Makes partitions of `events` until a whole one lies ahead of the log's head; returns the first
/// position that has none. Does nothing if they are there.
///
/// # Errors
/// The database is unreachable or not migrated.
pub async fn ensure_partitions(pool: &PgPool) -> Result<i64, StoreError> {
    let end = sqlx::query_scalar("SELECT ledger_ensure_partitions()")
        .fetch_one(pool)
        .await?;
    Ok(end)
}
