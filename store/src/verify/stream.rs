//! One stream alone: its events against themselves, against their neighbours in the chain, its head and its commands.
//!
//! Every event stores the chain hash before it, so a stream is checked without reading the rest of the log. What this
//! cannot see is a chain that was written anew from some event on: that is [`super::verify`]'s to find, with a seal.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::{PgConnection, PgPool};

use super::{Finding, FindingKind, Findings, agree, chain};
use crate::connect::BEGIN_SNAPSHOT;
use crate::error::StoreError;
use crate::hash::GENESIS;
use crate::read;
use crate::record::{Hash, LogId, Position, Recorded, StreamHead, StreamId};

/// The most events of a stream that one check reads; a longer stream is a finding, and `verify` reads it whole.
pub const MAX_STREAM_EVENTS: i64 = 5_000;

/// Most findings reported one by one; the rest is only counted.
const MAX_FINDINGS: usize = 100;

// Looked up one by one by the primary key, whatever the planner knows of the table.
const BEFORE: &str = "SELECT k.position, (SELECT e.hash FROM events e WHERE e.log_id = $1 \
     AND e.position = k.position) FROM unnest($2::bigint[]) AS k(position)";

/// What a check of one stream found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamReport {
    /// Events read.
    pub events: u64,
    /// The stream's newest version, as its head says; 0 for one that the log does not know.
    pub version: i64,
    /// Position of its last event, likewise.
    pub position: Position,
    /// The first findings, in the order they were met.
    pub findings: Vec<Finding>,
    /// Findings beyond those.
    pub more_findings: u64,
}

/// Checks one stream, in one snapshot.
///
/// # Errors
/// The database is unreachable. What is wrong with the stream is not an error but in the report.
pub async fn verify_stream(
    pool: &PgPool,
    log_id: LogId,
    stream: &StreamId,
) -> Result<StreamReport, StoreError> {
    let mut tx = pool.begin_with(BEGIN_SNAPSHOT).await?;
    let head = read::stream_head(&mut *tx, log_id, stream).await?;
    // Without a head there would be no bounds to find the events by, and nothing appends without one.
    let events = read::stream(&mut *tx, log_id, stream, 0, MAX_STREAM_EVENTS).await?;
    let mut findings = Findings::new(MAX_FINDINGS);
    check_sequences(&events, &mut findings);
    for event in &events {
        chain::check_own(event, &mut findings);
    }
    check_links(&mut tx, log_id, &events, &mut findings).await?;
    if let Some(head) = &head {
        check_head(stream, head, &events, &mut findings);
    }
    agree::check_commands(&mut *tx, log_id, &events, &mut findings).await?;
    let head = head.map_or((0, Position::START), |h| (h.version, h.last_position));
    Ok(StreamReport {
        events: events.len() as u64,
        version: head.0,
        position: head.1,
        findings: findings.list,
        more_findings: findings.more,
    })
}

fn check_sequences(events: &[Recorded], findings: &mut Findings) {
    let (mut before, mut at) = (0, Position::START);
    for pair in events.windows(2) {
        if let [earlier, later] = pair
            && later.recorded_at < earlier.recorded_at
        {
            let detail = format!("{} is before {}", later.recorded_at, earlier.recorded_at);
            findings.add(FindingKind::Time, later.position, detail);
        }
    }
    for event in events {
        if event.sequence != before + 1 {
            let detail = format!("event {} follows event {before}", event.sequence);
            findings.add(FindingKind::Sequence, event.position, detail);
        }
        if event.position <= at {
            let detail = format!("event {} stands before event {before}", event.sequence);
            findings.add(FindingKind::Sequence, event.position, detail);
        }
        (before, at) = (event.sequence, event.position);
    }
}

/// Each event's neighbour before it in the log must be there and be what the event follows.
async fn check_links(
    conn: &mut PgConnection,
    log_id: LogId,
    events: &[Recorded],
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let before: Vec<i64> = events.iter().map(|event| event.position.0 - 1).collect();
    let rows: Vec<(i64, Option<Hash>)> = sqlx::query_as(BEFORE)
        .bind(log_id.0)
        .bind(before)
        .fetch_all(conn)
        .await?;
    let hashes: BTreeMap<i64, Option<Hash>> = rows.into_iter().collect();
    for event in events {
        let before = event.position.0 - 1;
        let hash = match before {
            0 => Some(GENESIS),
            _ => hashes.get(&before).copied().flatten(),
        };
        match hash {
            None => {
                let detail = "the event before it in the log is missing".to_owned();
                findings.add(FindingKind::Gap, Position(before), detail);
            }
            Some(hash) if hash != event.prev_hash => {
                let detail = "it does not follow the event stored before it".to_owned();
                findings.add(FindingKind::Link, event.position, detail);
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn check_head(stream: &StreamId, head: &StreamHead, events: &[Recorded], findings: &mut Findings) {
    let mut wrong = |position, detail| findings.add(FindingKind::StreamHead, position, detail);
    let first = events.first().map(|event| event.position);
    if first != Some(head.first_position) {
        let detail = format!("{stream} should begin there");
        wrong(head.first_position, detail);
    }
    if head.version > MAX_STREAM_EVENTS {
        let detail = format!(
            "only the first {MAX_STREAM_EVENTS} of {} events were checked",
            head.version
        );
        wrong(head.last_position, detail);
        return;
    }
    let last = events.last().map(|event| (event.sequence, event.position));
    if last != Some((head.version, head.last_position)) {
        let detail = format!("{stream} should be at version {} there", head.version);
        wrong(head.last_position, detail);
    }
}
