//! Keeps the server running while the ledger does.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use super::server::{Plan, Server, launch};
use super::{EmbeddedError, ServerState, process};

/// A server that dies this often within [`CRASH_WINDOW`] is not restarted any more: something is
/// wrong that restarts do not cure.
const CRASH_LIMIT: usize = 30;
const CRASH_WINDOW: Duration = Duration::from_secs(60);

/// Starts that may fail in a row, and the pause between them.
const START_ATTEMPTS: u32 = 5;
const START_PAUSE: Duration = Duration::from_millis(500);

/// The server's process id where everybody concerned can see it; 0 when there is none.
pub(super) type SharedPid = Arc<AtomicI32>;

/// Watches one server until it is told to stop, and starts it again when it dies.
pub(super) struct Supervisor {
    pub(super) plan: Plan,
    pub(super) pid: SharedPid,
    pub(super) state: watch::Sender<ServerState>,
}

impl Supervisor {
    /// Runs until `stop` fires (or its sender is gone), then stops the server.
    ///
    /// # Errors
    /// When the server cannot be kept running or does not stop.
    pub(super) async fn run(
        self,
        mut server: Server,
        mut stop: oneshot::Receiver<()>,
    ) -> Result<(), EmbeddedError> {
        let mut crashes = VecDeque::with_capacity(CRASH_LIMIT);
        loop {
            let end = tokio::select! {
                biased;
                _ = &mut stop => return self.stop().await,
                end = server.ended() => end,
            };
            tracing::error!(
                pid = server.pid,
                end,
                "PostgreSQL ended by itself; restarting it"
            );
            self.pid.store(0, Ordering::Release);
            self.state.send_replace(ServerState::Restarting);
            let restarted = tokio::select! {
                biased;
                _ = &mut stop => return self.stop().await,
                restarted = self.restart(&mut crashes) => restarted,
            };
            match restarted {
                Ok(again) => {
                    tracing::info!(pid = again.pid, "PostgreSQL runs again");
                    self.state.send_replace(ServerState::Running);
                    server = again;
                }
                Err(error) => {
                    tracing::error!(%error, "PostgreSQL cannot be kept running");
                    self.state
                        .send_replace(ServerState::Failed(error.to_string()));
                    return Err(error);
                }
            }
        }
    }

    async fn restart(&self, crashes: &mut VecDeque<Instant>) -> Result<Server, EmbeddedError> {
        let now = Instant::now();
        crashes.retain(|then| now.duration_since(*then) < CRASH_WINDOW);
        crashes.push_back(now);
        if crashes.len() > CRASH_LIMIT {
            return Err(EmbeddedError::CrashLoop {
                times: crashes.len(),
                seconds: CRASH_WINDOW.as_secs(),
                log: self.plan.log(),
            });
        }
        let mut attempt = 1;
        loop {
            let note = |pid| self.pid.store(pid, Ordering::Release);
            match launch(&self.plan, &|_| {}, note).await {
                Ok(server) => return Ok(server),
                Err(error) if attempt >= START_ATTEMPTS => return Err(error),
                Err(error) => tracing::warn!(%error, attempt, "PostgreSQL did not start again"),
            }
            attempt += 1;
            tokio::time::sleep(START_PAUSE).await;
        }
    }

    async fn stop(&self) -> Result<(), EmbeddedError> {
        let pid = self.pid.swap(0, Ordering::AcqRel);
        let stopped = match pid {
            0 => Ok(()),
            pid => process::stop(pid).await,
        };
        self.state.send_replace(ServerState::Stopped);
        stopped
    }
}
