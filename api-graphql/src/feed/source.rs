//! What the feed needs of the log, as one port.

use async_trait::async_trait;
use store::{
    Log, Position, StoreError,
    feed::{self, Scan, Scanned},
    seal::{self, Seal},
    wake::Wake,
};

/// Where the feed reads.
#[async_trait]
pub trait EventSource: Send + Sync {
    /// The end of the log.
    async fn head(&self) -> Result<Position, StoreError>;
    /// A part of the log.
    async fn scan(&self, scan: &Scan<'_>) -> Result<Scanned, StoreError>;
    /// Seals behind a position, or the newest ones.
    async fn seals(&self, after: Option<Position>, limit: i64) -> Result<Vec<Seal>, StoreError>;
    /// Tells of news.
    fn wake(&self) -> Wake;
}

/// The running ledger's log.
#[derive(Clone)]
pub struct LogEvents {
    /// The log.
    pub log: Log,
    /// Tells of news.
    pub wake: Wake,
}

#[async_trait]
impl EventSource for LogEvents {
    async fn head(&self) -> Result<Position, StoreError> {
        Ok(self.log.head().await?.position)
    }

    async fn scan(&self, scan: &Scan<'_>) -> Result<Scanned, StoreError> {
        feed::scan(self.log.pool(), self.log.log_id(), scan).await
    }

    async fn seals(&self, after: Option<Position>, limit: i64) -> Result<Vec<Seal>, StoreError> {
        seal::page(self.log.pool(), self.log.log_id(), after, limit).await
    }

    fn wake(&self) -> Wake {
        self.wake.clone()
    }
}
