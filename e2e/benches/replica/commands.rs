//! Commands at a fixed rate, each timed from the moment it was due.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use e2e::{Client, Target, orders};
use hdrhistogram::Histogram;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

/// Connections that share the rate; far more than are ever busy at once.
const CONNECTIONS: usize = 32;
/// Commands that may wait for a connection.
const QUEUE: usize = 4_096;
/// Latencies are kept from 1 us to 60 s at 3 digits.
const HIGHEST_MICROS: u64 = 60_000_000;

const PLACE: &str = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) {
    order { id } receipt { position } problems { code message } } }";

/// What the callers saw.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Commands {
    pub(crate) answered: u64,
    pub(crate) errors: u64,
    pub(crate) p50_ms: f64,
    pub p99_ms: f64,
    pub(crate) max_ms: f64,
    /// How late commands left, at the 99th percentile: what the callers themselves add.
    pub(crate) lateness_p99_ms: f64,
}

struct Seen {
    took: Histogram<u64>,
    late: Histogram<u64>,
    errors: u64,
}

/// Places an order.
pub(crate) async fn place(client: &mut Client) -> Result<()> {
    let mut input = serde_json::to_value(orders::place())?;
    input["commandId"] = json!(Uuid::now_v7());
    let data = client.graphql(PLACE, &json!({ "input": input })).await?;
    ensure!(data["placeOrder"]["order"]["id"].is_string(), "{data}");
    Ok(())
}

/// Gives commands at a rate for a time.
pub(crate) async fn at_rate(target: &Target, rate: u64, time: Duration) -> Result<Commands> {
    let histogram = || Histogram::new_with_bounds(1, HIGHEST_MICROS, 3);
    let seen = Arc::new(Mutex::new(Seen {
        took: histogram()?,
        late: histogram()?,
        errors: 0,
    }));
    let (jobs, queue) = tokio::sync::mpsc::channel::<Instant>(QUEUE);
    let queue = Arc::new(tokio::sync::Mutex::new(queue));
    let mut workers = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut client = Client::connect(target).await?;
        let (queue, seen) = (Arc::clone(&queue), Arc::clone(&seen));
        workers.push(tokio::spawn(async move {
            loop {
                let due = { queue.lock().await.recv().await };
                let Some(due) = due else { return };
                let late = due.elapsed();
                let done = place(&mut client).await;
                let took = due.elapsed();
                let mut seen = seen.lock().unwrap();
                seen.late.saturating_record(late.as_micros() as u64);
                match done {
                    Ok(()) => seen.took.saturating_record(took.as_micros() as u64),
                    Err(error) => {
                        eprintln!("  a command failed: {error:#}");
                        seen.errors += 1;
                    }
                }
            }
        }));
    }
    let started = Instant::now();
    for n in 0..rate * time.as_secs() {
        let due = started + Duration::from_micros(n * 1_000_000 / rate);
        tokio::time::sleep_until(due.into()).await;
        jobs.try_send(due).context("the ledger does not keep up")?;
    }
    drop(jobs);
    for worker in workers {
        worker.await?;
    }
    let seen = seen.lock().unwrap();
    let ms = |micros: u64| micros as f64 / 1000.0;
    Ok(Commands {
        answered: seen.took.len(),
        errors: seen.errors,
        p50_ms: ms(seen.took.value_at_quantile(0.5)),
        p99_ms: ms(seen.took.value_at_quantile(0.99)),
        max_ms: ms(seen.took.max()),
        lateness_p99_ms: ms(seen.late.value_at_quantile(0.99)),
    })
}
