//! Two implementations read one table: postgres-es, which the bus loads with, and our own reader.

use commands::{Target, aggregate::Driven, load::stream_id};
use cqrs_es::persist::PersistedEventRepository;
use domain::{decode, ids::OrderId, order::Order};
use e2e::{
    fresh_database,
    orders::{cancelling, execute, placed, to_delivered},
};
use futures_util::future::join_all;
use postgres_es::PostgresEventRepository;
use rand::{Rng, SeedableRng, rngs::StdRng};
use store::Log;

const ORDERS: usize = 1_000;
const CALLERS: usize = 32;
const MAX_EVENTS: i64 = 100;

async fn ours(log: &Log, id: OrderId) -> (i64, Order) {
    let mut order = Order::default();
    let events = log
        .stream(&stream_id::<Order>(&id), 0, MAX_EVENTS)
        .await
        .unwrap();
    for event in &events {
        order.apply(
            &decode::decode(&event.event_type, &event.event_version, &event.payload).unwrap(),
        );
    }
    (events.last().unwrap().sequence, order)
}

async fn theirs(repository: &PostgresEventRepository, id: OrderId) -> (i64, Order) {
    let mut order = Order::default();
    let events = repository
        .get_events::<Driven<Order>>(&id.to_string())
        .await
        .unwrap();
    for event in &events {
        let decoded = decode::decode_value(
            &event.event_type,
            &event.event_version,
            event.payload.clone(),
        );
        order.apply(&decoded.unwrap());
    }
    (events.last().unwrap().sequence as i64, order)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_random_orders_load_the_same_both_ways() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let lives = (0..CALLERS).map(|caller| {
        let bus = bus.clone();
        tokio::spawn(async move {
            let mut random = StdRng::seed_from_u64(caller as u64);
            let mut ids = Vec::new();
            for _ in (caller..ORDERS).step_by(CALLERS) {
                let id = placed(&bus).await;
                let steps = to_delivered();
                for command in steps.iter().take(random.random_range(0..=steps.len())) {
                    execute(&bus, Target::Entity(id), command.clone())
                        .await
                        .unwrap();
                }
                if random.random_bool(0.2) {
                    let _too_late_for_some = execute(&bus, Target::Entity(id), cancelling()).await;
                }
                ids.push(id);
            }
            ids
        })
    });
    let ids: Vec<OrderId> = join_all(lives)
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();
    assert_eq!(ids.len(), ORDERS);

    let log = database.log().await;
    let repository = PostgresEventRepository::new(log.pool().clone());
    let cold = database.bus().await;
    for id in ids {
        let (version, order) = ours(&log, id).await;
        assert_eq!(
            (version, order.clone()),
            theirs(&repository, id).await,
            "{id}"
        );
        let loaded = cold.load::<Order>(&id).await.unwrap().unwrap();
        assert_eq!((loaded.version, &*loaded.state), (version, &order), "{id}");
        assert_eq!(
            bus.load::<Order>(&id).await.unwrap().unwrap().state,
            loaded.state,
            "{id}: memory and log"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_view_and_the_write_side_tell_the_same_times() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = placed(&bus).await;
    let order = execute(&bus, Target::Entity(id), to_delivered()[0].clone())
        .await
        .unwrap()
        .entity;
    let log = database.log().await;
    let wake = store::wake::Wake::listen(
        log.pool().clone(),
        log.log_id(),
        std::time::Duration::from_millis(50),
    );
    let runner = projections::Runner::spawn(&projections::Model::ALL, log, wake);
    let db = database
        .read_db()
        .await
        .within(&domain::actor::StoreScope::All);
    let row = e2e::eventually("the order in the view", || async {
        let row = projections::order_view::by_id(&db, id).await.unwrap();
        row.filter(|row| row.version == order.version)
    })
    .await;
    assert_eq!(
        (row.placed_at, row.updated_at),
        (order.created_at, order.updated_at)
    );
    runner.stop().await;
}
