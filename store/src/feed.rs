//! Reading the log for whoever follows it from outside: filtered, and never more of it than asked for.
//!
//! The head is read first and the events after it, up to that head and no further: what the head covers is committed,
//! so the later statement sees all of it, and "up to here there is no more" is true.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

use crate::error::StoreError;
use crate::read::{self, MAX_READ};
use crate::record::{Hash, Head, LogId, Position, Recorded};

/// Steps of a binary search over the positions there can be.
const MAX_SEARCH_STEPS: u32 = 64;

/// The metadata key `storeId` is the writer's word for the store an event belongs to.
const SCAN: &str = "SELECT position, event_id, aggregate_type, aggregate_id, sequence, event_type, \
     event_version, payload::text AS payload, metadata::text AS metadata, command_id, recorded_at, \
     content_hash, prev_hash, hash FROM events \
     WHERE log_id = $1 AND position > $2 AND position <= $3 \
       AND ($4::text[] IS NULL OR event_type = ANY ($4)) \
       AND ($5::text[] IS NULL OR metadata ->> 'storeId' = ANY ($5)) \
       AND ($6::text IS NULL OR aggregate_type <> $6) \
     ORDER BY position LIMIT $7";

/// Which events are wanted. The default wants all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of these types only.
    pub types: Option<Vec<String>>,
    /// Of these stores only; what belongs to the whole chain is of none.
    pub stores: Option<Vec<String>>,
    /// None of this kind of aggregate.
    pub hidden: Option<String>,
}

/// What to read.
#[derive(Clone, Copy, Debug)]
pub struct Scan<'a> {
    /// Events behind this position.
    pub after: Position,
    /// How many positions are looked at.
    pub window: i64,
    /// How many events are answered.
    pub limit: i64,
    /// Which.
    pub filter: &'a Filter,
}

/// What was read.
#[derive(Clone, Debug)]
pub struct Scanned {
    /// The events that are wanted, in order.
    pub events: Vec<Recorded>,
    /// Up to here the log was looked at: where the next read goes on.
    pub next: Position,
    /// The end of the log when it was read.
    pub head: Position,
    /// Whether the answer can never change: it did not stop at the end of the log.
    pub is_settled: bool,
}

/// The end of the log.
///
/// # Errors
/// The database is unreachable, or it has no such log.
pub async fn head(pool: &PgPool, log_id: LogId) -> Result<Head, StoreError> {
    read::head(pool, log_id).await
}

/// Reads a part of the log. Where `after` is the head or beyond it, nothing is found and `next` is `after`.
///
/// # Errors
/// The database is unreachable, or it has no such log.
pub async fn scan(pool: &PgPool, log_id: LogId, scan: &Scan<'_>) -> Result<Scanned, StoreError> {
    let head = read::head(pool, log_id).await?.position;
    scan_until(pool, log_id, scan, head).await
}

/// As [`scan`], as if the log ended at `end`, which the caller knows to be committed.
///
/// # Errors
/// The database is unreachable.
pub async fn scan_until(
    pool: &PgPool,
    log_id: LogId,
    scan: &Scan<'_>,
    end: Position,
) -> Result<Scanned, StoreError> {
    let window = scan.window.max(1);
    let limit = scan.limit.clamp(1, MAX_READ);
    let last = Position(scan.after.0.saturating_add(window));
    let bound = last.min(end);
    let nobody = scan.filter.stores.as_ref().is_some_and(Vec::is_empty);
    let events: Vec<Recorded> = if bound <= scan.after || nobody {
        Vec::new()
    } else {
        sqlx::query_as(SCAN)
            .bind(log_id.0)
            .bind(scan.after.0)
            .bind(bound.0)
            .bind(scan.filter.types.as_deref())
            .bind(scan.filter.stores.as_deref())
            .bind(scan.filter.hidden.as_deref())
            .bind(limit)
            .fetch_all(pool)
            .await?
    };
    let is_full = i64::try_from(events.len()).is_ok_and(|found| found >= limit);
    let next = match events.last() {
        Some(event) if is_full => event.position,
        _ => bound.max(scan.after),
    };
    Ok(Scanned {
        events,
        next,
        head: end,
        is_settled: is_full || last <= end,
    })
}

/// The hash chain's state at a position: that of the event there; before the first event, the genesis.
///
/// # Errors
/// The database is unreachable; [`StoreError::Invalid`] for a position beyond the head.
pub async fn chain_at(pool: &PgPool, log_id: LogId, at: Position) -> Result<Head, StoreError> {
    if at <= Position::START {
        return Ok(Head {
            position: Position::START,
            hash: crate::hash::GENESIS,
        });
    }
    match chain_link(pool, log_id, at).await? {
        Some((hash, _)) => Ok(Head { position: at, hash }),
        None => Err(StoreError::Invalid(format!(
            "the log has no event at position {at}"
        ))),
    }
}

/// The hash and the time of the event at a position; `None` where there is none.
///
/// # Errors
/// The database is unreachable.
pub async fn chain_link(
    pool: &PgPool,
    log_id: LogId,
    at: Position,
) -> Result<Option<(Hash, DateTime<Utc>)>, StoreError> {
    let link =
        sqlx::query_as("SELECT hash, recorded_at FROM events WHERE log_id = $1 AND position = $2")
            .bind(log_id.0)
            .bind(at.0)
            .fetch_optional(pool)
            .await?;
    Ok(link)
}

/// The last position that was recorded at a time or before it. Times never go back along the log, so it is found by
/// halving: a few dozen look-ups by key, however long the log is.
///
/// # Errors
/// The database is unreachable, or the log has a gap.
pub async fn position_at(
    pool: &PgPool,
    log_id: LogId,
    time: DateTime<Utc>,
) -> Result<Position, StoreError> {
    let (mut low, mut high) = (0, read::head(pool, log_id).await?.position.0);
    for _ in 0..MAX_SEARCH_STEPS {
        if low >= high {
            break;
        }
        let middle = low + (high - low + 1) / 2;
        let Some((_, recorded_at)) = chain_link(pool, log_id, Position(middle)).await? else {
            return Err(StoreError::Corrupt(format!(
                "the log has no event at position {middle}"
            )));
        };
        if recorded_at <= time {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok(Position(low))
}
