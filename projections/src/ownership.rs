//! Which of several processes moves a model's checkpoint.
//!
//! The row says who by its epoch and that it lives by `updated_at`, both by the database's clock.

use std::time::Duration;

use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use store::{LogId, Position, StoreError, checkpoint};

use crate::Model;

/// How often an owner without work shows that it lives.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(1);
/// After so long without a sign another process takes over: three missed heartbeats.
pub(crate) const LEASE: Duration = Duration::from_secs(3);
/// Begins a page's transaction. A process that freezes inside one must not hold the checkpoint's row
/// for ever: the database ends it, and another process takes over.
const BEGIN: &str = "begin; set local idle_in_transaction_session_timeout = '10s'";

/// A checkpoint this process owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) epoch: i64,
    pub(crate) position: Position,
}

/// The checkpoint of one model in one log.
#[derive(Debug, Clone)]
pub(crate) struct Ownership {
    pool: PgPool,
    log: LogId,
    model: Model,
}

impl Ownership {
    pub(crate) const fn new(pool: PgPool, log: LogId, model: Model) -> Self {
        Self { pool, log, model }
    }

    /// Takes the checkpoint unless another process shows signs of life.
    pub(crate) async fn take(&self) -> Result<Option<Held>, sqlx::Error> {
        let mut tx = self.pool.begin().await?;
        sqlx::query(include_str!("sql/make_checkpoint.sql"))
            .bind(self.log.0)
            .bind(self.model.name())
            .execute(&mut *tx)
            .await?;
        let row: Option<(i64, i64)> = sqlx::query_as(include_str!("sql/take_checkpoint.sql"))
            .bind(self.log.0)
            .bind(self.model.name())
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
    pub(crate) async fn reload(&self, epoch: i64) -> Result<Held, StoreError> {
        let mut tx = self.pool.begin().await?;
        let position = checkpoint::lock(&mut tx, self.log, self.model.name(), epoch).await?;
        tx.rollback().await?;
        Ok(Held { epoch, position })
    }

    /// Begins the transaction of a page: the checkpoint is locked and where this process left it.
    pub(crate) async fn begin(
        &self,
        held: Held,
    ) -> Result<Transaction<'static, Postgres>, StoreError> {
        let mut tx = self.pool.begin_with(BEGIN).await?;
        let position = checkpoint::lock(&mut tx, self.log, self.model.name(), held.epoch).await?;
        if position == held.position {
            Ok(tx)
        } else {
            Err(StoreError::Corrupt(format!(
                "the checkpoint of {} was moved from {} to {position} by hand",
                self.model, held.position
            )))
        }
    }

    /// Moves the locked checkpoint.
    pub(crate) async fn save(&self, tx: &mut PgConnection, to: Position) -> Result<(), StoreError> {
        checkpoint::save(tx, self.log, self.model.name(), to).await
    }

    /// Shows that the owner lives. `false`: another process took over.
    pub(crate) async fn touch(&self, held: Held) -> Result<bool, sqlx::Error> {
        // A sign of life lost in a crash of the database is no loss.
        let mut tx = self
            .pool
            .begin_with("begin; set local synchronous_commit = off")
            .await?;
        let touched = sqlx::query(include_str!("sql/touch_checkpoint.sql"))
            .bind(self.log.0)
            .bind(self.model.name())
            .bind(held.epoch)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        tx.commit().await?;
        Ok(touched == 1)
    }

    /// Lets another process take over at once.
    pub(crate) async fn release(&self, held: Held) -> Result<(), sqlx::Error> {
        sqlx::query(include_str!("sql/release_checkpoint.sql"))
            .bind(self.log.0)
            .bind(self.model.name())
            .bind(held.epoch)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
