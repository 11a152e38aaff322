//! How fast read models are made anew, against how fast the database reads the same rows out:
//! `make bench-rebuild`, or `cargo bench -p e2e --bench rebuild -- [ORDERS] [ROUNDS]`. Prints Markdown.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    clippy::cast_precision_loss
)]

use std::time::{Duration, Instant};

use e2e::{
    bench::{machine, output},
    processes::day_end,
};
use futures_util::TryStreamExt;
use projections::{
    Model,
    rebuild::{self, Mode, Rebuilt, Stage},
};
use sqlx::PgPool;
use store::LogId;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ORDERS: usize = 30_000;
/// Orders that a store has a day, so that no report of a partner is longer than they are.
const ORDERS_PER_STORE: usize = 300;
const ROUNDS: usize = 3;
const LIMIT: Duration = Duration::from_secs(30 * 60);

#[tokio::main]
async fn main() {
    // Cargo adds `--bench`; the rest are numbers.
    let mut numbers = std::env::args().skip(1).filter_map(|a| a.parse().ok());
    let orders = numbers.next().unwrap_or(ORDERS);
    let rounds = numbers.next().unwrap_or(ROUNDS);
    let database = e2e::fresh_database().await;
    day_end(&database, orders, orders.div_ceil(ORDERS_PER_STORE), LIMIT).await;
    let owner = database.owner_pool().await;
    let events: i64 = sqlx::query_scalar("select position from log_head")
        .fetch_one(&owner)
        .await
        .unwrap();
    println!("# How fast read models are made anew\n");
    println!(
        "{}; {}; commit {}; `make bench-rebuild`. {events} events of {orders} whole lives; events a second until the log \
         was read and handed to the models, and until the rows were in use, indexed and compared, with the share of the rate at which \
         COPY reads the same log; and seconds until then, and until the planner knew all of them.\n",
        machine(),
        output("psql", &["--version"]),
        output("git", &["rev-parse", "--short", "HEAD"])
    );
    println!(
        "| round | COPY of the log | models | read | in use | of COPY | s to read | s until in use | s until analysed |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    // The tables are filled for the first time: from now on there is something to compare with.
    rebuild::rebuild(&owner, LogId::DEFAULT, &Model::ALL, Mode::Exchange, |_| {})
        .await
        .unwrap();
    for round in 1..=rounds {
        let copied = copy(&owner).await;
        for models in [&Model::ALL[..], &[Model::OrderView], &[Model::Metrics]] {
            let (read, in_use, done) = made_anew(&owner, models).await;
            let name = if models.len() == 1 {
                models[0].name()
            } else {
                "all"
            };
            println!(
                "| {round} | {:.0} | {name} | {:.0} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} |",
                rate(events, copied),
                rate(events, read),
                rate(events, in_use),
                copied.as_secs_f64() / in_use.as_secs_f64(),
                read.as_secs_f64(),
                in_use.as_secs_f64(),
                done.as_secs_f64(),
            );
        }
    }
}

fn rate(events: i64, took: Duration) -> f64 {
    events as f64 / took.as_secs_f64()
}

/// Reads every row of the log out, and drops it.
async fn copy(pool: &PgPool) -> Duration {
    let started = Instant::now();
    let mut connection = pool.acquire().await.unwrap();
    let mut rows = connection
        .copy_out_raw("copy (select * from events) to stdout")
        .await
        .unwrap();
    while rows.try_next().await.unwrap().is_some() {}
    started.elapsed()
}

/// Makes models anew: how long until the log was read and handed on, until all of them were in use, and until the rebuild
/// was over.
async fn made_anew(owner: &PgPool, models: &[Model]) -> (Duration, Duration, Duration) {
    // What the server would otherwise begin by itself in the middle of a round: the tables of the last one are new to it.
    sqlx::query("vacuum (analyze)")
        .execute(owner)
        .await
        .unwrap();
    let started = Instant::now();
    let (mut read, mut in_use) = (None, None);
    let told = |stage| match stage {
        Stage::Indexing => read = read.or_else(|| Some(started.elapsed())),
        Stage::Analysing(_) => in_use = in_use.or_else(|| Some(started.elapsed())),
        _ => {}
    };
    let rebuilt = rebuild::rebuild(owner, LogId::DEFAULT, models, Mode::Exchange, told)
        .await
        .unwrap();
    let is_same = |model: &Rebuilt| model.compared_at.is_some() && model.differences.is_empty();
    assert!(rebuilt.iter().all(is_same), "{rebuilt:?}");
    (read.unwrap(), in_use.unwrap(), started.elapsed())
}
