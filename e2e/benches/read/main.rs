//! How far read models are behind while orders come in, how soon subscribers hear, and how many answers need not be
//! sent again; then, after a million orders, how many bytes answers take and how fast they come, also beside another
//! server on the same tables: `make bench-read`, or `cargo bench -p e2e --bench read -- [SECONDS] [ROUNDS]`. Prints
//! Markdown.

#![allow(
    clippy::print_stdout,
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation
)]

mod crowd;
mod dashboards;
mod live;
#[path = "../../tests/it/plans/million.rs"]
#[allow(unreachable_pub, dead_code)]
mod million;
mod peer;
mod polls;
mod transfer;

use std::time::Duration;

use e2e::{
    Database, Program, ProgramOptions,
    bench::{machine, output},
    eventually, fresh_database, orders,
};
use serde_json::{Value, json};
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SECONDS: u64 = 5;
const ROUNDS: usize = 3;

#[tokio::main]
async fn main() {
    // Cargo adds `--bench`; the rest are numbers.
    let mut numbers = std::env::args().skip(1).filter_map(|a| a.parse().ok());
    let time = Duration::from_secs(numbers.next().unwrap_or(SECONDS));
    let rounds = numbers.next().map_or(ROUNDS, |n| n as usize);
    println!("# The read side\n");
    println!(
        "{}; {}; commit {}; `make bench-read`.\n",
        machine(),
        output("psql", &["--version"]),
        output("git", &["rev-parse", "--short", "HEAD"])
    );
    // Where orders come in: the million's numbers would meet theirs.
    let busy = fresh_database().await.with_stores().await;
    let program = ledger(&busy, "memory").await;
    live::run(&program, time * 4).await;
    polls::run(&program, time * 4).await;
    drop(program);
    let database = fresh_database().await.with_stores().await;
    let order = one_of_each(&database).await;
    million::fill(&database, &order).await;
    println!("Below: after {} orders.\n", million::ORDERS);
    transfer::run(&database).await;
    peer::run(&database, time, rounds).await;
    dashboards::run(&database, time, rounds).await;
}

/// A ledger on the database that keeps answers so, without its own processes.
async fn ledger(database: &Database, cache: &str) -> Program {
    Program::start(ProgramOptions {
        env: vec![
            ("LEDGER_CACHE_BACK_END", cache.to_owned()),
            ("LEDGER_CACHE_REDIS_URL", String::new()),
            ("LEDGER_LOG_LEVEL", "warn".to_owned()),
            // What is measured must not be turned away for asking much.
            ("LEDGER_LIMITS_REQUESTS_LOAD", "0".to_owned()),
            ("LEDGER_LIMITS_POINTS_LOAD", "0".to_owned()),
        ],
        ..ProgramOptions::on(database)
    })
    .await
}

/// An order, a remittance and a dead letter, whose documents the million shows.
async fn one_of_each(database: &Database) -> String {
    let program = ledger(database, "none").await;
    let api = program.admin();
    let mut place = serde_json::to_value(orders::place()).unwrap();
    let mut letter = place.clone();
    place["commandId"] = json!(Uuid::now_v7());
    let query = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) { order { id } } }";
    let placed = api.graphql(query, json!({ "input": place })).await;
    letter["source"] = json!("bench");
    letter["messageId"] = json!("M-1");
    letter["storeId"] = json!("CFR009");
    let query =
        "mutation($input: SubmitOrderInput!) { submitOrder(input: $input) { deadLetter { id } } }";
    api.graphql(query, json!({ "input": letter })).await;
    let today = chrono::Utc::now().date_naive().to_string();
    let report = json!({ "commandId": Uuid::now_v7(), "partnerId": "GRAB", "storeId": "CFR001", "businessDay": today,
        "reportId": "R-1", "items": [{ "reference": "x", "amount": "1.00" }] });
    let query = "mutation($input: ReportRemittanceInput!) { reportRemittance(input: $input) { remittance { id } } }";
    api.graphql(query, json!({ "input": report })).await;
    eventually("the read models", || async {
        let shown = api
            .graphql("{ projections { lagEvents } }", json!({}))
            .await;
        let models = shown["projections"].as_array().unwrap();
        let behind = |model: &Value| model["lagEvents"] != 0;
        (!models.iter().any(behind)).then_some(())
    })
    .await;
    placed["placeOrder"]["order"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}
