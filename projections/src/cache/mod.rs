//! Answers kept for whoever asks the same next.
//!
//! The key of an answer holds the last event that can have changed it. As long as nothing happened to the stores that
//! it is about, the answer is found; as soon as something did, its key is another one and nobody asks for the old one
//! any more. So nothing is ever invalidated, and no kept answer can be too old: the answer to a key is one that had
//! seen the key's position when it was read. Who joins another's read takes its answer only if that shows what is
//! demanded. How long it is kept only bounds the space, and for how long a read model
//! that was mended shows what it showed before.
//!
//! Two levels: this process's memory, where those who ask the same at once wait for one read, and Redis, which several
//! processes share. What comes from Redis is sealed under its key, so whoever can write there cannot change an answer.

mod shared;
#[cfg(test)]
mod tests;
mod touched;

use std::{
    any::Any,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    actor::StoreScope,
    ids::{OrderId, StoreId},
};
use metrics::{counter, gauge};
use observability::names;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use store::{Log, Position};

use self::shared::Shared;
use crate::{Model, ReadError, read_db::allowed_ids};

pub use touched::Touched;

/// How long an answer is kept at most.
const AGE: Duration = Duration::from_secs(60);
/// What an entry takes beside its answer, in bytes.
const OVERHEAD: usize = 256;
/// Changes when answers are written another way: those of another version of the program are not found.
const FORMAT: &str = "2";

/// Why a cache cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The URL is not one of Redis.
    #[error("not a URL of Redis: {0}; redis://HOST:PORT or rediss://HOST:PORT is expected")]
    Url(redis::RedisError),
    /// The secret that shared answers are sealed with cannot be used.
    #[error("no key could be made of the secret")]
    Secret,
}

/// Where answers are kept.
#[derive(Debug, Clone, Default)]
pub enum BackEnd<'a> {
    /// Nowhere: every read goes to the database.
    #[default]
    None,
    /// In this process's memory.
    Memory {
        /// At most so many bytes.
        bytes: u64,
    },
    /// In this process's memory, and in Redis for the others.
    Redis {
        /// At most so many bytes here.
        bytes: u64,
        /// Where Redis is.
        url: &'a str,
        /// What shared answers are sealed with; the same in all processes.
        secret: &'a [u8],
        /// Of which ledger they are: see [`identity`].
        ledger: &'a str,
    },
}

/// What an answer is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// The kind of what is kept.
    space: &'static str,
    /// Of everything that the answer depends on.
    digest: [u8; 32],
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Question<'a, A> {
    /// The name of the read.
    pub name: &'static str,
    /// The models it reads.
    pub models: &'a [Model],
    /// The stores that it is about; all for `None`.
    pub stores: Option<Vec<String>>,
    /// The order that it is about alone; the stores only say then who may see it.
    pub order: Option<OrderId>,
    /// Everything else that the answer depends on.
    pub asked: A,
    /// The answer must have seen this.
    pub at_least: Position,
}

/// An answer, and the last event that everything in it has seen.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// It.
    pub value: T,
    /// The position, or an earlier one.
    pub position: Position,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let levels = self.levels.as_ref();
        let shared = levels.is_some_and(|levels| levels.shared.is_some());
        formatter
            .debug_struct("Cache")
            .field("memory", &levels.is_some())
            .field("shared", &shared)
            .finish()
    }
}

/// Kept answers. Cheap to clone.
#[derive(Clone, Default)]
pub struct Cache {
    levels: Option<Levels>,
}

#[derive(Clone)]
struct Levels {
    memory: moka::future::Cache<Key, Entry>,
    shared: Option<Shared>,
    touched: Touched,
    ledger: Arc<str>,
}

#[derive(Clone)]
struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    bytes: u32,
}

/// Why there is no answer to keep.
enum Unkept {
    /// The read failed.
    Failed(ReadError),
    /// It has not seen all that is known to have happened: a node that is behind answered it, as of this position.
    Older(Arc<dyn Any + Send + Sync>, Position),
}

impl<'a, A: Serialize> Question<'a, A> {
    /// About stores that are both allowed and asked for.
    pub fn about(
        name: &'static str,
        models: &'a [Model],
        stores: (&StoreScope, Option<&[StoreId]>),
        asked: A,
    ) -> Self {
        Self {
            name,
            models,
            stores: sorted(allowed_ids(stores.0, stores.1)),
            order: None,
            asked,
            at_least: Position::START,
        }
    }

    /// The same about an order that is one of those stores', if it is there.
    #[must_use]
    pub const fn of_order(mut self, order: OrderId) -> Self {
        self.order = Some(order);
        self
    }

    /// The same without the stores that the caller may not see, should the question have forgotten them.
    #[must_use]
    pub fn within(mut self, scope: &StoreScope) -> Self {
        if let StoreScope::Only(seen) = scope {
            let is_seen = |id: &String| seen.iter().any(|store| store.as_str() == id);
            self.stores = match self.stores {
                None => sorted(allowed_ids(scope, None)),
                Some(stores) => Some(stores.into_iter().filter(is_seen).collect()),
            };
        }
        self
    }

    /// The stores that it is about, for who answers it; without what is no store's id.
    pub fn scope(&self) -> StoreScope {
        self.stores.as_ref().map_or(StoreScope::All, |stores| {
            let ids = stores
                .iter()
                .filter_map(|id| StoreId::new(id.as_str()).ok());
            StoreScope::Only(ids.collect())
        })
    }
}

fn sorted(stores: Option<Vec<String>>) -> Option<Vec<String>> {
    stores.map(|mut ids| {
        ids.sort_unstable();
        ids.dedup();
        ids
    })
}

impl Cache {
    /// A cache of what `touched` knows about.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn new(back_end: &BackEnd<'_>, touched: Touched) -> Result<Self, CacheError> {
        let (bytes, shared, ledger) = match *back_end {
            BackEnd::None => return Ok(Self::default()),
            BackEnd::Memory { bytes } => (bytes, None, ""),
            BackEnd::Redis {
                bytes,
                url,
                secret,
                ledger,
            } => (bytes, Some(Shared::new(url, secret)?), ledger),
        };
        let memory = moka::future::Cache::builder()
            .weigher(|_, entry: &Entry| entry.bytes)
            .max_capacity(bytes)
            .time_to_live(AGE)
            .build();
        let levels = Some(Levels {
            memory,
            shared,
            touched,
            ledger: ledger.into(),
        });
        Ok(Self { levels })
    }

    /// The kept answer to a question, or what `read` says, which is kept then. Of those who ask the same at once one
    /// reads. `read` is told whether its answer is to be kept: nobody else looks at the answer's position.
    ///
    /// # Errors
    /// What `read` fails with.
    pub async fn answer<A, T, F>(
        &self,
        question: &Question<'_, A>,
        read: impl Fn(bool) -> F,
    ) -> Result<T, ReadError>
    where
        A: Serialize,
        T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
        F: Future<Output = Result<Answer<T>, ReadError>>,
    {
        let Some(levels) = &self.levels else {
            return Ok(read(false).await?.value);
        };
        let (touched, at_least) = (&levels.touched, question.at_least);
        let last = question.order.map_or_else(
            || touched.last(question.stores.as_deref(), at_least),
            |order| touched.last_of(order, at_least),
        );
        let Some((last, key)) =
            last.and_then(|last| Some((last, question.key(last, &levels.ledger)?)))
        else {
            outcome(question.name, "bypassed");
            return Ok(read(false).await?.value);
        };
        // Only the one who reads for all is ever polled.
        let is_ours = AtomicBool::new(false);
        let load = async {
            is_ours.store(true, Ordering::Relaxed);
            levels.load(question.name, key, last, &read).await
        };
        let entry = levels.memory.entry(key).or_try_insert_with(load).await;
        gauge!(names::CACHE_BYTES).set(as_gauge(levels.memory.weighted_size()));
        match entry {
            Ok(entry) => {
                if !entry.is_fresh() {
                    outcome(question.name, "hit");
                }
                value(&entry.into_value().value)
            }
            Err(unkept) => match &*unkept {
                Unkept::Failed(error) if is_ours.load(Ordering::Relaxed) => Err(error.clone()),
                Unkept::Older(answer, position)
                    if is_ours.load(Ordering::Relaxed) || *position >= question.at_least =>
                {
                    value(answer)
                }
                // Another's read failed, or is older than what is demanded here: our own node may do better.
                Unkept::Failed(_) | Unkept::Older(..) => {
                    outcome(question.name, "bypassed");
                    Ok(read(false).await?.value)
                }
            },
        }
    }
}

impl Cache {
    /// What the ledgers that share a Redis have kept under a hash of it; nothing without Redis. Whoever keeps something
    /// so hashes anew what comes back.
    pub async fn shared(&self, digest: [u8; 32]) -> Option<Vec<u8>> {
        let (shared, key) = self.by_digest(digest)?;
        shared.get(&key).await
    }

    /// Keeps something under a hash of it for the other ledgers that share a Redis.
    pub async fn share(&self, digest: [u8; 32], bytes: &[u8], age: Duration) {
        if let Some((shared, key)) = self.by_digest(digest) {
            shared.put(&key, bytes, age).await;
        }
    }

    fn by_digest(&self, digest: [u8; 32]) -> Option<(&Shared, Key)> {
        let levels = self.levels.as_ref()?;
        let of_this_ledger = Sha256::new()
            .chain_update(levels.ledger.as_bytes())
            .chain_update(digest);
        let key = Key {
            space: "text",
            digest: of_this_ledger.finalize().into(),
        };
        Some((levels.shared.as_ref()?, key))
    }
}

impl Levels {
    async fn load<T, F>(
        &self,
        name: &'static str,
        key: Key,
        last: Position,
        read: &impl Fn(bool) -> F,
    ) -> Result<Entry, Unkept>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
        F: Future<Output = Result<Answer<T>, ReadError>>,
    {
        if let Some(shared) = &self.shared
            && let Some(bytes) = shared.get(&key).await
            // What does not decode was written by another program.
            && let Ok(value) = serde_json::from_slice::<T>(&bytes)
        {
            outcome(name, "shared");
            return Ok(Entry::new(value, bytes.len()));
        }
        outcome(name, "read");
        let answer = read(true).await.map_err(Unkept::Failed)?;
        if answer.position < last {
            return Err(Unkept::Older(Arc::new(answer.value), answer.position));
        }
        let Ok(bytes) = serde_json::to_vec(&answer.value) else {
            return Err(Unkept::Older(Arc::new(answer.value), answer.position));
        };
        if let Some(shared) = &self.shared {
            shared.put(&key, &bytes, AGE).await;
        }
        Ok(Entry::new(answer.value, bytes.len()))
    }
}

impl Entry {
    fn new<T: Send + Sync + 'static>(value: T, bytes: usize) -> Self {
        Self {
            value: Arc::new(value),
            bytes: u32::try_from(bytes.saturating_add(OVERHEAD)).unwrap_or(u32::MAX),
        }
    }
}

impl<A: Serialize> Question<'_, A> {
    /// `None` when what is asked cannot be written down.
    fn key(&self, last: Position, ledger: &str) -> Option<Key> {
        let models: Vec<_> = self.models.iter().map(|model| model.checkpoint()).collect();
        let parts = (
            FORMAT,
            ledger,
            self.name,
            models,
            &self.stores,
            self.order,
            &self.asked,
            last,
        );
        let written = serde_json::to_vec(&parts).ok()?;
        Some(Key {
            space: "answer",
            digest: Sha256::digest(&written).into(),
        })
    }
}

/// What tells this ledger's answers from another one's that shares a Redis and a secret: the environment's name, the
/// server and the database on it.
///
/// # Errors
/// The database did not answer.
pub async fn identity(log: &Log, environment: &str) -> Result<String, ReadError> {
    let database: String = sqlx::query_scalar(
        "select (select system_identifier from pg_control_system()) || '/' || oid from pg_database \
         where datname = current_database()",
    )
    .fetch_one(log.pool())
    .await?;
    Ok(format!("{environment}/{database}/{}", log.log_id().0))
}

/// A kept value of the type it was kept as: its key holds the name of its read.
fn value<T: Clone + 'static>(kept: &Arc<dyn Any + Send + Sync>) -> Result<T, ReadError> {
    kept.downcast_ref::<T>().cloned().ok_or_else(|| {
        ReadError::Corrupt("two reads of one name keep answers of two kinds".to_owned())
    })
}

fn outcome(name: &'static str, outcome: &'static str) {
    counter!(names::CACHE_READS_TOTAL, "read" => name, "outcome" => outcome).increment(1);
}

#[allow(clippy::cast_precision_loss)]
const fn as_gauge(bytes: u64) -> f64 {
    bytes as f64
}
