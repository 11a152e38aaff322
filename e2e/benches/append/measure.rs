//! Closed-loop measuring: callers that send their next command when the last is answered.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;

/// Time before counting starts: connections, caches and plans settle.
const WARM_UP: Duration = Duration::from_secs(1);
/// Latencies are kept from 1 us to 60 s at 3 digits.
const HIGHEST_MICROS: u64 = 60_000_000;

/// One row of the table.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sample {
    pub(crate) path: &'static str,
    pub(crate) callers: usize,
    pub(crate) commands_per_second: f64,
    pub(crate) events_per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: Option<f64>,
    pub p999_ms: Option<f64>,
    pub(crate) errors: u64,
}

impl Sample {
    /// A row from the latencies of commands of one event each.
    pub(crate) fn new(
        path: &'static str,
        callers: usize,
        latencies: &Histogram<u64>,
        seconds: f64,
        errors: u64,
    ) -> Self {
        let ms = |q| latencies.value_at_quantile(q) as f64 / 1000.0;
        let rate = latencies.len() as f64 / seconds;
        Self {
            path,
            callers,
            commands_per_second: rate,
            events_per_second: rate,
            p50_ms: ms(0.50),
            p99_ms: Some(ms(0.99)),
            p999_ms: Some(ms(0.999)),
            errors,
        }
    }
}

/// An empty histogram of microseconds.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, HIGHEST_MICROS, 3).expect("constant bounds are valid")
}

/// What one caller does: it says how long each command took, until told to stop.
pub(crate) struct Caller {
    stop: Arc<AtomicBool>,
    counting: Arc<AtomicBool>,
    latencies: Histogram<u64>,
    errors: u64,
}

impl Caller {
    /// Whether to go on.
    pub(crate) fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    /// Times one command.
    pub(crate) async fn time<T>(&mut self, command: impl Future<Output = Result<T>>) -> Option<T> {
        let started = Instant::now();
        let result = command.await;
        if self.counting.load(Ordering::Relaxed) {
            match &result {
                Ok(_) => self
                    .latencies
                    .saturating_record(started.elapsed().as_micros() as u64),
                Err(error) => {
                    if self.errors == 0 {
                        eprintln!("  a command failed: {error:#}");
                    }
                    self.errors += 1;
                }
            }
        }
        result.ok()
    }
}

/// Runs `callers` copies of `caller` for the time and sums up.
pub(crate) async fn closed_loop<F, Fut>(
    path: &'static str,
    callers: usize,
    time: Duration,
    caller: F,
) -> Result<Sample>
where
    F: Fn(usize, Caller) -> Fut,
    Fut: Future<Output = Result<Caller>> + Send + 'static,
{
    let stop = Arc::new(AtomicBool::new(false));
    let counting = Arc::new(AtomicBool::new(false));
    let running: Vec<_> = (0..callers)
        .map(|n| {
            let caller_state = Caller {
                stop: stop.clone(),
                counting: counting.clone(),
                latencies: histogram(),
                errors: 0,
            };
            tokio::spawn(caller(n, caller_state))
        })
        .collect();
    tokio::time::sleep(WARM_UP).await;
    counting.store(true, Ordering::Relaxed);
    let started = Instant::now();
    tokio::time::sleep(time).await;
    counting.store(false, Ordering::Relaxed);
    let seconds = started.elapsed().as_secs_f64();
    stop.store(true, Ordering::Relaxed);
    let mut latencies = histogram();
    let mut errors = 0;
    for caller in running {
        let caller = caller.await??;
        latencies.add(&caller.latencies)?;
        errors += caller.errors;
    }
    Ok(Sample::new(path, callers, &latencies, seconds, errors))
}
