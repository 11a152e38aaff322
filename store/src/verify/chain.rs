//! One event against the one before it. No IO.

use chrono::{DateTime, Utc};

use super::{FindingKind, Findings};
use crate::hash;
use crate::record::{Hash, Position, Recorded};

/// What the next event must follow.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) position: Position,
    pub(super) hash: Hash,
    recorded_at: DateTime<Utc>,
}

impl Link {
    /// Before the first event.
    pub(super) fn genesis() -> Self {
        Self {
            position: Position::START,
            hash: hash::GENESIS,
            recorded_at: DateTime::UNIX_EPOCH,
        }
    }
}

/// Checks the event and returns the link for the next. The next one is checked against what is
/// stored, so one damaged event does not make all later ones findings too.
pub(super) fn check(before: &Link, event: &Recorded, findings: &mut Findings) -> Link {
    let at = event.position;
    let expected = Position(before.position.0 + 1);
    if at == expected {
        if event.prev_hash != before.hash {
            let detail = "it does not follow the event stored before it".to_owned();
            findings.add(FindingKind::Link, at, detail);
        }
    } else {
        let detail = format!("events {expected} to {} are missing", at.0 - 1);
        findings.add(FindingKind::Gap, expected, detail);
    }
    check_own(event, findings);
    if event.recorded_at < before.recorded_at {
        let detail = format!("{} is before {}", event.recorded_at, before.recorded_at);
        findings.add(FindingKind::Time, at, detail);
    }
    Link {
        position: at,
        hash: event.hash,
        recorded_at: event.recorded_at,
    }
}

/// Checks an event by what it says itself: its content and its place in the chain.
pub(super) fn check_own(event: &Recorded, findings: &mut Findings) {
    let at = event.position;
    if hash::content_of(event) != event.content_hash {
        let detail = format!(
            "event {} of {}/{} is not what was appended",
            event.sequence, event.aggregate_type, event.aggregate_id
        );
        findings.add(FindingKind::Content, at, detail);
    }
    let chained = hash::chain(&event.prev_hash, at, event.recorded_at, &event.content_hash);
    if chained != event.hash {
        let detail = "the chain hash is not that of its position, time and content".to_owned();
        findings.add(FindingKind::Hash, at, detail);
    }
}
