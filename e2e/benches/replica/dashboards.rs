//! Clients of dashboards, in a process of their own: each asks for the next thing when it has the last.

use std::{
    io::Read,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, Result};
use chrono::{Days, Utc};
use domain::calendar::business_day;
use e2e::{Client, Target};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Makes this program a client of dashboards: `ADDRESS TOKEN CLIENTS` follow.
pub(crate) const ARGUMENT: &str = "--dashboards";

/// What a head office looks at.
const QUESTIONS: [&str; 7] = [
    "query($from: Date!, $to: Date!) { regions(from: $from, to: $to) { position } }",
    "query($from: Date!, $to: Date!) { storeRanking(from: $from, to: $to, first: 50) { position } }",
    "query($from: Date!, $to: Date!) { stepTimings(from: $from, to: $to) { position } }",
    "{ orders(first: 100) { edges { node { id number status totals { orderTotal } } } } }",
    "{ storeBoard { storeId status count } }",
    "{ cashBalances(by: STORE) { total balances { account amount } } }",
    "{ outstandingCash(first: 100) { edges { node { orderId } } } }",
];

/// What the clients saw.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Dashboards {
    pub(crate) answered: u64,
    pub(crate) errors: u64,
    pub(crate) per_second: f64,
}

/// Asks until standard input ends; then says on standard output what was seen.
pub(crate) async fn run(mut args: impl Iterator<Item = String>) -> Result<()> {
    let mut next = || args.next().context("ADDRESS TOKEN CLIENTS are expected");
    let target = Target {
        address: next()?,
        token: next()?,
    };
    let clients: usize = next()?.parse()?;
    let over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicU64::new(0));
    let errors = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let mut running = Vec::new();
    for first in 0..clients {
        let (target, over) = (target.clone(), Arc::clone(&over));
        let (answered, errors) = (Arc::clone(&answered), Arc::clone(&errors));
        running.push(tokio::spawn(async move {
            let mut client = Client::connect(&target).await?;
            for question in QUESTIONS.iter().cycle().skip(first) {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let to = business_day(Utc::now());
                let from = to.checked_sub_days(Days::new(27)).unwrap_or(to);
                let days = if question.contains("$from") {
                    json!({ "from": from, "to": to })
                } else {
                    json!({})
                };
                match client.graphql(question, &days).await {
                    Ok(_) => answered.fetch_add(1, Ordering::Relaxed),
                    Err(error) => {
                        if errors.fetch_add(1, Ordering::Relaxed) == 0 {
                            eprintln!("  a dashboard failed: {error:#}");
                        }
                        client = Client::connect(&target).await?;
                        0
                    }
                };
            }
            anyhow::Ok(())
        }));
    }
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    over.store(true, Ordering::Relaxed);
    let seconds = started.elapsed().as_secs_f64();
    for client in running {
        client.await??;
    }
    let answered = answered.load(Ordering::Relaxed);
    let seen = Dashboards {
        answered,
        errors: errors.load(Ordering::Relaxed),
        per_second: answered as f64 / seconds,
    };
    println!("{}", serde_json::to_string(&seen)?);
    Ok(())
}
