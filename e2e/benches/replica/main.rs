//! What a saturating load of dashboards costs commands: with the dashboards on a replica, with the same dashboards on
//! the primary, and without any; in one run, in rounds that take turns.
//!
//! Each of two processors has its side: the primary, the commanding ledger and its callers on one; the replica, the
//! ledgers that serve dashboards and their clients on the other. `make bench-replica` runs it.

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

mod commands;
mod dashboards;
mod report;
mod world;

use std::time::Duration;

use anyhow::{Context, Result};

use self::{
    report::Cell,
    world::{Load, World},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is measured and how long.
pub(crate) struct Plan {
    /// Whole rounds; each measures every load once, in another order.
    rounds: usize,
    /// Seconds counted per load.
    seconds: u64,
    /// Commands a second.
    rate: u64,
    /// Clients that each ask for the next dashboard when they have the last.
    clients: usize,
    /// Orders that are there before anything is measured.
    orders: usize,
    /// Where the JSON goes.
    output: std::path::PathBuf,
}

impl Plan {
    fn from_args(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let mut plan = Self {
            rounds: 5,
            seconds: 20,
            rate: 150,
            clients: 8,
            orders: 5_000,
            output: "docs/results/replica.json".into(),
        };
        while let Some(arg) = args.next() {
            let mut value = || args.next().with_context(|| format!("{arg} wants a value"));
            match arg.as_str() {
                "--rounds" => plan.rounds = value()?.parse()?,
                "--seconds" => plan.seconds = value()?.parse()?,
                "--rate" => plan.rate = value()?.parse()?,
                "--clients" => plan.clients = value()?.parse()?,
                "--orders" => plan.orders = value()?.parse()?,
                "--output" => plan.output = value()?.into(),
                "--bench" => {}
                _ => anyhow::bail!(
                    "unknown argument {arg}; known: --rounds N, --seconds S, --rate N, --clients N, --orders N, \
                     --output FILE"
                ),
            }
        }
        Ok(plan)
    }
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1).peekable();
    if args.peek().is_some_and(|arg| arg == dashboards::ARGUMENT) {
        return runtime()?.block_on(dashboards::run(args.skip(1)));
    }
    let plan = Plan::from_args(args)?;
    // Before there are threads: they, and every process that is started, stay where we are.
    world::pin(std::process::id(), world::COMMANDS_CORE)?;
    runtime()?.block_on(run(&plan))
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    Ok(runtime)
}

async fn run(plan: &Plan) -> Result<()> {
    let world = World::start(plan).await?;
    let mut cells: Vec<Cell> = Vec::new();
    for round in 1..=plan.rounds {
        let mut loads = Load::ALL;
        // Each load is first, second and last in turn: drift hits all alike.
        loads.rotate_left(round % Load::ALL.len());
        for load in loads {
            eprintln!("round {round} of {}: {load:?}", plan.rounds);
            cells.push(measure(&world, plan, round, load).await?);
        }
    }
    report::write(plan, &cells)
}

async fn measure(world: &World, plan: &Plan, round: usize, load: Load) -> Result<Cell> {
    let dashboards = world.dashboards(load, plan.clients)?;
    // Connections, caches and plans settle, on both sides.
    commands::at_rate(&world.commands, plan.rate, world::WARM_UP).await?;
    let reads = world.reads(load).await?;
    let busy = world::Busy::now()?;
    let commands = commands::at_rate(
        &world.commands,
        plan.rate,
        Duration::from_secs(plan.seconds),
    )
    .await?;
    let busy = world::Busy::now()?.since(&busy);
    let reads = world.reads(load).await?.since(&reads);
    let dashboards = match dashboards {
        Some(dashboards) => Some(dashboards.end().await?),
        None => None,
    };
    Ok(Cell {
        round,
        load,
        commands,
        dashboards,
        reads,
        busy,
    })
}
