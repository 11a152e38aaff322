//! One leader, loud stops, and nothing lost when a connection is.

use std::time::Duration;

use commands::{BusOptions, CommandBus, personal::Vault};
use domain::order::OrderStatus;
use e2e::{MASTER_KEY, PATIENCE, eventually};
use futures_util::future::join_all;
use sqlx::postgres::PgPoolOptions;
use store::{Append, AppendOptions, Log, LogId, NewEvent, StreamId};
use uuid::Uuid;

use super::support::{World, start};

fn damaged(event_type: &str, payload: &str) -> Append {
    Append {
        command_id: Uuid::now_v7(),
        request_hash: [7; 32],
        stream: StreamId::new("order", Uuid::now_v7().to_string()),
        expected_version: 0,
        events: vec![NewEvent {
            event_id: Uuid::now_v7(),
            event_type: event_type.into(),
            event_version: "1".into(),
            payload: payload.into(),
            metadata: "{}".into(),
        }],
        claims: Vec::new(),
        subject_key: None,
    }
}

#[tokio::test]
async fn an_event_that_does_not_decode_stops_whom_it_concerns() {
    let world = World::open().await;
    let processes = world.program().await;
    let before = world.place("CFR001").await;
    world.reaches(before, OrderStatus::Released).await;
    let bad = damaged(
        "order.allocated",
        r#"{"type":"order.allocated","from":"somchai"}"#,
    );
    let receipt = world.log().append(bad).await.unwrap();
    let status = eventually("the workflow stops", || async {
        let status = processes.status().await.unwrap();
        status[0].failed.is_some().then_some(status)
    })
    .await;
    let failed = status[0].failed.clone().unwrap();
    assert_eq!(status[0].name, "process.workflow");
    assert_eq!(failed.position, receipt.first_position);
    assert!(!failed.reason.contains("somchai"), "{}", failed.reason);
    let id = world.place("CFR001").await;
    world.quiet().await;
    assert_eq!(
        world.order(id).await.status,
        OrderStatus::Open,
        "it is never skipped"
    );
    let head = world.log().head().await.unwrap().position;
    let others = eventually("the others go on", || async {
        let status = processes.status().await.unwrap();
        status[1..]
            .iter()
            .all(|s| s.position == head)
            .then_some(status)
    })
    .await;
    assert!(others[1..].iter().all(|s| s.failed.is_none()), "{others:?}");
    processes.stop().await;
}

#[tokio::test]
async fn an_event_of_an_unknown_type_stops_everybody() {
    let world = World::open().await;
    let processes = world.program().await;
    world
        .log()
        .append(damaged("order.teleported", "{}"))
        .await
        .unwrap();
    eventually("all stop", || async {
        let status = processes.status().await.unwrap();
        status.iter().all(|s| s.failed.is_some()).then_some(())
    })
    .await;
    processes.stop().await;
}

#[tokio::test]
async fn one_program_leads_and_another_takes_over() {
    let world = World::open().await;
    let first = world.program().await;
    let epochs = || async {
        let all = store::checkpoint::all(world.log().pool(), world.log().log_id())
            .await
            .unwrap();
        let ours = all.into_iter().filter(|c| c.name.starts_with("process."));
        ours.map(|c| c.owner_epoch).collect::<Vec<_>>()
    };
    eventually("led", || async { (epochs().await == [1; 4]).then_some(()) }).await;
    let second = world.program().await;
    let id = world.place("CFR001").await;
    world.reaches(id, OrderStatus::Released).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(epochs().await, [1; 4], "whoever leads goes on to");
    first.stop().await;
    let id = world.place("CFR001").await;
    world.reaches(id, OrderStatus::Released).await;
    eventually("taken over", || async {
        (epochs().await == [2; 4]).then_some(())
    })
    .await;
    second.stop().await;
}

#[tokio::test]
async fn lost_connections_lose_nothing() {
    let world = World::open().await;
    let processes = world.program().await;
    let admin = world.database.superuser_pool().await;
    let mut orders = Vec::new();
    for _ in 0..6 {
        for _ in 0..5 {
            orders.push(place_anyhow(&world).await);
        }
        sqlx::query(
            "select pg_terminate_backend(pid) from pg_stat_activity \
             where datname = current_database() and usename = 'ledger_app'",
        )
        .execute(&admin)
        .await
        .unwrap();
    }
    for id in orders {
        eventually(&format!("{id} released"), || async {
            let loaded = world
                .people
                .load::<domain::order::Order>(&id)
                .await
                .ok()??;
            (loaded.state.status == OrderStatus::Released).then_some(())
        })
        .await;
        assert_eq!(
            world.life(id).await,
            ["placed", "allocated", "paid", "released"]
        );
    }
    processes.stop().await;
}

/// Places an order through cut connections: until a receipt comes.
async fn place_anyhow(world: &World) -> domain::ids::OrderId {
    let request = world.placing("CFR001");
    eventually("placed", || async {
        let outcome = world.people.execute(request.clone()).await.ok()?;
        Some(outcome.receipt.id)
    })
    .await
}

#[tokio::test]
async fn four_connections_are_enough() {
    let world = World::open().await;
    let orders = join_all((0..40).map(|_| world.place("CFR001"))).await;
    // The writer's, the listener's, and two for everything else: work and signs of life share them.
    let pool = PgPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(2 * PATIENCE)
        .connect_with(world.database.app())
        .await
        .unwrap();
    let log = Log::open(pool, LogId::DEFAULT, AppendOptions::default())
        .await
        .unwrap();
    let vault = Vault::new(log.clone(), &MASTER_KEY).unwrap();
    let bus = CommandBus::new(log, vault, world.clock.clone(), BusOptions::default());
    // Every look at an order waits in the database, with a connection, for longer than a leader keeps quiet.
    let admin = world.database.superuser_pool().await;
    let mut block = admin.begin().await.unwrap();
    sqlx::query("lock table stream_head in access exclusive mode")
        .execute(&mut *block)
        .await
        .unwrap();
    let processes = start(&bus);
    tokio::time::sleep(Duration::from_secs(3)).await;
    block.commit().await.unwrap();
    for id in orders {
        world.reaches(id, OrderStatus::Released).await;
    }
    processes.stop().await;
}
