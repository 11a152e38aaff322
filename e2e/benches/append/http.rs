//! (c) Our GraphQL API over loopback HTTP with authentication on: `ledger serve` in a process of its own.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use e2e::Client;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    lives,
    measure::{self, Sample, histogram},
    server::Server,
};

/// Commands a second of the open loop.
const OPEN_LOOP_RATE: u64 = 150;
/// Connections that share the open loop; far more than are ever busy at once.
const OPEN_LOOP_CONNECTIONS: usize = 64;

/// What the open loop saw.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenLoop {
    pub(crate) offered_per_second: u64,
    pub(crate) answered: u64,
    pub(crate) errors: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    pub(crate) max_ms: f64,
    /// How late commands left, at the 99th percentile: what the generator itself adds.
    pub generator_lateness_p99_ms: f64,
    /// Most resident memory of `ledger serve`, its PostgreSQL apart.
    pub(crate) server_rss_mb: f64,
}

/// Runs the closed-loop row.
pub(crate) async fn closed_loop(server: &Server, callers: usize, time: Duration) -> Result<Sample> {
    let api = &server.api;
    measure::closed_loop("GraphQL over HTTP", callers, time, |_, mut caller| {
        let target = api.target.clone();
        async move {
            let mut client = Client::connect(&target).await?;
            while caller.goes_on() {
                let mut order = None;
                for n in 0..lives::STEPS {
                    match caller.time(step(&mut client, n, order.as_deref())).await {
                        Some(id) if caller.goes_on() => order = Some(id),
                        _ => break,
                    }
                }
            }
            Ok(caller)
        }
    })
    .await
}

/// Commands at a fixed rate, each timed from the moment it was due.
pub(crate) async fn open_loop(server: &Server, time: Duration) -> Result<OpenLoop> {
    let api = &server.api;
    let latencies = Arc::new(Mutex::new((histogram(), histogram(), 0_u64)));
    let (jobs, queue) = tokio::sync::mpsc::channel::<Instant>(OPEN_LOOP_CONNECTIONS * 16);
    let queue = Arc::new(tokio::sync::Mutex::new(queue));
    let mut workers = Vec::new();
    for _ in 0..OPEN_LOOP_CONNECTIONS {
        let client = Client::connect(&api.target).await?;
        workers.push(tokio::spawn(open_loop_worker(
            client,
            queue.clone(),
            latencies.clone(),
        )));
    }
    let started = Instant::now();
    let total = OPEN_LOOP_RATE * time.as_secs();
    let mut rss = 0.0_f64;
    for n in 0..total {
        let due = started + Duration::from_micros(n * 1_000_000 / OPEN_LOOP_RATE);
        tokio::time::sleep_until(due.into()).await;
        jobs.send(due).await?;
        if n % OPEN_LOOP_RATE == 0 {
            rss = rss.max(api.rss_mb()?);
        }
    }
    drop(jobs);
    for worker in workers {
        worker.await??;
    }
    let guard = latencies.lock().unwrap();
    let (latency, late, errors) = &*guard;
    let ms = |q| latency.value_at_quantile(q) as f64 / 1000.0;
    Ok(OpenLoop {
        offered_per_second: OPEN_LOOP_RATE,
        answered: latency.len(),
        errors: *errors,
        p50_ms: ms(0.5),
        p99_ms: ms(0.99),
        p999_ms: ms(0.999),
        max_ms: latency.max() as f64 / 1000.0,
        generator_lateness_p99_ms: late.value_at_quantile(0.99) as f64 / 1000.0,
        server_rss_mb: rss,
    })
}

type Jobs = Arc<tokio::sync::Mutex<tokio::sync::mpsc::Receiver<Instant>>>;
type Latencies = Arc<
    Mutex<(
        hdrhistogram::Histogram<u64>,
        hdrhistogram::Histogram<u64>,
        u64,
    )>,
>;

async fn open_loop_worker(mut client: Client, jobs: Jobs, latencies: Latencies) -> Result<()> {
    let (mut next, mut order) = (0, None);
    loop {
        let due = { jobs.lock().await.recv().await };
        let Some(due) = due else { return Ok(()) };
        let late = due.elapsed();
        let result = step(&mut client, next, order.as_deref()).await;
        let took = due.elapsed();
        let mut guard = latencies.lock().unwrap();
        guard.1.saturating_record(late.as_micros() as u64);
        match result {
            Ok(id) => {
                guard.0.saturating_record(took.as_micros() as u64);
                (next, order) = if next + 1 == lives::STEPS {
                    (0, None)
                } else {
                    (next + 1, Some(id))
                };
            }
            Err(error) => {
                eprintln!("  open loop: {error:#}");
                guard.2 += 1;
                (next, order) = (0, None);
            }
        }
    }
}

/// Sends the command of a step and returns the order's id.
async fn step(client: &mut Client, step: usize, order: Option<&str>) -> Result<String> {
    let (field, document) = document(step);
    let data = client.graphql(&document, &variables(step, order)?).await?;
    let id = data[field]["order"]["id"].as_str();
    id.map(str::to_owned)
        .with_context(|| format!("step {step}: {data}"))
}

const FIELDS: [(&str, &str); lives::STEPS] = [
    ("placeOrder", "PlaceOrderInput"),
    ("allocateOrder", "OrderCommandInput"),
    ("payOrder", "PayOrderInput"),
    ("releaseOrder", "OrderCommandInput"),
    ("recordPicking", "PickingInput"),
    ("recordShipment", "ShipmentInput"),
    ("recordShipment", "ShipmentInput"),
    ("recordDelivery", "DeliveryInput"),
];

fn document(step: usize) -> (&'static str, String) {
    let (field, input) = FIELDS[step];
    let text = format!(
        "mutation M($input: {input}!) {{ {field}(input: $input) {{ order {{ id version statusCode }} \
         receipt {{ commandId version position eventIds replayed }} problems {{ code message path }} }} }}"
    );
    (field, text)
}

/// The domain's own command as JSON, with the fields that GraphQL adds.
fn variables(step: usize, order: Option<&str>) -> Result<Value> {
    let mut input = serde_json::to_value(lives::command(step))?;
    let fields = input.as_object_mut().context("a command is an object")?;
    fields.remove("type");
    fields.retain(|_, value| !value.is_null());
    fields.insert("commandId".into(), json!(Uuid::now_v7()));
    if let Some(order) = order {
        fields.insert("orderId".into(), json!(order));
    }
    if let Some(status) = fields.get_mut("status") {
        *status = json!(graphql_status(status.as_u64()));
    }
    Ok(json!({ "input": input }))
}

fn graphql_status(code: Option<u64>) -> &'static str {
    match code {
        Some(3700) => "PACKED",
        Some(7000) => "FULFILLED",
        Some(7100) => "SHIPPED",
        _ => "DELIVERED",
    }
}
