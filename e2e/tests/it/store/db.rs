//! A database per test, and the commands the tests append.

use std::collections::BTreeSet;

pub(crate) use e2e::new_database;
use e2e::{Database, fresh_database};
pub(crate) use sqlx::postgres::PgConnectOptions;
pub(crate) use sqlx::{Executor, PgPool};
pub(crate) use store::connect::{PoolConfig, pool_with};
use store::verify::{Options, verify};
use store::{Append, AppendOptions, Claim, Log, LogId, NewEvent, Position, StreamId};
pub(crate) use uuid::Uuid;

pub(crate) const LOG: LogId = LogId::DEFAULT;

/// A database of one test's own, seen as the superuser.
pub(crate) struct Db {
    database: Database,
    pub(crate) options: PgConnectOptions,
    pub(crate) pool: PgPool,
}

/// A new, migrated database.
pub(crate) async fn fresh_db() -> Db {
    Db::of(fresh_database().await).await
}

/// A new database with nothing in it.
pub(crate) async fn empty_db() -> Db {
    Db::of(new_database().await).await
}

impl Db {
    async fn of(database: Database) -> Self {
        let options = database.superuser();
        let pool = pool_with(options.clone(), &PoolConfig::default())
            .await
            .unwrap();
        Self {
            database,
            options,
            pool,
        }
    }

    pub(crate) async fn log(&self) -> Log {
        self.log_with(AppendOptions::default()).await
    }

    /// A log with a pool of its own, as another process would have, in the role of the service.
    pub(crate) async fn log_with(&self, options: AppendOptions) -> Log {
        let config = PoolConfig {
            max_connections: 4,
            ..PoolConfig::default()
        };
        let pool = pool_with(self.database.app(), &config).await.unwrap();
        Log::open(pool, LOG, options).await.unwrap()
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.pool.execute(sql).await.unwrap();
    }

    pub(crate) async fn count(&self, sql: &str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    pub(crate) async fn assert_sound(&self, events: i64) {
        let report = verify(&self.pool, LOG, &small_pages(), |_, _| {})
            .await
            .unwrap();
        assert_eq!(report.findings, [], "{} more", report.more_findings);
        assert_eq!(report.head, Position(events));
        assert_eq!(report.events, events.unsigned_abs());
    }

    pub(crate) async fn findings(&self) -> BTreeSet<(String, i64)> {
        let report = verify(&self.pool, LOG, &small_pages(), |_, _| {})
            .await
            .unwrap();
        report
            .findings
            .iter()
            .map(|f| (format!("{:?}", f.kind), f.position.0))
            .collect()
    }
}

/// Small, so that the seams between pages are tested too.
pub(crate) fn small_pages() -> Options {
    Options {
        page: 7,
        max_findings: 50,
    }
}

pub(crate) fn event(n: i64) -> NewEvent {
    NewEvent {
        event_id: Uuid::now_v7(),
        event_type: "OrderPlaced".to_owned(),
        event_version: "1".to_owned(),
        payload: format!("{{\"type\": \"OrderPlaced\",  \"n\":{n}, \"name\":\"สมชาย 🛵\"}}"),
        metadata: "{\"actor\":\"test\"}".to_owned(),
    }
}

pub(crate) fn append(stream: &str, expected: i64, events: i64) -> Append {
    Append {
        command_id: Uuid::now_v7(),
        request_hash: [7; 32],
        stream: StreamId::new("order", stream),
        expected_version: expected,
        events: (1..=events).map(event).collect(),
        claims: Vec::new(),
        subject_key: None,
    }
}

pub(crate) fn claim(scope: &str, value: &str) -> Claim {
    Claim {
        scope: scope.to_owned(),
        value: value.to_owned(),
    }
}

pub(crate) fn new_stream() -> String {
    Uuid::now_v7().to_string()
}
