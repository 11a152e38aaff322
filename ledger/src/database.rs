//! The database a command works on: the configured one, the embedded one of a running ledger, or an
//! embedded one of its own; and the two sides of the ledger over it.

use std::sync::Arc;
use std::time::Duration;

use commands::facts::SystemClock;
use commands::personal::{Vault, VaultError};
use commands::{BusOptions, CommandBus};
use secrecy::{ExposeSecret, SecretBox};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use store::connect::{OVERSEER, PoolConfig, READER, ReadingPools, pool_with};
use store::{AppendOptions, Log, LogId, migrate};

use crate::config::Config;
use crate::embedded::{DataDirLock, Embedded, Endpoint, MASTER_KEY_BYTES, Secrets};
use crate::exit::{Exit, Failure};
use crate::progress::Progress;

/// Connections of a short command.
const CONNECTIONS: u32 = 2;

/// Longest wait for a connection to a replica. Longer than a look of its watcher takes: who gets none by then has met
/// a replica that is full, not one that is gone.
const REPLICA_WAIT: Duration = Duration::from_secs(2);

/// An opened database.
#[derive(Debug)]
pub struct Database {
    owner: PgConnectOptions,
    app: PgConnectOptions,
    started: Option<Embedded>,
}

impl Database {
    /// Opens the database, starting the embedded one when no ledger runs it.
    ///
    /// # Errors
    /// When the URL cannot be read or the embedded server does not start.
    pub async fn open(config: &Config) -> Result<Self, Failure> {
        if let Some(running) = Self::running(config)? {
            return Ok(running);
        }
        Self::start(config).await
    }

    /// Opens the database for a process that serves: an embedded one is this process's alone.
    ///
    /// # Errors
    /// As [`Self::open`]; another ledger that runs on the data directory.
    pub async fn open_alone(config: &Config) -> Result<Self, Failure> {
        match Self::configured(config)? {
            Some(configured) => Ok(configured),
            None => Self::start(config).await,
        }
    }

    async fn start(config: &Config) -> Result<Self, Failure> {
        let progress = Progress::start("starting the private database", None);
        let embedded = Embedded::start(&config.embedded_options(), |stage| {
            progress.label(stage.to_string());
        })
        .await?;
        Ok(Self {
            owner: embedded.owner_options(),
            app: embedded.app_options(),
            started: Some(embedded),
        })
    }

    /// The database without starting anything: `None` when it is embedded and no ledger runs.
    ///
    /// # Errors
    /// When a URL cannot be read.
    pub fn running(config: &Config) -> Result<Option<Self>, Failure> {
        if let Some(configured) = Self::configured(config)? {
            return Ok(Some(configured));
        }
        // Without a ledger the server may be one that a killed ledger left behind: `open` takes
        // that over and stops it properly.
        if DataDirLock::holder(&config.data_dir).is_none() {
            return Ok(None);
        }
        Ok(Endpoint::of_running(&config.data_dir).map(|endpoint| Self {
            owner: endpoint.owner_options(),
            app: endpoint.app_options(),
            started: None,
        }))
    }

    fn configured(config: &Config) -> Result<Option<Self>, Failure> {
        let Some(url) = &config.database_url else {
            return Ok(None);
        };
        Ok(Some(Self {
            owner: parse(
                config.migrate_url().unwrap_or(url).expose_secret(),
                "database_url or migrate_database_url",
            )?,
            app: parse(url.expose_secret(), "database_url")?,
            started: None,
        }))
    }

    /// The server, when this process runs it.
    pub const fn started(&self) -> Option<&Embedded> {
        self.started.as_ref()
    }

    /// Brings the schema up to date where we act as the owner; else demands that it is.
    ///
    /// # Errors
    /// A migration fails, or one is missing and is not ours to apply.
    pub async fn bring_up_to_date(&self, config: &Config) -> Result<(), Failure> {
        let pool = self.owner_pool().await?;
        if config.is_embedded() || config.migrate_database_url.is_some() {
            let _progress = Progress::start("updating the database's schema", None);
            migrate::up(&pool).await.map_err(failure)?;
        } else {
            let pending = migrate::pending(&pool).await.map_err(failure)?;
            if !pending.is_empty() {
                let lacks = format!("the database lacks migrations: {}", pending.join(", "));
                return Err(Failure::new(Exit::Database, lacks).hint(
                    "run `ledger migrate` with migrate_database_url set to the owner's URL",
                ));
            }
        }
        pool.close().await;
        Ok(())
    }

    /// The log with a writer of this process.
    ///
    /// # Errors
    /// The database does not answer or is not migrated.
    pub async fn log(&self, config: &Config) -> Result<Log, Failure> {
        let options = PoolConfig {
            max_connections: config.database_pool_max,
            ..PoolConfig::default()
        };
        let pool = pool_with(self.app.clone(), &options)
            .await
            .map_err(failure)?;
        Log::open(pool, LogId::DEFAULT, AppendOptions::default())
            .await
            .map_err(failure)
    }

    /// The pools that answer queries, beside the one of [`Self::log`]. Makes no connection.
    pub fn reading_pools(&self, config: &Config) -> ReadingPools {
        let options = PoolConfig {
            max_connections: config.database_pool_max,
            application_name: "ledger-reads".to_owned(),
            ..PoolConfig::default()
        };
        ReadingPools::new(self.app.clone(), &options)
    }

    /// That queries can be answered.
    ///
    /// # Errors
    /// The database does not let us read as the roles that it holds to a caller's stores.
    pub async fn check_readers(pools: &ReadingPools) -> Result<(), Failure> {
        pools.check().await.map_err(|error| {
            Failure::new(
                Exit::Database,
                format!("queries cannot be read as {READER} and {OVERSEER}: {error}"),
            )
            .hint("run `ledger migrate`; the role of database_url must be ledger_app or a member of it")
        })
    }

    /// The pools of each replica. None of them needs to be up.
    ///
    /// # Errors
    /// A URL cannot be read.
    pub fn replica_pools(config: &Config) -> Result<Vec<ReadingPools>, Failure> {
        let options = PoolConfig {
            max_connections: config.replica_pool_max,
            acquire_timeout: REPLICA_WAIT,
            application_name: "ledger-reads".to_owned(),
            ..PoolConfig::default()
        };
        let pools = |url: &str| Ok(ReadingPools::new(parse(url, "replica_urls")?, &options));
        config.replicas().map(pools).collect()
    }

    /// What seals and opens personal data.
    ///
    /// # Errors
    /// The master key is missing, damaged or not the one that the stored data is sealed with.
    pub async fn vault(&self, config: &Config, log: &Log) -> Result<Vault, Failure> {
        let key = master_key(config)?;
        let vault = Vault::new(log.clone(), key.expose_secret())
            .map_err(|error| Failure::new(Exit::Config, error))?;
        match vault.check().await {
            Ok(()) => Ok(vault),
            Err(VaultError::Unreadable { .. }) => Err(Failure::new(
                Exit::Config,
                "the master key is not the one that this ledger's personal data is sealed with",
            )
            .hint(
                "restore it from a backup: secrets/master.key in the data directory, or the setting master_key",
            )),
            Err(error) => Err(Failure::new(Exit::Database, error)),
        }
    }

    /// A pool as the owner's role, without statement timeout: for migrations.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn owner_pool(&self) -> Result<PgPool, Failure> {
        pool(&self.owner, CONNECTIONS).await
    }

    /// The same with as many connections as it takes.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn owner_pool_of(&self, connections: u32) -> Result<PgPool, Failure> {
        pool(&self.owner, connections).await
    }

    /// A pool as the working role, without statement timeout.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn app_pool(&self) -> Result<PgPool, Failure> {
        pool(&self.app, CONNECTIONS).await
    }

    /// Stops what was started.
    ///
    /// # Errors
    /// When the embedded server does not stop.
    pub async fn close(self) -> Result<(), Failure> {
        match self.started {
            Some(embedded) => Ok(embedded.stop().await?),
            None => Ok(()),
        }
    }
}

/// The key that every other key of the ledger hangs on: the setting's, else the data directory's.
///
/// # Errors
/// There is none, or it is none.
pub fn master_key(config: &Config) -> Result<SecretBox<[u8; MASTER_KEY_BYTES]>, Failure> {
    Ok(match config.master_key_bytes()? {
        Some(key) => key,
        None => SecretBox::new(Box::new(*Secrets::of(&config.data_dir)?.master_key())),
    })
}

/// The command bus over a log.
pub fn bus(config: &Config, log: &Log, vault: &Vault) -> CommandBus {
    let options = BusOptions {
        deadline: config.command_deadline(),
        hot_orders: config.hot_orders,
        snapshot_every: i64::from(config.snapshot_every),
    };
    CommandBus::new(log.clone(), vault.clone(), Arc::new(SystemClock), options)
}

async fn pool(options: &PgConnectOptions, connections: u32) -> Result<PgPool, Failure> {
    let config = PoolConfig {
        max_connections: connections,
        statement_timeout: None,
        ..PoolConfig::default()
    };
    pool_with(options.clone(), &config).await.map_err(failure)
}

/// What the store could not do.
pub fn failure(error: store::StoreError) -> Failure {
    Failure::new(Exit::Database, error)
}

fn parse(url: &str, key: &str) -> Result<PgConnectOptions, Failure> {
    url.parse().map_err(|_| {
        // The parser's words may hold the password.
        Failure::new(Exit::Config, format!("{key} is not a PostgreSQL URL"))
            .hint("postgres://ROLE:PASSWORD@HOST/DATABASE is expected")
    })
}
