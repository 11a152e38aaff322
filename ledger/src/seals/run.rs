//! Seals the head while the ledger serves.

use std::time::Duration;

use metrics::{counter, gauge};
use observability::names;
use store::{Log, seal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::SealKey;

/// Looks per interval: how soon another process takes over from one that died, as a part of the interval.
const LOOKS: u32 = 4;
/// The longest a stop waits for a seal in work.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// The task that seals.
#[derive(Debug)]
pub struct Sealing {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Sealing {
    /// Seals the head of the log every so often, where something was appended. Any number of processes may do so on
    /// one database: together they make as many seals as one.
    pub fn start(log: &Log, key: SealKey, every: Duration) -> Self {
        let (stop, mut stopped) = watch::channel(false);
        let log = log.clone();
        let task = tokio::spawn(async move {
            tokio::select! {
                // An error means that the starter is gone: end as well.
                _ = stopped.wait_for(|stop| *stop) => {}
                () = run(&log, &key, every) => {}
            }
        });
        Self { stop, task }
    }

    /// Ends it. A seal in work is made whole or not at all: it is one transaction.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(STOP_LIMIT, self.task).await.is_err() {
            tracing::warn!("the task that seals the log did not end in time");
        }
    }
}

/// Never ends.
async fn run(log: &Log, key: &SealKey, every: Duration) {
    loop {
        let sealed = seal::seal(log.pool(), log.log_id(), every, |message| key.sign(message));
        match sealed.await {
            Ok(Some(seal)) => {
                counter!(names::SEALS_TOTAL).increment(1);
                // A gauge is a float; positions beyond 2^53 lose their last digits in it.
                #[allow(clippy::cast_precision_loss)]
                gauge!(names::SEALED_POSITION).set(seal.head.position.0 as f64);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the head of the log could not be sealed"),
        }
        tokio::time::sleep(every / LOOKS).await;
    }
}
