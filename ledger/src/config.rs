//! Configuration: flag, then environment, then file, then `config.default.toml`.

mod dump;
mod keys;
mod load;
mod parts;
#[cfg(test)]
mod tests;
mod units;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use api_graphql::rate::{Quotas, Rates};
use base64::Engine;
use secrecy::{ExposeSecret, SecretBox, SecretString};
use serde::Deserialize;

use crate::embedded::{MASTER_KEY_BYTES, Options};
use crate::operations::PublicKey;

pub use dump::Entry;
pub use load::{ConfigError, Loaded, Sources, load};
pub use parts::{
    Auth, Cache, CacheBackEnd, Limits, Log, LogFormat, Operations, OperationsMode, Points,
    Requests, Seals,
};
pub use units::{ByteSize, HumanDuration, Switch};

/// Every default, with its explanation.
pub const DEFAULTS: &str = include_str!("../config.default.toml");

/// Where root's embedded database goes when the default place cannot be reached by its account.
pub const ROOT_DATA_DIR: &str = "/var/lib/ledger";

/// Connections of the embedded server beyond the pool's: migrations, listeners, other programs.
const EXTRA_CONNECTIONS: u16 = 24;

/// Bounds of numbers that something is sized by.
const POOL_RANGE: std::ops::RangeInclusive<u32> = 4..=500;
const DEADLINE_RANGE_MS: std::ops::RangeInclusive<u64> = 50..=60_000;

const REPLICA_POOL_RANGE: std::ops::RangeInclusive<u32> = 1..=500;
const REPLICA_LAG_RANGE: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(60);
/// Each replica is watched over two connections.
const MAX_REPLICAS: usize = 8;

/// How often the log may be sealed.
const SEAL_RANGE: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(60 * 60);
/// The longest name of an environment.
const MAX_ENVIRONMENT_CHARS: usize = 40;

/// All settings. `config.default.toml` explains each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the API.
    pub listen: SocketAddr,
    /// Address of health and metrics, where not `listen`.
    pub ops_listen: Option<SocketAddr>,
    /// The certificate that `listen` shows.
    pub tls_cert: Option<PathBuf>,
    /// Its private key.
    pub tls_key: Option<PathBuf>,
    /// Where the embedded database lives.
    pub data_dir: PathBuf,
    /// Database to use instead of an embedded one.
    pub database_url: Option<SecretString>,
    /// The same as its owner.
    pub migrate_database_url: Option<SecretString>,
    /// Most connections to it.
    pub database_pool_max: u32,
    /// Streaming replicas of it that queries may be read from, one URL after the other.
    pub replica_urls: Option<SecretString>,
    /// How far a replica may be behind to be read from.
    pub replica_max_lag: HumanDuration,
    /// Most connections to each replica.
    pub replica_pool_max: u32,
    /// Directory of the server programs.
    pub postgres_bin_dir: Option<PathBuf>,
    /// Account of the embedded server under root.
    pub postgres_user: String,
    /// Master key, base64.
    pub master_key: Option<SecretString>,
    /// Longest run of a command, in milliseconds.
    pub command_deadline_ms: u64,
    /// Orders kept in memory.
    pub hot_orders: u64,
    /// Events between snapshots.
    pub snapshot_every: u32,
    /// GraphiQL.
    pub graphiql: Switch,
    /// Introspection.
    pub introspection: Switch,
    /// How long a stop waits.
    pub shutdown_grace: HumanDuration,
    /// Whether this process runs the ledger's own processes.
    pub processes: bool,
    /// Names this ledger in the `source` of its published events.
    pub environment: String,
    /// Demo data.
    pub demo: bool,
    /// Tokens.
    pub auth: Auth,
    /// Bounds of the API.
    pub limits: Limits,
    /// Kept answers.
    pub cache: Cache,
    /// Which operations run.
    pub operations: Operations,
    /// Seals of the log.
    pub seals: Seals,
    /// Logging.
    pub log: Log,
}

impl Config {
    /// Whether the private PostgreSQL is used.
    pub const fn is_embedded(&self) -> bool {
        self.database_url.is_none()
    }

    /// The files of certificate and key, where `listen` speaks TLS.
    pub fn tls_files(&self) -> Option<(&Path, &Path)> {
        self.tls_cert.as_deref().zip(self.tls_key.as_deref())
    }

    /// What the URLs of `listen` begin with.
    pub fn scheme(&self) -> &'static str {
        match self.tls_files() {
            Some(_) => "https",
            None => "http",
        }
    }

    /// Most connections of one process to the database: as many as the service has answer queries about some stores, and as
    /// many those about the whole chain.
    pub const fn most_connections(&self) -> u32 {
        self.database_pool_max.saturating_mul(3)
    }

    /// What the embedded server is started with.
    pub fn embedded_options(&self) -> Options {
        let most = u16::try_from(self.most_connections()).unwrap_or(u16::MAX);
        Options {
            bin_dir: self.postgres_bin_dir.clone(),
            account: self.postgres_user.clone(),
            max_connections: most.saturating_add(EXTRA_CONNECTIONS),
            ..Options::new(&self.data_dir)
        }
    }

    /// The URL for migrations in external mode.
    pub fn migrate_url(&self) -> Option<&SecretString> {
        self.migrate_database_url
            .as_ref()
            .or(self.database_url.as_ref())
    }

    /// The URLs of the replicas.
    pub fn replicas(&self) -> impl Iterator<Item = &str> {
        let urls = self.replica_urls.as_ref();
        urls.into_iter()
            .flat_map(|urls| urls.expose_secret().split_whitespace())
    }

    /// The configured master key, decoded; `None` where none is configured.
    ///
    /// # Errors
    /// When it is not 32 bytes in base64.
    pub fn master_key_bytes(
        &self,
    ) -> Result<Option<SecretBox<[u8; MASTER_KEY_BYTES]>>, ConfigError> {
        let Some(text) = &self.master_key else {
            return Ok(None);
        };
        base64::engine::general_purpose::STANDARD
            .decode(text.expose_secret().trim())
            .ok()
            .and_then(|bytes| <[u8; MASTER_KEY_BYTES]>::try_from(bytes).ok())
            .map(|key| Some(SecretBox::new(Box::new(key))))
            .ok_or_else(|| {
                ConfigError::Invalid(vec![
                    "master_key: 32 bytes in base64 are expected; make one with `openssl rand -base64 32`"
                        .to_owned(),
                ])
            })
    }

    /// Where the key pairs of local tokens are; `None` when only an identity provider counts.
    pub fn token_keys(&self) -> Option<PathBuf> {
        match &self.auth.local_keys_dir {
            Some(dir) => Some(dir.clone()),
            None if self.is_embedded() && self.auth.jwks_url.is_none() => {
                Some(crate::embedded::token_keys(&self.data_dir))
            }
            None => None,
        }
    }

    /// Where the key is that seals the log; `None` when nothing is sealed.
    pub fn seal_key(&self) -> Option<PathBuf> {
        match &self.seals.key_file {
            Some(file) => Some(file.clone()),
            None if self.is_embedded() => Some(crate::embedded::seal_key(&self.data_dir)),
            None => None,
        }
    }

    /// The manifest of the operations that alone may run; `None` where any may.
    pub fn allow_list(&self) -> Option<&Path> {
        match self.operations.mode {
            OperationsMode::Any => None,
            OperationsMode::AllowList => self.operations.manifest.as_deref(),
        }
    }

    /// Whether `/graphiql` is served.
    pub fn graphiql_enabled(&self) -> bool {
        let may = self.operations.mode == OperationsMode::Any;
        may && self.graphiql.or(self.listen.ip().is_loopback())
    }

    /// Whether the schema may be asked for.
    pub fn introspection_enabled(&self) -> bool {
        let may = self.operations.mode == OperationsMode::Any;
        may && self.introspection.or(self.listen.ip().is_loopback())
    }

    /// The quotas of a minute.
    ///
    /// # Errors
    /// A proxy that is no address or network.
    pub fn rates(&self) -> Result<Rates, ConfigError> {
        let Limits {
            trusted_proxies,
            requests,
            points,
            ..
        } = &self.limits;
        let proxies = trusted_proxies.as_deref().unwrap_or_default().parse();
        Ok(Rates {
            requests: Quotas {
                user: requests.user,
                partner: requests.partner,
                operations: requests.operations,
                load: requests.load,
            },
            points: Quotas {
                user: points.user,
                partner: points.partner,
                operations: points.operations,
                load: points.load,
            },
            address: requests.address,
            loopback: requests.loopback,
            trusted_proxies: proxies.map_err(|why| {
                ConfigError::Invalid(vec![format!("limits.trusted_proxies: {why}")])
            })?,
        })
    }

    /// The command deadline.
    pub const fn command_deadline(&self) -> Duration {
        Duration::from_millis(self.command_deadline_ms)
    }

    /// Checks what single values cannot show: all that is wrong, one sentence each.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with every problem.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        self.check_exposure(&mut problems);
        self.check_tls(&mut problems);
        self.check_database(&mut problems);
        self.check_auth(&mut problems);
        self.check_cache(&mut problems);
        self.check_quotas(&mut problems);
        self.check_operations(&mut problems);
        if !POOL_RANGE.contains(&self.database_pool_max) {
            problems.push(format!(
                "database_pool_max: {} to {} connections are possible, not {}",
                POOL_RANGE.start(),
                POOL_RANGE.end(),
                self.database_pool_max
            ));
        }
        self.check_replicas(&mut problems);
        if !DEADLINE_RANGE_MS.contains(&self.command_deadline_ms) {
            problems.push(format!(
                "command_deadline_ms: {} to {} ms are possible, not {}",
                DEADLINE_RANGE_MS.start(),
                DEADLINE_RANGE_MS.end(),
                self.command_deadline_ms
            ));
        }
        if !SEAL_RANGE.contains(&self.seals.every.0) {
            problems.push("seals.every: 1s to 1h are possible".to_owned());
        }
        if !is_name(&self.environment) {
            problems.push(format!(
                "environment: 1 to {MAX_ENVIRONMENT_CHARS} letters, digits, `-`, `_` or `.` are expected"
            ));
        }
        if self.snapshot_every == 0 {
            problems.push("snapshot_every: at least 1 event is needed".to_owned());
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::Invalid(problems))
        }
    }

    /// Nothing without a token is reachable from other machines.
    fn check_exposure(&self, problems: &mut Vec<String>) {
        if self.listen.ip().is_loopback() {
            return;
        }
        let listen = self.listen;
        if self.ops_listen.is_none() {
            problems.push(format!(
                "listen: {listen} can be reached from other machines, and /metrics and health ask for no token: \
                 set ops_listen to a private address, such as 127.0.0.1:9090"
            ));
        }
        if self.graphiql == Switch::On {
            problems.push(format!(
                "graphiql: the page asks for no token and {listen} can be reached from other machines: \
                 set it to \"auto\" or false"
            ));
        }
    }

    /// Half of a pair would leave the port in plain text, and nobody would notice.
    fn check_tls(&self, problems: &mut Vec<String>) {
        let (set, missing) = match (&self.tls_cert, &self.tls_key) {
            (Some(_), None) => ("tls_cert", "tls_key"),
            (None, Some(_)) => ("tls_key", "tls_cert"),
            _ => return,
        };
        problems.push(format!(
            "{missing}: it goes with {set}, which is set: set both to speak TLS, or neither"
        ));
    }

    /// The dearest operation that is allowed must be possible.
    fn check_quotas(&self, problems: &mut Vec<String>) {
        if let Err(ConfigError::Invalid(wrong)) = self.rates() {
            problems.extend(wrong);
        }
        let cost = self.limits.cost;
        let points = &self.limits.points;
        for (class, quota) in [
            ("user", points.user),
            ("partner", points.partner),
            ("operations", points.operations),
            ("load", points.load),
        ] {
            if quota > 0 && usize::try_from(quota).is_ok_and(|quota| quota < cost) {
                problems.push(format!(
                    "limits.points.{class}: an operation may cost {cost} points (limits.cost), more than {quota} in a \
                     minute: raise the one or lower the other"
                ));
            }
        }
    }

    /// A list that is asked for is there, is checked against somebody's key, and is not got round.
    fn check_operations(&self, problems: &mut Vec<String>) {
        let operations = &self.operations;
        if let Some(Err(why)) = operations.public_key.as_deref().map(PublicKey::read) {
            problems.push(format!("operations.public_key: {why}"));
        }
        if operations.mode == OperationsMode::Any {
            return;
        }
        if operations.manifest.is_none() {
            problems.push(
                "operations.manifest: it is required with the mode \"allow-list\"; sign it with `ledger operations sign`"
                    .to_owned(),
            );
        }
        if operations.public_key.is_none() && self.seal_key().is_none() {
            problems.push(
                "operations.public_key: nobody's signature would count; set it, or seals.key_file"
                    .to_owned(),
            );
        }
        for (name, switch) in [
            ("graphiql", self.graphiql),
            ("introspection", self.introspection),
        ] {
            if switch == Switch::On {
                problems.push(format!(
                    "{name}: it shows what the mode \"allow-list\" keeps back: set it to \"auto\" or false"
                ));
            }
        }
    }

    fn check_database(&self, problems: &mut Vec<String>) {
        if let Err(ConfigError::Invalid(wrong)) = self.master_key_bytes() {
            problems.extend(wrong);
        }
        if self.is_embedded() {
            if self.migrate_database_url.is_some() {
                problems.push(
                    "migrate_database_url: it goes with database_url, which is not set".to_owned(),
                );
            }
            return;
        }
        if self.master_key.is_none() {
            problems.push(
                "master_key: it is required with database_url; make one with `openssl rand -base64 32` and keep a copy"
                    .to_owned(),
            );
        }
        if self.demo {
            problems.push(
                "demo: demo data goes into an embedded database only; unset demo or database_url"
                    .to_owned(),
            );
        }
    }

    fn check_cache(&self, problems: &mut Vec<String>) {
        let cache = &self.cache;
        if (cache.back_end == CacheBackEnd::Redis) != cache.redis_url.is_some() {
            problems.push(
                "cache.redis_url: it goes with cache.back_end = \"redis\"; set both or neither"
                    .to_owned(),
            );
        }
    }

    fn check_replicas(&self, problems: &mut Vec<String>) {
        if self.replica_urls.is_some() && self.is_embedded() {
            problems.push("replica_urls: it goes with database_url, which is not set".to_owned());
        }
        // A comma would be read as a part of the first URL.
        if self.replicas().any(|url| url.contains(",postgres")) {
            problems.push("replica_urls: blanks or lines are expected between URLs".to_owned());
        }
        if self.replicas().count() > MAX_REPLICAS {
            problems.push(format!(
                "replica_urls: {MAX_REPLICAS} replicas are possible"
            ));
        }
        if !REPLICA_POOL_RANGE.contains(&self.replica_pool_max) {
            problems.push(format!(
                "replica_pool_max: {} to {} connections are possible, not {}",
                REPLICA_POOL_RANGE.start(),
                REPLICA_POOL_RANGE.end(),
                self.replica_pool_max
            ));
        }
        if !REPLICA_LAG_RANGE.contains(&self.replica_max_lag.0) {
            problems.push("replica_max_lag: 100ms to 60s are possible".to_owned());
        }
    }

    fn check_auth(&self, problems: &mut Vec<String>) {
        let auth = &self.auth;
        if auth.jwks_url.is_some() && (auth.issuer.is_none() || auth.audience.is_none()) {
            problems.push(
                "auth.jwks_url: auth.issuer and auth.audience are required with it, or tokens made for others would count"
                    .to_owned(),
            );
        }
        if auth.jwks_url.is_none() && self.token_keys().is_none() {
            problems.push(
                "auth.jwks_url: nobody could sign in; set it, or auth.local_keys_dir for tokens of our own"
                    .to_owned(),
            );
        }
    }
}

/// Part of a URI, so plain.
fn is_name(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=MAX_ENVIRONMENT_CHARS).contains(&text.len()) && text.bytes().all(plain)
}

/// The file used when nobody names one.
pub(crate) fn usual_file() -> &'static Path {
    Path::new("ledger.toml")
}
