//! A replica that goes away under load, and one whose tables are exchanged: nobody's query fails.

use std::time::{Duration, Instant};

use e2e::eventually;
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::support::{BOARD, Load, narrow_world, world};

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_dies_under_load_fails_no_query() {
    let mut world = world("5s").await;
    world.place().await;
    let load = Load::start(&world.admin, 8);
    load.answers(100).await;
    for _ in 0..3 {
        world.replica.kill();
        world.until("unreachable").await;
        let before = world.reads_because("primary", "unreachable").await;
        load.answers(50).await;
        assert!(world.reads_because("primary", "unreachable").await > before);
        world.replica.start().await;
        world.until("ready").await;
        let before = world.reads("replica-1").await;
        load.answers(50).await;
        assert!(world.reads("replica-1").await > before);
    }
    load.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_exchanges_tables_fails_no_query() {
    let world = world("5s").await;
    for _ in 0..20 {
        world.place().await;
    }
    // Replay does not wait for readers: whoever holds a table that goes is cancelled.
    world
        .replica
        .run("alter system set max_standby_streaming_delay = 0")
        .await;
    world.replica.run("select pg_reload_conf()").await;
    let load = Load::start(&world.admin, 8);
    load.answers(100).await;
    for _ in 0..3 {
        world.program.run(&["rebuild", "all"]);
        load.answers(50).await;
    }
    load.end().await;
    eventually("the replica is read from", async || {
        let before = world.reads("replica-1").await;
        world
            .admin
            .graphql("{ storeBoard { count } }", serde_json::json!({}))
            .await;
        (world.reads("replica-1").await > before).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_freezes_is_given_up_within_seconds() {
    let world = world("5s").await;
    world.place().await;
    let load = Load::start(&world.admin, 8);
    load.answers(100).await;
    world.replica.freeze(true);
    let frozen = Instant::now();
    // More than there are readers: those that were at work there are answered too.
    load.answers(50).await;
    assert!(frozen.elapsed() < Duration::from_secs(5), "{frozen:?}");
    world.until("unreachable").await;
    world.replica.freeze(false);
    world.until("ready").await;
    let before = world.reads("replica-1").await;
    load.answers(50).await;
    assert!(world.reads("replica-1").await > before);
    load.end().await;
}

/// Whether the lock of the primary's is held on the replica.
const HELD: &str = "select exists (select 1 from pg_locks where relation = 'store_board'::regclass
    and mode = 'AccessExclusiveLock' and granted)";
/// Whether somebody who reads there waits for it.
const WAITED_FOR: &str =
    "select exists (select 1 from pg_locks where relation = 'store_board'::regclass
    and not granted)";

#[tokio::test(flavor = "multi_thread")]
async fn who_fills_a_replica_is_not_sent_to_the_primary() {
    let world = narrow_world("30s").await;
    world.place().await;
    world.admin.graphql(BOARD, json!({})).await;
    // Held on the replica as well, as soon as it has been replayed there: who reads the board waits.
    let options = world.primary.owner();
    let mut owner = PgConnection::connect_with(&options).await.unwrap();
    let mut held = owner.begin().await.unwrap();
    sqlx::query("lock table store_board in access exclusive mode")
        .execute(&mut *held)
        .await
        .unwrap();
    world.replica.comes_to(HELD).await;
    let admin = world.admin.clone();
    let first = tokio::spawn(async move { admin.graphql(BOARD, json!({})).await });
    world.replica.comes_to(WAITED_FOR).await;
    let before = world.reads("primary").await;
    let orders = ("{ orders { edges { node { id } } } }", json!({}));
    let refused = world.admin.try_graphql(orders.0, &orders.1).await;
    let refused = refused.unwrap().json();
    let extensions = &refused["errors"][0]["extensions"];
    assert_eq!(extensions["code"], "UNAVAILABLE", "{refused}");
    assert_eq!(extensions["retryable"], true, "{refused}");
    held.rollback().await.unwrap();
    assert!(first.await.unwrap()["storeBoard"].is_array());
    assert_eq!(world.reads("primary").await, before);
    world.admin.graphql(BOARD, json!({})).await;
}
