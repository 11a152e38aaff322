//! The writer task: drains the queue, sends batches, answers, survives lost connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use metrics::{counter, gauge, histogram};
use observability::names;
use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres};
use tokio::sync::{Notify, mpsc};

use super::batch::{Batcher, LOOK_AHEAD};
use super::call::{self, Answer};
use super::failure::{Failure, classify};
use super::{AppendOptions, Queued};
use crate::error::AppendError;
use crate::migrate;
use crate::record::{Append, LogId};

/// First and longest pause between two tries.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How many positions before the end of the last partition the next one is made: minutes of the
/// highest load.
const PARTITION_MARGIN: i64 = 1_000_000;

type Batch = Vec<(Append, Queued)>;

/// Owns the one connection that appends.
pub(super) struct Writer {
    pool: PgPool,
    log_id: LogId,
    options: AppendOptions,
    /// Kept over batches: taking one from the pool costs a round trip to test it.
    connection: Option<PoolConnection<Postgres>>,
    partitions: Arc<Partitions>,
}

/// What is known about the partitions, shared with the task that makes the next one.
struct Partitions {
    /// First position without a partition.
    end: AtomicI64,
    making: AtomicBool,
}

impl Writer {
    pub(super) fn new(
        pool: PgPool,
        log_id: LogId,
        options: AppendOptions,
        partition_end: i64,
    ) -> Self {
        Self {
            pool,
            log_id,
            options,
            connection: None,
            partitions: Arc::new(Partitions {
                end: AtomicI64::new(partition_end),
                making: AtomicBool::new(false),
            }),
        }
    }

    /// Runs until every sender is gone or `stop` is notified, and the queue is empty.
    pub(super) async fn run(
        mut self,
        mut queue: mpsc::Receiver<(Append, Queued)>,
        stop: Arc<Notify>,
    ) {
        let mut batcher = Batcher::default();
        loop {
            if batcher.is_empty() {
                let next = tokio::select! {
                    biased;
                    () = stop.notified() => {
                        queue.close();
                        continue;
                    }
                    next = queue.recv() => next,
                };
                match next {
                    Some((append, queued)) => batcher.push(append, queued),
                    None => break,
                }
            }
            while batcher.len() < LOOK_AHEAD {
                match queue.try_recv() {
                    Ok((append, queued)) => batcher.push(append, queued),
                    Err(_) => break,
                }
            }
            let mut batch = batcher.next_batch();
            // Nobody waits for these any more and they were never sent.
            batch.retain(|(_, queued)| !queued.reply.is_closed());
            self.report(batch.len(), queue.len() + batcher.len());
            self.deliver(batch).await;
        }
    }

    /// Sends the batch and answers every command in it. A batch that fails because of what one of
    /// its commands says is halved until that one stands alone.
    async fn deliver(&mut self, batch: Batch) {
        let mut parts = vec![batch];
        // Ends: every turn answers a part or replaces it by two smaller ones.
        while let Some(mut part) = parts.pop() {
            if part.is_empty() {
                continue;
            }
            match self.send(&part).await {
                Ok(answers) => self.answer(part, answers),
                Err(Failure::Data(_)) if part.len() > 1 => {
                    parts.push(part.split_off(part.len() / 2));
                    parts.push(part);
                }
                Err(failure) => {
                    let error = refusal(failure);
                    for (_, queued) in part {
                        let _ = queued.reply.send(Err(error.clone()));
                    }
                }
            }
        }
    }

    /// Sends until there is an answer or the time is up. Never says "not written" after a call
    /// whose end is unknown.
    async fn send(&mut self, batch: &[(Append, Queued)]) -> Result<Vec<Answer>, Failure> {
        let started = Instant::now();
        let mut pause = FIRST_PAUSE;
        let mut maybe_written = false;
        loop {
            let failure = match self.call(batch).await {
                Ok(answers) => return Ok(answers),
                Err(failure) => failure,
            };
            let window = match &failure {
                Failure::Data(_) => return Err(failure),
                Failure::NotWritten(_) if !maybe_written => return Err(failure),
                Failure::Lost(_) => {
                    maybe_written = true;
                    counter!(names::APPEND_RESENT_TOTAL).increment(1);
                    self.options.resend_window
                }
                _ if maybe_written => self.options.resend_window,
                _ => self.options.unsent_window,
            };
            if matches!(failure, Failure::NoPartition) {
                self.make_partitions().await;
            }
            if started.elapsed() + pause > window {
                return Err(given_up(failure, maybe_written));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// One call. Drops the connection unless the server answered properly.
    async fn call(&mut self, batch: &[(Append, Queued)]) -> Result<Vec<Answer>, Failure> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self
                .pool
                .acquire()
                .await
                .map_err(|error| Failure::Unsent(error.to_string()))?,
        };
        let started = Instant::now();
        let called = tokio::time::timeout(
            self.options.call_timeout,
            call::append(&mut connection, self.log_id, batch),
        )
        .await;
        histogram!(names::APPEND_CALL_SECONDS).record(started.elapsed().as_secs_f64());
        let failure = match called {
            Ok(Ok(answers)) if answers.len() == batch.len() => {
                self.connection = Some(connection);
                return Ok(answers);
            }
            Ok(Ok(answers)) => Failure::Lost(format!(
                "{} answers for {} commands",
                answers.len(),
                batch.len()
            )),
            Ok(Err(error)) => classify(&error),
            Err(_) => Failure::Lost("the database did not answer in time".to_owned()),
        };
        if matches!(failure, Failure::Lost(_)) {
            // Out of the pool and closed: what state it is in is unknown.
            drop(connection.detach());
        } else {
            self.connection = Some(connection);
        }
        Err(failure)
    }

    fn answer(&self, batch: Batch, answers: Vec<Answer>) {
        if let Some(first) = answers.first() {
            let micros = u64::try_from(first.lock_wait_micros).unwrap_or(0);
            histogram!(names::HEAD_LOCK_WAIT_SECONDS)
                .record(Duration::from_micros(micros).as_secs_f64());
        }
        if let Some(last) = answers.iter().filter_map(Answer::appended_to).max() {
            self.watch_partitions(last);
        }
        for ((append, queued), answer) in batch.into_iter().zip(answers) {
            // The caller may be gone; its command is in the log all the same.
            let _ = queued.reply.send(answer.into_result(&append));
        }
    }

    /// Makes the next partition in the background when the last one nears its end.
    fn watch_partitions(&self, head: i64) {
        let partitions = Arc::clone(&self.partitions);
        let near = head + PARTITION_MARGIN >= partitions.end.load(Ordering::Relaxed);
        if !near || partitions.making.swap(true, Ordering::Relaxed) {
            return;
        }
        let pool = self.pool.clone();
        tokio::spawn(async move {
            match migrate::ensure_partitions(&pool).await {
                Ok(end) => partitions.end.store(end, Ordering::Relaxed),
                Err(error) => tracing::warn!(%error, "making the next partition failed"),
            }
            partitions.making.store(false, Ordering::Relaxed);
        });
    }

    async fn make_partitions(&self) {
        match migrate::ensure_partitions(&self.pool).await {
            Ok(end) => self.partitions.end.store(end, Ordering::Relaxed),
            Err(error) => tracing::error!(%error, "making the next partition failed"),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of a few thousand at most"
    )]
    fn report(&self, batch: usize, waiting: usize) {
        histogram!(names::APPEND_BATCH_COMMANDS).record(batch as f64);
        gauge!(names::APPEND_QUEUE_COMMANDS).set(waiting as f64);
        let (open, idle) = (self.pool.size() as usize, self.pool.num_idle());
        gauge!(names::POOL_CONNECTIONS, "state" => "idle").set(idle as f64);
        gauge!(names::POOL_CONNECTIONS, "state" => "used").set(open.saturating_sub(idle) as f64);
    }
}

/// The failure to report once the time for retries is up.
fn given_up(failure: Failure, maybe_written: bool) -> Failure {
    let message = match failure {
        Failure::NoPartition => "no partition of events holds the next position".to_owned(),
        Failure::Lost(m)
        | Failure::NotWritten(m)
        | Failure::Unsent(m)
        | Failure::Data(m)
        | Failure::Unknown(m) => m,
    };
    if maybe_written {
        Failure::Unknown(message)
    } else {
        Failure::NotWritten(message)
    }
}

fn refusal(failure: Failure) -> AppendError {
    match failure {
        Failure::Data(message) => AppendError::Invalid(message),
        Failure::Unknown(message) | Failure::Lost(message) => AppendError::OutcomeUnknown(message),
        Failure::NotWritten(message) | Failure::Unsent(message) => {
            AppendError::Unavailable(message)
        }
        Failure::NoPartition => AppendError::Unavailable("no partition".to_owned()),
    }
}
