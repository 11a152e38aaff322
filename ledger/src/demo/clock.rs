//! The time of the simulated trading period.

use std::future::Future;

use chrono::{DateTime, Utc};
use commands::facts::{Clock, SystemClock};

tokio::task_local! {
    static SIMULATED: DateTime<Utc>;
}

/// Carries out something as if it were that time. Only what it does itself, not what it spawns.
pub(super) fn at_time<F: Future>(time: DateTime<Utc>, work: F) -> impl Future<Output = F::Output> {
    SIMULATED.scope(time, work)
}

/// Inside [`at_time`] its time, elsewhere the machine's.
pub(super) struct SimulatedClock;

impl Clock for SimulatedClock {
    fn now(&self) -> DateTime<Utc> {
        SIMULATED
            .try_with(|time| *time)
            .unwrap_or_else(|_| SystemClock.now())
    }
}
