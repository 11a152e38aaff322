//! How fast commands reach the log: the plain cqrs-es + postgres-es pair, our command bus, our GraphQL API over
//! HTTP, and the ceiling that pgbench finds for the same rows. One private PostgreSQL, one run, ratios first.
//!
//! `make bench` runs it; `--help` lists the knobs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]
#![allow(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::panic
)]

mod bus;
mod ceiling;
mod http;
mod lives;
mod measure;
mod plain;
mod report;
mod server;

use std::time::Duration;

use anyhow::{Context, Result};

use measure::Sample;

/// The program's own, so that every path in this process has what `ledger serve` has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Concurrent callers of each closed-loop row.
const CALLERS: [usize; 4] = [1, 16, 64, 256];

/// What is measured and how long.
pub(crate) struct Plan {
    /// Whole rounds; every round measures every row, so that drift hits all alike.
    rounds: usize,
    /// Seconds counted per row.
    seconds: u64,
    /// Where the JSON goes.
    output: std::path::PathBuf,
    /// Only this path, at 64 callers: to look at under a profiler.
    profile: Option<String>,
}

impl Plan {
    fn from_args() -> Result<Self> {
        let mut plan = Self {
            rounds: 3,
            seconds: 5,
            output: "docs/results/append.json".into(),
            profile: None,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().with_context(|| format!("{arg} wants a value"));
            match arg.as_str() {
                "--rounds" => plan.rounds = value()?.parse()?,
                "--seconds" => plan.seconds = value()?.parse()?,
                "--output" => plan.output = value()?.into(),
                "--profile" => plan.profile = Some(value()?),
                "--bench" => {}
                _ => anyhow::bail!(
                    "unknown argument {arg}; known: --rounds N, --seconds S, --output FILE, \
                     --profile plain|bus|http"
                ),
            }
        }
        Ok(plan)
    }
}

fn main() -> Result<()> {
    let plan = Plan::from_args()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(&plan))
}

async fn run(plan: &Plan) -> Result<()> {
    let server = server::Server::start().await?;
    let time = Duration::from_secs(plan.seconds);
    if let Some(path) = &plan.profile {
        let sample = match path.as_str() {
            "plain" => plain::run(&server, 64, time).await?,
            "bus" => bus::run(&server, 64, time).await?,
            _ => http::closed_loop(&server, 64, time).await?,
        };
        println!("{}", serde_json::to_string(&sample)?);
        return server.stop().await;
    }
    let mut samples: Vec<Sample> = Vec::new();
    let mut open_loop = Vec::new();
    for round in 1..=plan.rounds {
        for callers in CALLERS {
            eprintln!("round {round} of {}: {callers} callers", plan.rounds);
            samples.push(plain::run(&server, callers, time).await?);
            samples.push(bus::run(&server, callers, time).await?);
            samples.push(http::closed_loop(&server, callers, time).await?);
            samples.push(ceiling::run(&server, callers, time).await?);
        }
        eprintln!("round {round} of {}: open loop", plan.rounds);
        open_loop.push(http::open_loop(&server, Duration::from_secs(plan.seconds * 4)).await?);
    }
    server.stop().await?;
    report::write(plan, &samples, &open_loop)
}
