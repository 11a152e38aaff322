//! Who reads while tables are exchanged, and what a rebuild says of models that it could not compare or finish.

use std::time::Duration;

use chrono::Utc;
use domain::{actor::StoreScope, calendar::business_day};
use projections::{
    Model, check,
    metrics::{MetricsFilter, Span, bundle_sales},
    rebuild::{self, Limits, Mode, RebuildError},
};
use sqlx::{PgPool, Postgres, Transaction};
use store::LogId;

use super::{
    support::{PATIENCE, TestDb, append_raw, checkpoint, fresh_db, new_event},
    trade::Trade,
};

/// A database with some orders, and nobody who applies more.
async fn traded(seed: u64) -> (TestDb, Trade) {
    let db = fresh_db().await;
    let mut trade = Trade::new(seed);
    let runner = db.run();
    trade.run(&db.log, 30, 500).await;
    db.caught_up().await;
    runner.stop().await;
    (db, trade)
}

/// An exchange that is not committed yet: another table with the same rows has the table's name.
async fn exchanging(owner: &PgPool, table: &str) -> Transaction<'static, Postgres> {
    let mut tx = owner.begin().await.unwrap();
    for sql in [
        "create schema before".to_owned(),
        format!("alter table public.{table} set schema before"),
        format!("create table public.{table} (like before.{table} including all)"),
        format!("insert into public.{table} select * from before.{table}"),
        format!("grant select on public.{table} to ledger_app, ledger_overseer"),
    ] {
        sqlx::raw_sql(&sql).execute(&mut *tx).await.unwrap();
    }
    tx
}

/// Lets the exchange end when somebody waits for it.
async fn end_when_awaited(db: &TestDb, exchange: Transaction<'static, Postgres>) {
    let waiting = "select count(*) from pg_stat_activity \
                   where datname = current_database() and wait_event_type = 'Lock'";
    let waiting = async {
        while sqlx::query_scalar::<_, i64>(waiting)
            .fetch_one(&db.admin)
            .await
            .unwrap()
            == 0
        {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting)
        .await
        .expect("nobody waits for the exchange");
    exchange.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_meets_an_exchange_finds_the_new_rows() {
    let (db, _) = traded(70).await;
    let owner = db.owner().await;
    let exchange = exchanging(&owner, "store_board").await;
    let checking = check::check(&db.pool, LogId::DEFAULT);
    let (report, ()) = tokio::join!(checking, end_when_awaited(&db, exchange));
    let report = report.unwrap();
    assert!(report.is_clean() && report.orders > 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_that_meet_an_exchange_have_the_new_rows() {
    let (db, _) = traded(71).await;
    let today = business_day(Utc::now());
    let span = Span::Days {
        from: today - chrono::Duration::days(1),
        to: today,
    };
    let filter = MetricsFilter::within(StoreScope::All, span);
    let before = bundle_sales::performance(&db.db, &filter, None)
        .await
        .unwrap();
    assert!(!before.bundles.is_empty());
    let owner = db.owner().await;
    let exchange = exchanging(&owner, "metrics_bundle").await;
    let reading = bundle_sales::performance(&db.db, &filter, None);
    let (read, ()) = tokio::join!(reading, end_when_awaited(&db, exchange));
    assert_eq!(read.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_behind_the_log_is_not_called_equal() {
    let (db, mut trade) = traded(72).await;
    trade.run(&db.log, 5, 100).await;
    let head = db.log.head().await.unwrap().position;
    assert!(checkpoint(&db, Model::StoreBoard).await < head);
    let owner = db.owner().await;
    let models = [Model::StoreBoard];
    let compared = rebuild::rebuild(&owner, LogId::DEFAULT, &models, Mode::CompareOnly, |_| {});
    let compared = compared.await.unwrap().remove(0);
    assert_eq!(
        (compared.compared_at, compared.differences.len()),
        (None, 0),
        "{compared:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_fails_says_what_it_has_exchanged() {
    let (db, _) = traded(73).await;
    // The second model's place for the tables of before is somebody else's.
    sqlx::raw_sql("create schema retired_bundles")
        .execute(&db.admin)
        .await
        .unwrap();
    let owner = db.owner().await;
    let models = [Model::StoreBoard, Model::Bundles, Model::Stores];
    let failed = rebuild::rebuild(&owner, LogId::DEFAULT, &models, Mode::Exchange, |_| {});
    let failed = failed.await.unwrap_err();
    assert!(
        matches!(failed.error, RebuildError::Database(_)),
        "{failed:?}"
    );
    let done: Vec<_> = failed
        .done
        .iter()
        .map(|d| (d.model, d.exchanged_at.is_some()))
        .collect();
    assert_eq!(done, [("store_board", true), ("stores", true)]);
    // Nothing of it is in the way of the next one.
    sqlx::raw_sql("drop schema retired_bundles")
        .execute(&db.admin)
        .await
        .unwrap();
    let again = rebuild::rebuild(&owner, LogId::DEFAULT, &models, Mode::Exchange, |_| {});
    assert_eq!(again.await.unwrap().len(), 3);
    db.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_breaks_off_in_the_log_makes_no_indexes_and_exchanges_nothing() {
    let (db, mut trade) = traded(74).await;
    let life = trade.orders.remove(0);
    let unknown = new_event("order.teleported", r#"{"type":"order.teleported"}"#.into());
    let unknown = append_raw("order", life.id, life.version, unknown);
    let at = db.log.append(unknown).await.unwrap().first_position;
    trade.run(&db.log, 80, 1_200).await;
    let head = db.log.head().await.unwrap().position;
    assert!(
        head.0 - at.0 > 700,
        "the end of the log is read by each model by itself"
    );
    let owner = db.owner().await;
    let limits = Limits {
        page_events: 20,
        ..Limits::default()
    };
    let all = &Model::ALL;
    let failed =
        rebuild::rebuild_within(&owner, LogId::DEFAULT, all, Mode::Exchange, limits, |_| {});
    let failed = failed.await.unwrap_err();
    let RebuildError::Apply { reason, .. } = &failed.error else {
        panic!("{failed:?}");
    };
    assert!(reason.contains(&format!("position {at}")), "{reason}");
    assert_eq!(
        failed.done,
        [],
        "models that read no orders are broken off as well"
    );
    let count = async |sql: &str| {
        let count = sqlx::query_scalar::<_, i64>(sql).fetch_one(&db.admin);
        count.await.unwrap()
    };
    assert_eq!(count("select count(*) from projection_retired").await, 0);
    let new = "select count(*) from pg_class as c join pg_namespace as n on n.oid = c.relnamespace \
               where n.nspname in ('rebuild_order_view', 'rebuild_stores') and c.relkind = ";
    assert!(
        count(&format!("{new} 'r'")).await > 0,
        "there were new tables"
    );
    let indexes = format!(
        "{new} 'i' and not exists (select from pg_constraint as k where k.conindid = c.oid)"
    );
    assert_eq!(count(&indexes).await, 0);
}
