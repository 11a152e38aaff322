//! Snapshots of long streams, off the command path.
//!
//! A snapshot is a fold of *stored* events, never of the state a command left in memory. Each time one is
//! written, the one before it is checked against the same fold; one that disagrees is deleted and counted.

use domain::entity::Entity;
use observability::names;
use store::{
    Log, StoreError,
    snapshots::{self, Snapshot},
};
use tokio::sync::mpsc;

use crate::{
    error::CommandError,
    load::{Folded, state_tag, stream_id, unavailable},
};

/// Entities of a kind waiting for a snapshot; more are dropped, to come again with their next event.
const QUEUE: usize = 256;
/// Events read at once.
const PAGE: i64 = 500;

/// Asks for snapshots without waiting for them.
pub(crate) struct Snapshots<E: Entity> {
    every: i64,
    queue: mpsc::Sender<E::Id>,
}

impl<E: Entity> Snapshots<E> {
    /// Starts the writer: a snapshot whenever a stream passes a multiple of `every` events.
    /// The writer ends when the last handle is dropped.
    pub(crate) fn start(log: Log, every: i64) -> Self {
        let (queue, mut waiting) = mpsc::channel::<E::Id>(QUEUE);
        tokio::spawn(async move {
            while let Some(id) = waiting.recv().await {
                if let Err(error) = take::<E>(&log, &id).await {
                    tracing::warn!(kind = E::TYPE, %id, %error, "no snapshot was taken; the whole stream is read meanwhile");
                }
            }
        });
        Self { every, queue }
    }

    /// Notes that a stream grew from one version to another.
    pub(crate) fn grown(&self, id: &E::Id, from: i64, to: i64) {
        if self.every > 0 && to / self.every > from / self.every {
            let _full_queue_drops = self.queue.try_send(id.clone());
        }
    }
}

/// Folds an entity's stored events, checks the snapshot there is, and stores a new one.
pub async fn take<E: Entity>(log: &Log, id: &E::Id) -> Result<(), CommandError> {
    let stream = stream_id::<E>(id);
    let old = snapshots::load(log.pool(), log.log_id(), &stream, &state_tag::<E>())
        .await
        .map_err(unavailable)?;
    let mut folded = Folded::<E>::default();
    let mut version = 0;
    loop {
        let page = log
            .stream(&stream, version, PAGE)
            .await
            .map_err(unavailable)?;
        for event in &page {
            let (payload, metadata) = (parse(&event.payload)?, parse(&event.metadata)?);
            folded.apply(&event.event_type, &event.event_version, payload, &metadata)?;
            version = event.sequence;
            if let Some(old) = old.as_ref().filter(|s| s.version == version) {
                check::<E>(log, id, old, &folded)
                    .await
                    .map_err(unavailable)?;
            }
        }
        if page.is_empty() {
            break;
        }
    }
    let state =
        serde_json::to_string(&folded).map_err(|e| CommandError::Internal(e.to_string()))?;
    let snapshot = Snapshot { version, state };
    snapshots::save(
        log.pool(),
        log.log_id(),
        &stream,
        &state_tag::<E>(),
        &snapshot,
    )
    .await
    .map_err(unavailable)?;
    Ok(())
}

async fn check<E: Entity>(
    log: &Log,
    id: &E::Id,
    old: &Snapshot,
    folded: &Folded<E>,
) -> Result<(), StoreError> {
    if serde_json::from_str::<Folded<E>>(&old.state).is_ok_and(|state| state == *folded) {
        return Ok(());
    }
    metrics::counter!(names::SNAPSHOT_MISMATCHES).increment(1);
    tracing::error!(kind = E::TYPE, %id, version = old.version, "a snapshot disagreed with its events and was deleted");
    snapshots::delete(log.pool(), log.log_id(), &stream_id::<E>(id)).await
}

fn parse(text: &str) -> Result<serde_json::Value, CommandError> {
    serde_json::from_str(text).map_err(|e| CommandError::Internal(e.to_string()))
}
