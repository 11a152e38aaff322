//! What happened to one order, event by event.

use chrono::{DateTime, Utc};
use domain::{
    ids::{CommandId, OrderId},
    order::OrderStatus,
};
use serde_json::Value;
use sqlx::{FromRow, Row, postgres::PgRow, types::Json};
use store::Position;
use uuid::Uuid;

use super::{MAX_IDS, fold};
use crate::{
    ReadDb, ReadError,
    read_db::{check_page_size, check_rows},
};

/// The most entries of one page.
pub const MAX_HISTORY_PAGE: i64 = 100;

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

impl FromRow<'_, PgRow> for HistoryEntry {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(detail) = row.try_get("detail")?;
        Ok(Self {
            version: row.try_get("version")?,
            position: Position(row.try_get("position")?),
            event_id: row.try_get("event_id")?,
            event_type: row.try_get("event_type")?,
            schema_version: row.try_get("schema_version")?,
            status_from: row
                .try_get::<Option<i16>, _>("status_from")?
                .map(fold::status)
                .transpose()?,
            status_to: fold::status(row.try_get("status_to")?)?,
            actor: HistoryActor {
                id: row.try_get("actor_id")?,
                role: row.try_get("actor_role")?,
            },
            command_id: CommandId(row.try_get("command_id")?),
            correlation_id: row.try_get("correlation_id")?,
            causation_id: row.try_get("causation_id")?,
            occurred_at: row.try_get("occurred_at")?,
            recorded_at: row.try_get("recorded_at")?,
            detail,
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

/// A part of one order's history: as [`histories`] of one.
///
/// # Errors
/// As [`histories`].
pub async fn history(db: &ReadDb, window: HistoryWindow) -> Result<HistoryPage, ReadError> {
    let pages = histories(db, &[window]).await?;
    Ok(pages.into_iter().next().unwrap_or_default())
}

/// Parts of the histories of up to [`MAX_IDS`] orders in one query, each where it was asked for; an empty one for an
/// order that nobody knows.
///
/// # Errors
/// A page that cannot be, too many of them, or the database.
pub async fn histories(
    db: &ReadDb,
    windows: &[HistoryWindow],
) -> Result<Vec<HistoryPage>, ReadError> {
    check_rows(windows.len(), MAX_IDS)?;
    if windows.is_empty() {
        return Ok(Vec::new());
    }
    let asked = Asked::of(windows)?;
    let rows: Vec<Numbered> = sqlx::query_as(include_str!("sql/histories.sql"))
        .bind(asked.orders)
        .bind(asked.after)
        .bind(asked.limits)
        .fetch_all(&mut *db.connection().await?)
        .await?;
    let mut pages = vec![HistoryPage::default(); windows.len()];
    for Numbered { number, entry } in rows {
        if let Some(page) = pages.get_mut(number) {
            page.entries.push(entry);
        }
    }
    for (page, window) in pages.iter_mut().zip(windows) {
        let first = usize::try_from(window.first).unwrap_or(usize::MAX);
        page.has_next = page.entries.len() > first;
        page.entries.truncate(first);
    }
    Ok(pages)
}

/// How the database would read them: the lines of `explain`, for tests and operators.
///
/// # Errors
/// As [`histories`].
pub async fn explain_histories(
    db: &ReadDb,
    windows: &[HistoryWindow],
) -> Result<Vec<String>, ReadError> {
    let asked = Asked::of(windows)?;
    let sql = concat!("explain ", include_str!("sql/histories.sql"));
    Ok(sqlx::query_scalar(sql)
        .bind(asked.orders)
        .bind(asked.after)
        .bind(asked.limits)
        .persistent(false)
        .fetch_all(&mut *db.connection().await?)
        .await?)
}

/// What is asked for, column by column.
struct Asked {
    orders: Vec<Uuid>,
    after: Vec<i64>,
    /// One more than is shown tells whether more follow.
    limits: Vec<i64>,
}

impl Asked {
    fn of(windows: &[HistoryWindow]) -> Result<Self, ReadError> {
        let limit = |w: &HistoryWindow| Ok(check_page_size(w.first, MAX_HISTORY_PAGE)? + 1);
        Ok(Self {
            orders: windows.iter().map(|w| w.order.0).collect(),
            after: windows.iter().map(|w| w.after).collect(),
            limits: windows
                .iter()
                .map(limit)
                .collect::<Result<_, ReadError>>()?,
        })
    }
}

/// An entry and for which of the windows it is.
struct Numbered {
    number: usize,
    entry: HistoryEntry,
}

impl FromRow<'_, PgRow> for Numbered {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let number: i64 = row.try_get("number")?;
        Ok(Self {
            // PostgreSQL counts from one.
            number: usize::try_from(number - 1).unwrap_or(usize::MAX),
            entry: HistoryEntry::from_row(row)?,
        })
    }
}
