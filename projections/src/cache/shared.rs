//! The level of the cache that several processes share: Redis. It is never trusted and never waited for long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use metrics::counter;
use observability::names;
use redis::{
    Client, ErrorKind, RedisError,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Salt},
    rand::{SecureRandom, SystemRandom},
};
use store::hash::hex;
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout},
};

use super::{CacheError, Key};

/// The longest an answer of Redis is waited for: the database is not slower.
const RESPONSE_LIMIT: Duration = Duration::from_millis(25);
/// The longest a connection to Redis may take.
const CONNECTION_LIMIT: Duration = Duration::from_millis(250);
/// Tries to connect again, before the next request makes one.
const RETRIES: usize = 1;
/// Requests at Redis at once; more wait for their turn, and that not longer than [`RESPONSE_LIMIT`].
const MAX_AT_ONCE: usize = 128;
/// After a failure Redis is left alone for so long.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest sealed answer that is shared.
const MAX_BYTES: usize = 1024 * 1024;
/// What a sealed answer begins with: how it is sealed.
const SEALED: u8 = 1;

/// Where the shared answers are. Cheap to clone.
#[derive(Clone)]
pub(super) struct Shared(Arc<Inner>);

struct Inner {
    client: Client,
    connection: OnceCell<ConnectionManager>,
    key: LessSafeKey,
    random: SystemRandom,
    /// When Redis may be asked again, in milliseconds since `began`.
    resume: AtomicU64,
    began: Instant,
}

impl Shared {
    /// Names the server; nothing is connected yet. `secret` is the same in all processes that share answers.
    ///
    /// # Errors
    /// The URL is not one of Redis.
    pub(super) fn new(url: &str, secret: &[u8]) -> Result<Self, CacheError> {
        Ok(Self(Arc::new(Inner {
            client: Client::open(url).map_err(CacheError::Url)?,
            connection: OnceCell::new(),
            key: derive(secret).ok_or(CacheError::Secret)?,
            random: SystemRandom::new(),
            resume: AtomicU64::new(0),
            began: Instant::now(),
        })))
    }

    /// What is kept under a key, if it was sealed under that very key by one who knows the secret.
    pub(super) async fn get(&self, key: &Key) -> Option<Vec<u8>> {
        let mut connection = self.connection().await?;
        let mut get = redis::cmd("GET");
        get.arg(name(key));
        let asked = get.query_async::<Option<Vec<u8>>>(&mut connection);
        let sealed = self.answered(soon(asked).await)??;
        let opened = self.open(key, sealed);
        if opened.is_none() {
            failed("forged");
            tracing::warn!("a shared answer was not sealed by this ledger; it is not used");
        }
        opened
    }

    /// Keeps an answer for a while. That it could not be kept costs nothing but time.
    pub(super) async fn put(&self, key: &Key, answer: &[u8], age: Duration) {
        let Some(sealed) = self.seal(key, answer) else {
            return;
        };
        if sealed.len() > MAX_BYTES {
            return;
        }
        let Some(mut connection) = self.connection().await else {
            return;
        };
        let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        let mut set = redis::cmd("SET");
        set.arg(name(key)).arg(sealed).arg("PX").arg(age);
        let kept = set.query_async::<()>(&mut connection);
        self.answered(soon(kept).await);
    }

    async fn connection(&self) -> Option<ConnectionManager> {
        if self.now() < self.0.resume.load(Ordering::Relaxed) {
            return None;
        }
        let connect = || async {
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(CONNECTION_LIMIT))
                .set_response_timeout(Some(RESPONSE_LIMIT))
                .set_number_of_retries(RETRIES)
                .set_concurrency_limit(MAX_AT_ONCE);
            ConnectionManager::new_with_config(self.0.client.clone(), config).await
        };
        let connected = self.0.connection.get_or_try_init(connect).await.cloned();
        self.answered(connected)
    }

    /// The answer; after a failure nothing is asked for a while.
    fn answered<T>(&self, answer: Result<T, RedisError>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(error) => {
                failed("unreachable");
                tracing::warn!(%error, "the shared cache does not answer; going on without it for a moment");
                let pause = u64::try_from(PAUSE.as_millis()).unwrap_or(u64::MAX);
                let resume = self.now().saturating_add(pause);
                self.0.resume.store(resume, Ordering::Relaxed);
                None
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn seal(&self, key: &Key, answer: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        self.0.random.fill(&mut nonce).ok()?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + answer.len() + AES_256_GCM.tag_len());
        sealed.push(SEALED);
        sealed.extend_from_slice(&nonce);
        let mut content = answer.to_vec();
        let nonce = Nonce::assume_unique_for_key(nonce);
        let aad = Aad::from(aad(key));
        self.0
            .key
            .seal_in_place_append_tag(nonce, aad, &mut content)
            .ok()?;
        sealed.append(&mut content);
        Some(sealed)
    }

    fn open(&self, key: &Key, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let (head, content) = sealed.split_at_mut_checked(1 + NONCE_LEN)?;
        let (version, nonce) = head.split_first()?;
        if *version != SEALED {
            return None;
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let aad = Aad::from(aad(key));
        let opened = self.0.key.open_in_place(nonce, aad, content).ok()?;
        Some(opened.to_vec())
    }
}

/// The key that answers are sealed with, of the ledger's secret (HKDF, RFC 5869); `None` never happens for its length.
fn derive(secret: &[u8]) -> Option<LessSafeKey> {
    let derived = Salt::new(HKDF_SHA256, &[]).extract(secret);
    let info = [&b"shared answers"[..]];
    let key = derived.expand(&info, &AES_256_GCM).ok()?;
    Some(LessSafeKey::new(UnboundKey::from(key)))
}

/// An answer within the limit, the wait for a lost connection included.
async fn soon<T>(asked: impl Future<Output = Result<T, RedisError>>) -> Result<T, RedisError> {
    let late = |_| RedisError::from((ErrorKind::Io, "no answer in time"));
    timeout(RESPONSE_LIMIT, asked).await.map_err(late)?
}

fn name(key: &Key) -> String {
    format!("ledger:{}:{}", key.space, hex(&key.digest))
}

/// What a sealed answer is bound to: it is nobody else's answer.
fn aad(key: &Key) -> Vec<u8> {
    [key.space.as_bytes(), b"\0", &key.digest].concat()
}

fn failed(reason: &'static str) {
    counter!(names::CACHE_SHARED_FAILURES_TOTAL, "reason" => reason).increment(1);
}
