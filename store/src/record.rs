//! The words of the log: what is appended, what is read back.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// Which log an entry belongs to. There is one today; every key carries it, so that one chain can
/// be split over several logs later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogId(pub i16);

impl LogId {
    /// The log made by the first migration.
    pub const DEFAULT: Self = Self(1);
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A place in the log: 1, 2, 3 .. without gaps, in commit order.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub i64);

impl Position {
    /// Before the first event.
    pub const START: Self = Self(0);
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names one stream: one aggregate's history.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    /// The kind of aggregate, such as `order`.
    pub aggregate_type: Cow<'static, str>,
    /// Which one of its kind.
    pub aggregate_id: String,
}

impl StreamId {
    /// A stream of this type and id.
    pub fn new(
        aggregate_type: impl Into<Cow<'static, str>>,
        aggregate_id: impl Into<String>,
    ) -> Self {
        Self {
            aggregate_type: aggregate_type.into(),
            aggregate_id: aggregate_id.into(),
        }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.aggregate_type, self.aggregate_id)
    }
}

/// Where a stream stands: the authority on its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StreamHead {
    /// Events so far, at least one.
    pub version: i64,
    /// Position of the first event.
    #[sqlx(try_from = "i64")]
    pub first_position: Position,
    /// Position of the last event.
    #[sqlx(try_from = "i64")]
    pub last_position: Position,
}

/// An event to append. Its stream, sequence and position come with the [`Append`].
#[derive(Clone)]
pub struct NewEvent {
    /// Unique id, chosen by the caller.
    pub event_id: Uuid,
    /// What happened, such as `OrderPlaced`.
    pub event_type: String,
    /// Version of the payload's shape.
    pub event_version: String,
    /// JSON text, stored byte for byte.
    pub payload: String,
    /// JSON object, stored byte for byte.
    pub metadata: String,
}

impl fmt::Debug for NewEvent {
    /// Leaves the payload and the metadata out: they may hold personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEvent")
            .field("event_id", &self.event_id)
            .field("event_type", &self.event_type)
            .field("event_version", &self.event_version)
            .field("payload_bytes", &self.payload.len())
            .finish_non_exhaustive()
    }
}

/// A value that may belong to one stream only: (scope, value) is unique in the log, for good.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// What kind of value it is, such as `number` or `ref:GRAB`.
    pub scope: String,
    /// The value itself.
    pub value: String,
}

/// A wrapped personal-data key, stored in the same call as the events sealed with it.
#[derive(Clone, PartialEq, Eq)]
pub struct SubjectKey {
    /// Whose key it is.
    pub subject: String,
    /// The key, encrypted under the master key.
    pub wrapped: Vec<u8>,
    /// By which phone number the stream is to be found, where there is one. Only for streams named by a UUID.
    pub phone: Option<PhoneHash>,
}

/// The keyed hash of a phone number: who has not the key learns nothing from it, not even by trying all numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PhoneHash(pub [u8; 16]);

impl fmt::Debug for PhoneHash {
    /// Leaves the hash out: who has the key can tell the number from it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneHash(..)")
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectKey")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// One command's events, appended together or not at all.
#[derive(Clone, Debug)]
pub struct Append {
    /// Idempotency key: a second append with this id and the same `request_hash` gets the first
    /// receipt again.
    pub command_id: Uuid,
    /// Hash of the request, to tell a repeat from a reuse of the id.
    pub request_hash: Hash,
    /// Where to append.
    pub stream: StreamId,
    /// The version the decision was made on; 0 = the stream must not exist.
    pub expected_version: i64,
    /// At most [`MAX_EVENTS_PER_APPEND`](crate::append::MAX_EVENTS_PER_APPEND) events. None: the command found its
    /// work done already, and only that is remembered.
    pub events: Vec<NewEvent>,
    /// Values the stream takes for itself.
    pub claims: Vec<Claim>,
    /// A key to store with the events.
    pub subject_key: Option<SubjectKey>,
}

/// Proof that a command is in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The command.
    pub command_id: Uuid,
    /// The stream it was appended to.
    pub aggregate_id: String,
    /// The stream's version after it.
    pub version: i64,
    /// Position of its first event.
    pub first_position: Position,
    /// Position of its last event; without events the stream's last one then, 0 for none.
    pub last_position: Position,
    /// Ids of its events, in order.
    pub event_ids: Vec<Uuid>,
    /// The command was in the log already when this call reached it.
    pub replayed: bool,
}

/// The end of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Position of the last event.
    pub position: Position,
    /// Its chain hash.
    pub hash: Hash,
}

/// An event as stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Place in the log.
    pub position: Position,
    /// Unique id.
    pub event_id: Uuid,
    /// The stream's type.
    pub aggregate_type: String,
    /// The stream's id.
    pub aggregate_id: String,
    /// 1, 2, 3 .. within the stream; the stream's version after this event.
    pub sequence: i64,
    /// What happened.
    pub event_type: String,
    /// Version of the payload's shape.
    pub event_version: String,
    /// JSON text exactly as it was appended.
    pub payload: String,
    /// JSON text exactly as it was appended.
    pub metadata: String,
    /// The command that caused it.
    pub command_id: Uuid,
    /// When it was appended; never earlier than the event before it.
    pub recorded_at: DateTime<Utc>,
    /// Hash of what the event says, see [`crate::hash`].
    pub content_hash: Hash,
    /// The chain hash of the event before it.
    pub prev_hash: Hash,
    /// The chain hash, see [`crate::hash`].
    pub hash: Hash,
}

impl fmt::Debug for Recorded {
    /// Leaves the payload and the metadata out: they may hold personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded")
            .field("position", &self.position)
            .field("event_id", &self.event_id)
            .field("aggregate_id", &self.aggregate_id)
            .field("sequence", &self.sequence)
            .field("event_type", &self.event_type)
            .finish_non_exhaustive()
    }
}
