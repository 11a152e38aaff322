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

use super::fold;
use crate::{ReadDb, ReadError, read_db::check_page_size};

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

/// The events of an order after a version (0: from the first), at most `first` of them.
pub async fn history(
    db: &ReadDb,
    order: OrderId,
    first: i64,
    after_version: i64,
) -> Result<HistoryPage, ReadError> {
    let first = check_page_size(first, MAX_HISTORY_PAGE)?;
    let mut entries: Vec<HistoryEntry> = sqlx::query_as(include_str!("sql/history.sql"))
        .bind(order.0)
        .bind(after_version)
        .bind(first + 1)
        .fetch_all(db.node())
        .await?;
    let first = usize::try_from(first).unwrap_or(usize::MAX);
    let has_next = entries.len() > first;
    entries.truncate(first);
    Ok(HistoryPage { entries, has_next })
}
