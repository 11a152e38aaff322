//! A replica that goes away under load, and one whose tables are exchanged: nobody's query fails.

use e2e::eventually;

use super::support::{Load, anything, world};

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_dies_under_load_fails_no_query() {
    let mut world = world("5s").await;
    world.place().await;
    let load = Load::start(&world.admin, 8, anything);
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
    let load = Load::start(&world.admin, 8, anything);
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
