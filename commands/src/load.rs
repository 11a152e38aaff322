//! Loading an entity: from memory, else a snapshot and its tail, else its whole stream.
//!
//! Streams are read through postgres-es, whose column names our table has. Memory is only ever a guess: the
//! append checks its version, and an answer that appends nothing checks it before it is given.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use cqrs_es::persist::{PersistedEventRepository, SerializedEvent};
use domain::{decode, entity::Entity, order::Order};
use moka::sync::Cache;
use postgres_es::PostgresEventRepository;
use store::{Log, Position, StreamHead, StreamId, snapshots};

use crate::{aggregate::Driven, error::CommandError, record::OCCURRED_AT};

/// Events of a stream read at once.
const PAGE: i64 = 500;

/// An entity as the write side knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded<E: Entity = Order> {
    /// Its id.
    pub id: E::Id,
    /// Events so far; 0 before the first.
    pub version: i64,
    /// Position of its last event.
    pub position: Position,
    /// When its first event happened.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its state.
    pub state: Arc<E>,
}

impl<E: Entity> Loaded<E> {
    /// One that is not in the log yet.
    pub fn absent(id: E::Id, now: DateTime<Utc>) -> Self {
        Self {
            id,
            version: 0,
            position: Position::START,
            created_at: now,
            updated_at: now,
            state: Arc::default(),
        }
    }
}

/// Loads entities of one kind and remembers the hot ones.
pub(crate) struct Loader<E: Entity> {
    log: Log,
    repository: Arc<PostgresEventRepository>,
    hot: Cache<E::Id, Loaded<E>>,
    snapshot_from: i64,
}

impl<E: Entity> Loader<E> {
    /// A loader that remembers up to `hot` entities and looks for snapshots of streams longer than
    /// `snapshot_from` events.
    pub(crate) fn new(log: Log, hot: u64, snapshot_from: i64) -> Self {
        let repository = Arc::new(PostgresEventRepository::new(log.pool().clone()));
        Self {
            log,
            repository,
            hot: Cache::new(hot),
            snapshot_from,
        }
    }

    /// The entity as remembered or as stored; `None` when the log does not know it.
    pub(crate) async fn load(&self, id: &E::Id) -> Result<Option<Loaded<E>>, CommandError> {
        match self.hot.get(id) {
            Some(loaded) => Ok(Some(loaded)),
            None => self.reload(id).await,
        }
    }

    /// The entity as stored now.
    pub(crate) async fn reload(&self, id: &E::Id) -> Result<Option<Loaded<E>>, CommandError> {
        let stream = stream_id::<E>(id);
        let Some(head) = self.log.stream_head(&stream).await.map_err(unavailable)? else {
            return Ok(None);
        };
        let loaded = self.read(id, &head).await?;
        self.remember(loaded.clone());
        Ok(Some(loaded))
    }

    /// Whether the entity is still at the version it was loaded at.
    pub(crate) async fn is_current(&self, loaded: &Loaded<E>) -> Result<bool, CommandError> {
        let head = self
            .log
            .stream_head(&stream_id::<E>(&loaded.id))
            .await
            .map_err(unavailable)?;
        Ok(head.map_or(0, |h| h.version) == loaded.version)
    }

    /// Keeps the newest state of an entity.
    pub(crate) fn remember(&self, loaded: Loaded<E>) {
        let entry = self.hot.entry(loaded.id.clone());
        entry.and_upsert_with(|old| match old {
            Some(old) if old.value().version > loaded.version => old.into_value(),
            _ => loaded,
        });
    }

    /// Forgets what memory says of an entity.
    pub(crate) fn forget(&self, id: &E::Id) {
        self.hot.invalidate(id);
    }

    async fn read(&self, id: &E::Id, head: &StreamHead) -> Result<Loaded<E>, CommandError> {
        let key = id.to_string();
        let start = self.snapshot(id, head).await?;
        let tail = match &start {
            Some((version, _)) => {
                let after = usize::try_from(*version).unwrap_or_default();
                self.repository
                    .get_last_events::<Driven<E>>(&key, after)
                    .await
            }
            None => self.repository.get_events::<Driven<E>>(&key).await,
        };
        let tail = tail.map_err(|e| CommandError::Unavailable(e.to_string()))?;
        let (mut version, mut state) = start.unwrap_or_default();
        for event in tail {
            version = apply_next(&mut state, version, event)?;
        }
        if version < head.version {
            return Err(CommandError::Internal(format!(
                "{} {id} ends at version {version}, not {}",
                E::TYPE,
                head.version
            )));
        }
        let position = self.position_of(id, head, version).await?;
        Ok(Loaded {
            id: id.clone(),
            version,
            position,
            created_at: state.created_at,
            updated_at: state.updated_at,
            state: Arc::new(state.state),
        })
    }

    /// The head's position, or the newer one when the stream grew between the two reads.
    async fn position_of(
        &self,
        id: &E::Id,
        head: &StreamHead,
        version: i64,
    ) -> Result<Position, CommandError> {
        if version == head.version {
            return Ok(head.last_position);
        }
        let head = self
            .log
            .stream_head(&stream_id::<E>(id))
            .await
            .map_err(unavailable)?;
        Ok(head.map_or(Position::START, |h| h.last_position))
    }

    async fn snapshot(
        &self,
        id: &E::Id,
        head: &StreamHead,
    ) -> Result<Option<(i64, Folded<E>)>, CommandError> {
        if head.version <= self.snapshot_from {
            return Ok(None);
        }
        let (pool, log_id) = (self.log.pool(), self.log.log_id());
        let found = snapshots::load(pool, log_id, &stream_id::<E>(id), &state_tag::<E>())
            .await
            .map_err(unavailable)?;
        let Some(snapshot) = found else {
            return Ok(None);
        };
        match serde_json::from_str(&snapshot.state) {
            Ok(folded) => Ok(Some((snapshot.version, folded))),
            Err(error) => {
                tracing::warn!(kind = E::TYPE, %id, version = snapshot.version, %error, "snapshot does not decode; reading the whole stream");
                Ok(None)
            }
        }
    }
}

/// An entity's state with the two times its metadata give it: what a snapshot holds.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Folded<E> {
    pub(crate) state: E,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

impl<E: Entity> Folded<E> {
    /// Applies one event with its metadata.
    pub(crate) fn apply(
        &mut self,
        event_type: &str,
        event_version: &str,
        payload: serde_json::Value,
        metadata: &serde_json::Value,
    ) -> Result<(), CommandError> {
        let event = decode::decode_value(event_type, event_version, payload)
            .map_err(|e| CommandError::Internal(e.to_string()))?;
        let at = occurred_at(metadata);
        if !self.state.exists() {
            self.created_at = at;
        }
        self.updated_at = at;
        self.state.apply(&event);
        Ok(())
    }
}

/// An entity's state as stored now, folded from its whole stream; `None` when the log does not know it. For facts about
/// an entity that a decision is not about: nothing is remembered.
pub(crate) async fn read_state<E: Entity>(
    log: &Log,
    id: &E::Id,
) -> Result<Option<E>, CommandError> {
    let (stream, mut folded, mut version) = (stream_id::<E>(id), Folded::<E>::default(), 0);
    // Ends: each page begins after the one before.
    loop {
        let page = log
            .stream(&stream, version, PAGE)
            .await
            .map_err(unavailable)?;
        for event in &page {
            let parse = |text: &str| {
                serde_json::from_str(text).map_err(|e| CommandError::Internal(e.to_string()))
            };
            let (payload, metadata) = (parse(&event.payload)?, parse(&event.metadata)?);
            folded.apply(&event.event_type, &event.event_version, payload, &metadata)?;
            version = event.sequence;
        }
        if page.is_empty() {
            return Ok((version > 0).then_some(folded.state));
        }
    }
}

/// Names the shape of [`Folded`]: a snapshot with another tag is not read.
pub(crate) fn state_tag<E: Entity>() -> String {
    format!("{}/{}", E::TYPE, E::STATE_VERSION)
}

/// The stream of an entity.
pub fn stream_id<E: Entity>(id: &E::Id) -> StreamId {
    StreamId::new(E::TYPE, id.to_string())
}

fn apply_next<E: Entity>(
    state: &mut Folded<E>,
    version: i64,
    event: SerializedEvent,
) -> Result<i64, CommandError> {
    let sequence = i64::try_from(event.sequence).unwrap_or_default();
    if sequence != version + 1 {
        let id = &event.aggregate_id;
        return Err(CommandError::Internal(format!(
            "{} {id}: event {sequence} follows {version}",
            E::TYPE
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
