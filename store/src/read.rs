//! Reading: by stream, by position, by command id.

use chrono::{DateTime, Utc};
use sqlx::{PgExecutor, PgPool, Row};
use uuid::Uuid;

use crate::error::StoreError;
use crate::record::{Hash, Head, LogId, Position, Receipt, Recorded, StreamHead, StreamId};

/// Most events one read returns, whatever the caller asks for.
pub(crate) const MAX_READ: i64 = 10_000;

// `payload::text` gives back the stored bytes: the columns are `json`.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT position, event_id, aggregate_type, aggregate_id, sequence, event_type, ",
            "event_version, payload::text AS payload, metadata::text AS metadata, command_id, ",
            "recorded_at, content_hash, prev_hash, hash FROM events ",
            $rest
        )
    };
}

const PAGE: &str = select!("WHERE log_id = $1 AND position > $2 ORDER BY position LIMIT $3");

// The bounds on the position let the planner leave out partitions the stream has nothing in.
// `log_id + 0` keeps it from the primary key's index: before a partition is analysed it would
// otherwise combine that with the stream's index and visit every position between the bounds.
const STREAM: &str = select!(
    "WHERE log_id + 0 = $1 AND aggregate_type = $2 AND aggregate_id = $3 AND sequence > $4 \
     AND position >= (SELECT first_position FROM stream_head \
                      WHERE log_id = $1 AND aggregate_type = $2 AND aggregate_id = $3) \
     AND position <= (SELECT last_position FROM stream_head \
                      WHERE log_id = $1 AND aggregate_type = $2 AND aggregate_id = $3) \
     ORDER BY sequence LIMIT $5"
);

// As above: a type with few events is found by the stream's index, not by walking the log to its end.
const OF_TYPE: &str = select!(
    "WHERE log_id + 0 = $1 AND aggregate_type = $2 AND position > $3 ORDER BY position LIMIT $4"
);

const RECEIPT: &str = "SELECT c.request_hash, c.aggregate_id, c.first_position, c.last_position, \
     c.version, ARRAY(SELECT e.event_id FROM events e WHERE e.log_id = c.log_id \
       AND e.position BETWEEN c.first_position AND c.last_position ORDER BY e.position) AS event_ids \
     FROM command_log c WHERE c.log_id = $1 AND c.command_id = $2";

pub(crate) async fn head(executor: impl PgExecutor<'_>, log_id: LogId) -> Result<Head, StoreError> {
    let row: Option<(i64, Hash)> =
        sqlx::query_as("SELECT position, hash FROM log_head WHERE log_id = $1")
            .bind(log_id.0)
            .fetch_optional(executor)
            .await?;
    let (position, hash) = row.ok_or(StoreError::NoSuchLog(log_id))?;
    Ok(Head {
        position: Position(position),
        hash,
    })
}

pub(crate) async fn stream_head(
    executor: impl PgExecutor<'_>,
    log_id: LogId,
    stream: &StreamId,
) -> Result<Option<StreamHead>, StoreError> {
    let head = sqlx::query_as(
        "SELECT version, first_position, last_position FROM stream_head \
         WHERE log_id = $1 AND aggregate_type = $2 AND aggregate_id = $3",
    )
    .bind(log_id.0)
    .bind(&*stream.aggregate_type)
    .bind(&stream.aggregate_id)
    .fetch_optional(executor)
    .await?;
    Ok(head)
}

pub(crate) async fn page(
    pool: &PgPool,
    log_id: LogId,
    after: Position,
    limit: i64,
) -> Result<Vec<Recorded>, StoreError> {
    let events = sqlx::query_as(PAGE)
        .bind(log_id.0)
        .bind(after.0)
        .bind(limit.clamp(0, MAX_READ))
        .fetch_all(pool)
        .await?;
    Ok(events)
}

pub(crate) async fn stream(
    executor: impl PgExecutor<'_>,
    log_id: LogId,
    stream: &StreamId,
    after_version: i64,
    limit: i64,
) -> Result<Vec<Recorded>, StoreError> {
    let events = sqlx::query_as(STREAM)
        .bind(log_id.0)
        .bind(&*stream.aggregate_type)
        .bind(&stream.aggregate_id)
        .bind(after_version)
        .bind(limit.clamp(0, MAX_READ))
        .fetch_all(executor)
        .await?;
    Ok(events)
}

pub(crate) async fn of_type(
    pool: &PgPool,
    log_id: LogId,
    aggregate_type: &str,
    after: Position,
    limit: i64,
) -> Result<Vec<Recorded>, StoreError> {
    // Planned each time for the very type: a plan for any type would read every event there is.
    let events = sqlx::query_as(OF_TYPE)
        .persistent(false)
        .bind(log_id.0)
        .bind(aggregate_type)
        .bind(after.0)
        .bind(limit.clamp(0, MAX_READ))
        .fetch_all(pool)
        .await?;
    Ok(events)
}

pub(crate) async fn receipt(
    pool: &PgPool,
    log_id: LogId,
    command_id: Uuid,
) -> Result<Option<(Hash, Receipt)>, StoreError> {
    let row = sqlx::query(RECEIPT)
        .bind(log_id.0)
        .bind(command_id)
        .fetch_optional(pool)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let receipt = Receipt {
        command_id,
        aggregate_id: row.try_get("aggregate_id")?,
        version: row.try_get("version")?,
        first_position: Position(row.try_get("first_position")?),
        last_position: Position(row.try_get("last_position")?),
        event_ids: row.try_get("event_ids")?,
        replayed: true,
    };
    Ok(Some((row.try_get("request_hash")?, receipt)))
}

impl<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> for Recorded {
    fn from_row(row: &'r sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            position: Position(row.try_get(0)?),
            event_id: row.try_get(1)?,
            aggregate_type: row.try_get(2)?,
            aggregate_id: row.try_get(3)?,
            sequence: row.try_get(4)?,
            event_type: row.try_get(5)?,
            event_version: row.try_get(6)?,
            payload: row.try_get(7)?,
            metadata: row.try_get(8)?,
            command_id: row.try_get(9)?,
            recorded_at: row.try_get::<DateTime<Utc>, _>(10)?,
            content_hash: row.try_get(11)?,
            prev_hash: row.try_get(12)?,
            hash: row.try_get(13)?,
        })
    }
}
