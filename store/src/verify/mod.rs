//! Reads the whole log and says whether it is what was once appended.
//!
//! Checked, up to the head as it was at the start:
//! - positions are 1, 2, 3 .. without a gap, and time never goes back
//! - every event's content hash and chain hash are right, and each follows the one before
//! - sequences are 1, 2, 3 .. in every stream
//! - `stream_head` and `command_log` agree with the events, in both directions
//! - the head is the last event
//!
//! Runs beside a working ledger: it takes no locks and no long snapshot, only pages.

mod agree;
mod chain;
mod stream;

use std::fmt;

use serde::Serialize;
use sqlx::PgPool;

use crate::error::StoreError;
use crate::read;
use crate::record::{Head, LogId, Position};

pub use stream::{MAX_STREAM_EVENTS, StreamReport, verify_stream};

/// What to check and how much to report.
#[derive(Clone, Debug)]
pub struct Options {
    /// Events read at a time.
    pub page: i64,
    /// Most findings reported one by one; the rest is only counted.
    pub max_findings: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            page: 1000,
            max_findings: 100,
        }
    }
}

/// What kind of damage was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum FindingKind {
    /// Events are missing between two others.
    Gap,
    /// An event says something else than it did when it was appended.
    Content,
    /// An event's chain hash is not that of its position, time and content.
    Hash,
    /// An event does not follow the one stored before it.
    Link,
    /// An event is older than the one before it.
    Time,
    /// A stream's events are not numbered 1, 2, 3 ..
    Sequence,
    /// `stream_head` and the stream's events disagree.
    StreamHead,
    /// `command_log` and the command's events disagree.
    CommandLog,
    /// `log_head` is not the last event.
    Head,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What kind of damage.
    pub kind: FindingKind,
    /// Where in the log.
    pub position: Position,
    /// In words.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} at position {}: {}",
            self.kind, self.position, self.detail
        )
    }
}

/// The result.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The head when the check began.
    pub head: Position,
    /// Events read.
    pub events: u64,
    /// The first findings, in the order they were met.
    pub findings: Vec<Finding>,
    /// Findings beyond those.
    pub more_findings: u64,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Collects findings up to a limit.
pub(crate) struct Findings {
    list: Vec<Finding>,
    limit: usize,
    more: u64,
}

impl Findings {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            list: Vec::new(),
            limit: limit.max(1),
            more: 0,
        }
    }

    pub(crate) fn add(&mut self, kind: FindingKind, position: Position, detail: String) {
        if self.list.len() < self.limit {
            self.list.push(Finding {
                kind,
                position,
                detail,
            });
        } else {
            self.more += 1;
        }
    }
}

/// Checks the log. `progress` is called after each page with the position reached and the head.
///
/// # Errors
/// The database is unreachable, or it has no such log. What is wrong with the log is not an error
/// but in the [`Report`].
pub async fn verify(
    pool: &PgPool,
    log_id: LogId,
    options: &Options,
    mut progress: impl FnMut(Position, Position),
) -> Result<Report, StoreError> {
    let head = read::head(pool, log_id).await?;
    let page = options.page.clamp(1, read::MAX_READ);
    let mut findings = Findings::new(options.max_findings);
    let mut link = chain::Link::genesis();
    let mut events = 0;
    // Ends: every page but the last moves the link forward.
    loop {
        let mut batch = read::page(pool, log_id, link.position, page).await?;
        batch.retain(|event| event.position <= head.position);
        let Some(last) = batch.last() else { break };
        let (from, to) = (link.position, last.position);
        for event in &batch {
            link = chain::check(&link, event, &mut findings);
        }
        agree::check_page(pool, log_id, from, &batch, &mut findings).await?;
        events += batch.len() as u64;
        progress(to, head.position);
    }
    check_head(pool, log_id, &head, &link, &mut findings).await?;
    agree::check_stream_heads(pool, log_id, page, &mut findings).await?;
    agree::check_command_log(pool, log_id, page, &mut findings).await?;
    Ok(Report {
        head: head.position,
        events,
        findings: findings.list,
        more_findings: findings.more,
    })
}

async fn check_head(
    pool: &PgPool,
    log_id: LogId,
    head: &Head,
    last: &chain::Link,
    findings: &mut Findings,
) -> Result<(), StoreError> {
    if last.position != head.position {
        findings.add(
            FindingKind::Head,
            head.position,
            format!(
                "the head is at {} but the last event is at {}",
                head.position, last.position
            ),
        );
    } else if last.hash != head.hash {
        findings.add(
            FindingKind::Head,
            head.position,
            "the head's hash is not the last event's".to_owned(),
        );
    }
    // One statement, one snapshot: appends going on meanwhile do not matter.
    let (position, newest): (i64, Option<i64>) = sqlx::query_as(
        "SELECT position, (SELECT max(e.position) FROM events e WHERE e.log_id = h.log_id) \
         FROM log_head h WHERE log_id = $1",
    )
    .bind(log_id.0)
    .fetch_one(pool)
    .await?;
    if newest.unwrap_or(0) > position {
        findings.add(
            FindingKind::Head,
            Position(position),
            format!(
                "there are events up to {} beyond the head",
                newest.unwrap_or(0)
            ),
        );
    }
    Ok(())
}
