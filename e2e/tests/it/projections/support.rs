//! A database of its own for each test, and events for its log.

use std::time::Duration;

use domain::{
    actor::StoreScope,
    entity::{Entity, Event},
    ids::{OrderId, StoreId},
    order::Order,
};
use e2e::{Database, fresh_database};
use projections::{Model, ReadDb, Runner, check};
use sqlx::PgPool;
use store::{Append, AppendOptions, Log, LogId, NewEvent, Position, StreamId, wake::Wake};
use uuid::Uuid;

/// Longest time a test waits for a read model.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The tables of every read model.
pub(crate) const TABLES: [&str; 23] = [
    "order_view",
    "order_ref",
    "store_board_order",
    "store_board",
    "cash_posting",
    "cash_balance",
    "cash_order",
    "cash_remittance",
    "cash_day",
    "cash_store",
    "remittance_view",
    "bundle_view",
    "store_view",
    "dead_letter_view",
    "metrics_order",
    "metrics_hour",
    "metrics_day",
    "metrics_bundle",
    "metrics_component",
    "metrics_basket",
    "metrics_partner",
    "metrics_stage",
    "metrics_step",
];

/// A migrated database of its own.
pub(crate) struct TestDb {
    database: Database,
    /// As the superuser, for what the service must not do.
    pub(crate) admin: PgPool,
    /// As the service.
    pub(crate) pool: PgPool,
    pub(crate) log: Log,
    /// As who sees the whole chain.
    pub(crate) db: ReadDb,
}

pub(crate) async fn fresh_db() -> TestDb {
    TestDb::open(fresh_database().await).await
}

impl TestDb {
    async fn open(database: Database) -> Self {
        let pool = database.pool().await;
        let log = Log::open(pool.clone(), LogId::DEFAULT, AppendOptions::default())
            .await
            .unwrap();
        Self {
            admin: database.superuser_pool().await,
            db: ReadDb::new(database.reading_pools()).within(&StoreScope::All),
            database,
            pool,
            log,
        }
    }

    /// As the tables' owner, which a rebuild is.
    pub(crate) async fn owner(&self) -> PgPool {
        self.database.owner_pool().await
    }

    /// The database's name.
    pub(crate) fn name(&self) -> String {
        self.database.name.clone()
    }

    /// Another process on the same database.
    pub(crate) async fn another(&self) -> Self {
        let name = self.database.name.clone();
        Self::open(Database { name }).await
    }

    pub(crate) fn run(&self) -> Runner {
        let wake = Wake::listen(
            self.pool.clone(),
            LogId::DEFAULT,
            Duration::from_millis(500),
        );
        Runner::spawn(&Model::ALL, self.log.clone(), wake)
    }

    /// Waits until every model has applied the whole log.
    pub(crate) async fn caught_up(&self) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let head = self.log.head().await.unwrap().position;
            let status = projections::freshness::status(&self.db, LogId::DEFAULT)
                .await
                .unwrap();
            if status.iter().all(|s| s.position == head) {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "behind: {status:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends the connection that waits for the lock held by the test on a table: the page's rows before
    /// it are written, its transaction is not committed.
    pub(crate) async fn kill_waiter(&self, table: &str) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let killed: Vec<bool> = sqlx::query_scalar(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() \
                 and wait_event_type = 'Lock' and query like '%' || $1 || '%'",
            )
            .bind(table)
            .fetch_all(&self.admin)
            .await
            .unwrap();
            if !killed.is_empty() {
                return;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "nobody waits for the lock"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The read models equal a fold of the log.
    pub(crate) async fn assert_clean(&self) {
        let report = check::check(&self.pool, LogId::DEFAULT).await.unwrap();
        assert!(report.is_clean(), "{report:?}");
    }

    /// Every row of every read model as text.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for table in TABLES {
            // Cells that have become empty stay until a rebuild.
            let zero = match table {
                "store_board" => "where orders > 0",
                "cash_balance" => "where balance <> 0",
                "cash_day" => "where delivered + failed + discrepancies > 0",
                "metrics_component" => "where (quantity_units, revenue_units) <> (0, 0)",
                "metrics_basket" => "where orders <> 0",
                "metrics_partner" => "where handed_over <> 0",
                "metrics_stage" => "where count <> 0",
                _ => "",
            };
            let sql = format!("select t::text from {table} as t {zero} order by 1");
            let rows: Vec<String> = sqlx::query_scalar(&sql)
                .fetch_all(&self.pool)
                .await
                .unwrap();
            lines.extend(rows);
        }
        lines
    }
}

pub(crate) fn store_id(n: u32) -> StoreId {
    StoreId::new(format!("CFR{n:03}")).unwrap()
}

/// Events of one aggregate as one command.
pub(crate) fn append<E: Entity>(id: &E::Id, expected_version: i64, events: &[E::Event]) -> Append {
    let events = events.iter().map(|event| {
        let mut record = new_event(event.event_type(), serde_json::to_string(event).unwrap());
        record.event_version = event.version().into();
        record
    });
    Append {
        command_id: Uuid::now_v7(),
        request_hash: [7; 32],
        stream: StreamId::new(E::TYPE, id.to_string()),
        expected_version,
        events: events.collect(),
        claims: Vec::new(),
        subject_key: None,
    }
}

pub(crate) fn new_event(event_type: &str, payload: String) -> NewEvent {
    NewEvent {
        event_id: Uuid::now_v7(),
        event_type: event_type.into(),
        event_version: "1".into(),
        payload,
        metadata: r#"{"actorId":"somchai","actorRole":"store-staff","storeId":"CFR001","stepMicros":{"validate":40,"allocate":900,"release":1500}}"#.into(),
    }
}

/// One event that no domain would write.
pub(crate) fn append_raw(
    aggregate_type: &'static str,
    id: impl ToString,
    expected_version: i64,
    event: NewEvent,
) -> Append {
    let mut append = append::<Order>(&OrderId(Uuid::nil()), expected_version, &[]);
    append.stream = StreamId::new(aggregate_type, id.to_string());
    append.events = vec![event];
    append
}

/// The checkpoint of a model.
pub(crate) async fn checkpoint(db: &TestDb, model: Model) -> Position {
    store::checkpoint::load(&db.pool, LogId::DEFAULT, model.checkpoint())
        .await
        .unwrap()
}
