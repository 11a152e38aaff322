//! What callers were told, and whether the log agrees.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::PgPool;
use uuid::Uuid;

/// What a caller was told about a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) order_id: String,
    pub(super) version: i64,
    pub(super) position: i64,
    pub(super) event_ids: Vec<Uuid>,
}

/// A command that a caller sent, once or more often.
#[derive(Debug, Clone)]
pub(super) struct Issued {
    pub(super) command_id: Uuid,
    /// `None`: nobody ever learnt what became of it.
    pub(super) told: Option<Told>,
}

/// A row of `command_log`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct CommandRow {
    pub(super) command_id: Uuid,
    pub(super) aggregate_id: String,
    pub(super) first_position: i64,
    pub(super) last_position: i64,
    pub(super) version: i64,
}

/// What identifies a row of `events`.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct EventRow {
    pub(super) position: i64,
    pub(super) event_id: Uuid,
    pub(super) aggregate_id: String,
    pub(super) sequence: i64,
    pub(super) command_id: Uuid,
}

/// The log as it is when nobody writes any more.
#[derive(Debug, Clone)]
pub(super) struct LogCopy {
    /// Where the log stood before the first caller: what lies before belongs to nobody.
    pub(super) start: i64,
    pub(super) commands: Vec<CommandRow>,
    pub(super) events: Vec<EventRow>,
}

impl LogCopy {
    /// Everything after the position at which the callers began.
    pub(super) async fn read(pool: &PgPool, start: i64) -> Self {
        let commands = "select command_id, aggregate_id, first_position, last_position, version \
                        from command_log where last_position > $1 and first_position <= last_position \
                        order by first_position";
        let events = "select position, event_id, aggregate_id, sequence, command_id from events \
                      where position > $1 order by position";
        let commands = sqlx::query_as(commands).bind(start);
        let events = sqlx::query_as(events).bind(start);
        Self {
            start,
            commands: commands.fetch_all(pool).await.unwrap(),
            events: events.fetch_all(pool).await.unwrap(),
        }
    }

    /// Where the next event would lie.
    pub(super) fn next(&self) -> i64 {
        self.events.last().map_or(self.start, |last| last.position) + 1
    }
}

/// Everything in which the log differs from what callers were told. Nobody but these callers may have written,
/// and each of their commands has one event.
pub(super) fn violations(history: &[Issued], log: &LogCopy) -> Vec<String> {
    let mut found = Vec::new();
    check_positions(log, &mut found);
    check_streams(log, &mut found);
    let events = check_commands(log, &mut found);
    check_history(history, log, &events, &mut found);
    found
}

fn check_positions(log: &LogCopy, found: &mut Vec<String>) {
    for (event, wanted) in log.events.iter().zip(log.start + 1..) {
        if event.position != wanted {
            found.push(format!(
                "position {} where {wanted} belongs",
                event.position
            ));
            return;
        }
    }
}

fn check_streams(log: &LogCopy, found: &mut Vec<String>) {
    let mut versions: BTreeMap<&str, i64> = BTreeMap::new();
    let mut ids = BTreeSet::new();
    for event in &log.events {
        let version = versions.entry(&event.aggregate_id).or_default();
        *version += 1;
        if event.sequence != *version {
            let order = &event.aggregate_id;
            found.push(format!(
                "order {order}: sequence {} where {version} belongs",
                event.sequence
            ));
        }
        if !ids.insert(event.event_id) {
            found.push(format!("event {} is there twice", event.event_id));
        }
    }
}

/// Returns each command's events.
fn check_commands<'a>(
    log: &'a LogCopy,
    found: &mut Vec<String>,
) -> BTreeMap<Uuid, Vec<&'a EventRow>> {
    let mut events: BTreeMap<Uuid, Vec<&EventRow>> = BTreeMap::new();
    for event in &log.events {
        events.entry(event.command_id).or_default().push(event);
    }
    for (command, events) in &events {
        if events.len() != 1 {
            found.push(format!("command {command} has {} events", events.len()));
        }
        let rows = log
            .commands
            .iter()
            .filter(|row| row.command_id == *command)
            .count();
        if rows != 1 {
            found.push(format!("command {command} has {rows} rows in command_log"));
        }
    }
    for row in &log.commands {
        let stored = events
            .get(&row.command_id)
            .map_or(&[][..], |list| list.as_slice());
        let agrees = stored.iter().all(|event| {
            event.aggregate_id == row.aggregate_id
                && (row.first_position..=row.last_position).contains(&event.position)
                && event.sequence == row.version
        });
        if stored.is_empty() || !agrees {
            found.push(format!(
                "command {}: its row and its events disagree",
                row.command_id
            ));
        }
    }
    events
}

fn check_history(
    history: &[Issued],
    log: &LogCopy,
    events: &BTreeMap<Uuid, Vec<&EventRow>>,
    found: &mut Vec<String>,
) {
    let mut known = BTreeSet::new();
    for issued in history {
        let command = issued.command_id;
        if !known.insert(command) {
            found.push(format!("command {command} is in the history twice"));
        }
        let Some(told) = &issued.told else { continue };
        let Some(stored) = events.get(&command) else {
            found.push(format!(
                "command {command} was acknowledged and is not in the log"
            ));
            continue;
        };
        let ids: Vec<Uuid> = stored.iter().map(|event| event.event_id).collect();
        let last = stored.last().expect("grouped by an event");
        let is = (
            &last.aggregate_id,
            last.sequence,
            last.position,
            ids.as_slice(),
        );
        let was_told = (
            &told.order_id,
            told.version,
            told.position,
            told.event_ids.as_slice(),
        );
        if is != was_told {
            found.push(format!(
                "command {command}: told {was_told:?}, stored {is:?}"
            ));
        }
    }
    for row in &log.commands {
        if !known.contains(&row.command_id) {
            found.push(format!(
                "command {} is in the log and nobody sent it",
                row.command_id
            ));
        }
    }
}
