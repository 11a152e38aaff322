//! What a serving ledger runs beside answering requests, and how it ends.

use commands::process::Processes;
use projections::Runner;
use store::Log;
use tokio::task::JoinHandle;

use super::CLOSING;
use crate::seals::Sealing;

/// What works over the log in the background. A start that fails stops what it has started by then, so that nothing is
/// cut off in the middle and another ledger takes over at once.
pub(super) struct Running {
    pub(super) log: Log,
    pub(super) processes: Option<Processes>,
    pub(super) runner: Option<Runner>,
    pub(super) sealing: Option<Sealing>,
    /// Reads the stores of the regions again.
    pub(super) refreshing: Option<JoinHandle<()>>,
}

impl Running {
    /// Nothing but the log's writer works yet.
    pub(super) const fn over(log: Log) -> Self {
        Self {
            log,
            processes: None,
            runner: None,
            sealing: None,
            refreshing: None,
        }
    }

    /// Stops all of it. Where something `failed`, the connections are closed as well: a server of our own is stopped next,
    /// which would look like a failure of theirs.
    pub(super) async fn stop(self, failed: bool) {
        if let Some(refreshing) = self.refreshing {
            refreshing.abort();
        }
        if let Some(processes) = self.processes {
            processes.stop().await;
        }
        if let Some(runner) = self.runner {
            runner.stop().await;
        }
        if let Some(sealing) = self.sealing {
            sealing.stop().await;
        }
        let pool = self.log.pool().clone();
        self.log.close().await;
        if failed && tokio::time::timeout(CLOSING, pool.close()).await.is_err() {
            tracing::debug!("connections to the database were still in use");
        }
    }
}
