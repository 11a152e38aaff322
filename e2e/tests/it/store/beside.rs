//! Waking, checkpoints and the tables beside the log.

use std::time::{Duration, Instant};

use sqlx::Row;
use store::{Position, StoreError, StreamId};

use super::db::*;

#[tokio::test]
async fn readers_are_woken_and_survive_the_loss_of_the_listener() {
    let db = fresh_db().await;
    let log = db.log().await;
    let mut wake = store::wake::Wake::listen(db.pool.clone(), LOG, Duration::from_secs(20));
    let mut other = wake.clone();
    wake.changed().await; // the listener has started
    other.changed().await;
    log.append(append("a", 0, 1)).await.unwrap();
    let started = Instant::now();
    wake.changed().await;
    other.changed().await;
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(wake.newest(), Position(1));

    db.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND query LIKE 'LISTEN%'",
    )
    .await;
    log.append(append("b", 0, 1)).await.unwrap();
    wake.changed().await; // it listens again, and says so in case something was missed
    assert!(started.elapsed() < Duration::from_secs(10));
    log.append(append("c", 0, 1)).await.unwrap();
    wake.changed().await;
    assert_eq!(wake.newest(), Position(3));
}

#[tokio::test]
async fn an_earlier_owner_of_a_projection_is_fenced() {
    let db = fresh_db().await;
    use store::checkpoint;
    let mut connection = db.pool.acquire().await.unwrap();
    assert_eq!(
        checkpoint::load(&mut *connection, LOG, "view")
            .await
            .unwrap(),
        Position::START
    );
    let old = checkpoint::take_over(&mut *connection, LOG, "view")
        .await
        .unwrap();
    assert_eq!(
        checkpoint::lock(&mut connection, LOG, "view", old)
            .await
            .unwrap(),
        Position(0)
    );
    checkpoint::save(&mut connection, LOG, "view", Position(5))
        .await
        .unwrap();
    let new = checkpoint::take_over(&mut *connection, LOG, "view")
        .await
        .unwrap();
    assert!(matches!(
        checkpoint::lock(&mut connection, LOG, "view", old).await,
        Err(StoreError::Fenced {
            ours: 1,
            current: 2,
            ..
        })
    ));
    assert_eq!(
        checkpoint::lock(&mut connection, LOG, "view", new)
            .await
            .unwrap(),
        Position(5)
    );
    let mut all = checkpoint::all(&mut *connection, LOG).await.unwrap();
    all.retain(|checkpoint| checkpoint.name == "view");
    assert_eq!(
        (all.len(), all[0].position, all[0].owner_epoch),
        (1, Position(5), 2)
    );
}

#[tokio::test]
async fn the_tables_beside_the_log() {
    let db = fresh_db().await;
    let log = db.log().await;
    let pool = log.pool();
    let day = "2026-11-24".parse().unwrap();
    assert_eq!(
        store::numbers::draw_block(pool, LOG, day, 100)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store::numbers::draw_block(pool, LOG, day, 50)
            .await
            .unwrap(),
        101
    );
    assert!(store::numbers::draw_block(pool, LOG, day, 0).await.is_err());

    let stream = StreamId::new("order", "a");
    let at = |version| store::snapshots::Snapshot {
        version,
        state: format!("{{\"v\": {version}}}"),
    };
    assert!(
        store::snapshots::save(pool, LOG, &stream, "1", &at(4))
            .await
            .unwrap()
    );
    assert!(
        !store::snapshots::save(pool, LOG, &stream, "1", &at(3))
            .await
            .unwrap()
    );
    assert!(
        store::snapshots::save(pool, LOG, &stream, "2", &at(3))
            .await
            .unwrap()
    );
    let load = |tag| store::snapshots::load(pool, LOG, &stream, tag);
    assert_eq!(load("1").await.unwrap(), Some(at(4)));
    assert_eq!(load("2").await.unwrap(), Some(at(3)));
    store::snapshots::delete(pool, LOG, &stream).await.unwrap();
    assert_eq!(load("1").await.unwrap(), None);

    let refused = store::audit::RefusedAccess {
        actor: "nul\0l",
        role: "viewer",
        action: "read",
        target: "order/a",
        reason: "foreign store",
    };
    store::audit::refused(pool, &refused).await.unwrap();
    let row = sqlx::query("SELECT * FROM access_audit")
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(row.get::<String, _>("actor"), "null");
}
