//! Exactly once, one of several, loud when stopped.

use std::time::Duration;

use domain::{
    actor::StoreScope,
    ids::{OrderId, OrderNumber},
    order::{OrderStatus, event::System},
};
use projections::{
    Freshness, Model, Reached, ReadError,
    freshness::{ModelStatus, status},
    order_view::{self, HistoryPage, HistoryWindow},
    rebuild, store_board,
};
use store::{LogId, Position};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    support::{PATIENCE, TestDb, append_raw, checkpoint, fresh_db, new_event},
    trade::{Trade, traded},
};

#[tokio::test]
async fn the_models_equal_a_fold_of_the_log() {
    let db = fresh_db().await;
    let mut trade = Trade::new(1);
    let runner = db.run();
    trade.run(&db.log, 80, 300).await;
    db.caught_up().await;
    db.assert_clean().await;
    let counted: i64 = store_board::board(&db.db, &StoreScope::All, None)
        .await
        .unwrap()
        .iter()
        .map(|c| c.count)
        .sum();
    assert_eq!(counted, 80);
    for life in &trade.orders {
        let row = order_view::by_id(&db.db, life.id).await.unwrap().unwrap();
        assert_eq!(
            (row.version, row.order.status),
            (life.version, life.status())
        );
        let by_number = order_view::by_number(&db.db, &row.order.number)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(by_number, row);
        for reference in &row.order.refs {
            let by_ref = order_view::by_ref(&db.db, reference.system, &reference.reference)
                .await
                .unwrap();
            assert_eq!(by_ref.as_ref(), Some(&row));
        }
        let history = history(&db, part(life.id, 100, 0)).await;
        assert!(!history.has_next);
        assert_eq!(history.entries.len() as i64, life.version);
        assert_eq!(history.entries[0].status_from, None);
        assert_eq!(history.entries.last().unwrap().status_to, life.status());
        assert!(
            history
                .entries
                .windows(2)
                .all(|w| w[1].status_from == Some(w[0].status_to))
        );
        assert_eq!(history.entries[0].actor.id, "somchai");
    }
    runner.stop().await;
}

async fn history(db: &TestDb, window: HistoryWindow) -> HistoryPage {
    let pages = order_view::histories(&db.db, LogId::DEFAULT, &[window]).await;
    pages.unwrap().remove(0).unwrap()
}

const fn part(order: OrderId, first: i64, after: i64) -> HistoryWindow {
    HistoryWindow {
        order,
        first,
        after,
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let db = fresh_db().await;
    let number = OrderNumber::new("QC-2026-01-01-000001").unwrap();
    assert_eq!(
        order_view::by_id(&db.db, OrderId(Uuid::nil()))
            .await
            .unwrap(),
        None
    );
    assert_eq!(order_view::by_number(&db.db, &number).await.unwrap(), None);
    assert_eq!(
        order_view::by_ref(&db.db, System::Grab, "GF\0")
            .await
            .unwrap(),
        None
    );
    assert!(
        history(&db, part(OrderId(Uuid::nil()), 10, 0))
            .await
            .entries
            .is_empty()
    );
}

/// The log goes on while the view stands still: the two never tell of different versions.
#[tokio::test]
async fn a_history_goes_as_far_as_the_view_and_no_further() {
    let (db, runner, mut trade) = traded(12, 600).await;
    runner.stop().await;
    let shown: Vec<i64> = trade.orders.iter().map(|life| life.version).collect();
    trade.run(&db.log, 5, 60).await;
    let mut went_on = 0;
    for (life, version) in trade.orders.iter().zip(shown.iter().copied()) {
        let all = history(&db, part(life.id, 100, 0)).await;
        assert_eq!(all.entries.len() as i64, version);
        assert!(!all.has_next);
        let end = history(&db, part(life.id, 1, version - 1)).await;
        assert_eq!(end.entries[..], all.entries[all.entries.len() - 1..]);
        assert!(!end.has_next);
        went_on += i64::from(life.version > version);
    }
    assert!(went_on > 0, "some orders went on in the log");
    let unseen = trade.orders.last().unwrap();
    let page = history(&db, part(unseen.id, 100, 0)).await;
    assert!(page.entries.is_empty());
    // Two parts of one order, the later one first, beside another order's.
    let long = trade
        .orders
        .iter()
        .zip(shown)
        .filter(|(_, shown)| *shown > 3);
    let long: Vec<OrderId> = long.map(|(life, _)| life.id).collect();
    let (one, other) = (long[0], long[1]);
    let windows = [part(one, 2, 1), part(other, 1, 0), part(one, 1, 0)];
    let parts = order_view::histories(&db.db, LogId::DEFAULT, &windows).await;
    let versions = |page: &HistoryPage| -> Vec<i64> {
        page.entries.iter().map(|entry| entry.version).collect()
    };
    let parts: Vec<HistoryPage> = parts.unwrap().into_iter().map(Result::unwrap).collect();
    assert_eq!(
        parts.iter().map(versions).collect::<Vec<_>>(),
        [vec![2, 3], vec![1], vec![1]]
    );
    assert!(parts.iter().all(|page| page.has_next));
}

#[tokio::test]
async fn a_history_of_too_many_events_is_refused_and_one_that_does_not_fold_is_a_fault() {
    let (db, runner, trade) = traded(13, 0).await;
    runner.stop().await;
    let most = order_view::MAX_HISTORY_EVENTS;
    // In a part of the log that nothing else comes to.
    let at = 1_000_000;
    let fill = [
        format!(
            "insert into order_view (order_id, number, store_id, region, channel, status, min_line_status, max_line_status, \
             payment_status, order_total, cash_due, collection_status, is_stuck, is_overdue, bundles, placed_at, \
             updated_at, version, position, doc) select '{id}', 'QC-1', 'CFR001', 'R1', 'GRAB', 1000, 1000, 1000, 1000, \
             0, 0, 'PENDING', false, false, 0, now(), now(), {most} + 5, {at} + {most} + 5, '{{}}'",
            id = Uuid::nil()
        ),
        format!(
            "insert into stream_head select 1, 'order', '{}', {most} + 5, {at}, {at} + {most} + 5",
            Uuid::nil()
        ),
        format!(
            "insert into events select 'order', '{}', n, 'order.placed', '1', '{{}}', '{{}}', 1, {at} + n, gen_random_uuid(), \
             gen_random_uuid(), now(), sha256(''), sha256(''), sha256('') from generate_series(1, {most} + 5) as n",
            Uuid::nil()
        ),
    ];
    for sql in fill {
        sqlx::query(&sql).execute(&db.admin).await.unwrap();
    }
    let read = async |orders: &[(OrderId, i64)]| {
        let windows: Vec<HistoryWindow> = orders
            .iter()
            .map(|(id, after)| part(*id, 1, *after))
            .collect();
        order_view::histories(&db.db, LogId::DEFAULT, &windows).await
    };
    let long = OrderId(Uuid::nil());
    for after in [most, i64::MAX] {
        let refused = read(&[(long, after)]).await;
        assert!(
            matches!(refused, Err(ReadError::TooMuch { max }) if max == most),
            "{refused:?}"
        );
    }
    // Content that is none of an order's: no fault of the others.
    let sound = trade.orders[0].id;
    for after in [0, most - 100] {
        let pages = read(&[(long, after), (sound, 0)]).await.unwrap();
        assert!(pages[0].is_err(), "{pages:?}");
        assert_eq!(pages[1].as_ref().unwrap().entries[0].version, 1);
    }
}

#[tokio::test]
async fn a_kill_between_apply_and_commit_applies_once() {
    let db = fresh_db().await;
    let mut trade = Trade::new(2);
    let runner = db.run();
    for _ in 0..3 {
        let mut block = db.pool.begin().await.unwrap();
        sqlx::query("lock table order_ref in access exclusive mode")
            .execute(&mut *block)
            .await
            .unwrap();
        let before = checkpoint(&db, Model::OrderView).await;
        trade.run(&db.log, 30, 20).await;
        db.kill_waiter("order_ref").await;
        assert_eq!(checkpoint(&db, Model::OrderView).await, before);
        block.rollback().await.unwrap();
        db.caught_up().await;
        db.assert_clean().await;
    }
    runner.stop().await;
}

#[tokio::test]
async fn racing_runners_apply_once() {
    let db = fresh_db().await;
    let others = [db.another().await, db.another().await];
    let runners = [db.run(), others[0].run(), others[1].run()];
    let mut trade = Trade::new(3);
    for _ in 0..8 {
        trade.run(&db.log, 20, 30).await;
        // As if the owner had been frozen for longer than its lease.
        sqlx::query("update projection_checkpoint set updated_at = 'epoch'")
            .execute(&db.pool)
            .await
            .unwrap();
    }
    db.caught_up().await;
    db.assert_clean().await;
    for runner in runners {
        runner.stop().await;
    }
}

#[tokio::test]
async fn an_older_epoch_writes_nothing() {
    let db = fresh_db().await;
    let runner = db.run();
    let mut trade = Trade::new(4);
    trade.run(&db.log, 10, 10).await;
    db.caught_up().await;
    let before = checkpoint(&db, Model::OrderView).await;
    // Another process takes over and shows signs of life.
    let taken = "update projection_checkpoint \
                 set owner_epoch = owner_epoch + 1, updated_at = clock_timestamp() + interval '1 second'";
    sqlx::query(taken).execute(&db.pool).await.unwrap();
    trade.run(&db.log, 10, 10).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(checkpoint(&db, Model::OrderView).await, before);
    // It dies: after its lease this process goes on.
    db.caught_up().await;
    db.assert_clean().await;
    runner.stop().await;
}

#[tokio::test]
async fn a_stopped_runner_hands_over() {
    let db = fresh_db().await;
    let other = db.another().await;
    let mut trade = Trade::new(5);
    let first = db.run();
    trade.run(&db.log, 10, 10).await;
    db.caught_up().await;
    let second = other.run();
    first.stop().await;
    trade.run(&db.log, 10, 10).await;
    db.caught_up().await;
    db.assert_clean().await;
    second.stop().await;
    // Let go of, not waited for: the next owner need not sit out the lease.
    let held: i64 =
        sqlx::query_scalar("select count(*) from projection_checkpoint where updated_at > 'epoch'")
            .fetch_one(&db.pool)
            .await
            .unwrap();
    assert_eq!(held, 0);
}

#[tokio::test]
async fn a_rebuild_from_zero_equals_the_live_model() {
    let db = fresh_db().await;
    let mut trade = Trade::new(6);
    let runner = db.run();
    trade.run(&db.log, 80, 300).await;
    db.caught_up().await;
    let live = db.dump().await;
    for model in Model::ALL {
        rebuild::reset(&db.pool, LogId::DEFAULT, model)
            .await
            .unwrap();
    }
    db.caught_up().await;
    assert_eq!(db.dump().await, live);
    db.assert_clean().await;
    runner.stop().await;
}

#[tokio::test]
async fn an_event_nobody_knows_stops_the_models_that_read_its_kind() {
    let db = fresh_db().await;
    let mut trade = Trade::new(7);
    trade.run(&db.log, 20, 30).await;
    let life = trade.orders[0].clone();
    let poison = append_raw(
        "order",
        life.id,
        life.version,
        new_event("order.teleported", r#"{"type":"order.teleported"}"#.into()),
    );
    let at = db.log.append(poison).await.unwrap().first_position;
    trade.orders.remove(0);
    trade.run(&db.log, 20, 30).await;
    let runner = db.run();
    let readers = [
        Model::OrderView,
        Model::StoreBoard,
        Model::CashLedger,
        Model::Metrics,
    ];
    let stopped = stopped(&db, &readers).await;
    for model in stopped {
        let failure = model.failed.clone().unwrap();
        assert_eq!(failure.position, at);
        assert!(
            failure.reason.contains("order.teleported"),
            "{}",
            failure.reason
        );
        assert_eq!(model.position, Position(at.0 - 1));
        assert!(model.lag_events() > 0);
    }
    // The others step over orders, and go on.
    let head = db.log.head().await.unwrap().position;
    let live = runner.freshness(db.db.clone());
    for model in Model::ALL.into_iter().filter(|m| !readers.contains(m)) {
        let reached = live.wait(model, head, PATIENCE).await.unwrap();
        assert_eq!(reached, Reached::Fresh, "{model}");
    }
    runner.stop().await;
}

/// Waits until these models stand still, and no other does.
async fn stopped(db: &TestDb, models: &[Model]) -> Vec<ModelStatus> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = status(&db.db, LogId::DEFAULT).await.unwrap();
        let (failed, rest): (Vec<_>, Vec<_>) = status.into_iter().partition(|s| s.failed.is_some());
        if failed.len() == models.len() {
            assert!(
                failed.iter().all(|s| models.contains(&s.model)),
                "{failed:?}"
            );
            return failed;
        }
        assert!(Instant::now() < deadline, "{failed:?} {rest:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_kind_of_aggregate_nobody_knows_stops_every_model() {
    let db = fresh_db().await;
    let event = new_event("parcel.sent", r#"{"type":"parcel.sent"}"#.into());
    let at = db
        .log
        .append(append_raw("parcel", "P-1", 0, event))
        .await
        .unwrap();
    let runner = db.run();
    for model in stopped(&db, &Model::ALL).await {
        let failure = model.failed.unwrap();
        assert_eq!(failure.position, at.first_position);
        assert!(failure.reason.contains("parcel"), "{}", failure.reason);
    }
    runner.stop().await;
}

#[tokio::test]
async fn a_mended_failure_goes_on_where_it_stopped() {
    let db = fresh_db().await;
    // A row that the log knows nothing of stands in the way of order 5's reference or a later one.
    sqlx::query(
        "insert into order_ref (system, reference, order_id) select 'GRAB', 'GF-' || n, gen_random_uuid() \
         from generate_series(5, 50) as n",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    let mut trade = Trade::new(8);
    let runner = db.run();
    trade.run(&db.log, 50, 50).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = status(&db.db, LogId::DEFAULT).await.unwrap();
        let view = status.iter().find(|s| s.model == Model::OrderView).unwrap();
        if let Some(failure) = &view.failed {
            assert!(
                failure.reason.contains("order_ref_pk"),
                "{}",
                failure.reason
            );
            assert_eq!(failure.position.0, view.position.0 + 1);
            break;
        }
        assert!(Instant::now() < deadline, "{status:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    runner.stop().await;
    sqlx::query("delete from order_ref where order_id not in (select order_id from order_view)")
        .execute(&db.pool)
        .await
        .unwrap();
    let runner = db.run();
    db.caught_up().await;
    db.assert_clean().await;
    assert!(
        status(&db.db, LogId::DEFAULT)
            .await
            .unwrap()
            .iter()
            .all(|s| s.failed.is_none())
    );
    runner.stop().await;
}

#[tokio::test]
async fn a_read_waits_for_the_position_it_must_show() {
    let db = fresh_db().await;
    let runner = db.run();
    let live = runner.freshness(db.db.clone());
    let polling = Freshness::polling(db.db.clone(), LogId::DEFAULT);
    let mut trade = Trade::new(9);
    trade.run(&db.log, 5, 5).await;
    for freshness in [&live, &polling] {
        trade.run(&db.log, 1, 20).await;
        let head = db.log.head().await.unwrap().position;
        for model in Model::ALL {
            let reached = freshness.wait(model, head, PATIENCE).await.unwrap();
            assert_eq!(reached, Reached::Fresh);
            assert!(checkpoint(&db, model).await >= head);
            let started = Instant::now();
            let ahead = Position(head.0 + 1);
            let reached = freshness
                .wait(model, ahead, Duration::from_millis(100))
                .await
                .unwrap();
            assert_eq!(reached, Reached::Stale { at: head });
            assert!(started.elapsed() >= Duration::from_millis(100));
        }
    }
    runner.stop().await;
    let head = db.log.head().await.unwrap().position;
    let reached = live
        .wait(Model::OrderView, head, Duration::from_millis(100))
        .await
        .unwrap();
    assert_eq!(
        reached,
        Reached::Fresh,
        "a stopped runner is looked up in the database"
    );
}

#[tokio::test]
async fn a_damaged_model_is_found() {
    let db = fresh_db().await;
    let mut trade = Trade::new(10);
    let runner = db.run();
    trade.run(&db.log, 30, 900).await;
    db.caught_up().await;
    runner.stop().await;
    db.assert_clean().await;
    let placed = OrderStatus::Open.code();
    for damage in [
        "update order_view set status = 9000 - status where order_id = (select min(order_id::text)::uuid from order_view)".to_owned(),
        "delete from order_view where order_id = (select min(order_id::text)::uuid from order_view)".to_owned(),
        "insert into order_ref values ('SLICK', 'S-1', gen_random_uuid())".to_owned(),
        format!("update store_board set orders = orders + 1 where status = {placed}"),
        "update cash_order set rider = rider + 1, since = coalesce(since, now())".to_owned(),
        "update cash_day set delivered = delivered + 1".to_owned(),
        "update cash_store set region = 'R9'".to_owned(),
        "update remittance_view set doc = jsonb_set(doc, '{isOpened}', 'false')".to_owned(),
        "delete from store_view".to_owned(),
        "update bundle_view set version = version + 1".to_owned(),
        "update metrics_order set life = jsonb_set(life::jsonb, '{version}', '99')::json".to_owned(),
        "update metrics_hour set placed = placed + 1".to_owned(),
        "delete from metrics_day".to_owned(),
        "update metrics_bundle set sold = sold + 1".to_owned(),
        "update metrics_component set revenue_units = revenue_units - 1".to_owned(),
        "update metrics_basket set single_units = single_units + 1".to_owned(),
        "update metrics_partner set partner_id = partner_id || 'X'".to_owned(),
        "update metrics_stage set bucket = bucket + 100".to_owned(),
        "update metrics_step set longest_micros = longest_micros + 1".to_owned(),
        "update dead_letter_view set doc = jsonb_set(doc, '{attempts}', '99')".to_owned(),
    ] {
        let before = projections::check::check(&db.pool, LogId::DEFAULT).await.unwrap().found;
        let changed = sqlx::query(&damage).execute(&db.pool).await.unwrap().rows_affected();
        assert!(changed > 0, "{damage}");
        let after = projections::check::check(&db.pool, LogId::DEFAULT).await.unwrap().found;
        assert!(after > before, "{damage}");
    }
}
