//! What HTTP/2, keep-alive and TLS make of the same requests, with `h2load` as the client: `make bench-http`.
//!
//! Two ledgers with demo data, one plain and one with TLS, each on an embedded database; every way in takes its turn in
//! every round, with as many requests in flight as the others. Writes Markdown and JSON.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]
#![allow(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::panic
)]

mod h2load;
mod report;
mod world;

use std::path::PathBuf;

use anyhow::{Context, Result};

use self::{
    h2load::{Seen, Way},
    world::{Question, World},
};

/// What is measured and how long.
pub(crate) struct Plan {
    /// Whole rounds; each measures every way in once for every question, in another order.
    rounds: usize,
    /// About how many seconds are counted per way, question and round.
    seconds: u64,
    /// Where the report goes: this with `.md` and `.json`.
    output: PathBuf,
}

/// One way in, one question, one round.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cell {
    pub(crate) round: usize,
    pub(crate) question: Question,
    pub(crate) way: Way,
    #[serde(flatten)]
    pub(crate) seen: Seen,
    /// Requests that the ledger answered by connections that it accepted.
    pub(crate) requests_per_connection: f64,
    /// Processor time of the ledger's process for one request, its database apart.
    pub(crate) ledger_micros: f64,
}

impl Plan {
    fn from_args(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let mut plan = Self {
            rounds: 5,
            seconds: 5,
            output: "docs/results/http".into(),
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().with_context(|| format!("{arg} wants a value"));
            match arg.as_str() {
                "--rounds" => plan.rounds = value()?.parse()?,
                "--seconds" => plan.seconds = value()?.parse()?,
                "--output" => plan.output = value()?.into(),
                "--bench" => {}
                _ => anyhow::bail!(
                    "unknown argument {arg}; known: --rounds N, --seconds S, --output FILE-WITHOUT-ENDING"
                ),
            }
        }
        Ok(plan)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let plan = Plan::from_args(std::env::args().skip(1))?;
    let client = h2load::version()?;
    let world = World::start().await?;
    let mut cells = Vec::new();
    for round in 1..=plan.rounds {
        for question in Question::ALL {
            let mut ways = Way::ALL;
            // Each way is first and last in turn: drift hits all alike.
            ways.rotate_left(round % Way::ALL.len());
            for way in ways {
                eprintln!("round {round} of {}: {question:?}, {way:?}", plan.rounds);
                cells.push(world.measure(&plan, round, question, way).await?);
            }
        }
    }
    report::write(&plan, &client, &cells)
}
