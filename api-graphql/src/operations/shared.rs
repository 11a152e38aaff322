//! Texts of automatic persisted queries that several ledgers share.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use projections::cache::Cache;

use super::{InProcess, OperationHash, OperationStore};

/// How long a text is shared after it was sent: a client's release lives longer, and sends it again.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// In this process, and where the cache has one, in the Redis that others share: a text that was sent to one ledger is
/// known to all.
#[derive(Debug, Default)]
pub struct SharedOperations {
    near: InProcess,
    cache: Cache,
}

impl SharedOperations {
    /// With what a cache shares.
    pub fn new(cache: Cache) -> Self {
        Self {
            near: InProcess::default(),
            cache,
        }
    }
}

#[async_trait]
impl OperationStore for SharedOperations {
    async fn get(&self, hash: &OperationHash) -> Option<Arc<str>> {
        if let Some(text) = self.near.get(hash).await {
            return Some(text);
        }
        let text = String::from_utf8(self.cache.shared(*hash).await?).ok()?;
        self.near.put(hash, &text).await;
        Some(text.into())
    }

    async fn put(&self, hash: &OperationHash, text: &str) {
        // A client that sends the text each time is not the reason to write it each time.
        if self.near.get(hash).await.as_deref() != Some(text) {
            self.cache.share(*hash, text.as_bytes(), AGE).await;
            self.near.put(hash, text).await;
        }
    }
}
