//! The events against `stream_head` and `command_log`, and these against the events.
//!
//! Every statement compares within one snapshot, and an append changes all of it at once, so
//! appends going on meanwhile are never findings. Keys are looked up by sub-selects, one by one:
//! the cost does not depend on how much the planner knows about the tables.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{PgExecutor, PgPool};
use uuid::Uuid;

use super::{FindingKind, Findings};
use crate::error::StoreError;
use crate::record::{LogId, Position, Recorded};

// The last column is the stream's highest sequence before the page. `log_id + 0`: see the reading
// of streams in `read.rs`.
const STREAMS: &str = "SELECT k.aggregate_type, k.aggregate_id, \
       (SELECT s.version FROM stream_head s WHERE s.log_id = $1 \
          AND s.aggregate_type = k.aggregate_type AND s.aggregate_id = k.aggregate_id), \
       (SELECT e.sequence FROM events e WHERE e.aggregate_type = k.aggregate_type \
          AND e.aggregate_id = k.aggregate_id AND e.log_id + 0 = $1 AND e.position <= $4 \
        ORDER BY e.sequence DESC LIMIT 1) \
     FROM unnest($2::text[], $3::text[]) AS k(aggregate_type, aggregate_id)";

const COMMANDS: &str = "SELECT k.command_id, c.aggregate_id, c.first_position, c.last_position, c.version \
     FROM unnest($2::uuid[]) AS k(command_id), \
       LATERAL (SELECT * FROM command_log l WHERE l.log_id = $1 AND l.command_id = k.command_id \
                LIMIT 1) AS c";

const STREAM_HEADS: &str = "SELECT s.aggregate_type, s.aggregate_id, s.version, s.last_position, \
       (SELECT e.sequence = s.version FROM events e WHERE e.log_id = $1 \
          AND e.position = s.last_position AND e.aggregate_type = s.aggregate_type \
          AND e.aggregate_id = s.aggregate_id) IS TRUE \
       AND (SELECT e.sequence = 1 FROM events e WHERE e.log_id = $1 \
          AND e.position = s.first_position AND e.aggregate_type = s.aggregate_type \
          AND e.aggregate_id = s.aggregate_id) IS TRUE \
     FROM stream_head s WHERE s.log_id = $1 AND (s.aggregate_type, s.aggregate_id) > ($2, $3) \
     ORDER BY s.aggregate_type, s.aggregate_id LIMIT $4";

// A command that changed nothing has an empty range, which ends at the last event of its stream then.
const COMMAND_LOG: &str = "SELECT c.command_id, c.last_position, \
       CASE WHEN c.first_position > c.last_position \
       THEN c.first_position = c.last_position + 1 AND (c.version = 0 AND c.last_position = 0 \
         OR (SELECT e.sequence = c.version AND e.aggregate_id = c.aggregate_id FROM events e \
             WHERE e.log_id = $1 AND e.position = c.last_position) IS TRUE) \
       ELSE (SELECT e.sequence = c.version AND e.command_id = c.command_id \
          AND e.aggregate_id = c.aggregate_id FROM events e \
        WHERE e.log_id = $1 AND e.position = c.last_position) IS TRUE \
       AND (SELECT e.command_id = c.command_id FROM events e \
        WHERE e.log_id = $1 AND e.position = c.first_position) IS TRUE \
       END \
     FROM command_log c WHERE c.log_id = $1 AND c.command_id > $2 \
     ORDER BY c.command_id LIMIT $3";

/// Checks a page of events, which follows position `from`.
pub(super) async fn check_page(
    pool: &PgPool,
    log_id: LogId,
    from: Position,
    page: &[Recorded],
    findings: &mut Findings,
) -> Result<(), StoreError> {
    check_streams(pool, log_id, from, page, findings).await?;
    check_commands(pool, log_id, page, findings).await
}

async fn check_streams(
    pool: &PgPool,
    log_id: LogId,
    from: Position,
    page: &[Recorded],
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let keys: BTreeSet<(&str, &str)> = page
        .iter()
        .map(|e| (e.aggregate_type.as_str(), e.aggregate_id.as_str()))
        .collect();
    let (types, ids): (Vec<&str>, Vec<&str>) = keys.into_iter().unzip();
    let rows: Vec<(String, String, Option<i64>, Option<i64>)> = sqlx::query_as(STREAMS)
        .bind(log_id.0)
        .bind(types)
        .bind(ids)
        .bind(from.0)
        .fetch_all(pool)
        .await?;
    let mut known: BTreeMap<(&str, &str), (i64, i64)> = rows
        .iter()
        .map(|(kind, id, version, before)| {
            let state = (version.unwrap_or(0), before.unwrap_or(0));
            ((kind.as_str(), id.as_str()), state)
        })
        .collect();
    for event in page {
        let key = (event.aggregate_type.as_str(), event.aggregate_id.as_str());
        let Some((version, before)) = known.get_mut(&key) else {
            continue;
        };
        if event.sequence != *before + 1 {
            let detail = format!(
                "{}/{} has event {} after event {before}",
                key.0, key.1, event.sequence
            );
            findings.add(FindingKind::Sequence, event.position, detail);
        }
        *before = event.sequence;
        if event.sequence > *version {
            let detail = format!(
                "{}/{} has event {} but its head says {version}",
                key.0, key.1, event.sequence
            );
            findings.add(FindingKind::StreamHead, event.position, detail);
        }
    }
    Ok(())
}

/// Checks that events are logged with their commands.
pub(super) async fn check_commands(
    executor: impl PgExecutor<'_>,
    log_id: LogId,
    page: &[Recorded],
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let ids: BTreeSet<Uuid> = page.iter().map(|e| e.command_id).collect();
    let rows: Vec<(Uuid, String, i64, i64, i64)> = sqlx::query_as(COMMANDS)
        .bind(log_id.0)
        .bind(ids.into_iter().collect::<Vec<_>>())
        .fetch_all(executor)
        .await?;
    let known: BTreeMap<Uuid, (String, i64, i64, i64)> = rows
        .into_iter()
        .map(|(id, stream, first, last, version)| (id, (stream, first, last, version)))
        .collect();
    for event in page {
        let at = event.position.0;
        let agrees = known
            .get(&event.command_id)
            .is_some_and(|(stream, first, last, version)| {
                *stream == event.aggregate_id
                    && (*first..=*last).contains(&at)
                    && event.sequence == version - (last - at)
            });
        if !agrees {
            let detail = format!("command {} is not logged with this event", event.command_id);
            findings.add(FindingKind::CommandLog, event.position, detail);
        }
    }
    Ok(())
}

/// Checks that every stream's head names two events that exist.
pub(super) async fn check_stream_heads(
    pool: &PgPool,
    log_id: LogId,
    page: i64,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let mut after = (String::new(), String::new());
    // Ends: every page but the last moves `after` forward.
    loop {
        let rows: Vec<(String, String, i64, i64, bool)> = sqlx::query_as(STREAM_HEADS)
            .bind(log_id.0)
            .bind(&after.0)
            .bind(&after.1)
            .bind(page)
            .fetch_all(pool)
            .await?;
        for (kind, id, version, position, agrees) in &rows {
            if !agrees {
                let detail = format!("{kind}/{id} should be at version {version} there");
                findings.add(FindingKind::StreamHead, Position(*position), detail);
            }
        }
        match rows.into_iter().next_back() {
            Some((kind, id, ..)) => after = (kind, id),
            None => return Ok(()),
        }
    }
}

/// Checks that every logged command names events that exist.
pub(super) async fn check_command_log(
    pool: &PgPool,
    log_id: LogId,
    page: i64,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    let mut after = Uuid::nil();
    // Ends: every page but the last moves `after` forward.
    loop {
        let rows: Vec<(Uuid, i64, bool)> = sqlx::query_as(COMMAND_LOG)
            .bind(log_id.0)
            .bind(after)
            .bind(page)
            .fetch_all(pool)
            .await?;
        for (id, position, agrees) in &rows {
            if !agrees {
                let detail = format!("command {id} should end there");
                findings.add(FindingKind::CommandLog, Position(*position), detail);
            }
        }
        match rows.last() {
            Some((id, ..)) => after = *id,
            None => return Ok(()),
        }
    }
}
