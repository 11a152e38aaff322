//! At the required rate: how long until a read model shows an order, and until a subscriber is told.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use e2e::{Client, Program, Target, orders};
use hdrhistogram::Histogram;
use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Orders a minute.
pub(crate) const RATE: u64 = 1_000;
/// Stores that trade, which take turns.
pub(crate) const STORES: u64 = 2;
const CONNECTIONS: usize = 16;
const PLACE: &str = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) { order { id } receipt { position } } }";
const SHOWN: &str = "query($id: ID!, $position: Position!) {
    order(id: $id, fresh: { minPosition: $position, waitMs: 1000 }) { version } }";
const WATCH: &str = "subscription { events { position events { position recordedAt } } }";

pub(crate) async fn run(program: &Program, time: Duration) {
    let target = program.target();
    let watching = program.api(&target.token);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let told = tokio::spawn(async move {
        let mut stream = watching.subscribe(WATCH).await;
        let mut delays = Histogram::<u64>::new(3).unwrap();
        tokio::pin!(stopped);
        loop {
            let data = tokio::select! {
                data = stream.next_data() => data,
                _ = &mut stopped => return delays,
            };
            let now = Utc::now();
            for event in data["events"]["events"].as_array().unwrap() {
                let at: DateTime<Utc> = event["recordedAt"].as_str().unwrap().parse().unwrap();
                let micros = (now - at).num_microseconds().unwrap_or(0).max(0);
                delays.record(micros.unsigned_abs()).unwrap();
            }
        }
    });
    let shown = place(&target, time).await;
    let _ = stop.send(());
    let told = told.await.unwrap();
    println!("## Live, {RATE} orders a minute for {time:?}, in ms\n");
    println!("| what | p50 | p99 | most | of |");
    println!("|---|---|---|---|---|");
    row(
        "from an order's receipt until a query shows it (a request of its own included)",
        &shown,
    );
    row(
        "from an event's time in the log until a subscriber of `events` has it",
        &told,
    );
    println!();
}

fn row(name: &str, of: &Histogram<u64>) {
    let ms = |micros: u64| micros as f64 / 1_000.0;
    println!(
        "| {name} | {:.1} | {:.1} | {:.1} | {} |",
        ms(of.value_at_quantile(0.5)),
        ms(of.value_at_quantile(0.99)),
        ms(of.max()),
        of.len()
    );
}

pub(crate) async fn place(target: &Target, time: Duration) -> Histogram<u64> {
    let (sender, idle) = tokio::sync::mpsc::channel(CONNECTIONS);
    let mut idle = idle;
    for _ in 0..CONNECTIONS {
        let client = Client::connect(target).await.unwrap();
        sender.send(client).await.unwrap();
    }
    let (started, mut tasks) = (Instant::now(), JoinSet::new());
    let total = RATE * time.as_secs() / 60;
    for n in 0..total {
        let due = started + Duration::from_micros(n * 60_000_000 / RATE);
        tokio::time::sleep_until(due.into()).await;
        let mut client = idle.recv().await.unwrap();
        let sender = sender.clone();
        tasks.spawn(async move {
            let mut input = serde_json::to_value(orders::place()).unwrap();
            input["commandId"] = json!(Uuid::now_v7());
            input["storeId"] = json!(format!("CFR{:03}", 1 + n % STORES));
            let placed = client
                .graphql(PLACE, &json!({ "input": input }))
                .await
                .unwrap();
            let placed = &placed["placeOrder"];
            let receipt = Instant::now();
            let asked =
                json!({ "id": placed["order"]["id"], "position": placed["receipt"]["position"] });
            client.graphql(SHOWN, &asked).await.unwrap();
            let took = receipt.elapsed();
            let _ = sender.send(client).await;
            took
        });
    }
    let mut all = Histogram::<u64>::new(3).unwrap();
    while let Some(took) = tasks.join_next().await {
        all.record(took.unwrap().as_micros() as u64).unwrap();
    }
    all
}
