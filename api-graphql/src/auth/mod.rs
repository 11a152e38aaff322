//! Bearer token in, caller out; nothing else.
//!
//! RS256, ES256 and EdDSA only. A key is bound to its algorithm where it is loaded, so neither `alg: none` nor
//! an RSA public key used as an HMAC secret has a way in. `exp` is required; issuer and audience are checked
//! when configured.

mod claims;
mod jwks;
mod keys;
mod local_keys;
mod ring_provider;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::http::{HeaderMap, header};
use domain::{
    actor::Role,
    ids::{RegionId, StoreId},
};
use jsonwebtoken::{
    Algorithm, Header, Validation, decode, decode_header, encode, errors::ErrorKind,
};

pub use claims::{Caller, MAX_STORES_IN_TOKEN, MAX_SUBJECT_CHARS, RegionStores, Scopes};
pub use jwks::JwksError;
pub use local_keys::{LocalKeyError, LocalKeys};

use claims::Claims;
use jwks::Jwks;
use keys::{KeyRing, LocalRing, VerifyingKey};

use crate::{digest::sha256, rate::Class};

/// The longest token looked at: a token with 200 stores has about 2 kB.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// How far clocks may differ, in seconds.
pub const LEEWAY_SECONDS: u64 = 30;
/// The most verified tokens remembered.
pub const MAX_REMEMBERED_TOKENS: u64 = 10_000;
/// How long a verified token is remembered: also how long a removed key still works.
pub const REMEMBER_FOR: Duration = Duration::from_secs(60);

/// Why a caller is not let in. The message goes to the caller and names no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No `Authorization` header.
    #[error("a bearer token is required: send `Authorization: Bearer <token>`")]
    Missing,
    /// A header, but not of the form `Bearer <token>`.
    #[error("the Authorization header must be `Bearer <token>`")]
    Malformed,
    /// Not a token we can read, or its signature is wrong.
    #[error("the token is not valid")]
    Invalid,
    /// Past its `exp`.
    #[error("the token has expired; get a new one")]
    Expired,
    /// Before its `nbf`.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Another issuer's.
    #[error("the token was issued by somebody else")]
    WrongIssuer,
    /// For somebody else.
    #[error("the token is meant for another audience")]
    WrongAudience,
    /// Signed with an algorithm we refuse.
    #[error("the token must be signed with RS256, ES256 or EdDSA")]
    Algorithm,
    /// Signed with a key nobody told us of.
    #[error("the token names a key that is not known here")]
    UnknownKey,
    /// Well signed, but its claims make no caller.
    #[error("the token's claims cannot be used: {0}")]
    Claims(&'static str),
    /// The identity provider's keys have never been reached, or not for a day.
    #[error("the identity provider's keys cannot be reached; try again later")]
    KeysUnavailable,
}

/// Where keys come from and what tokens must say.
#[derive(Debug, Clone, Default)]
pub struct AuthConfig {
    /// Directory of the ledger's own key pairs; made, with a first pair, when absent.
    pub local_keys: Option<PathBuf>,
    /// The identity provider's key set.
    pub jwks_url: Option<String>,
    /// `iss` that tokens must carry.
    pub issuer: Option<String>,
    /// `aud` that tokens must carry.
    pub audience: Option<String>,
}

/// Why authentication cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The local key pairs.
    #[error(transparent)]
    Local(#[from] LocalKeyError),
    /// The key set's URL.
    #[error(transparent)]
    Jwks(#[from] JwksError),
    /// Neither source is configured.
    #[error("nobody could sign in: configure a key directory or a JWKS URL")]
    NoKeys,
}

/// The `Authorization` header; one that is no text is there and names nobody.
pub(crate) fn authorization(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get(header::AUTHORIZATION);
    header.map(|value| value.to_str().unwrap_or_default())
}

/// Who was let in, and by which token.
pub(crate) struct Admitted {
    /// Who calls.
    pub(crate) caller: Caller,
    /// The token's SHA-256, to count what it has open.
    pub(crate) token: [u8; 32],
    /// How long the token is still taken.
    pub(crate) good_for: Duration,
}

/// Tells who calls.
pub struct Authenticator {
    keys: KeyRing,
    config: AuthConfig,
    regions: Arc<dyn RegionStores>,
    /// By SHA-256 of the token, so that a memory dump holds no token that still works.
    remembered: moka::sync::Cache<[u8; 32], (Caller, u64)>,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Authenticator {
    /// Opens the key sources. The JWKS URL is first asked when the first token comes.
    ///
    /// # Errors
    /// When there is no key source, or one cannot be used.
    pub fn open(config: AuthConfig, regions: Arc<dyn RegionStores>) -> Result<Self, SetupError> {
        ring_provider::install();
        let local = config
            .local_keys
            .as_deref()
            .map(LocalRing::open)
            .transpose()?;
        let jwks = config.jwks_url.as_deref().map(Jwks::new).transpose()?;
        if local.is_none() && jwks.is_none() {
            return Err(SetupError::NoKeys);
        }
        let remembered = moka::sync::Cache::builder()
            .max_capacity(MAX_REMEMBERED_TOKENS)
            .time_to_live(REMEMBER_FOR)
            .build();
        Ok(Self {
            keys: KeyRing { local, jwks },
            config,
            regions,
            remembered,
        })
    }

    /// The caller behind an `Authorization` header's value.
    ///
    /// # Errors
    /// Says why not, in words the caller may see.
    pub async fn caller(&self, authorization: Option<&str>) -> Result<Caller, AuthError> {
        Ok(self.admitted(authorization).await?.caller)
    }

    /// As [`Self::caller`], with what is known of the token: for answers that take longer than a request.
    ///
    /// # Errors
    /// As [`Self::caller`].
    pub(crate) async fn admitted(
        &self,
        authorization: Option<&str>,
    ) -> Result<Admitted, AuthError> {
        let bearer = bearer(authorization)?;
        let token = sha256(bearer.as_bytes());
        let remembered = self.remembered.get(&token);
        let (caller, expires) = match remembered {
            Some(known) if known.1.saturating_add(LEEWAY_SECONDS) > unix_seconds() => known,
            _ => {
                let verified = self.verify(bearer).await?;
                self.remembered.insert(token, verified.clone());
                verified
            }
        };
        let seconds = expires
            .saturating_add(LEEWAY_SECONDS)
            .saturating_sub(unix_seconds());
        Ok(Admitted {
            caller,
            token,
            good_for: Duration::from_secs(seconds),
        })
    }

    async fn verify(&self, token: &str) -> Result<(Caller, u64), AuthError> {
        let header = decode_header(token).map_err(|_| AuthError::Invalid)?;
        if !matches!(
            header.alg,
            Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA
        ) {
            return Err(AuthError::Algorithm);
        }
        // RFC 7515, 4.1.11: a critical extension that is not understood makes the token invalid.
        if header.crit.is_some() {
            return Err(AuthError::Invalid);
        }
        let key = self.keys.find(header.kid.as_deref(), header.alg).await?;
        let claims = decode::<Claims>(token, &key.key, &self.validation(&key))
            .map_err(|e| refused(e.kind()))?
            .claims;
        let expires = claims.exp;
        Ok((claims::caller(claims, self.regions.as_ref())?, expires))
    }

    fn validation(&self, key: &VerifyingKey) -> Validation {
        let mut validation = Validation::new(key.algorithm);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        validation.validate_aud = self.config.audience.is_some();
        let mut required = vec!["exp", "sub"];
        if let Some(audience) = &self.config.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        if let Some(issuer) = &self.config.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        validation.set_required_spec_claims(&required);
        validation
    }

    /// Signs a token with the newest local key pair.
    ///
    /// # Errors
    /// [`AuthError::UnknownKey`] without local key pairs; else as [`issue_token`].
    pub fn issue(&self, request: &TokenRequest) -> Result<String, AuthError> {
        let local = self.keys.local.as_ref().ok_or(AuthError::UnknownKey)?;
        issue_token(&local.current(), &self.config, request)
    }
}

/// What a new token shall say.
#[derive(Debug, Clone)]
pub struct TokenRequest {
    /// Who will act: written into every event.
    pub subject: String,
    /// The part they play.
    pub role: Role,
    /// The stores, where not all.
    pub stores: Vec<StoreId>,
    /// The region, for a regional coordinator.
    pub region: Option<RegionId>,
    /// The `scope` claim; the role alone decides when absent.
    pub scope: Option<String>,
    /// Whether it is for load tests, which have quotas of their own.
    pub load_test: bool,
    /// How long the token is good for.
    pub lifetime: Duration,
}

/// Signs a token with the newest of `keys`, with the issuer and audience that `config` demands.
///
/// # Errors
/// [`AuthError::Claims`] for a token that nobody could use, [`AuthError::Invalid`] when signing fails.
pub fn issue_token(
    keys: &LocalKeys,
    config: &AuthConfig,
    request: &TokenRequest,
) -> Result<String, AuthError> {
    ring_provider::install();
    let (key, kid) = keys.signing();
    let now = unix_seconds();
    let claims = Claims {
        sub: request.subject.clone(),
        role: request.role,
        stores: (!request.stores.is_empty()).then(|| request.stores.clone()),
        region: request.region.clone(),
        scope: request.scope.clone(),
        rate_class: request.load_test.then(|| Class::Load.as_str().to_owned()),
        exp: now.saturating_add(request.lifetime.as_secs()),
        nbf: Some(now),
        iat: Some(now),
        iss: config.issuer.clone(),
        aud: config.audience.clone().map(serde_json::Value::String),
    };
    claims::check(&claims)?;
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(kid.to_owned());
    encode(&header, &claims, key).map_err(|_| AuthError::Invalid)
}

/// The token of a header value. `Bearer` with nothing behind it counts as no token.
fn bearer(authorization: Option<&str>) -> Result<&str, AuthError> {
    let value = authorization.ok_or(AuthError::Missing)?.trim();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(AuthError::Malformed);
    }
    match token.trim() {
        "" => Err(AuthError::Missing),
        token if token.len() > MAX_TOKEN_BYTES => Err(AuthError::Malformed),
        token => Ok(token),
    }
}

fn refused(kind: &ErrorKind) -> AuthError {
    match kind {
        ErrorKind::ExpiredSignature => AuthError::Expired,
        ErrorKind::ImmatureSignature => AuthError::NotYetValid,
        ErrorKind::InvalidIssuer => AuthError::WrongIssuer,
        ErrorKind::InvalidAudience => AuthError::WrongAudience,
        ErrorKind::MissingRequiredClaim(name) => match name.as_str() {
            "iss" => AuthError::WrongIssuer,
            "aud" => AuthError::WrongAudience,
            _ => AuthError::Claims("`exp` and `sub` are required"),
        },
        ErrorKind::InvalidAlgorithm => AuthError::Algorithm,
        ErrorKind::Json(_) => AuthError::Claims(
            "`sub`, `role` and `exp` are required, `stores` must be CFR + 3 digits",
        ),
        _ => AuthError::Invalid,
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

#[cfg(test)]
#[path = "../tests/auth.rs"]
mod tests;
