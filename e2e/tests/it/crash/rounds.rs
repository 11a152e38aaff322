//! Kills at random moments under load.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::StdRng};

use super::{
    callers::Callers,
    faults::Fault,
    ledger::{Ledger, directory, postmaster},
    planted,
};

const ROUNDS: usize = 20;
const CALLERS: u64 = 16;
/// A start on the data of a killed ledger, recovery included.
const START_LIMIT: Duration = Duration::from_secs(20);
/// Fixes the seed, to repeat a run that failed.
const SEED: &str = "LEDGER_FAULT_SEED";

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_under_load_lose_nothing_and_double_nothing() {
    let seed = match std::env::var(SEED) {
        Ok(seed) => seed.parse().expect("a number"),
        Err(_) => rand::random::<u64>(),
    };
    println!("{SEED}={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let directory = directory();
    let mut ledger = Ledger::start(directory.path(), Vec::new()).await;
    let callers = Callers::start(CALLERS, seed, &ledger.api());
    let began = Instant::now();
    for round in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(random.random_range(50..=800))).await;
        run(round, &mut ledger, &callers).await;
    }
    let tally = std::sync::Arc::clone(&callers.tally);
    let outcome = callers.finish().await;
    let get = |n: &std::sync::atomic::AtomicU64| n.load(Ordering::Relaxed);
    println!(
        "{:.1} s: {} commands acknowledged on {} orders, {} given up, {} asked to try again, {} unanswered, \
         slowest answer {} ms",
        began.elapsed().as_secs_f64(),
        get(&tally.acknowledged),
        outcome.states.len(),
        outcome
            .history
            .iter()
            .filter(|issued| issued.told.is_none())
            .count(),
        get(&tally.try_again),
        get(&tally.silent),
        get(&tally.slowest_ms),
    );
    assert_eq!(*tally.wrong.lock().unwrap(), Vec::<String>::new());
    assert!(
        get(&tally.silent) > 0,
        "no caller noticed that the ledger was killed"
    );
    let log = ledger.check(&outcome).await;
    planted::assert_seen(&outcome.history, &log);
    assert!(ledger.program.stop().await.success());
}

/// One fault, and the wait until commands are acknowledged again.
async fn run(round: usize, ledger: &mut Ledger, callers: &Callers) {
    let fault = Fault::of_round(round);
    let postgres = postmaster(&ledger.data_dir);
    fault.strike(ledger).await;
    let struck = Instant::now();
    if fault.ends_ledger() {
        let took = ledger.restart().await;
        assert!(
            took < START_LIMIT,
            "round {round}, {fault:?}: the start took {took:?}"
        );
    }
    if fault.ends_postgres() {
        // Connections outlive their main process for as long as they are kept busy, and answer.
        ledger.replaced(postgres).await;
    }
    // In work when the fault struck: up to one command a caller.
    assert!(
        ledger.recovers(callers, 2 * CALLERS).await,
        "round {round}, {fault:?}: the ledger ended"
    );
    let adopted = postgres == postmaster(&ledger.data_dir);
    println!(
        "round {round:2}: {fault:?}, commands again after {} ms, PostgreSQL {}",
        struck.elapsed().as_millis(),
        if adopted { "lived on" } else { "is a new one" },
    );
    assert_eq!(adopted, !fault.ends_postgres(), "round {round}, {fault:?}");
}
