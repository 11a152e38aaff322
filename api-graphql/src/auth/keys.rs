//! The keys that verify tokens, whichever source they come from.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use jsonwebtoken::{Algorithm, DecodingKey};

use super::{
    AuthError,
    jwks::Jwks,
    local_keys::{LocalKeyError, LocalKeys},
};

/// How often at most the key directory is read again because a token names a key we do not have.
const RESCAN_EVERY: Duration = Duration::from_secs(5);

/// One public key, bound to the one algorithm it may be used with: the token's header never chooses.
#[derive(Debug, Clone)]
pub(crate) struct VerifyingKey {
    pub(crate) kid: Option<String>,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: DecodingKey,
}

/// The key a token names; without a name, the only key of its algorithm.
pub(crate) fn pick<'a>(
    keys: &'a [VerifyingKey],
    kid: Option<&str>,
    algorithm: Algorithm,
) -> Option<&'a VerifyingKey> {
    let mut usable = keys.iter().filter(|k| k.algorithm == algorithm);
    match kid {
        Some(kid) => usable.find(|k| k.kid.as_deref() == Some(kid)),
        None => usable.next().filter(|_| usable.next().is_none()),
    }
}

/// The ledger's own keys, shared and reloaded when another process has added one.
pub(crate) struct LocalRing {
    dir: PathBuf,
    state: RwLock<(Arc<LocalKeys>, Instant)>,
}

impl LocalRing {
    pub(crate) fn open(dir: &Path) -> Result<Self, LocalKeyError> {
        let keys = LocalKeys::load_or_create(dir)?;
        Ok(Self {
            dir: dir.to_owned(),
            state: RwLock::new((Arc::new(keys), Instant::now())),
        })
    }

    pub(crate) fn current(&self) -> Arc<LocalKeys> {
        let state = self
            .state
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(&state.0)
    }

    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<VerifyingKey> {
        if let Some(key) = pick(self.current().verifying(), kid, algorithm) {
            return Some(key.clone());
        }
        self.rescan();
        pick(self.current().verifying(), kid, algorithm).cloned()
    }

    fn rescan(&self) {
        {
            let mut state = self
                .state
                .write()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if state.1.elapsed() < RESCAN_EVERY {
                return;
            }
            state.1 = Instant::now();
        }
        // A handful of small files: not worth a thread. The lock is not held meanwhile.
        match LocalKeys::load_or_create(&self.dir) {
            Ok(keys) => {
                let mut state = self
                    .state
                    .write()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                state.0 = Arc::new(keys);
            }
            Err(error) => {
                tracing::error!(%error, "the token keys cannot be read again; the loaded ones stay in use")
            }
        }
    }
}

/// Every source of keys in use.
pub(crate) struct KeyRing {
    pub(crate) local: Option<LocalRing>,
    pub(crate) jwks: Option<Jwks>,
}

impl KeyRing {
    /// The key for a token's `kid` and algorithm.
    ///
    /// # Errors
    /// [`AuthError::UnknownKey`], or [`AuthError::KeysUnavailable`] when the key set has never been reached.
    pub(crate) async fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<VerifyingKey, AuthError> {
        if let Some(key) = self
            .local
            .as_ref()
            .and_then(|local| local.find(kid, algorithm))
        {
            return Ok(key);
        }
        match &self.jwks {
            Some(jwks) => jwks.find(kid, algorithm).await,
            None => Err(AuthError::UnknownKey),
        }
    }
}
