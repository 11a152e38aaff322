//! Which node answers: by how far the replica is, and by what is demanded.

use std::time::Duration;

use e2e::{
    PATIENCE, eventually,
    servers::{Primary, Replica},
};

use super::support::{FAR, World, forgetful_world, ledger, metric, part, world};

#[tokio::test(flavor = "multi_thread")]
async fn reads_go_to_the_replica_unless_it_does_not_show_what_is_demanded() {
    let world = forgetful_world("30s").await;
    let (id, position) = world.place().await;
    let answer = world.order(&id, position, 1_000).await.json();
    assert_eq!(answer["data"]["order"]["id"], *id, "{answer}");
    assert!(world.reads_because("replica-1", "close").await >= 1.0);
    assert_eq!(world.reads("primary").await, 0.0);

    // Within the allowed lag, and without what was placed since.
    world.replica.pause().await;
    let (missing, later) = world.place().await;
    let answer = world.order(&missing, later, 1_000).await.json();
    assert_eq!(answer["data"]["order"]["id"], *missing, "{answer}");
    assert_eq!(world.reads_because("primary", "stale").await, 1.0);
    // Who demands nothing reads what the replica has, and that is old.
    assert!(world.shows(&id).await && !world.shows(&missing).await);
    // Neither has it: typed, retryable, with how far the primary is.
    let stale = world.order(&id, FAR, 50).await.json();
    let extensions = &stale["errors"][0]["extensions"];
    assert_eq!(extensions["code"], "STALE_READ", "{stale}");
    assert_eq!(extensions["retryable"], true, "{stale}");
    assert_eq!(extensions["position"], later.to_string(), "{stale}");

    world.replica.resume().await;
    let before = world.reads("primary").await;
    eventually("the replica has caught up", async || {
        world.shows(&missing).await.then_some(())
    })
    .await;
    let answer = world.order(&missing, later, 1_000).await.json();
    assert_eq!(answer["data"]["order"]["id"], *missing, "{answer}");
    assert_eq!(world.reads("primary").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_lags_is_not_read_from_and_an_idle_one_does_not_lag() {
    let world = world("500ms").await;
    let (first, position) = world.place().await;
    world.order(&first, position, 1_000).await;
    // Nothing happens for longer than the allowed lag: nobody lags.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    world.until("ready").await;
    let before = world.reads("primary").await;
    assert!(world.shows(&first).await);
    assert_eq!(world.reads("primary").await, before);
    // Paused, and still nothing happens: what it shows is what there is.
    world.replica.pause().await;
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    assert!(part(&world.admin, "replica-1").await.starts_with("ready;"));

    let (missing, _) = world.place().await;
    world.until("lagging").await;
    assert!(world.shows(&missing).await, "the primary shows it");
    assert!(world.reads_because("primary", "lagging").await >= 1.0);
    let lag = metric(&world.admin, "ledger_replica_lag_seconds", &[]).await;
    assert!((0.5..PATIENCE.as_secs_f64()).contains(&lag), "{lag}");
    let state = [r#"state="lagging""#];
    assert_eq!(
        metric(&world.admin, "ledger_replica_state", &state).await,
        1.0
    );
    assert_eq!(
        world.admin.get("/readyz").await.json()["status"],
        "degraded"
    );

    world.replica.resume().await;
    world.until("ready").await;
    let before = world.reads("replica-1").await;
    assert!(world.shows(&missing).await);
    assert_eq!(world.reads("replica-1").await, before + 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_reads_where_the_change_is() {
    let world = world("30s").await;
    let (_, position) = world.place().await;
    world.replica.pause().await;
    let query = "subscription { storeBoard { isWhole position counts { count } } }";
    let mut answers = world.admin.subscribe(query).await;
    let whole = answers.next_data().await;
    assert_eq!(whole["storeBoard"]["isWhole"], true, "{whole}");
    let (_, later) = world.place().await;
    assert!(later > position);
    let changed = answers.next_data().await;
    assert_eq!(
        changed["storeBoard"]["counts"][0]["count"], 2,
        "the replica shows one order only: {changed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_no_replica_of_ours_is_refused() {
    let primary = Primary::start().await;
    let replica = Replica::of(&primary).await;
    let elsewhere = Primary::start().await;
    let follower = Replica::of(&elsewhere).await;
    let nobody = replica.app().socket("/nonexistent");
    let urls = [
        // Replicas of another system, another database of the replica, the primary itself, nobody.
        follower.app(),
        replica.app().database("postgres"),
        primary.app(),
        nobody,
        replica.app(),
    ];
    let program = ledger(&primary, &urls, "1s").await;
    let world = World {
        admin: program.admin(),
        program,
        replica,
        primary,
    };
    eventually("the good one is read from", async || {
        let detail = part(&world.admin, "replica-5").await;
        detail.starts_with("ready;").then_some(())
    })
    .await;
    for (node, standing) in [
        ("replica-1", "foreign;"),
        ("replica-2", "foreign;"),
        ("replica-3", "promoted;"),
        ("replica-4", "unreachable;"),
    ] {
        let detail = part(&world.admin, node).await;
        assert!(detail.starts_with(standing), "{node}: {detail}");
    }
    for _ in 0..20 {
        let (id, position) = world.place().await;
        let answer = world.order(&id, position, 1_000).await.json();
        assert_eq!(answer["data"]["order"]["id"], *id, "{answer}");
    }
    for node in ["replica-1", "replica-2", "replica-3", "replica-4"] {
        assert_eq!(world.reads(node).await, 0.0, "{node}");
    }
    assert!(world.reads("replica-5").await >= 10.0);
    assert!(world.program.log().contains("correct replica_urls"));
    let doctor = world.program.command(&["doctor"]).output().unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    for line in [
        "replica-1 is foreign",
        "replica-2 is foreign",
        "replica-3 is promoted",
        "replica-4 is unreachable",
        "replica-5 is ready",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert_eq!(doctor.status.code(), Some(10), "{said}");
}
