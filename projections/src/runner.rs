//! Fills the read models from the log.
//!
//! One loop per model, each with a checkpoint of its own: a model that stops at a bad event, or is
//! being filled anew, holds up no other. Reading a page twice for two models costs less than that.
//!
//! **Exactly once.** A page is applied and the checkpoint moved in one transaction, which first locks
//! the checkpoint's row. A crash before the commit undoes both; after it, both stand.
//!
//! **One of several processes works.** Whoever takes the row gets a new epoch; every later transaction
//! compares it under the row's lock, so a process that was frozen and comes back finds another epoch
//! and writes nothing. The owner shows that it lives by touching the row ([`HEARTBEAT`]); after
//! [`LEASE`](store::checkpoint::lease::LEASE) without a touch another process takes over.
//!
//! **Lock order.** The checkpoint's row first, then the model's rows; a model's rows are written by its
//! owner only. No lock of the log is taken: positions have no holes, so reading on from the checkpoint
//! misses nothing.
//!
//! **Errors.** What may pass (no connection, a timeout) is tried again with growing pauses. An event
//! that can never be applied stops its model: it is never skipped. It is found by applying one event
//! at a time, recorded in `projection_failure`, and tried again now and then, so that a mended cause
//! needs no restart.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use metrics::{counter, gauge, histogram};
use observability::names;
use store::{Log, LogId, Position, Recorded, StoreError, checkpoint, wake::Wake};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    Freshness, Model, ReadDb,
    decode::{Kind, Poison, decode_all},
    freshness::status_in,
    model::ApplyError,
    ownership::{HEARTBEAT, Held, Ownership},
};

/// Events of one page, and so of one transaction: the memory a model needs is one page and the orders
/// in it, a few megabytes.
const PAGE_EVENTS: i64 = 500;
/// First pause after an error that may pass; each further one is twice as long.
const RETRY_FIRST: Duration = Duration::from_millis(50);
/// Longest pause after an error that may pass.
const RETRY_MAX: Duration = Duration::from_secs(5);
/// Pause before a model that stopped at a bad event tries that event again.
const RETRY_FAILED: Duration = Duration::from_secs(30);
/// How often the lag is measured.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// Longest wait for the loops at shutdown: longer than any page takes.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// The running loops of this process.
#[derive(Debug)]
pub struct Runner {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    positions: HashMap<Model, watch::Receiver<Option<Position>>>,
    log_id: LogId,
}

impl Runner {
    /// Starts a loop for each model. `wake` hears of appended events; missed news only cost time.
    pub fn spawn(models: &[Model], log: Log, wake: Wake) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = vec![tokio::spawn(report(log.clone(), stopped.clone()))];
        let mut positions = HashMap::new();
        for model in models.iter().copied() {
            let (position, published) = watch::channel(None);
            positions.insert(model, published);
            let ownership = Ownership::new(log.pool().clone(), log.log_id(), model.checkpoint());
            let worker = Worker {
                model,
                log: log.clone(),
                ownership,
                held: None,
                uncertain: false,
                touched: Instant::now(),
                singles: 0,
                clear_failure: false,
                pause: RETRY_FIRST,
                position,
            };
            tasks.push(tokio::spawn(worker.run(wake.clone(), stopped.clone())));
        }
        Self {
            stop,
            tasks,
            positions,
            log_id: log.log_id(),
        }
    }

    /// Waits for checkpoints, hearing from this runner where it owns the model. `db` is the node that
    /// will be read: the primary, which this runner writes.
    pub fn freshness(&self, db: ReadDb) -> Freshness {
        Freshness::live(db, self.log_id, self.positions.clone())
    }

    /// Stops the loops after the page each is at, and lets other processes take over at once.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let deadline = tokio::time::Instant::now() + STOP_LIMIT;
        for mut task in self.tasks {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                // Its transaction is undone; whoever runs next applies the page again.
                task.abort();
            }
        }
    }
}

/// Measures the lag of every model, whoever runs it.
async fn report(log: Log, mut stop: watch::Receiver<bool>) {
    loop {
        // Without an answer the gauges keep their last value; the loops report the outage.
        for status in status_in(log.pool(), log.log_id())
            .await
            .unwrap_or_default()
        {
            let lag = Duration::from_millis(u64::try_from(status.lag_millis).unwrap_or(0));
            let events = u32::try_from(status.lag_events()).unwrap_or(u32::MAX);
            gauge!(names::PROJECTION_LAG_EVENTS, "projection" => status.model.name()).set(events);
            gauge!(names::PROJECTION_LAG_SECONDS, "projection" => status.model.name())
                .set(lag.as_secs_f64());
            gauge!(names::PROJECTION_FAILED, "projection" => status.model.name())
                .set(u32::from(status.failed.is_some()));
        }
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = tokio::time::sleep(REPORT_EVERY) => {}
        }
    }
}

/// Returns when the runner is stopped or dropped.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the runner was dropped: stop as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// One model's loop.
struct Worker {
    model: Model,
    log: Log,
    ownership: Ownership,
    held: Option<Held>,
    /// An error left open where the checkpoint stands.
    uncertain: bool,
    /// When the owner last showed that it lives.
    touched: Instant,
    /// How many pages are still taken one event at a time, to find the one that fails.
    singles: i64,
    /// A failure is recorded, or may be; the next success removes it.
    clear_failure: bool,
    /// The next pause after an error that may pass.
    pause: Duration,
    position: watch::Sender<Option<Position>>,
}

/// What a loop does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// There is more.
    Continue,
    /// Wait for news of the log.
    News,
    /// Wait so long, whatever the news.
    Pause(Duration),
}

#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Apply(#[from] ApplyError),
}

impl From<sqlx::Error> for StepError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Worker {
    async fn run(mut self, mut wake: Wake, mut stop: watch::Receiver<bool>) {
        loop {
            // The stop is looked at between pages only: a page is never abandoned half applied.
            if *stop.borrow() || stop.has_changed().is_err() {
                break;
            }
            let next = match self.step().await {
                Ok(next) => {
                    self.pause = RETRY_FIRST;
                    next
                }
                Err(error) => self.after(error).await,
            };
            match next {
                Next::Continue => {}
                Next::News => tokio::select! {
                    () = stopped(&mut stop) => {}
                    () = wake.changed() => {}
                    // The owner has to show that it lives, however long the wake's own interval is.
                    () = tokio::time::sleep(HEARTBEAT) => {}
                },
                Next::Pause(pause) => tokio::select! {
                    () = stopped(&mut stop) => {}
                    () = tokio::time::sleep(pause) => {}
                },
            }
        }
        self.position.send_replace(None);
        if let Some(held) = self.held
            && let Err(error) = self.ownership.release(held).await
        {
            tracing::warn!(projection = %self.model, %error, "checkpoint not released; it is free after the lease");
        }
    }

    /// Applies one page, if this process owns the model and there is one.
    async fn step(&mut self) -> Result<Next, StepError> {
        let Some(held) = self.hold().await? else {
            return Ok(Next::Pause(HEARTBEAT));
        };
        let limit = if self.singles > 0 { 1 } else { PAGE_EVENTS };
        let page = self.page(held.position, limit).await?;
        let Some(last) = page.last() else {
            if self.touched.elapsed() >= HEARTBEAT {
                self.touched = Instant::now();
                if !self.ownership.touch(held).await? {
                    self.uncertain = true;
                    return Ok(Next::Continue);
                }
            }
            return Ok(Next::News);
        };
        self.apply(held, &page).await?;
        self.publish(Held {
            position: last.position,
            ..held
        });
        self.touched = Instant::now();
        self.clear_failure = false;
        self.singles = (self.singles - 1).max(0);
        // A short page was the end of the log; what came meanwhile has sent news.
        let full = i64::try_from(page.len()).is_ok_and(|n| n == limit);
        Ok(if full { Next::Continue } else { Next::News })
    }

    /// The events after a position; those of kinds that the model steps over without their content.
    async fn page(&self, after: Position, limit: i64) -> Result<Vec<Recorded>, sqlx::Error> {
        let skipped: Vec<&str> = Kind::ALL
            .iter()
            .filter(|kind| !self.model.kinds().contains(kind))
            .map(|kind| kind.name())
            .collect();
        sqlx::query_as(include_str!("sql/page.sql"))
            .bind(self.log.log_id().0)
            .bind(after.0)
            .bind(limit)
            .bind(skipped)
            .fetch_all(self.log.pool())
            .await
    }

    /// The checkpoint, taken or looked up again where needed; `None` while another process has it.
    async fn hold(&mut self) -> Result<Option<Held>, StepError> {
        match self.held {
            Some(held) if !self.uncertain => return Ok(Some(held)),
            Some(held) => {
                let held = self.ownership.reload(held.epoch).await?;
                self.publish(held);
            }
            None => {
                let Some(held) = self.ownership.take().await? else {
                    return Ok(None);
                };
                tracing::info!(projection = %self.model, epoch = held.epoch, position = %held.position, "owns the projection");
                self.clear_failure = true;
                self.touched = Instant::now();
                self.publish(held);
            }
        }
        self.uncertain = false;
        self.check_head().await?;
        Ok(self.held)
    }

    /// A checkpoint beyond the log's end means that the log is not the one the model was filled from.
    async fn check_head(&self) -> Result<(), StepError> {
        let head = self.log.head().await?.position;
        match self.held {
            Some(held) if held.position > head => Err(ApplyError::Poison(Poison {
                position: held.position,
                reason: format!(
                    "the checkpoint is beyond the log's end at {head}: the log was restored; rebuild the model"
                ),
            })
            .into()),
            _ => Ok(()),
        }
    }

    fn publish(&mut self, held: Held) {
        self.held = Some(held);
        self.position.send_replace(Some(held.position));
    }

    async fn apply(&self, held: Held, page: &[Recorded]) -> Result<(), StepError> {
        let started = Instant::now();
        let last = whole(held.position, page)?;
        let records = decode_all(page, self.model.kinds()).map_err(ApplyError::Poison)?;
        let mut tx = self.ownership.begin(held).await?;
        if records.is_empty() {
            // A crash may take back a step over nothing: it writes no row, so it need not wait for the disk.
            sqlx::query("set local synchronous_commit = off")
                .execute(&mut *tx)
                .await?;
        } else {
            self.model
                .apply(&mut tx, self.log.log_id(), &records)
                .await?;
        }
        self.ownership.save(&mut tx, last).await?;
        if self.clear_failure {
            checkpoint::clear_failure(&mut *tx, self.log.log_id(), self.model.checkpoint()).await?;
        }
        tx.commit().await?;
        let name = self.model.name();
        let size = u32::try_from(page.len()).unwrap_or(u32::MAX);
        histogram!(names::PROJECTION_APPLY_SECONDS, "projection" => name).record(started.elapsed());
        histogram!(names::PROJECTION_BATCH_EVENTS, "projection" => name).record(size);
        counter!(names::PROJECTION_EVENTS_TOTAL, "projection" => name).increment(u64::from(size));
        Ok(())
    }

    /// What to do after an error.
    async fn after(&mut self, error: StepError) -> Next {
        // Whoever waits looks at the database until it is known again where the checkpoint stands.
        self.position.send_replace(None);
        self.uncertain = true;
        match error {
            StepError::Store(StoreError::Fenced { current, .. }) => {
                tracing::info!(projection = %self.model, epoch = current, "another process took the projection over");
                self.held = None;
                // Not a process but a rebuild may have done it, and the checkpoint be free.
                Next::Continue
            }
            StepError::Apply(error) if error.is_permanent() => {
                if self.singles == 0 {
                    self.singles = PAGE_EVENTS;
                    return Next::Continue;
                }
                self.fail(&error).await;
                Next::Pause(RETRY_FAILED)
            }
            error => {
                counter!(names::PROJECTION_RETRIES_TOTAL, "projection" => self.model.name())
                    .increment(1);
                tracing::warn!(projection = %self.model, %error, pause = ?self.pause, "page not applied; trying again");
                let pause = self.pause;
                self.pause = (pause * 2).min(RETRY_MAX);
                Next::Pause(pause)
            }
        }
    }

    /// Records the event at which the model stops.
    async fn fail(&mut self, error: &ApplyError) {
        let position = match (error, self.held) {
            (ApplyError::Poison(poison), _) => poison.position.0,
            (_, Some(held)) => held.position.0 + 1,
            (_, None) => 0,
        };
        let reason = error.reason();
        self.clear_failure = true;
        tracing::error!(projection = %self.model, position, %reason, "projection stopped: it needs an operator");
        let recorded = checkpoint::record_failure(
            self.log.pool(),
            self.log.log_id(),
            self.model.checkpoint(),
            Position(position),
            &reason,
        )
        .await;
        if let Err(error) = recorded {
            tracing::error!(projection = %self.model, %error, "the failure could not be recorded");
        }
    }
}

/// The page's last position, if the page goes on from `after` without a hole.
pub(crate) fn whole(after: Position, page: &[Recorded]) -> Result<Position, ApplyError> {
    let mut expected = after;
    for recorded in page {
        expected.0 += 1;
        if recorded.position != expected {
            let reason = format!("the log has a hole: {} follows", recorded.position);
            return Err(Poison {
                position: expected,
                reason,
            }
            .into());
        }
    }
    Ok(expected)
}
