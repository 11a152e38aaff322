//! The identity provider's key set (RFC 7517), fetched by URL and kept.
//!
//! A key set younger than [`FRESH_FOR`] is used as it is. An older one is used too, while a refresh runs beside
//! the request, up to [`USABLE_FOR`]: an identity provider that is down must not take the ledger with it.
//! A token that names an unknown key causes a refetch, at most one every [`REFETCH_EVERY`].

use std::{
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};

use axum::{body::Bytes, http::Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse},
};

use super::{
    AuthError,
    keys::{VerifyingKey, pick},
};

/// Age up to which a key set is used without asking again.
const FRESH_FOR: Duration = Duration::from_secs(10 * 60);
/// Age up to which a key set is used while its URL does not answer.
const USABLE_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// The shortest time between two fetches.
const REFETCH_EVERY: Duration = Duration::from_secs(10);
/// How long one fetch may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);
/// Connections kept for the next fetch, and for how long: there is one fetch at a time.
const MAX_IDLE_CONNECTIONS: usize = 1;
const IDLE_LIMIT: Duration = Duration::from_secs(30);
/// The largest key set document.
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;
/// The most keys used of one set.
const MAX_KEYS: usize = 64;

/// Why a key set could not be had.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// Not a URL we fetch from.
    #[error("the JWKS URL must be https://, or http:// to this machine, not `{0}`")]
    Url(String),
    /// No certificates to verify the server with.
    #[error(
        "the system's root certificates cannot be loaded: {0}; install the `ca-certificates` package"
    )]
    Roots(std::io::Error),
    /// The server did not answer well.
    #[error("the JWKS URL does not answer: {0}")]
    Fetch(String),
    /// The document has no key we can use.
    #[error("the JWKS document has no RS256, ES256 or EdDSA signing key")]
    NoKeys,
}

struct KeySet {
    keys: Vec<VerifyingKey>,
    fetched: Instant,
}

/// A key set behind a URL. Clones share it.
#[derive(Clone)]
pub(crate) struct Jwks(Arc<Shared>);

struct Shared {
    uri: Uri,
    client: Client<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    set: RwLock<Option<Arc<KeySet>>>,
    /// Held during a fetch, so that there is one at a time; says when the last one began.
    last_attempt: tokio::sync::Mutex<Option<Instant>>,
}

impl Jwks {
    /// # Errors
    /// When the URL is not allowed or the system has no root certificates.
    pub(crate) fn new(url: &str) -> Result<Self, JwksError> {
        let uri = allowed(url)?;
        let connector = HttpsConnectorBuilder::new()
            // By name: with several providers compiled in, rustls would refuse to choose.
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(JwksError::Roots)?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_LIMIT)
            .pool_max_idle_per_host(MAX_IDLE_CONNECTIONS)
            .build(connector);
        let last_attempt = tokio::sync::Mutex::new(None);
        Ok(Self(Arc::new(Shared {
            uri,
            client,
            set: RwLock::new(None),
            last_attempt,
        })))
    }

    pub(crate) async fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<VerifyingKey, AuthError> {
        let mut set = self.0.current();
        match &set {
            None => set = self.0.refetch().await,
            Some(s) if s.fetched.elapsed() > FRESH_FOR => self.refresh_beside(),
            Some(_) => {}
        }
        let Some(known) = set else {
            return Err(AuthError::KeysUnavailable);
        };
        if let Some(key) = pick(&known.keys, kid, algorithm) {
            return Ok(key.clone());
        }
        let set = self.0.refetch().await.ok_or(AuthError::KeysUnavailable)?;
        pick(&set.keys, kid, algorithm)
            .cloned()
            .ok_or(AuthError::UnknownKey)
    }

    fn refresh_beside(&self) {
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move { shared.refetch().await });
    }
}

impl Shared {
    /// The kept set, unless it is too old to trust.
    fn current(&self) -> Option<Arc<KeySet>> {
        let set = self
            .set
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        set.clone().filter(|s| s.fetched.elapsed() <= USABLE_FOR)
    }

    /// Fetches unless that happened a moment ago; answers the set that is kept after that.
    async fn refetch(&self) -> Option<Arc<KeySet>> {
        let mut last = self.last_attempt.lock().await;
        if last.is_some_and(|at| at.elapsed() < REFETCH_EVERY) {
            return self.current();
        }
        *last = Some(Instant::now());
        match tokio::time::timeout(FETCH_TIMEOUT, self.fetch()).await {
            Ok(Ok(keys)) => {
                let fresh = Arc::new(KeySet {
                    keys,
                    fetched: Instant::now(),
                });
                *self
                    .set
                    .write()
                    .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(fresh);
            }
            Ok(Err(error)) => tracing::warn!(%error, "the kept token keys stay in use"),
            Err(_) => tracing::warn!(
                "the JWKS URL did not answer in time; the kept token keys stay in use"
            ),
        }
        self.current()
    }

    async fn fetch(&self) -> Result<Vec<VerifyingKey>, JwksError> {
        let fetch = |e: &dyn std::fmt::Display| JwksError::Fetch(e.to_string());
        let response = self
            .client
            .get(self.uri.clone())
            .await
            .map_err(|e| fetch(&e))?;
        if !response.status().is_success() {
            return Err(fetch(&response.status()));
        }
        let body = Limited::new(response.into_body(), MAX_DOCUMENT_BYTES)
            .collect()
            .await
            .map_err(|e| fetch(&e))?;
        parse(&body.to_bytes())
    }
}

/// Only https, or http inside this machine: a key set decides who may do what.
fn allowed(url: &str) -> Result<Uri, JwksError> {
    let refused = || JwksError::Url(url.to_owned());
    let uri: Uri = url.parse().map_err(|_| refused())?;
    let host = uri.host().unwrap_or_default();
    let this_machine = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    match uri.scheme_str() {
        Some("https") if !host.is_empty() => Ok(uri),
        Some("http") if this_machine => Ok(uri),
        _ => Err(refused()),
    }
}

/// Keys of the document that we can use; the others, encryption keys above all, are passed over.
fn parse(document: &[u8]) -> Result<Vec<VerifyingKey>, JwksError> {
    let set: JwkSet =
        serde_json::from_slice(document).map_err(|e| JwksError::Fetch(e.to_string()))?;
    let keys: Vec<_> = set.keys.iter().take(MAX_KEYS).filter_map(usable).collect();
    if keys.is_empty() {
        Err(JwksError::NoKeys)
    } else {
        Ok(keys)
    }
}

fn usable(jwk: &Jwk) -> Option<VerifyingKey> {
    if jwk
        .common
        .public_key_use
        .as_ref()
        .is_some_and(|u| *u != PublicKeyUse::Signature)
    {
        return None;
    }
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(p) if p.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(p) if p.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    if jwk.common.key_algorithm.is_some_and(|a| a != named) {
        return None;
    }
    let key = DecodingKey::from_jwk(jwk).ok()?;
    Some(VerifyingKey {
        kid: jwk.common.key_id.clone(),
        algorithm,
        key,
    })
}

#[cfg(test)]
#[path = "../tests/jwks.rs"]
mod tests;
