//! A database that the release before has filled: its rows are thrown away and made anew, and a process of that
//! release writes no more of them.

use store::{
    LogId, Position, StoreError,
    checkpoint::{
        self,
        lease::{Held, Lease},
    },
};

use super::{support::TestDb, trade::traded};

const MIGRATION: &str = include_str!("../../../../migrations/0006_read_models.sql");
const OF_HISTORIES: &str = include_str!("../../../../migrations/0018_history_from_log.sql");
const OF_REPORTS: &str = include_str!("../../../../migrations/0009_reports_with_content.sql");

/// The part of the migration that has to do with what was there before: its end is the first table of its own.
fn of_old_rows() -> &'static str {
    let alters = MIGRATION.find("alter table order_view").unwrap();
    &MIGRATION[..alters]
}

/// As the release before left it: rows of its shape, its keys at the end of the log.
async fn old_rows(db: &TestDb) {
    for sql in [
        "update projection_checkpoint set name = split_part(name, '.', 1), updated_at = clock_timestamp(), \
         owner_epoch = 7 where name in ('order_view.4', 'store_board.2')",
        "update order_view set doc = '{\"number\":\"QC-2026-01-01-000001\",\"lines\":[]}'",
        "update store_board_order set lines = '[]', status = 1000",
    ] {
        sqlx::query(sql).execute(&db.admin).await.unwrap();
    }
}

async fn migrate(db: &TestDb) {
    run(db, of_old_rows()).await;
}

async fn run(db: &TestDb, migration: &str) {
    sqlx::raw_sql(&format!("begin; {migration} commit"))
        .execute(&db.admin)
        .await
        .unwrap();
}

async fn filled(seed: u64) -> TestDb {
    let (db, runner, _) = traded(seed, 300).await;
    runner.stop().await;
    db
}

#[tokio::test]
async fn rows_of_the_former_shape_are_made_anew() {
    let db = filled(50).await;
    let live = db.dump().await;
    old_rows(&db).await;
    migrate(&db).await;
    let empty: i64 = sqlx::query_scalar(
        "select (select count(*) from order_view) + (select count(*) from store_board_order)",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(empty, 0);
    let runner = db.run();
    db.caught_up().await;
    assert_eq!(db.dump().await, live);
    db.assert_clean().await;
    runner.stop().await;
}

#[tokio::test]
async fn reports_without_content_are_made_anew() {
    let db = filled(52).await;
    let live = db.dump().await;
    for sql in [
        "update projection_checkpoint set name = 'order_view.2' where name = 'order_view.4'",
        "update projection_checkpoint set name = 'remittances' where name = 'remittances.2'",
        "update order_view set doc = '{\"shortReports\":[\"R-1\"]}'",
        "update remittance_view set doc = doc - 'reports'",
    ] {
        sqlx::query(sql).execute(&db.admin).await.unwrap();
    }
    run(&db, OF_REPORTS).await;
    let empty: i64 = sqlx::query_scalar(
        "select (select count(*) from order_view) + (select count(*) from remittance_view)",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!(empty, 0);
    let lease = Lease::new(db.pool.clone(), LogId::DEFAULT, "order_view.2");
    assert_eq!(lease.take().await.unwrap(), None);
    let runner = db.run();
    db.caught_up().await;
    assert_eq!(db.dump().await, live);
    db.assert_clean().await;
    runner.stop().await;
}

/// The rows that stay need not be made anew: the new key begins where the old one stood.
#[tokio::test]
async fn histories_leave_their_table_and_the_order_view_goes_on() {
    let (db, runner, mut trade) = traded(53, 300).await;
    runner.stop().await;
    let live = db.dump().await;
    let name = "update projection_checkpoint set name = 'order_view.3' where name = 'order_view.4'";
    sqlx::query(name).execute(&db.admin).await.unwrap();
    // Without the views, which are there.
    let (begin, end) = (
        OF_HISTORIES.find("-- Where the orders that a reader sees"),
        OF_HISTORIES.find("-- For processes of the release before"),
    );
    let (before, after) = (
        &OF_HISTORIES[..begin.unwrap()],
        &OF_HISTORIES[end.unwrap()..],
    );
    run(&db, &format!("{before} {after}")).await;
    let head = db.log.head().await.unwrap().position;
    let stands = |name| checkpoint::load(&db.pool, LogId::DEFAULT, name);
    assert_eq!(stands("order_view.4").await.unwrap(), head);
    assert_eq!(stands("order_view.3").await.unwrap(), head);
    let lease = Lease::new(db.pool.clone(), LogId::DEFAULT, "order_view.3");
    assert_eq!(lease.take().await.unwrap(), None);
    assert_eq!(db.dump().await, live);
    let runner = db.run();
    trade.run(&db.log, 10, 50).await;
    db.caught_up().await;
    db.assert_clean().await;
    runner.stop().await;
}

#[tokio::test]
async fn a_process_of_the_release_before_writes_no_more_rows() {
    let db = filled(51).await;
    old_rows(&db).await;
    let lease = Lease::new(db.pool.clone(), LogId::DEFAULT, "order_view");
    let before = checkpoint::load(&db.pool, LogId::DEFAULT, "order_view")
        .await
        .unwrap();
    let held = Held {
        epoch: 7,
        position: before,
    };
    assert!(lease.touch(held).await.unwrap(), "it owns the checkpoint");
    migrate(&db).await;
    // It holds its key no more, cannot take it again, and says that it has seen nothing.
    assert!(!lease.touch(held).await.unwrap());
    assert!(matches!(
        lease.begin(held).await,
        Err(StoreError::Fenced { .. })
    ));
    assert_eq!(lease.take().await.unwrap(), None);
    let after = checkpoint::load(&db.pool, LogId::DEFAULT, "order_view")
        .await
        .unwrap();
    assert_eq!(after, Position::START);
    // Nor could it write a row if it held a key.
    for sql in [
        "insert into order_view (order_id, number, store_id, region, channel, status, min_line_status, max_line_status, \
         payment_status, order_total, cash_due, placed_at, updated_at, version, position, doc) values \
         (gen_random_uuid(), 'QC-2026-01-01-000001', 'CFR001', 'R1', 'WEB', 1000, 1000, 1000, 0, 1, 1, now(), now(), 1, 1, '{}')",
        "insert into store_board_order (order_id, store_id, region, status) values (gen_random_uuid(), 'CFR001', 'R1', 1000)",
    ] {
        let error = sqlx::query(sql).execute(&db.pool).await.unwrap_err();
        assert_eq!(
            error.as_database_error().unwrap().code().as_deref(),
            Some("23502")
        );
    }
}
