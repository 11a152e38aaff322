//! Which of several processes moves a checkpoint.
//!
//! The row says who by its epoch and that it lives by `updated_at`, both by the database's clock.

use std::time::Duration;

use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use super::{lock, save};
use crate::error::StoreError;
use crate::record::{LogId, Position};

/// How often an owner without work shows that it lives.
pub const HEARTBEAT: Duration = Duration::from_secs(1);
/// After so long without a sign another process takes over: three missed heartbeats.
pub const LEASE: Duration = Duration::from_secs(3);
/// Begins a page's transaction. A process that freezes inside one must not hold the checkpoint's row
/// for ever: the database ends it, and another process takes over.
const BEGIN: &str = "begin; set local idle_in_transaction_session_timeout = '10s'";

/// A checkpoint this process owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// How many times it was taken, this time included.
    pub epoch: i64,
    /// Where it stands.
    pub position: Position,
}

/// The right to move one checkpoint of one log.
#[derive(Debug, Clone)]
pub struct Lease {
    pool: PgPool,
    log: LogId,
    name: &'static str,
}

impl Lease {
    /// The right to move this checkpoint; nobody's yet.
    pub const fn new(pool: PgPool, log: LogId, name: &'static str) -> Self {
        Self { pool, log, name }
    }

    /// The checkpoint's name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Takes the checkpoint unless another process shows signs of life.
    ///
    /// # Errors
    /// The database is unreachable.
    pub async fn take(&self) -> Result<Option<Held>, StoreError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query(include_str!("sql/make.sql"))
            .bind(self.log.0)
            .bind(self.name)
            .execute(&mut *tx)
            .await?;
        let row: Option<(i64, i64)> = sqlx::query_as(include_str!("sql/take.sql"))
            .bind(self.log.0)
            .bind(self.name)
            .bind(i32::try_from(LEASE.as_millis()).unwrap_or(i32::MAX))
            .fetch_optional(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(row.map(|(epoch, position)| Held {
            epoch,
            position: Position(position),
        }))
    }

    /// Where a checkpoint this process took stands now, after an error left that open.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if another process took it over, or the database is unreachable.
    pub async fn reload(&self, epoch: i64) -> Result<Held, StoreError> {
        let mut tx = self.pool.begin().await?;
        let position = lock(&mut tx, self.log, self.name, epoch).await?;
        tx.rollback().await?;
        Ok(Held { epoch, position })
    }

    /// Begins the transaction of a page: the checkpoint is locked and where this process left it.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if another process took it over, [`StoreError::Corrupt`] if somebody
    /// moved it by hand, or the database is unreachable.
    pub async fn begin(&self, held: Held) -> Result<Transaction<'static, Postgres>, StoreError> {
        let mut tx = self.pool.begin_with(BEGIN).await?;
        let position = lock(&mut tx, self.log, self.name, held.epoch).await?;
        if position == held.position {
            Ok(tx)
        } else {
            Err(StoreError::Corrupt(format!(
                "the checkpoint of {} was moved from {} to {position} by hand",
                self.name, held.position
            )))
        }
    }

    /// Moves the locked checkpoint.
    ///
    /// # Errors
    /// The database is unreachable.
    pub async fn save(&self, tx: &mut PgConnection, to: Position) -> Result<(), StoreError> {
        save(tx, self.log, self.name, to).await
    }

    /// Shows that the owner lives. `false`: another process took over.
    ///
    /// # Errors
    /// The database is unreachable.
    pub async fn touch(&self, held: Held) -> Result<bool, StoreError> {
        // A sign of life lost in a crash of the database is no loss.
        let mut tx = self
            .pool
            .begin_with("begin; set local synchronous_commit = off")
            .await?;
        let touched = sqlx::query(include_str!("sql/touch.sql"))
            .bind(self.log.0)
            .bind(self.name)
            .bind(held.epoch)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        tx.commit().await?;
        Ok(touched == 1)
    }

    /// Lets another process take over at once.
    ///
    /// # Errors
    /// The database is unreachable; the checkpoint is free after [`LEASE`].
    pub async fn release(&self, held: Held) -> Result<(), StoreError> {
        sqlx::query(include_str!("sql/release.sql"))
            .bind(self.log.0)
            .bind(self.name)
            .bind(held.epoch)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
