//! A valid order runs to released by itself.

use std::time::Duration;

use chrono::TimeDelta;
use commands::{Target, derived};
use domain::{
    ids::CommandId,
    order::{Order, OrderCommand, OrderStatus, PaymentStatus},
    store::{Store, StoreCommand},
};
use e2e::{
    eventually,
    orders::{cancelling, paying},
    processes::{bus, profile, request},
};
use futures_util::future::join_all;

use super::support::{World, start, store, system};

const LIFE: [&str; 4] = ["placed", "allocated", "paid", "released"];

#[tokio::test]
async fn an_order_runs_to_released_by_itself() {
    let world = World::open().await;
    let processes = world.program().await;
    let id = world.place("CFR001").await;
    world.reaches(id, OrderStatus::Released).await;
    let records = world.records(id).await;
    assert_eq!(world.life(id).await, LIFE);
    let field = |n: usize, name: &str| -> String {
        let metadata: serde_json::Value = serde_json::from_str(&records[n].metadata).unwrap();
        metadata[name].as_str().unwrap_or_default().to_owned()
    };
    for n in 1..4 {
        assert_eq!(
            (field(n, "actorId").as_str(), field(n, "actorRole").as_str()),
            ("ledger", "system")
        );
        assert_eq!(field(n, "correlationId"), field(0, "correlationId"));
        assert_eq!(field(n, "causationId"), records[0].event_id.to_string());
    }
    world.quiet().await;
    // One that looks seldom may be behind the others for a second.
    eventually("every process at the end of the log", || async {
        let status = commands::process::status(world.log()).await.unwrap();
        let head = world.log().head().await.unwrap().position;
        let mut done = status
            .iter()
            .map(|s| s.position == head && s.failed.is_none());
        done.all(|is_done| is_done).then_some(())
    })
    .await;
    processes.stop().await;
}

/// The commands that a program gave which then died, by the ids that any program derives.
fn steps_of(cause: uuid::Uuid, id: domain::ids::OrderId) -> [(CommandId, OrderCommand); 3] {
    let named = |step: &str| {
        derived::command_id(
            "process.workflow",
            &[&cause.to_string(), &id.to_string(), step],
        )
    };
    [
        (named("allocate"), OrderCommand::Allocate),
        (named("pay 169.0000"), paying()),
        (named("release"), OrderCommand::Release),
    ]
}

#[tokio::test]
async fn it_resumes_at_the_step_where_it_stopped() {
    let world = World::open().await;
    let mut orders = Vec::new();
    for done in 0..=3 {
        let id = world.place("CFR001").await;
        let cause = world.records(id).await[0].event_id;
        for (command_id, command) in steps_of(cause, id).into_iter().take(done) {
            let mut request = request::<Order>(Target::Entity(id), command);
            request.command_id = command_id;
            request.actor = system();
            request.causation_id = Some(cause);
            world.people.execute(request).await.unwrap();
        }
        orders.push((id, cause));
    }
    let processes = world.program().await;
    for (id, cause) in orders {
        world.reaches(id, OrderStatus::Released).await;
        world.quiet().await;
        let ids: Vec<_> = world
            .records(id)
            .await
            .iter()
            .map(|r| r.command_id)
            .collect();
        assert_eq!(world.life(id).await, LIFE);
        let expected: Vec<_> = steps_of(cause, id).iter().map(|(id, _)| id.0).collect();
        assert_eq!(ids[1..], expected, "the ids that any program derives");
    }
    processes.stop().await;
}

#[tokio::test]
async fn two_programs_at_once_take_each_step_once() {
    let world = World::open().await;
    let programs = join_all((0..3).map(|_| world.program())).await;
    let orders = join_all((0..60).map(|_| world.place("CFR002"))).await;
    for id in &orders {
        world.reaches(*id, OrderStatus::Released).await;
    }
    world.quiet().await;
    for id in orders {
        assert_eq!(world.life(id).await, LIFE);
    }
    for processes in programs {
        processes.stop().await;
    }
}

#[tokio::test]
async fn a_store_may_have_somebody_click() {
    let world = World::open().await;
    let profile = profile(false);
    world
        .tell::<Store>(store("CFR001"), StoreCommand::Change { profile })
        .await;
    let processes = world.program().await;
    let id = world.place("CFR001").await;
    let other = world.place("CFR002").await;
    world.reaches(other, OrderStatus::Released).await;
    world.quiet().await;
    let order = world.order(id).await;
    assert_eq!(
        (order.status, order.payment_status),
        (OrderStatus::Allocated, PaymentStatus::Paid)
    );
    world.tell::<Order>(id, OrderCommand::Release).await;
    world.quiet().await;
    assert_eq!(world.life(id).await, LIFE);
    processes.stop().await;
}

#[tokio::test]
async fn an_order_on_back_order_goes_on_when_its_store_trades_again() {
    let world = World::open().await;
    let ids = join_all((0..3).map(|_| world.place("CFR001"))).await;
    let reason = "flooded".to_owned();
    world
        .tell::<Store>(store("CFR001"), StoreCommand::Deactivate { reason })
        .await;
    let processes = world.program().await;
    for id in &ids {
        world.reaches(*id, OrderStatus::BackOrdered).await;
    }
    // Tried again after a while, without effect; then nothing but the store's news helps.
    world.clock.advance(TimeDelta::hours(1));
    world.quiet().await;
    assert_eq!(world.life(ids[0]).await, ["placed", "back_ordered"]);
    world.tell::<Order>(ids[1], cancelling()).await;
    world
        .tell::<Store>(store("CFR001"), StoreCommand::Activate)
        .await;
    for id in [ids[0], ids[2]] {
        world.reaches(id, OrderStatus::Released).await;
        let expected = ["placed", "back_ordered", "allocated", "paid", "released"];
        assert_eq!(world.life(id).await, expected);
    }
    world.quiet().await;
    assert_eq!(
        world.life(ids[1]).await,
        ["placed", "back_ordered", "cancelled"]
    );
    let waiting: i64 = sqlx::query_scalar("select count(*) from process_waiting_order")
        .fetch_one(world.log().pool())
        .await
        .unwrap();
    assert_eq!(waiting, 0, "nobody waits any more");
    processes.stop().await;
}

#[tokio::test]
async fn somebody_may_allocate_what_is_on_back_order() {
    let world = World::open().await;
    let id = world.place("CFR001").await;
    let reason = "flooded".to_owned();
    world
        .tell::<Store>(store("CFR001"), StoreCommand::Deactivate { reason })
        .await;
    let processes = world.program().await;
    world.reaches(id, OrderStatus::BackOrdered).await;
    processes.stop().await;
    world
        .tell::<Store>(store("CFR001"), StoreCommand::Activate)
        .await;
    world.tell::<Order>(id, OrderCommand::Allocate).await;
    let processes = world.program().await;
    world.reaches(id, OrderStatus::Released).await;
    world.quiet().await;
    let expected = ["placed", "back_ordered", "allocated", "paid", "released"];
    assert_eq!(world.life(id).await, expected);
    processes.stop().await;
}

#[tokio::test]
async fn a_refused_step_stops_one_order() {
    let world = World::open().await;
    let cancelled = world.place("CFR001").await;
    world.tell::<Order>(cancelled, cancelling()).await;
    // Cancelled behind the workflow's back: the news comes after the order was looked at.
    let racing = join_all((0..20).map(|_| world.place("CFR001"))).await;
    let processes = world.program().await;
    let cancels = racing.iter().map(|id| {
        let request = request::<Order>(Target::Entity(*id), cancelling());
        world.people.execute(request)
    });
    for result in join_all(cancels).await {
        result.unwrap();
    }
    let last = world.place("CFR001").await;
    world.reaches(last, OrderStatus::Released).await;
    world.quiet().await;
    assert_eq!(world.life(cancelled).await, ["placed", "cancelled"]);
    for id in racing {
        let life = world.life(id).await;
        assert_eq!(
            life.last().map(String::as_str),
            Some("cancelled"),
            "{life:?}"
        );
        assert!(life.len() <= 5, "{life:?}");
    }
    processes.stop().await;
}

#[tokio::test]
async fn a_killed_program_leaves_no_order_half_way() {
    let world = World::open().await;
    for round in 0..4_u64 {
        // A program of its own, with a runtime that is torn down with everything in it.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (database, clock) = (world.database.name.clone(), world.clock.clone());
        let started = runtime.spawn(async move {
            let bus = bus(&e2e::Database { name: database }, &clock).await;
            let processes = start(&bus);
            // Lives until the runtime does not.
            std::future::pending::<()>().await;
            drop((bus, processes));
        });
        let orders = join_all((0..30).map(|_| world.place("CFR001"))).await;
        // Somewhere between the first step and the last: later in each round.
        let first = orders[0];
        eventually("the first step", || async {
            (world.life(first).await.len() > 1 || started.is_finished()).then_some(())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(7 * round)).await;
        runtime.shutdown_background();
        let processes = world.program().await;
        for id in &orders {
            world.reaches(*id, OrderStatus::Released).await;
        }
        processes.stop().await;
        for id in orders {
            assert_eq!(world.life(id).await, LIFE);
        }
    }
}

#[tokio::test]
async fn lines_changed_before_the_release_are_paid_as_they_are() {
    let world = World::open().await;
    let profile = profile(false);
    world
        .tell::<Store>(store("CFR003"), StoreCommand::Change { profile })
        .await;
    let processes = world.program().await;
    let id = world.place("CFR003").await;
    eventually("paid", || async {
        (world.order(id).await.payment_status == PaymentStatus::Paid).then_some(())
    })
    .await;
    let change = OrderCommand::ChangeLines(domain::order::command::ChangeLines {
        lines: vec![domain::order::command::LineQuantityInput {
            line_number: 2,
            quantity: "1".parse().unwrap(),
        }],
        reason: "one less".into(),
    });
    world.tell::<Order>(id, change).await;
    world.quiet().await;
    world.tell::<Order>(id, OrderCommand::Release).await;
    let order = world.order(id).await;
    assert_eq!(order.status, OrderStatus::Released);
    assert_eq!(order.totals.cash_due, "107.00".parse().unwrap());
    assert_eq!(order.payment_status, PaymentStatus::Paid);
    let life = world.life(id).await;
    assert_eq!(
        life,
        ["placed", "allocated", "paid", "lines_changed", "released"]
    );
    processes.stop().await;
}
