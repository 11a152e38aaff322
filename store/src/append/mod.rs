//! Appending: many callers, one writer task per process, one database call per batch.
//!
//! # Positions are gapless and no reader can skip one
//!
//! A position is assigned by `ledger_append` while it holds the row of `log_head`, and that row is
//! released only by the end of the transaction. So the transactions that append run one after the
//! other: the one that takes positions `h+1..n` begins to number after the one that ended at `h`
//! has committed, and whoever comes next starts after this one committed or, if it rolled back, at
//! `h+1` again. Therefore commit order equals position order, a rolled-back call leaves no gap, and
//! every snapshot holds a prefix `1..k` of the log. A reader that asks for `position > p` in order
//! of position gets the next events without a hole; there is nothing to detect or wait for.
//!
//! The lock is held over one commit, never over a network wait: a batch is one statement in
//! autocommit. Batching pays for that commit: all that arrived meanwhile goes into the next call.
//!
//! # Lock order
//!
//! 1. the row of `log_head` (by every append, first of all)
//! 2. keys of `subject_key`, `claims`, `events`, `command_log`, rows of `stream_head`, keys of `phone_index`
//!
//! Nobody writes the second group without the first, but for `ledger_index_phones`, which shares rows of `subject_key`
//! and then adds rows of `phone_index` for events that were committed before, and never asks for the head. Readers, projections and the tables beside the
//! log never lock `log_head`. So there is no cycle, and the wait for the head
//! is bounded by the `lock_timeout` of the function.
//!
//! # Exactly once
//!
//! The command id is looked up under the same lock that protects its insertion. When the connection
//! breaks during a call nobody knows whether it committed, so the writer sends the same batch
//! again: if the lost call did commit, the answer is its receipts; if it is still running, it
//! finds the command ids taken afterwards, or the repetition does. Looking the ids up without the
//! head lock would not do: a lost call that still waits for the lock is not in the table yet.
//! A refusal is as good as final: versions only grow and claims are never given back.

mod batch;
mod call;
mod failure;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use metrics::{counter, histogram};
use observability::names;
use sqlx::PgPool;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

pub use batch::{Batcher, MAX_BATCH_BYTES, MAX_BATCH_COMMANDS, MAX_BATCH_EVENTS};

use crate::error::{AppendError, StoreError};
use crate::record::{Append, LogId, Receipt};
use crate::{hash, migrate};

/// Most events of one command.
pub const MAX_EVENTS_PER_APPEND: usize = 256;
/// Most claims of one command: an order has a few, the closing of a remittance one for each order whose cash it takes in
/// as extra.
pub const MAX_CLAIMS_PER_APPEND: usize = 1_000;
/// Most bytes of one command's events and claims: the 1 MiB a request may have, eight times over.
pub const MAX_APPEND_BYTES: usize = 8 * 1024 * 1024;
/// Longest type, id, scope or value, in bytes: they are index keys, which Postgres limits to 2.7 kB.
pub const MAX_KEY_BYTES: usize = 512;

/// How the writer behaves.
#[derive(Clone, Debug)]
pub struct AppendOptions {
    /// Most commands that may wait; one more is [`AppendError::Overloaded`].
    pub queue_commands: usize,
    /// Most bytes that may wait.
    pub queue_bytes: usize,
    /// How long a command that surely was not sent is retried while the database is away.
    pub unsent_window: Duration,
    /// How long a call whose connection broke is sent again before its outcome counts as unknown.
    pub resend_window: Duration,
    /// How long one call may take before its connection counts as broken.
    pub call_timeout: Duration,
}

impl Default for AppendOptions {
    fn default() -> Self {
        Self {
            queue_commands: 4096,
            queue_bytes: 64 * 1024 * 1024,
            unsent_window: Duration::from_secs(3),
            resend_window: Duration::from_secs(10),
            call_timeout: Duration::from_secs(15),
        }
    }
}

/// A command on its way to the writer.
pub(crate) struct Queued {
    /// The events' content hashes, concatenated: computed by the caller, in parallel.
    content_hashes: Vec<u8>,
    reply: oneshot::Sender<Result<Receipt, AppendError>>,
    _bytes: QueuedBytes,
}

/// Gives the bytes back when the command leaves the writer, however it does.
struct QueuedBytes {
    total: Arc<AtomicUsize>,
    bytes: usize,
}

impl Drop for QueuedBytes {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The sending end of the writer task.
pub(crate) struct Appender {
    queue: mpsc::Sender<(Append, Queued)>,
    bytes: Arc<AtomicUsize>,
    max_bytes: usize,
    stop: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Appender {
    /// Makes sure there is a partition to write to and starts the writer task.
    pub(crate) async fn start(
        pool: PgPool,
        log_id: LogId,
        options: AppendOptions,
    ) -> Result<Self, StoreError> {
        let partition_end = migrate::ensure_partitions(&pool).await?;
        let (queue, receiver) = mpsc::channel(options.queue_commands.max(1));
        let max_bytes = options.queue_bytes;
        let stop = Arc::new(Notify::new());
        let writer = writer::Writer::new(pool, log_id, options, partition_end);
        let task = tokio::spawn(writer.run(receiver, Arc::clone(&stop)));
        Ok(Self {
            queue,
            bytes: Arc::new(AtomicUsize::new(0)),
            max_bytes,
            stop,
            task,
        })
    }

    /// Queues the command and waits for its answer. Giving up the wait takes the command out of
    /// the queue if it was not sent yet.
    pub(crate) async fn append(&self, append: Append) -> Result<Receipt, AppendError> {
        let started = Instant::now();
        let result = self.enqueue(append).await;
        histogram!(names::APPEND_SECONDS).record(started.elapsed().as_secs_f64());
        counter!(names::APPEND_COMMANDS_TOTAL, "outcome" => outcome(&result)).increment(1);
        result
    }

    async fn enqueue(&self, append: Append) -> Result<Receipt, AppendError> {
        let bytes = check(&append)?;
        let waiting = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let guard = QueuedBytes {
            total: Arc::clone(&self.bytes),
            bytes,
        };
        if waiting > 0 && waiting + bytes > self.max_bytes {
            return Err(AppendError::Overloaded);
        }
        let content_hashes = content_hashes(&append);
        let (reply, answer) = oneshot::channel();
        let queued = Queued {
            content_hashes,
            reply,
            _bytes: guard,
        };
        self.queue
            .try_send((append, queued))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => AppendError::Overloaded,
                mpsc::error::TrySendError::Closed(_) => {
                    AppendError::Unavailable("the ledger is shutting down".to_owned())
                }
            })?;
        answer.await.unwrap_or_else(|_| {
            Err(AppendError::OutcomeUnknown(
                "the writer task ended".to_owned(),
            ))
        })
    }

    /// Takes no more commands; the task ends once those that wait are answered.
    pub(crate) fn stop(&self) {
        self.stop.notify_one();
    }

    /// Whether the task has ended.
    pub(crate) fn is_finished(&self) -> bool {
        self.task.is_finished()
    }
}

/// Refuses what can never be stored; gives the size of the command in bytes.
fn check(append: &Append) -> Result<usize, AppendError> {
    let invalid = |what: String| Err(AppendError::Invalid(what));
    if append.events.len() > MAX_EVENTS_PER_APPEND {
        return invalid(format!(
            "at most {MAX_EVENTS_PER_APPEND} events, not {}",
            append.events.len()
        ));
    }
    if append.events.is_empty() && !(append.claims.is_empty() && append.subject_key.is_none()) {
        return invalid("a claim or a key without an event".to_owned());
    }
    if append.claims.len() > MAX_CLAIMS_PER_APPEND {
        return invalid(format!(
            "at most {MAX_CLAIMS_PER_APPEND} claims, not {}",
            append.claims.len()
        ));
    }
    if append.expected_version < 0 {
        return invalid(format!("version {}", append.expected_version));
    }
    let claims = append.claims.iter().flat_map(|c| [&c.scope, &c.value]);
    let subject = append.subject_key.iter().map(|k| &k.subject);
    for key in claims.chain(subject).chain([&append.stream.aggregate_id]) {
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return invalid(format!("a key of {} bytes", key.len()));
        }
    }
    let bytes = size(append);
    if bytes > MAX_APPEND_BYTES {
        return invalid(format!("{bytes} bytes; at most {MAX_APPEND_BYTES}"));
    }
    Ok(bytes)
}

/// Bytes a command takes in the queue and in a call, near enough.
fn size(append: &Append) -> usize {
    const PER_COMMAND: usize = 256;
    const PER_EVENT: usize = 128;
    let events: usize = append
        .events
        .iter()
        .map(|e| PER_EVENT + e.payload.len() + e.metadata.len())
        .sum();
    let claims: usize = append
        .claims
        .iter()
        .map(|c| c.scope.len() + c.value.len())
        .sum();
    let key = append.subject_key.as_ref().map_or(0, |k| k.wrapped.len());
    PER_COMMAND + events + claims + key
}

fn content_hashes(append: &Append) -> Vec<u8> {
    (append.expected_version + 1..)
        .zip(&append.events)
        .flat_map(|(sequence, event)| {
            hash::content(&append.stream, sequence, append.command_id, event)
        })
        .collect()
}

fn outcome(result: &Result<Receipt, AppendError>) -> &'static str {
    match result {
        Ok(receipt) if receipt.replayed => "replayed",
        Ok(_) => "appended",
        Err(AppendError::VersionConflict { .. }) => "conflict",
        Err(AppendError::CommandReused) => "reused",
        Err(AppendError::ClaimTaken { .. }) => "claimed",
        Err(AppendError::SubjectKeyExists(_)) => "key_exists",
        Err(AppendError::Invalid(_)) => "invalid",
        Err(AppendError::Overloaded) => "overloaded",
        Err(AppendError::OutcomeUnknown(_)) => "unknown",
        Err(AppendError::Unavailable(_) | AppendError::Corrupt(_)) => "unavailable",
    }
}
