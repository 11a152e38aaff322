//! What is to happen unless something happens before: late or not, once.

use chrono::TimeDelta;
use domain::order::{
    Order, OrderCommand, OrderEvent, OrderStatus,
    command::{DecideSubstitution, FailCollection, ProposeSubstitution},
    event::DeclineCause,
};
use e2e::{eventually, orders::progress};
use futures_util::future::join_all;

use super::support::{World, collecting};

fn proposing(id: &str) -> OrderCommand {
    OrderCommand::ProposeSubstitution(ProposeSubstitution {
        proposal_id: id.into(),
        line_number: 2,
        sku: "8850999320038".into(),
        name_th: Some("ชาเขียว".into()),
        name_en: None,
        unit_price: "65.00".parse().unwrap(),
        quantity: None,
        via_merchant_app: false,
        reason: None,
    })
}

fn count(life: &[String], name: &str) -> usize {
    life.iter().filter(|n| *n == name).count()
}

async fn timers_left(world: &World) -> i64 {
    sqlx::query_scalar("select count(*) from process_timer")
        .fetch_one(world.log().pool())
        .await
        .unwrap()
}

#[tokio::test]
async fn an_offer_that_nobody_answers_expires() {
    let world = World::open().await;
    let processes = world.program().await;
    let [silent, answered] = [world.place("CFR001").await, world.place("CFR001").await];
    for id in [silent, answered] {
        world.reaches(id, OrderStatus::Released).await;
        world.walk(id, OrderStatus::InProcess).await;
        world.tell::<Order>(id, proposing("P-1")).await;
    }
    let approve = true;
    let proposal_id = "P-1".to_owned();
    let answer = OrderCommand::DecideSubstitution(DecideSubstitution {
        proposal_id,
        approve,
    });
    world.tell::<Order>(answered, answer).await;
    world.clock.advance(TimeDelta::seconds(299));
    world.quiet().await;
    assert_eq!(count(&world.life(silent).await, "substitution_declined"), 0);
    world.clock.advance(TimeDelta::seconds(1));
    let cause = eventually("the offer expires", || async {
        world
            .events(silent)
            .await
            .into_iter()
            .find_map(|e| match e {
                OrderEvent::SubstitutionDeclined { cause, .. } => Some(cause),
                _ => None,
            })
    })
    .await;
    assert_eq!(cause, DeclineCause::Timeout);
    world.clock.advance(TimeDelta::minutes(5));
    world.quiet().await;
    assert_eq!(count(&world.life(silent).await, "substitution_declined"), 1);
    assert_eq!(
        count(&world.life(answered).await, "substitution_declined"),
        0
    );
    processes.stop().await;
}

#[tokio::test]
async fn an_order_that_nobody_picks_is_flagged() {
    let world = World::open().await;
    let processes = world.program().await;
    let [stuck, picked] = [world.place("CFR001").await, world.place("CFR001").await];
    for id in [stuck, picked] {
        world.reaches(id, OrderStatus::Released).await;
    }
    world.clock.advance(TimeDelta::minutes(9));
    world
        .tell::<Order>(picked, progress(OrderStatus::InProcess))
        .await;
    world.quiet().await;
    assert!(!world.order(stuck).await.is_stuck);
    world.clock.advance(TimeDelta::minutes(1));
    eventually("flagged", || async {
        world.order(stuck).await.is_stuck.then_some(())
    })
    .await;
    world.clock.advance(TimeDelta::hours(3));
    world.quiet().await;
    assert_eq!(count(&world.life(stuck).await, "stuck"), 1);
    assert!(!world.order(picked).await.is_stuck);
    assert_eq!(timers_left(&world).await, 0);
    processes.stop().await;
}

#[tokio::test]
async fn cash_that_nobody_speaks_of_is_flagged() {
    let world = World::open().await;
    let processes = world.program().await;
    let ids = join_all((0..3).map(|_| world.place("CFR001"))).await;
    for id in &ids {
        world.reaches(*id, OrderStatus::Released).await;
        world.walk(*id, OrderStatus::Delivered).await;
    }
    let [silent, collected, failed] = ids[..] else {
        panic!("three orders");
    };
    world
        .tell::<Order>(collected, collecting("GRAB", "169.00", None))
        .await;
    let reason = "not at home".to_owned();
    let failing = OrderCommand::FailCollection(FailCollection {
        reason,
        occurred_at: None,
    });
    world.tell::<Order>(failed, failing).await;
    world
        .clock
        .advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    world.quiet().await;
    assert!(!world.order(silent).await.is_collection_overdue);
    world.clock.advance(TimeDelta::seconds(1));
    eventually("flagged", || async {
        world
            .order(silent)
            .await
            .is_collection_overdue
            .then_some(())
    })
    .await;
    world.quiet().await;
    let mut flags = Vec::new();
    for id in ids {
        flags.push(count(&world.life(id).await, "collection_overdue"));
    }
    assert_eq!(flags, [1, 0, 0]);
    processes.stop().await;
}

#[tokio::test]
async fn after_a_downtime_they_fire_late_and_once() {
    let world = World::open().await;
    let processes = world.program().await;
    let ids = join_all((0..12).map(|_| world.place("CFR002"))).await;
    for id in &ids {
        world.reaches(*id, OrderStatus::Released).await;
    }
    processes.stop().await;
    // What happens in the downtime: half are picked, and the others are not; days pass.
    for id in &ids[..6] {
        world
            .tell::<Order>(*id, progress(OrderStatus::InProcess))
            .await;
    }
    world.clock.advance(TimeDelta::days(3));
    let programs = join_all((0..3).map(|_| world.program())).await;
    for id in &ids[6..] {
        eventually("flagged", || async {
            world.order(*id).await.is_stuck.then_some(())
        })
        .await;
    }
    world.quiet().await;
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(count(&world.life(*id).await, "stuck"), usize::from(n >= 6));
    }
    assert_eq!(timers_left(&world).await, 0);
    for processes in programs {
        processes.stop().await;
    }
}

#[tokio::test]
async fn a_timer_whose_program_died_before_it_was_removed_fires_without_effect() {
    let world = World::open().await;
    let processes = world.program().await;
    let id = world.place("CFR001").await;
    world.reaches(id, OrderStatus::Released).await;
    world.quiet().await;
    let (pool, kept) = (
        world.log().pool(),
        "create table kept as table process_timer",
    );
    let admin = world.database.superuser_pool().await;
    sqlx::query(kept).execute(&admin).await.unwrap();
    world.clock.advance(TimeDelta::minutes(10));
    eventually("flagged", || async {
        world.order(id).await.is_stuck.then_some(())
    })
    .await;
    world.quiet().await;
    // The row is back, as after a crash between the command and its removal.
    sqlx::query("insert into process_timer select * from kept")
        .execute(&admin)
        .await
        .unwrap();
    eventually("fired again", || async {
        let left: i64 = sqlx::query_scalar("select count(*) from process_timer")
            .fetch_one(pool)
            .await
            .unwrap();
        (left == 0).then_some(())
    })
    .await;
    assert_eq!(count(&world.life(id).await, "stuck"), 1);
    processes.stop().await;
}
