//! Every query of a dashboard, asked by many at once about different stores and days.

use std::time::Duration;

use e2e::{Database, Target, bench::Spread};
use serde_json::Value;

use crate::{crowd, ledger};

const CLIENTS: usize = 50;

/// Queries; `$STORE` and `$FROM` are another one for each request.
const QUERIES: [(&str, &str); 14] = [
    (
        "order",
        "{ orders(first: 1) { edges { node { id status totals { orderTotal } } } } }",
    ),
    (
        "orders of a store",
        "{ orders(first: 25, filter: { storeIds: [\"$STORE\"] }) { edges { node { id number status placedAt totals { orderTotal } } } } }",
    ),
    (
        "orders by status",
        "{ orders(first: 25, filter: { statuses: [RELEASED] }) { edges { node { id number status } } } }",
    ),
    (
        "storeBoard",
        "{ storeBoard(storeIds: [\"$STORE\"]) { storeId status count } }",
    ),
    (
        "storeTrend",
        "{ storeTrend(storeId: \"$STORE\") { position } }",
    ),
    (
        "regions",
        "{ regions(from: \"$FROM\", to: \"2026-11-26\") { regions { region figures { placed value } } total { placed } } }",
    ),
    (
        "regionBoard",
        "{ regionBoard(region: \"R20\", from: \"$FROM\", to: \"2026-11-26\") { stores { storeId figures { placed } } } }",
    ),
    (
        "storeRanking",
        "{ storeRanking(from: \"$FROM\", to: \"2026-11-26\") { stores { rank storeId figures { value } } } }",
    ),
    (
        "bundlePerformance",
        "{ bundlePerformance(from: \"$FROM\", to: \"2026-11-26\") { count bundles { bundleId } } }",
    ),
    (
        "partnerPerformance",
        "{ partnerPerformance(from: \"$FROM\", to: \"2026-11-26\") { position } }",
    ),
    (
        "stepTimings",
        "{ stepTimings(from: \"$FROM\", to: \"2026-11-26\") { steps { step durations { count meanMs } } } }",
    ),
    (
        "cashBalances",
        "{ cashBalances(by: STORE) { total balances { storeId amount } } }",
    ),
    (
        "outstandingCash",
        "{ outstandingCash(storeIds: [\"$STORE\"]) { edges { node { orderId } } } }",
    ),
    (
        "collectionMetrics",
        "{ collectionMetrics(from: \"$FROM\", to: \"2026-11-26\", storeIds: [\"$STORE\"]) { days { day } } }",
    ),
];

/// What one query took.
#[derive(Default)]
struct Seen {
    p50: Vec<f64>,
    p99: Vec<f64>,
    rate: Vec<f64>,
}

pub(crate) async fn run(database: &Database, time: Duration, rounds: usize) {
    println!("## Dashboards: {CLIENTS} clients at once, in ms\n");
    println!(
        "25 stores and 14 spans of days in turn; each row {rounds} rounds of {time:?}, medians (worst p99).\n"
    );
    println!(
        "| query | nothing kept: p50 | p99 | a second | kept in memory: p50 | p99 | a second |"
    );
    println!("|---|---|---|---|---|---|---|");
    let ledgers = [
        ledger(database, "none").await,
        ledger(database, "memory").await,
    ];
    for (name, query) in QUERIES {
        let mut seen = [Seen::default(), Seen::default()];
        for _ in 0..rounds {
            for (program, seen) in ledgers.iter().zip(&mut seen) {
                round(&program.target(), query, time, seen).await;
            }
        }
        let [cold, warm] = seen.map(|seen| {
            let [p50, p99, rate] =
                [seen.p50, seen.p99, seen.rate].map(|values| Spread::of(values).unwrap());
            format!(
                "{:.1} | {:.1} ({:.1}) | {:.0}",
                p50.median, p99.median, p99.max, rate.median
            )
        });
        println!("| {name} | {cold} | {warm} |");
    }
    println!();
}

async fn round(target: &Target, query: &'static str, time: Duration, seen: &mut Seen) {
    let question = move |n: usize| {
        let query = query
            .replace("$STORE", &format!("CFR{:03}", 1 + n % 25))
            .replace("$FROM", &format!("2026-11-{:02}", 1 + n % 14));
        (query, Value::Null)
    };
    let all = crowd::ask(target, CLIENTS, time, question).await;
    seen.p50.push(all.value_at_quantile(0.5) as f64 / 1_000.0);
    seen.p99.push(all.value_at_quantile(0.99) as f64 / 1_000.0);
    seen.rate.push(all.len() as f64 / time.as_secs_f64());
}
