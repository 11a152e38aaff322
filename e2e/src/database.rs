//! A migrated database per test.

use std::sync::Arc;

use commands::{BusOptions, CommandBus, facts::SystemClock, personal::Vault};
use projections::ReadDb;
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use store::{
    AppendOptions, Log, LogId,
    connect::{PoolConfig, ReadingPools},
};
use uuid::Uuid;

use crate::{cluster::cluster, stores};

/// The migrated database that the others are copies of.
pub(crate) const TEMPLATE: &str = "ledger_template";
/// Connections of a test's pool: writer, listener, projections, readers.
const CONNECTIONS: u32 = 16;
/// Events in the log of a database [`Database::with_stores`].
pub const STORE_EVENTS: i64 = 4;
/// The master key of every test.
pub const MASTER_KEY: [u8; 32] = [42; 32];

/// One test's database.
pub struct Database {
    /// Its name.
    pub name: String,
}

/// A new database with nothing in it, not even our tables.
pub async fn new_database() -> Database {
    create("template0").await
}

/// A new, migrated, empty database.
pub async fn fresh_database() -> Database {
    create(TEMPLATE).await
}

async fn create(template: &str) -> Database {
    let name = format!("t_{}", Uuid::now_v7().simple());
    let mut admin = PgConnection::connect_with(&cluster().superuser("postgres"))
        .await
        .unwrap();
    // Copying takes a lock on the template; PostgreSQL answers "being accessed" instead of waiting.
    let create =
        format!("CREATE DATABASE {name} OWNER ledger_owner TEMPLATE {template} ENCODING 'UTF8'");
    for attempt in 0.. {
        match sqlx::query(&create).execute(&mut admin).await {
            Ok(_) => break,
            Err(error) if attempt < 100 && error.to_string().contains("being accessed") => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
    Database { name }
}

impl Database {
    /// Connects as the ledger's own role.
    pub fn app(&self) -> PgConnectOptions {
        cluster().app(&self.name)
    }

    /// Connects as the database's owner.
    pub fn owner(&self) -> PgConnectOptions {
        cluster().owner(&self.name)
    }

    /// Connects as the superuser.
    pub fn superuser(&self) -> PgConnectOptions {
        cluster().superuser(&self.name)
    }

    /// A pool in the ledger's own role.
    pub async fn pool(&self) -> PgPool {
        connect(self.app()).await
    }

    /// A pool as the database's owner.
    pub async fn owner_pool(&self) -> PgPool {
        connect(self.owner()).await
    }

    /// The pools that answer queries.
    pub fn reading_pools(&self) -> ReadingPools {
        let options = PoolConfig {
            max_connections: CONNECTIONS,
            ..PoolConfig::default()
        };
        ReadingPools::new(self.app(), &options)
    }

    /// A pool past the ledger's rights.
    pub async fn superuser_pool(&self) -> PgPool {
        connect(self.superuser()).await
    }

    /// The log, with a writer and a pool of its own, as another process would have.
    pub async fn log(&self) -> Log {
        Log::open(self.pool().await, LogId::DEFAULT, AppendOptions::default())
            .await
            .unwrap()
    }

    /// The read side, which shows nobody anything yet.
    pub async fn read_db(&self) -> ReadDb {
        ReadDb::new(self.reading_pools())
    }

    /// A command bus with a log of its own.
    pub async fn bus(&self) -> CommandBus {
        self.bus_with(BusOptions::default()).await
    }

    /// A command bus that behaves as told.
    pub async fn bus_with(&self, options: BusOptions) -> CommandBus {
        let log = self.log().await;
        let vault = Vault::new(log.clone(), &MASTER_KEY).unwrap();
        CommandBus::new(log, vault, Arc::new(SystemClock), options)
    }

    /// Two trading stores, `CFR001` and `CFR002`, and one that is closed, `CFR009`: the first [`STORE_EVENTS`]
    /// positions of the log.
    pub async fn with_stores(self) -> Self {
        let bus = self.bus().await;
        for id in ["CFR001", "CFR002", "CFR009"] {
            stores::open(&bus, id, stores::profile(&format!("Store {id}"))).await;
        }
        stores::close(&bus, "CFR009").await;
        let log = bus.log().clone();
        let pool = log.pool().clone();
        log.close().await;
        pool.close().await;
        self
    }
}

async fn connect(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .connect_with(options)
        .await
        .unwrap()
}
