//! Loading an order: from memory, else a snapshot and its tail, else its whole stream.
//!
//! Streams are read through postgres-es, whose column names our table has. Memory is only ever a guess: the
//! append checks its version, and an answer that appends nothing checks it before it is given.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use domain::{
    ids::OrderId,
    order::{Order, upcast},
};
use moka::sync::Cache;
use postgres_es::PostgresEventRepository;
use store::{Log, Position, StreamHead, StreamId, snapshots};

use crate::{
    aggregate::{ORDER, OrderAggregate},
    error::CommandError,
    record::OCCURRED_AT,
};

/// An order as the write side knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadedOrder {
    /// Its id.
    pub id: OrderId,
    /// Events so far; 0 before the first.
    pub version: i64,
    /// Position of its last event.
    pub position: Position,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its state.
    pub order: Arc<Order>,
}

impl LoadedOrder {
    /// An order that is not in the log yet.
    pub fn unplaced(id: OrderId, now: DateTime<Utc>) -> Self {
        Self {
            id,
            version: 0,
            position: Position::START,
            placed_at: now,
            updated_at: now,
            order: Arc::default(),
        }
    }
}

/// Loads orders and remembers the hot ones.
#[derive(Clone)]
pub struct Loader {
    log: Log,
    repository: Arc<PostgresEventRepository>,
    hot: Cache<OrderId, LoadedOrder>,
    snapshot_from: i64,
}

impl Loader {
    /// A loader that remembers up to `hot_orders` orders and looks for snapshots of streams longer than
    /// `snapshot_from` events.
    pub fn new(log: Log, hot_orders: u64, snapshot_from: i64) -> Self {
        let repository = Arc::new(PostgresEventRepository::new(log.pool().clone()));
        Self {
            log,
            repository,
            hot: Cache::new(hot_orders),
            snapshot_from,
        }
    }

    /// The order as remembered or as stored; `None` when the log does not know it.
    pub async fn load(&self, id: OrderId) -> Result<Option<LoadedOrder>, CommandError> {
        match self.hot.get(&id) {
            Some(order) => Ok(Some(order)),
            None => self.reload(id).await,
        }
    }

    /// The order as stored now.
    pub async fn reload(&self, id: OrderId) -> Result<Option<LoadedOrder>, CommandError> {
        let stream = stream_id(id);
        let Some(head) = self.log.stream_head(&stream).await.map_err(unavailable)? else {
            return Ok(None);
        };
        let loaded = self.read(id, &head).await?;
        self.remember(loaded.clone());
        Ok(Some(loaded))
    }

    /// Whether the order is still at the version it was loaded at.
    pub async fn is_current(&self, loaded: &LoadedOrder) -> Result<bool, CommandError> {
        let head = self
            .log
            .stream_head(&stream_id(loaded.id))
            .await
            .map_err(unavailable)?;
        Ok(head.map_or(0, |h| h.version) == loaded.version)
    }

    /// Keeps the newest state of an order.
    pub fn remember(&self, loaded: LoadedOrder) {
        self.hot.entry(loaded.id).and_upsert_with(|old| match old {
            Some(old) if old.value().version > loaded.version => old.into_value(),
            _ => loaded,
        });
    }

    /// Forgets what memory says of an order.
    pub fn forget(&self, id: OrderId) {
        self.hot.invalidate(&id);
    }

    async fn read(&self, id: OrderId, head: &StreamHead) -> Result<LoadedOrder, CommandError> {
        let key = id.to_string();
        let start = self.snapshot(id, head).await?;
        let tail = match &start {
            Some((version, _)) => {
                let after = usize::try_from(*version).unwrap_or_default();
                self.repository
                    .get_last_events::<OrderAggregate>(&key, after)
                    .await
            }
            None => self.repository.get_events::<OrderAggregate>(&key).await,
        };
        let tail = tail.map_err(|e| CommandError::Unavailable(e.to_string()))?;
        let (mut version, mut state) = start.unwrap_or_default();
        for event in tail {
            version = apply_next(&mut state, version, event)?;
        }
        if version < head.version {
            return Err(CommandError::Internal(format!(
                "order {id} ends at version {version}, not {}",
                head.version
            )));
        }
        let position = self.position_of(id, head, version).await?;
        Ok(LoadedOrder {
            id,
            version,
            position,
            placed_at: state.placed_at,
            updated_at: state.updated_at,
            order: Arc::new(state.order),
        })
    }

    /// The head's position, or the newer one when the stream grew between the two reads.
    async fn position_of(
        &self,
        id: OrderId,
        head: &StreamHead,
        version: i64,
    ) -> Result<Position, CommandError> {
        if version == head.version {
            return Ok(head.last_position);
        }
        let head = self
            .log
            .stream_head(&stream_id(id))
            .await
            .map_err(unavailable)?;
        Ok(head.map_or(Position::START, |h| h.last_position))
    }

    async fn snapshot(
        &self,
        id: OrderId,
        head: &StreamHead,
    ) -> Result<Option<(i64, Folded)>, CommandError> {
        if head.version <= self.snapshot_from {
            return Ok(None);
        }
        let (pool, log_id) = (self.log.pool(), self.log.log_id());
        let found = snapshots::load(pool, log_id, &stream_id(id), &state_tag())
            .await
            .map_err(unavailable)?;
        let Some(snapshot) = found else {
            return Ok(None);
        };
        match serde_json::from_str(&snapshot.state) {
            Ok(folded) => Ok(Some((snapshot.version, folded))),
            Err(error) => {
                tracing::warn!(order = %id, version = snapshot.version, %error, "snapshot does not decode; reading the whole stream");
                Ok(None)
            }
        }
    }
}

/// An order's state with the two times its metadata give it: what a snapshot holds.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Folded {
    pub(crate) order: Order,
    pub(crate) placed_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

impl Folded {
    /// Applies one event with its metadata.
    pub(crate) fn apply(
        &mut self,
        event_type: &str,
        event_version: &str,
        payload: serde_json::Value,
        metadata: &serde_json::Value,
    ) -> Result<(), CommandError> {
        let event = upcast::decode_value(event_type, event_version, payload)
            .map_err(|e| CommandError::Internal(e.to_string()))?;
        let at = occurred_at(metadata);
        if !self.order.exists() {
            self.placed_at = at;
        }
        self.updated_at = at;
        self.order.apply(&event);
        Ok(())
    }
}

/// Names the shape of [`Folded`]: a snapshot with another tag is not read.
pub(crate) fn state_tag() -> String {
    format!("order/{}", Order::STATE_VERSION)
}

/// The stream of an order.
pub fn stream_id(id: OrderId) -> StreamId {
    StreamId::new(ORDER, id.to_string())
}

fn apply_next(
    state: &mut Folded,
    version: i64,
    event: SerializedEvent,
) -> Result<i64, CommandError> {
    let sequence = i64::try_from(event.sequence).unwrap_or_default();
    if sequence != version + 1 {
        let id = &event.aggregate_id;
        return Err(CommandError::Internal(format!(
            "order {id}: event {sequence} follows {version}"
        )));
    }
    state.apply(
        &event.event_type,
        &event.event_version,
        event.payload,
        &event.metadata,
    )?;
    Ok(sequence)
}

fn occurred_at(metadata: &serde_json::Value) -> DateTime<Utc> {
    metadata
        .get(OCCURRED_AT)
        .and_then(|v| v.as_str())
        .and_then(|s| s.parse().ok())
        .unwrap_or_default()
}

pub(crate) fn unavailable(error: store::StoreError) -> CommandError {
    CommandError::Unavailable(error.to_string())
}
