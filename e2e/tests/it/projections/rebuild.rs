//! Models made anew beside the tables in use.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::actor::StoreScope;
use projections::{
    Model,
    cash_ledger::{CashFilter, Grouping, balances},
    order_view::{self, OrderFilter, OrderSort, PageRequest},
    paging::Window,
    rebuild::{self, Limits, Mode, RebuildError, Rebuilt, Stage, TableDifference, Unfinished},
    store_board,
};
use sqlx::PgPool;
use store::LogId;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{
    support::{TestDb, checkpoint, fresh_db},
    trade::{MOVES, Trade, traded},
};

/// What tables are besides their rows: everything that a query, a writer or a migration could notice.
const SHAPE: &str = "
    select concat_ws(' ', 'table', c.relname, c.reloptions::text, c.relacl::text, c.relowner::regrole, c.relrowsecurity,
                     obj_description(c.oid)) as line
    from pg_class as c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
    union all
    select concat_ws(' ', 'column', a.attrelid::regclass, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
                     a.attnotnull, a.attstorage, a.attcompression, a.attstattarget, pg_get_expr(d.adbin, d.adrelid),
                     a.attacl::text)
    from pg_attribute as a join pg_class as c on c.oid = a.attrelid
    left join pg_attrdef as d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0
    union all
    select concat_ws(' ', 'index', indexname, indexdef) from pg_indexes where schemaname = 'public'
    union all
    select concat_ws(' ', 'constraint', conrelid::regclass, conname, convalidated, pg_get_constraintdef(oid))
    from pg_constraint where connamespace = 'public'::regnamespace
    union all
    select concat_ws(' ', 'trigger', tgname, tgenabled, pg_get_triggerdef(oid)) from pg_trigger
    where not tgisinternal and tgrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
    union all
    select concat_ws(' ', 'policy', polname, polrelid::regclass, polcmd, polroles::regrole[]::text,
                     pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) from pg_policy
    where polrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)
    order by 1";

async fn shape(db: &TestDb) -> Vec<String> {
    sqlx::query_scalar(SHAPE)
        .fetch_all(&db.admin)
        .await
        .unwrap()
}

async fn made_anew(db: &TestDb, models: &[Model], mode: Mode) -> Vec<Rebuilt> {
    rebuild::rebuild(&db.owner().await, LogId::DEFAULT, models, mode, |_| {})
        .await
        .unwrap()
}

async fn order_view_differences(db: &TestDb) -> Vec<TableDifference> {
    let compared = made_anew(db, &[Model::OrderView], Mode::CompareOnly).await;
    compared.into_iter().flat_map(|r| r.differences).collect()
}

async fn schemas(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "select nspname::text from pg_namespace where nspname ~ '^(rebuild|retired)_' order by 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

fn newest() -> PageRequest {
    PageRequest {
        filter: OrderFilter::within(StoreScope::All),
        sort: OrderSort::NewestFirst,
        window: Window::Forward {
            first: 25,
            after: None,
        },
    }
}

/// Dashboards that go on reading until told to stop; how often they read.
struct Readers {
    stop: Arc<AtomicBool>,
    reads: Arc<AtomicU64>,
    tasks: JoinSet<()>,
}

impl Readers {
    fn start(db: &TestDb) -> Self {
        let (stop, reads) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let mut tasks = JoinSet::new();
        for _ in 0..3 {
            let (db, stop, reads) = (db.db.clone(), stop.clone(), reads.clone());
            tasks.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let orders = order_view::page(&db, &newest()).await.unwrap();
                    assert!(
                        !orders.edges.is_empty(),
                        "an empty list while it is made anew"
                    );
                    let board = store_board::board(&db, &StoreScope::All, None)
                        .await
                        .unwrap();
                    assert!(!board.is_empty());
                    let filter = CashFilter::within(StoreScope::All);
                    let cash = balances(&db, &filter, Grouping::Store).await.unwrap();
                    assert!(cash.total.is_zero());
                    reads.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        Self { stop, reads, tasks }
    }

    async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await;
        self.reads.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_model_is_made_anew_under_load_and_no_query_fails() {
    let db = fresh_db().await;
    let mut trade = Trade::new(60);
    let runner = db.run();
    trade.run(&db.log, 80, 1_000).await;
    db.caught_up().await;
    // A column that a release to come has added, rights to columns alone, and a row that somebody has damaged.
    for sql in [
        "alter table store_board add column later text default 'x'",
        "create index store_board_later on store_board (later) where later is not null",
        "grant select (later), update (later, orders) on store_board to pg_monitor",
        "grant update (later) on store_board to ledger_reader",
        "insert into order_ref values ('SLICK', 'S-1', gen_random_uuid())",
    ] {
        sqlx::query(sql).execute(&db.owner().await).await.unwrap();
    }
    let before = shape(&db).await;
    let readers = Readers::start(&db);
    let owner = db.owner().await;
    let begun_at = db.log.head().await.unwrap().position;
    let mut stages = Vec::new();
    let rebuilding = rebuild::rebuild(
        &owner,
        LogId::DEFAULT,
        &Model::ALL,
        Mode::Exchange,
        |stage| {
            stages.push(stage);
        },
    );
    let (rebuilt, ()) = tokio::join!(rebuilding, trade.run(&db.log, 40, 400));
    let rebuilt = rebuilt.unwrap();
    db.caught_up().await;
    assert!(readers.stop().await > 0);

    db.assert_clean().await;
    let after = shape(&db).await;
    let other = |of: &[String], than: &[String]| -> Vec<String> {
        of.iter()
            .filter(|line| !than.contains(line))
            .cloned()
            .collect()
    };
    let (lost, new) = (other(&before, &after), other(&after, &before));
    assert!(
        lost.is_empty() && new.is_empty(),
        "lost {lost:#?}, new {new:#?}"
    );
    for (rebuilt, model) in rebuilt.iter().zip(Model::ALL) {
        assert_eq!(rebuilt.model, model.name());
        assert!(rebuilt.compared_at.is_some() && rebuilt.exchanged_at >= rebuilt.compared_at);
        let differing: Vec<_> = rebuilt
            .differences
            .iter()
            .map(|d| (d.table, d.keys.len()))
            .collect();
        let expected: &[_] = match model {
            Model::OrderView => &[("order_ref", 1)],
            _ => &[],
        };
        assert_eq!(differing, expected, "{rebuilt:?}");
        let at = |stage| stages.iter().position(|told| *told == stage);
        let (exchanged, analysed) = (Stage::Exchanging(model), Stage::Analysing(model));
        assert!(at(exchanged).is_some() && at(exchanged) < at(analysed));
    }
    assert_analysed_twice(&owner).await;
    assert!(
        stages.iter().any(
            |s| matches!(s, Stage::Filling(at, head) if at.0 + 500 > begun_at.0 && at <= head)
        )
    );
    runner.stop().await;
}

/// The planner was told a little of new tables before they came into use, and the rest afterwards.
async fn assert_analysed_twice(owner: &PgPool) {
    for table in ["order_view", "order_ref", "cash_posting", "metrics_day"] {
        let times: i64 =
            sqlx::query_scalar("select pg_stat_get_analyze_count(('public.' || $1)::regclass)")
                .bind(table)
                .fetch_one(owner)
                .await
                .unwrap();
        assert!(times >= 2, "{table}: {times}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_exchanged_comes_back_and_catches_up() {
    let db = fresh_db().await;
    let mut trade = Trade::new(61);
    let runner = db.run();
    trade.run(&db.log, 40, 400).await;
    db.caught_up().await;
    let owner = db.owner().await;
    let model = Model::CashLedger;
    assert!(matches!(
        rebuild::rollback(&owner, LogId::DEFAULT, model).await,
        Err(RebuildError::NothingKept(_))
    ));
    made_anew(&db, &[model], Mode::Exchange).await;
    let left_at = checkpoint(&db, model).await;
    trade.run(&db.log, 20, 300).await;
    db.caught_up().await;
    let live = db.dump().await;

    // Back, and back again: each time from where the tables were left.
    let back_at = rebuild::rollback(&owner, LogId::DEFAULT, model)
        .await
        .unwrap();
    assert!(back_at <= left_at);
    db.caught_up().await;
    assert_eq!(db.dump().await, live);
    rebuild::rollback(&owner, LogId::DEFAULT, model)
        .await
        .unwrap();
    db.caught_up().await;
    assert_eq!(db.dump().await, live);
    db.assert_clean().await;

    assert_eq!(schemas(&db.admin).await, ["retired_cash_ledger"]);
    rebuild::discard(&owner, LogId::DEFAULT, model)
        .await
        .unwrap();
    assert!(schemas(&db.admin).await.is_empty());
    assert!(matches!(
        rebuild::discard(&owner, LogId::DEFAULT, model).await,
        Err(RebuildError::NothingKept(_))
    ));
    runner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_changes_nothing_and_finds_what_is_wrong() {
    let db = fresh_db().await;
    let mut trade = Trade::new(62);
    let runner = db.run();
    trade.run(&db.log, 40, 600).await;
    db.caught_up().await;
    let all = made_anew(&db, &Model::ALL, Mode::CompareOnly).await;
    assert!(
        all.iter()
            .all(|r| r.differences.is_empty() && r.exchanged_at.is_none()),
        "{all:?}"
    );
    let head = db.log.head().await.unwrap().position;
    assert!(all.iter().all(|r| r.compared_at == Some(head)));
    sqlx::query("delete from order_view where version = 2")
        .execute(&db.admin)
        .await
        .unwrap();
    sqlx::query("insert into order_ref values ('SLICK', 'S-1', gen_random_uuid())")
        .execute(&db.admin)
        .await
        .unwrap();
    let live = db.dump().await;
    let found = order_view_differences(&db).await;
    let rows: Vec<_> = found
        .iter()
        .map(|d| (d.table, d.only_in_use, d.only_in_log > 0))
        .collect();
    assert_eq!(rows, [("order_view", 0, true), ("order_ref", 1, false)]);
    assert_eq!(found[1].keys, ["SLICK/S-1"]);
    assert_eq!(db.dump().await, live);
    assert!(schemas(&db.admin).await.is_empty());
    runner.stop().await;
}

/// Sums of the columns are the same as before: only which row they stand in is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_finds_values_that_stand_in_each_others_rows() {
    const PAIRS: i64 = 12;
    let db = fresh_db().await;
    let mut trade = Trade::new(66);
    let runner = db.run();
    trade.run(&db.log, 60, 600).await;
    db.caught_up().await;
    let pairs: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "select a.order_id, b.order_id from order_view as a join order_view as b on a.customer_id < b.customer_id
         order by 1, 2 limit $1",
    )
    .bind(PAIRS)
    .fetch_all(&db.admin)
    .await
    .unwrap();
    assert_eq!(i64::try_from(pairs.len()).unwrap(), PAIRS);
    // Each by itself: two in three might be missed by chance.
    for (one, other) in pairs {
        exchange_customers(&db, one, other).await;
        let found = order_view_differences(&db).await;
        let rows: Vec<_> = found
            .iter()
            .map(|d| (d.table, d.only_in_use, d.only_in_log))
            .collect();
        assert_eq!(rows, [("order_view", 2, 2)]);
        exchange_customers(&db, one, other).await;
    }
    runner.stop().await;
}

async fn exchange_customers(db: &TestDb, one: Uuid, other: Uuid) {
    let exchanged = sqlx::query(
        "update order_view as o set customer_id = p.customer_id from order_view as p
         where (o.order_id, p.order_id) in (($1, $2), ($2, $1))",
    )
    .bind(one)
    .bind(other)
    .execute(&db.admin)
    .await
    .unwrap();
    assert_eq!(exchanged.rows_affected(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_nobody_ran_or_that_stopped_gets_its_rows_and_its_position() {
    let db = fresh_db().await;
    let mut trade = Trade::new(63);
    trade.run(&db.log, 30, 300).await;
    // What a killed rebuild has left.
    sqlx::query("create schema rebuild_store_board create table store_board (x int)")
        .execute(&db.owner().await)
        .await
        .unwrap();
    let head = db.log.head().await.unwrap().position;
    let rebuilt = made_anew(&db, &Model::ALL, Mode::Exchange).await;
    for (model, rebuilt) in Model::ALL.into_iter().zip(rebuilt) {
        assert_eq!(rebuilt.exchanged_at, Some(head));
        assert_eq!(rebuilt.compared_at, None, "there was nothing to compare");
        assert_eq!(checkpoint(&db, model).await, head);
    }
    db.assert_clean().await;
    let runner = db.run();
    trade.run(&db.log, 10, 100).await;
    db.caught_up().await;
    db.assert_clean().await;
    runner.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rebuilds_and_long_readers_do_not_meet() {
    let db = fresh_db().await;
    let mut trade = Trade::new(65);
    let runner = db.run();
    trade.run(&db.log, 20, 100).await;
    db.caught_up().await;
    let owner = db.owner().await;
    // Somebody reads for a while: the exchange waits without holding others up.
    let mut reading = db.pool.begin().await.unwrap();
    sqlx::query("select count(*) from order_view")
        .execute(&mut *reading)
        .await
        .unwrap();
    let rebuilding = rebuild::rebuild(
        &owner,
        LogId::DEFAULT,
        &[Model::OrderView],
        Mode::Exchange,
        |_| {},
    );
    let others = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let again = rebuild::rebuild(
            &owner,
            LogId::DEFAULT,
            &[Model::OrderView],
            Mode::CompareOnly,
            |_| {},
        )
        .await;
        assert!(
            matches!(
                again,
                Err(Unfinished {
                    error: RebuildError::Busy(Model::OrderView),
                    ..
                })
            ),
            "{again:?}"
        );
        order_view::page(&db.db, &newest()).await.unwrap();
        trade.run(&db.log, 5, 50).await;
        reading.rollback().await.unwrap();
    };
    let (rebuilt, ()) = tokio::join!(rebuilding, others);
    assert_eq!(rebuilt.unwrap().len(), 1);
    db.caught_up().await;
    db.assert_clean().await;
    runner.stop().await;
}

/// Pages of a few events and hardly any order in memory: every life is cut, written, read again and written over.
#[tokio::test(flavor = "multi_thread")]
async fn lives_that_do_not_fit_into_memory_are_put_together_again() {
    let (db, runner, _) = traded(66, MOVES).await;
    let owner = db.owner().await;
    let live = db.dump().await;
    for (page_events, held_orders) in [(7, 1), (64, 10), (1, 0), (5_000, 40_000)] {
        let limits = Limits {
            page_events,
            held_orders,
        };
        let rebuilt = rebuild::rebuild_within(
            &owner,
            LogId::DEFAULT,
            &Model::ALL,
            Mode::Exchange,
            limits,
            |_| {},
        )
        .await
        .unwrap();
        for model in rebuilt {
            assert!(
                model.compared_at.is_some() && model.differences.is_empty(),
                "{limits:?}: {model:?}"
            );
        }
        db.caught_up().await;
        assert_eq!(db.dump().await, live, "{limits:?}");
        db.assert_clean().await;
    }
    runner.stop().await;
}
