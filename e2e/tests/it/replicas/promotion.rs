//! A replica that is promoted has left the primary's history: not one of its rows is ever shown.

use e2e::eventually;
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use super::support::{BOARD, Load, World, metric, part, world};

/// More orders than any test places: written on the promoted server only.
const POISON: i64 = 1_000_000;
/// How often it is promoted: of one promotion in three a ledger that believed its last look would show the rows.
const PROMOTIONS: usize = 4;

fn is_sound(data: &Value) -> bool {
    let counts = data["storeBoard"].as_array();
    counts.is_some_and(|counts| counts.iter().all(is_possible))
}

fn is_possible(count: &Value) -> bool {
    count["count"]
        .as_i64()
        .is_some_and(|n| (1..POISON).contains(&n))
}

/// Promotes the replica, and writes on it in the very moment in which it takes writes.
async fn promote_and_write(world: &World) {
    let options = world.replica.app().username("postgres");
    let mut writer = PgConnection::connect_with(&options).await.unwrap();
    let write = async {
        let sql = format!("update store_board set orders = orders + {POISON}");
        // Refused for as long as it is a replica.
        while sqlx::query(&sql).execute(&mut writer).await.is_err() {}
    };
    tokio::join!(world.replica.promote(), write);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_replica_is_never_read_until_it_is_a_replica_again() {
    let mut world = world("30s").await;
    world.place().await;
    // All of them read what is written there: many reads fall between the promotion and the next look.
    let load = Load::of(&world.admin, 16, &[BOARD], is_sound);
    load.answers(100).await;
    for _ in 0..PROMOTIONS {
        assert!(world.reads("replica-1").await > 50.0);
        promote_and_write(&world).await;
        load.answers(50).await;
        world.until("promoted").await;
        let before = world.reads("replica-1").await;
        load.answers(100).await;
        assert_eq!(world.reads("replica-1").await, before);
        let state = [r#"state="promoted""#];
        assert_eq!(
            metric(&world.admin, "ledger_replica_state", &state).await,
            1.0
        );
        let detail = part(&world.admin, "replica-1").await;
        assert!(detail.contains("take it out of replica_urls"), "{detail}");
        assert!(world.program.log().contains("nothing is read from it"));

        // Started again it is a primary still; copied anew it is a replica.
        world.replica.kill();
        world.replica.start().await;
        world.until("promoted").await;
        world.replica.kill();
        world.replica.copy(&world.primary);
        world.replica.start().await;
        world.until("ready").await;
        eventually("it is read from again", async || {
            (world.reads("replica-1").await > before).then_some(())
        })
        .await;
    }
    load.end().await;
}

/// Made a standby by hand, it says of itself that it is a replica of this very system; its log knows better.
#[tokio::test(flavor = "multi_thread")]
async fn a_standby_with_another_history_is_refused() {
    let mut world = world("30s").await;
    let (id, _) = world.place().await;
    world.replica.promote().await;
    world.until("promoted").await;
    let other = "update log_head set hash = decode(repeat('ab', 32), 'hex')";
    world.replica.run(other).await;
    world.replica.kill();
    world.replica.stand_by();
    world.replica.start().await;
    world.until("foreign").await;
    let detail = part(&world.admin, "replica-1").await;
    assert!(detail.contains("its log is not the primary's"), "{detail}");
    let before = world.reads("replica-1").await;
    assert!(world.shows(&id).await);
    assert_eq!(world.reads("replica-1").await, before);
}
