//! Connection pools.

use std::str::FromStr;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::error::StoreError;

/// Prepared statements kept per connection, those that were used last: more than this program has, but for the figures
/// that dashboards choose.
const STATEMENT_CACHE: usize = 256;

/// Begins a transaction that reads everything from one snapshot, which its first query takes.
pub const BEGIN_SNAPSHOT: &str = "begin isolation level repeatable read, read only";

/// A connection that nobody needed for so long is closed.
const IDLE_LIMIT: Duration = Duration::from_secs(10 * 60);
/// A connection that is this old is replaced when it is given back: memory of the server goes with it.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// How a pool connects. Two of its connections are taken for good by a ledger that appends and
/// listens: the writer's and the listener's.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// Most connections.
    pub max_connections: u32,
    /// Longest wait for a free or a new connection.
    pub acquire_timeout: Duration,
    /// Longest run of a statement; the server cancels it then. `None` for migrations and replays.
    pub statement_timeout: Option<Duration>,
    /// Longest time a transaction may sit idle before the server ends it: it could hold locks.
    pub idle_in_transaction_timeout: Duration,
    /// Longest wait for a lock.
    pub lock_timeout: Duration,
    /// What `pg_stat_activity` shows.
    pub application_name: String,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            max_connections: 16,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Some(Duration::from_secs(30)),
            idle_in_transaction_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(5),
            application_name: "ledger".to_owned(),
        }
    }
}

/// Opens a pool and makes one connection, to fail early.
///
/// The timeouts travel as start-up options; behind PgBouncer these need
/// `ignore_startup_parameters = options` and the timeouts set on the role instead.
///
/// # Errors
/// The URL cannot be read or the server does not answer within `acquire_timeout`.
pub async fn pool(url: &str, config: &PoolConfig) -> Result<PgPool, StoreError> {
    let options = PgConnectOptions::from_str(url)?;
    pool_with(options, config).await
}

/// The same from options built by the caller, such as a socket and a user.
///
/// # Errors
/// The server does not answer within `acquire_timeout`.
pub async fn pool_with(
    options: PgConnectOptions,
    config: &PoolConfig,
) -> Result<PgPool, StoreError> {
    let options = prepared(options, config);
    Ok(sized(config).connect_with(options).await?)
}

/// The role that queries of who may see some stores are read as: the database shows it the rows of the stores that each
/// read names, and no others.
pub const READER: &str = "ledger_reader";
/// The role that queries of who may see the whole chain are read as.
pub const OVERSEER: &str = "ledger_overseer";

/// The pools of a server that answers queries. Their connections write nothing and are held to what their role is shown;
/// they are made when they are needed, so the server need not be there yet.
#[derive(Clone, Debug)]
pub struct ReadingPools {
    readers: PgPool,
    overseers: PgPool,
}

impl ReadingPools {
    /// Pools of at most `max_connections` each.
    pub fn new(options: PgConnectOptions, config: &PoolConfig) -> Self {
        // Should the server ever take writes, it takes none from here.
        let options = prepared(options, config).options([("default_transaction_read_only", "on")]);
        let readers = options.clone().options([("role", READER)]);
        let overseers = options.options([("role", OVERSEER)]);
        Self {
            // Whoever reads says first what the connection may show, which tells as well whether it lives.
            readers: sized(config)
                .test_before_acquire(false)
                .connect_lazy_with(readers),
            overseers: sized(config).connect_lazy_with(overseers),
        }
    }

    /// Whether queries can be answered: the server knows the roles and lets us be both of them.
    ///
    /// # Errors
    /// It does not, or does not answer.
    pub async fn check(&self) -> Result<(), StoreError> {
        for (pool, role) in [(&self.readers, READER), (&self.overseers, OVERSEER)] {
            let user: String =
                sqlx::query_scalar("SELECT current_user::text FROM log_head LIMIT 1")
                    .fetch_one(pool)
                    .await?;
            if user != role {
                let why = format!("the server has us as {user}, not as {role}");
                return Err(sqlx::Error::Configuration(why.into()).into());
            }
        }
        Ok(())
    }

    /// As [`READER`]. Connections are not asked whether they live when they are taken.
    pub const fn readers(&self) -> &PgPool {
        &self.readers
    }

    /// As [`OVERSEER`].
    pub const fn overseers(&self) -> &PgPool {
        &self.overseers
    }
}

fn sized(config: &PoolConfig) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(config.acquire_timeout)
        .idle_timeout(IDLE_LIMIT)
        .max_lifetime(LIFETIME)
}

fn prepared(options: PgConnectOptions, config: &PoolConfig) -> PgConnectOptions {
    let millis = |d: Duration| d.as_millis().to_string();
    let mut options = options
        .application_name(&config.application_name)
        .statement_cache_capacity(STATEMENT_CACHE)
        .options([
            (
                "idle_in_transaction_session_timeout",
                millis(config.idle_in_transaction_timeout),
            ),
            ("lock_timeout", millis(config.lock_timeout)),
            // Short statements only; compiling one takes longer than running it.
            ("jit", "off".to_owned()),
        ]);
    if let Some(limit) = config.statement_timeout {
        options = options.options([("statement_timeout", millis(limit))]);
    }
    options
}
