//! A database per test, and the commands the tests append.

use std::collections::BTreeSet;

pub(crate) use sqlx::postgres::PgConnectOptions;
pub(crate) use sqlx::{Executor, PgPool};
pub(crate) use store::connect::{PoolConfig, pool_with};
use store::verify::{Options, verify};
use store::{Append, AppendOptions, Claim, Log, LogId, NewEvent, Position, StreamId};
pub(crate) use uuid::Uuid;

/// Where the tests find a server: the URL of a superuser.
pub(crate) const URL: &str = "LEDGER_TEST_DATABASE_URL";
pub(crate) const LOG: LogId = LogId::DEFAULT;

/// A database of one test's own.
pub(crate) struct Db {
    pub(crate) options: PgConnectOptions,
    pub(crate) pool: PgPool,
}

/// A new, migrated database; `None` without a server.
pub(crate) async fn fresh_db() -> Option<Db> {
    let db = empty_db().await?;
    store::migrate::up(&db.pool).await.unwrap();
    Some(db)
}

pub(crate) async fn empty_db() -> Option<Db> {
    let url = std::env::var(URL).ok()?;
    let options: PgConnectOptions = url.parse().unwrap();
    let name = format!("t_{}", Uuid::now_v7().simple());
    let admin = PgPool::connect_with(options.clone()).await.unwrap();
    admin
        .execute(&*format!(
            "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"
        ))
        .await
        .unwrap();
    admin.close().await;
    let options = options.database(&name);
    let pool = pool_with(options.clone(), &PoolConfig::default())
        .await
        .unwrap();
    Some(Db { options, pool })
}

impl Db {
    pub(crate) async fn log(&self) -> Log {
        self.log_with(AppendOptions::default()).await
    }

    /// A log with a pool of its own, as another process would have, in the role of the service.
    pub(crate) async fn log_with(&self, options: AppendOptions) -> Log {
        let config = PoolConfig {
            max_connections: 4,
            ..PoolConfig::default()
        };
        let pool = pool_with(
            self.options.clone().options([("role", "ledger_app")]),
            &config,
        )
        .await
        .unwrap();
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
