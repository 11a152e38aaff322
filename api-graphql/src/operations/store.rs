//! Where the texts of automatic persisted queries are kept.

use std::sync::Arc;

use async_trait::async_trait;
use moka::sync::Cache;

use super::OperationHash;

/// Text kept in this process at most, in bytes.
pub const MAX_STORED_BYTES: u64 = 8 * 1024 * 1024;
/// A longer text is not kept; its clients send it each time. An inline order of 20 full lines has about 20 kB.
pub const MAX_STORED_TEXT: usize = 64 * 1024;

/// Keeps texts by their hash. A text that is lost is sent again, and what comes back is hashed anew before it is used:
/// a store that loses, is slow to learn or was tampered with changes no answer.
#[async_trait]
pub trait OperationStore: Send + Sync {
    /// The text, if it is kept. A store that cannot be reached keeps nothing.
    async fn get(&self, hash: &OperationHash) -> Option<Arc<str>>;

    /// Keeps a text of at most [`MAX_STORED_TEXT`] bytes, as far as it can.
    async fn put(&self, hash: &OperationHash, text: &str);
}

/// In this process, bounded by bytes; texts that are asked for often stay.
#[derive(Debug)]
pub struct InProcess(Cache<OperationHash, Arc<str>>);

impl Default for InProcess {
    fn default() -> Self {
        let weigh = |hash: &OperationHash, text: &Arc<str>| {
            u32::try_from(hash.len() + text.len()).unwrap_or(u32::MAX)
        };
        let cache = Cache::builder()
            .max_capacity(MAX_STORED_BYTES)
            .weigher(weigh);
        Self(cache.build())
    }
}

#[async_trait]
impl OperationStore for InProcess {
    async fn get(&self, hash: &OperationHash) -> Option<Arc<str>> {
        self.0.get(hash)
    }

    async fn put(&self, hash: &OperationHash, text: &str) {
        self.0.insert(*hash, Arc::from(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_than_so_many_bytes_are_kept() {
        let store = InProcess::default();
        let text = "x".repeat(MAX_STORED_TEXT);
        for n in 0..=u8::MAX {
            store.put(&[n; 32], &text).await;
        }
        store.0.run_pending_tasks();
        assert!(store.0.weighted_size() <= MAX_STORED_BYTES);
        assert!(store.0.entry_count() > 100);
    }
}
