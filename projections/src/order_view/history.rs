//! What happened to one order, event by event: read from the log itself, on the server that shows the order, and no
//! further than that shows it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use domain::{
    ids::{CommandId, OrderId},
    order::{Order, OrderStatus},
};
use serde_json::Value;
use sqlx::{FromRow, Row, postgres::PgRow};
use store::{LogId, Position, Recorded};
use uuid::Uuid;

use super::{
    Change, MAX_IDS, OrderRow,
    detail::{detail, occurred_at},
};
use crate::{
    ReadDb, ReadError,
    decode::{Kind, OrderRecord, Poison, Record, decode_all},
    read_db::{check_page_size, check_rows},
};

/// The most entries of one page.
pub const MAX_HISTORY_PAGE: i64 = 100;
/// The most events that are read for one answer, those before its pages included. An order has about a dozen.
pub const MAX_HISTORY_EVENTS: i64 = 20_000;

/// One event of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// The order's version after it, 1 for the first.
    pub version: i64,
    /// Where it stands in the log.
    pub position: Position,
    /// Its own id.
    pub event_id: Uuid,
    /// Its type, e.g. `order.placed`.
    pub event_type: String,
    /// The version of its payload's shape.
    pub schema_version: String,
    /// The order's status before; `None` for the first event.
    pub status_from: Option<OrderStatus>,
    /// The order's status after.
    pub status_to: OrderStatus,
    /// Who did it.
    pub actor: HistoryActor,
    /// The command that caused it.
    pub command_id: CommandId,
    /// What belongs together with it.
    pub correlation_id: Option<Uuid>,
    /// The event or command that caused its command.
    pub causation_id: Option<Uuid>,
    /// When it happened, as far as anybody said; when it was recorded otherwise.
    pub occurred_at: DateTime<Utc>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Its own fields short of type, statuses and time: an object, empty for the first event.
    pub detail: Value,
}

/// Who acted, as the event's metadata says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryActor {
    /// The subject of the credential.
    pub id: String,
    /// The role, e.g. `store-staff`.
    pub role: String,
}

/// A part of an order's history, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HistoryPage {
    /// The entries; the version of the last one is the cursor of the next page.
    pub entries: Vec<HistoryEntry>,
    /// More entries follow.
    pub has_next: bool,
}

impl HistoryEntry {
    /// What an event says, and where its order stood before and after it.
    fn of(record: &OrderRecord<'_>, change: Change) -> Result<Self, Poison> {
        let (recorded, metadata) = (record.recorded, record.metadata);
        Ok(Self {
            version: recorded.sequence,
            position: recorded.position,
            event_id: recorded.event_id,
            event_type: recorded.event_type.clone(),
            schema_version: recorded.event_version.clone(),
            status_from: change.from,
            status_to: change.to,
            actor: HistoryActor {
                id: metadata.actor_id.clone(),
                role: metadata.actor_role.clone(),
            },
            command_id: CommandId(recorded.command_id),
            correlation_id: metadata.correlation_id,
            causation_id: metadata.causation_id,
            occurred_at: occurred_at(record.event)
                .or(metadata.occurred_at)
                .unwrap_or(recorded.recorded_at),
            recorded_at: recorded.recorded_at,
            detail: detail(record)?.into(),
        })
    }
}

/// A part of an order's history, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HistoryWindow {
    /// Whose history.
    pub order: OrderId,
    /// At most so many events, 1 to [`MAX_HISTORY_PAGE`].
    pub first: i64,
    /// Those after this version; 0 from the first.
    pub after: i64,
}

/// Parts of the histories of up to [`MAX_IDS`] orders in one query, each where it was asked for; an empty one for an
/// order that nobody knows. One whose events do not fold is no fault of the others.
///
/// The status before and after an event follows from all events up to it, so those before a part are read as well.
///
/// # Errors
/// A page that cannot be, too many of them or more events than [`MAX_HISTORY_EVENTS`]; or the database.
pub async fn histories(
    db: &ReadDb,
    log: LogId,
    windows: &[HistoryWindow],
) -> Result<Vec<Result<HistoryPage, Poison>>, ReadError> {
    check_rows(windows.len(), MAX_IDS)?;
    if windows.is_empty() {
        return Ok(Vec::new());
    }
    let (orders, until) = asked(windows)?;
    let rows: Vec<OfOrder> = sqlx::query_as(include_str!("sql/histories.sql"))
        .bind(log.0)
        .bind(orders)
        .bind(until)
        .bind(MAX_HISTORY_EVENTS + 1)
        .fetch_all(&mut *db.connection().await?)
        .await?;
    if i64::try_from(rows.len()).is_ok_and(|read| read > MAX_HISTORY_EVENTS) {
        return Err(ReadError::TooMuch {
            max: MAX_HISTORY_EVENTS,
        });
    }
    let mut events: HashMap<OrderId, Vec<Recorded>> = HashMap::new();
    for OfOrder { order, recorded } in rows {
        events.entry(order).or_default().push(recorded);
    }
    let entries: HashMap<OrderId, _> = events
        .into_iter()
        .map(|(order, events)| (order, fold(order, events)))
        .collect();
    let part = |window: &HistoryWindow| match entries.get(&window.order) {
        Some(Ok(entries)) => Ok(page(*window, entries)),
        Some(Err(poison)) => Err(poison.clone()),
        None => Ok(HistoryPage::default()),
    };
    Ok(windows.iter().map(part).collect())
}

/// How the database would read them: the lines of `explain`, for tests and operators.
///
/// # Errors
/// As [`histories`].
pub async fn explain_histories(
    db: &ReadDb,
    log: LogId,
    windows: &[HistoryWindow],
) -> Result<Vec<String>, ReadError> {
    let (orders, until) = asked(windows)?;
    let sql = concat!("explain ", include_str!("sql/histories.sql"));
    Ok(sqlx::query_scalar(sql)
        .bind(log.0)
        .bind(orders)
        .bind(until)
        .bind(MAX_HISTORY_EVENTS + 1)
        .persistent(false)
        .fetch_all(&mut *db.connection().await?)
        .await?)
}

/// The orders that are asked for, each once, and up to which version. One more than is shown tells whether more follow.
fn asked(windows: &[HistoryWindow]) -> Result<(Vec<Uuid>, Vec<i64>), ReadError> {
    let mut until: BTreeMap<Uuid, i64> = BTreeMap::new();
    for window in windows {
        let shown = check_page_size(window.first, MAX_HISTORY_PAGE)?;
        let last = window.after.saturating_add(shown).saturating_add(1);
        let most = until.entry(window.order.0).or_default();
        *most = last.max(*most);
    }
    Ok(until.into_iter().unzip())
}

/// What an order's first events say.
fn fold(order: OrderId, mut events: Vec<Recorded>) -> Result<Vec<HistoryEntry>, Poison> {
    events.sort_unstable_by_key(|event| event.sequence);
    let records = decode_all(&events, &[Kind::Order])?;
    let mut row = OrderRow::unplaced(order);
    let records = records.iter().filter_map(Record::of::<Order>);
    records
        .map(|record| {
            let change = row.advance(&record)?;
            HistoryEntry::of(&record, change)
        })
        .collect()
}

/// The part of them that is asked for.
fn page(window: HistoryWindow, entries: &[HistoryEntry]) -> HistoryPage {
    let last = window.after.saturating_add(window.first);
    let shown = |entry: &&HistoryEntry| entry.version > window.after && entry.version <= last;
    HistoryPage {
        entries: entries.iter().filter(shown).cloned().collect(),
        has_next: entries.last().is_some_and(|entry| entry.version > last),
    }
}

/// An event and whose it is.
struct OfOrder {
    order: OrderId,
    recorded: Recorded,
}

impl FromRow<'_, PgRow> for OfOrder {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            order: OrderId(row.try_get("order_id")?),
            recorded: Recorded::from_row(row)?,
        })
    }
}
