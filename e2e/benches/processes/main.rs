//! How long an order takes to run to released by itself, and how long the end of a day takes:
//! `cargo bench -p e2e --bench processes -- [ORDERS A DAY] [STORES]`.

#![allow(clippy::print_stdout, clippy::expect_used)]

use std::time::Duration;

use e2e::processes::{day_end, runs};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The stress volume of fifty stores: 300 orders a day each.
const ORDERS: usize = 15_000;
const STORES: usize = 50;
/// The longest a day may take to end.
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// Orders of each paced run, and the pause between two: 1,000 a minute, ten times that, and all at once.
const RUNS: [(usize, Duration); 3] = [
    (500, Duration::from_millis(60)),
    (2_000, Duration::from_millis(6)),
    (1_250, Duration::ZERO),
];

#[tokio::main]
async fn main() {
    // Cargo adds `--bench`; the rest are numbers.
    let mut numbers = std::env::args().skip(1).filter_map(|a| a.parse().ok());
    let orders = numbers.next().unwrap_or(ORDERS);
    let stores = numbers.next().unwrap_or(STORES);
    for (orders, pause) in RUNS {
        let database = e2e::fresh_database().await;
        let figures = runs(&database, orders, pause, LIMIT).await;
        let (p50, p99, max) = (figures.p50, figures.p99, figures.max);
        println!(
            "{orders} orders, one in {pause:?}: placed to released p50 {p50:?}, p99 {p99:?}, max {max:?}"
        );
    }
    let database = e2e::fresh_database().await;
    let figures = day_end(&database, orders, stores, LIMIT).await;
    println!(
        "end of a day of {} orders in {} remittances",
        figures.orders, figures.remittances
    );
    println!("  day taken in          {:?}", figures.taken_in);
    println!("  midnight to compared  {:?}", figures.compared);
    println!("  midnight to settled   {:?}", figures.settled);
}
