//! How long a decision takes: validate, recognise bundles, enrich and price a full order, against the same without
//! bundles, and against writing the event down as JSON. One thread, one run, ratios within it.
//!
//! `make bench-decide` runs it; `--help` lists the knobs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::float_arithmetic
)]

mod orders;
mod report;

use std::{
    hint::black_box,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use domain::{
    actor::Actor,
    order::{Order, OrderCommand, OrderEvent, decide, facts::Facts},
};

/// The program's own, so that this process has what `ledger serve` has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs of a case before those that count.
const WARM_UP: usize = 500;

/// How much is measured.
struct Plan {
    /// Every round measures every case, so that drift hits all alike.
    rounds: usize,
    /// Runs of a case in a round.
    runs: usize,
    /// Where the JSON goes.
    output: PathBuf,
}

impl Plan {
    fn from_args() -> Result<Self> {
        let mut plan = Self {
            rounds: 11,
            runs: 5_000,
            output: "docs/results/decide.json".into(),
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().with_context(|| format!("{arg} wants a value"));
            match arg.as_str() {
                "--rounds" => plan.rounds = value()?.parse()?,
                "--runs" => plan.runs = value()?.parse()?,
                "--output" => plan.output = value()?.into(),
                "--bench" => {}
                _ => anyhow::bail!(
                    "unknown argument {arg}; known: --rounds N, --runs N, --output FILE"
                ),
            }
        }
        Ok(plan)
    }
}

/// What is measured: a name, and one run of it.
struct Case {
    name: &'static str,
    run: Box<dyn Fn()>,
}

/// The times of one case in one round, sorted.
struct Times {
    case: &'static str,
    nanos: Vec<u64>,
}

fn main() -> Result<()> {
    let plan = Plan::from_args()?;
    let cases = cases();
    let mut rounds = Vec::with_capacity(plan.rounds);
    for _ in 0..plan.rounds {
        rounds.push(cases.iter().map(|case| measure(case, plan.runs)).collect());
    }
    report::write(&plan, &rounds)
}

fn measure(case: &Case, runs: usize) -> Times {
    for _ in 0..WARM_UP {
        (case.run)();
    }
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let mut times: Vec<u64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            (case.run)();
            nanos(start.elapsed())
        })
        .collect();
    times.sort_unstable();
    Times {
        case: case.name,
        nanos: times,
    }
}

/// 20 lines each. Three bundles among a hundred definitions: one under its own SKU, two in ordinary lines.
fn cases() -> Vec<Case> {
    let shop = orders::shop();
    let (bundled, plain) = (orders::bundled(&shop), orders::plain(&shop));
    let event = place(&bundled, &shop.actor, &shop.facts);
    let OrderEvent::Placed(placed) = &event else {
        unreachable!("placing places");
    };
    assert_eq!((placed.bundles.len(), bundled_lines(&bundled)), (3, 20));
    let text = serde_json::to_string(&event).unwrap();
    let decided = |command: OrderCommand| {
        let (actor, facts) = (shop.actor.clone(), shop.facts.clone());
        Box::new(move || {
            black_box(place(black_box(&command), &actor, &facts));
        })
    };
    let applied = event.clone();
    vec![
        Case {
            name: report::BUNDLED,
            run: decided(bundled),
        },
        Case {
            name: report::PLAIN,
            run: decided(plain),
        },
        Case {
            name: report::APPLY,
            run: Box::new(move || {
                let mut order = Order::default();
                order.apply(black_box(&applied));
                black_box(order);
            }),
        },
        Case {
            name: report::WRITE,
            run: Box::new(move || {
                black_box(serde_json::to_string(black_box(&event)).unwrap());
            }),
        },
        Case {
            name: report::READ,
            run: Box::new(move || {
                black_box(serde_json::from_str::<OrderEvent>(black_box(&text)).unwrap());
            }),
        },
    ]
}

fn place(command: &OrderCommand, actor: &Actor, facts: &Facts) -> OrderEvent {
    let mut events = decide(&Order::default(), command, actor, facts).expect("a valid order");
    events.pop().expect("an event")
}

fn bundled_lines(command: &OrderCommand) -> usize {
    match command {
        OrderCommand::Place(order) => order.lines.len(),
        _ => 0,
    }
}
