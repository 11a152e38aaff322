//! Orders run to released by themselves, each step once, however often the ledger is killed.

use std::collections::BTreeMap;

use e2e::{Program, ProgramOptions, eventually, fresh_database};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    ledger::{assert_sound, caught_up},
    steps::STEPS,
};

const ORDERS: usize = 20;
/// The ledger is killed after each so many orders.
const A_ROUND: usize = 5;
/// The way of an order whose store clicks nothing.
const WAY: [&str; 4] = [
    "order.placed",
    "order.allocated",
    "order.paid",
    "order.released",
];

/// A ledger that works by itself.
fn at_work(database: &e2e::Database) -> ProgramOptions<'_> {
    ProgramOptions {
        env: vec![("LEDGER_PROCESSES", "true".to_owned())],
        ..ProgramOptions::on(database)
    }
}

/// Places one order; its id once it is acknowledged.
async fn place(api: &e2e::Api) -> String {
    let step = &STEPS[0];
    let data = api
        .graphql(&step.query(), step.variables(Uuid::now_v7(), None))
        .await;
    let id = data[step.field]["receipt"]["orderId"].as_str();
    id.unwrap_or_else(|| panic!("{data}")).to_owned()
}

/// The types of each order's events, in their order.
async fn ways(pool: &PgPool) -> BTreeMap<String, Vec<String>> {
    let events = "select aggregate_id, event_type from events where aggregate_type = 'order' order by position";
    let rows: Vec<(String, String)> = sqlx::query_as(events).fetch_all(pool).await.unwrap();
    let mut ways: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (order, kind) in rows {
        ways.entry(order).or_default().push(kind);
    }
    ways
}

fn released(ways: &BTreeMap<String, Vec<String>>, orders: &[String]) -> usize {
    let done = |id: &&String| ways.get(*id).is_some_and(|way| way.len() >= WAY.len());
    orders.iter().filter(done).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_order_is_released_once_whatever_is_killed() {
    let database = fresh_database().await.with_stores().await;
    let pool = database.pool().await;
    let (mut orders, mut left) = (Vec::new(), 0);
    let mut program = Program::start(at_work(&database)).await;
    while orders.len() < ORDERS {
        let api = program.admin();
        // The first one of a round shows that the ledger is at work; the others are in work when it is killed.
        orders.push(place(&api).await);
        eventually("all orders so far are released", async || {
            (released(&ways(&pool).await, &orders) == orders.len()).then_some(())
        })
        .await;
        for _ in 1..A_ROUND {
            orders.push(place(&api).await);
        }
        program.kill();
        left += orders.len() - released(&ways(&pool).await, &orders);
        program = Program::start(at_work(&database)).await;
    }
    println!("{left} orders were in work when the ledger was killed");
    assert!(
        left >= ORDERS / A_ROUND,
        "nothing was left undone by a kill"
    );
    eventually("all orders are released", async || {
        (released(&ways(&pool).await, &orders) == ORDERS).then_some(())
    })
    .await;
    // Whatever is still to come by itself has come when every process has seen the whole log.
    let log = database.log().await;
    eventually("nothing is left to do", async || {
        let head = log.head().await.unwrap().position;
        let processes = commands::process::status(&log).await.unwrap();
        assert!(processes.iter().all(|one| one.failed.is_none()));
        let done = processes.iter().all(|one| one.position == head);
        done.then_some(())
    })
    .await;
    let ways = ways(&pool).await;
    assert_eq!(ways.len(), ORDERS, "an order that nobody placed");
    for id in &orders {
        assert_eq!(ways[id], WAY, "{id}");
    }
    caught_up(&pool).await;
    assert_sound(&pool).await;
    assert!(program.stop().await.success());
}
