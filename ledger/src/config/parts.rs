//! The sections of the settings, as the file has them.

use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;

use super::{ByteSize, HumanDuration};

/// Where answers are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// The back-end.
    pub back_end: CacheBackEnd,
    /// What this process keeps at most.
    pub bytes: ByteSize,
    /// Where Redis is.
    pub redis_url: Option<SecretString>,
}

/// Where answers may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheBackEnd {
    /// Nowhere.
    None,
    /// In this process.
    Memory,
    /// In this process, and in Redis for others.
    Redis,
}

/// Which GraphQL operations run.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operations {
    /// Any, or those of a list.
    pub mode: OperationsMode,
    /// The list.
    pub manifest: Option<PathBuf>,
    /// Who must have signed it.
    pub public_key: Option<String>,
}

/// Which GraphQL operations run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationsMode {
    /// Whatever is within the limits.
    Any,
    /// Those of the signed manifest.
    AllowList,
}

impl OperationsMode {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::AllowList => "allow-list",
        }
    }
}

/// How the head of the log is sealed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seals {
    /// The private key.
    pub key_file: Option<PathBuf>,
    /// How often.
    pub every: HumanDuration,
}

/// Whose tokens count.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Identity provider's key set.
    pub jwks_url: Option<String>,
    /// Expected issuer.
    pub issuer: Option<String>,
    /// Expected audience.
    pub audience: Option<String>,
    /// Key pairs of our own.
    pub local_keys_dir: Option<PathBuf>,
}

/// Bounds of the API that an operator may change.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Request body.
    pub body_bytes: ByteSize,
    /// Cost points of an operation.
    pub cost: usize,
    /// Requests at once.
    pub in_flight: usize,
    /// Connections at once.
    pub connections: usize,
    /// Connections of one address at once.
    pub connections_per_address: usize,
    /// Body to answer.
    pub request_timeout: HumanDuration,
    /// Connection to headers.
    pub header_timeout: HumanDuration,
    /// Proxies that are believed about whom they pass on.
    pub trusted_proxies: Option<String>,
    /// Requests a minute.
    pub requests: Requests,
    /// Cost points a minute.
    pub points: Points,
}

/// Requests a minute; 0 is no limit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requests {
    /// People.
    pub user: u32,
    /// Systems.
    pub partner: u32,
    /// Operations and administration.
    pub operations: u32,
    /// Load tests.
    pub load: u32,
    /// One address.
    pub address: u32,
    /// Whether this machine is an address, too.
    pub loopback: bool,
}

/// Cost points a minute; 0 is no limit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Points {
    /// People.
    pub user: u32,
    /// Systems.
    pub partner: u32,
    /// Operations and administration.
    pub operations: u32,
    /// Load tests.
    pub load: u32,
}

/// Logging.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Text or JSON.
    pub format: LogFormat,
    /// Level or filter.
    pub level: String,
}

/// What a log line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}
