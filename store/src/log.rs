//! [`Log`]: the log as one value, cheap to clone.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;

use crate::append::{AppendOptions, Appender};
use crate::error::{AppendError, StoreError};
use crate::read;
use crate::record::{Append, Hash, Head, LogId, Position, Receipt, Recorded, StreamHead, StreamId};
use uuid::Uuid;

/// How often [`Log::close`] looks whether the writer is done.
const CLOSE_POLL: Duration = Duration::from_millis(10);
/// Longest wait of [`Log::close`]. A writer that still tries to reach the database then has
/// callers whose outcome is unknown; they repeat their commands.
const CLOSE_LIMIT: Duration = Duration::from_secs(20);

/// One log of the database, with this process's writer.
#[derive(Clone)]
pub struct Log {
    pool: PgPool,
    log_id: LogId,
    appender: Arc<Appender>,
}

impl Log {
    /// Opens the log and starts its writer task, which keeps one connection of the pool.
    ///
    /// # Errors
    /// The database is unreachable, not migrated or has no such log.
    pub async fn open(
        pool: PgPool,
        log_id: LogId,
        options: AppendOptions,
    ) -> Result<Self, StoreError> {
        read::head(&pool, log_id).await?;
        let appender = Appender::start(pool.clone(), log_id, options).await?;
        Ok(Self {
            pool,
            log_id,
            appender: Arc::new(appender),
        })
    }

    /// Appends one command's events, together with whatever other callers append meanwhile.
    /// Returns when they are committed.
    ///
    /// # Errors
    /// See [`AppendError`]: only [`AppendError::OutcomeUnknown`] leaves open whether it was written.
    pub async fn append(&self, append: Append) -> Result<Receipt, AppendError> {
        self.appender.append(append).await
    }

    /// The request hash and the receipt of a command that was appended before.
    ///
    /// # Errors
    /// The database is unreachable.
    pub async fn receipt(&self, command_id: Uuid) -> Result<Option<(Hash, Receipt)>, StoreError> {
        read::receipt(&self.pool, self.log_id, command_id).await
    }

    /// Up to `limit` events of a stream after a version, in order.
    ///
    /// # Errors
    /// The database is unreachable.
    pub async fn stream(
        &self,
        stream: &StreamId,
        after_version: i64,
        limit: i64,
    ) -> Result<Vec<Recorded>, StoreError> {
        read::stream(&self.pool, self.log_id, stream, after_version, limit).await
    }

    /// Where a stream stands, or `None` before its first event.
    ///
    /// # Errors
    /// The database is unreachable.
    pub async fn stream_head(&self, stream: &StreamId) -> Result<Option<StreamHead>, StoreError> {
        read::stream_head(&self.pool, self.log_id, stream).await
    }

    /// Up to `limit` events after a position, in order, without a hole.
    ///
    /// # Errors
    /// The database is unreachable.
    pub async fn page(&self, after: Position, limit: i64) -> Result<Vec<Recorded>, StoreError> {
        read::page(&self.pool, self.log_id, after, limit).await
    }

    /// Up to `limit` events of one aggregate type after a position, in order. For types with few events: it looks at
    /// every event of the type.
    ///
    /// # Errors
    /// The database is unreachable.
    pub async fn of_type(
        &self,
        aggregate_type: &str,
        after: Position,
        limit: i64,
    ) -> Result<Vec<Recorded>, StoreError> {
        read::of_type(&self.pool, self.log_id, aggregate_type, after, limit).await
    }

    /// The end of the log.
    ///
    /// # Errors
    /// The database is unreachable.
    pub async fn head(&self) -> Result<Head, StoreError> {
        read::head(&self.pool, self.log_id).await
    }

    /// The pool the log reads and writes with.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Which log this is.
    pub fn log_id(&self) -> LogId {
        self.log_id
    }

    /// Whether the writer task still runs: until [`Log::close`], unless a fault of ours ended it.
    /// Without it every append is refused.
    pub fn is_writing(&self) -> bool {
        !self.appender.is_finished()
    }

    /// Takes no more commands, on any clone, and waits until those under way are answered.
    pub async fn close(self) {
        self.appender.stop();
        let drained = async {
            while !self.appender.is_finished() {
                tokio::time::sleep(CLOSE_POLL).await;
            }
        };
        if tokio::time::timeout(CLOSE_LIMIT, drained).await.is_err() {
            tracing::warn!("the writer did not finish in time; commands under way have no answer");
        }
    }
}
