//! Rows that an event adds and that never change: its line in the order's history, and references.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    Change,
    apply::references,
    detail::{detail, occurred_at},
    fold,
};
use crate::{copy::Rows, decode::OrderRecord, model::ApplyError};

/// What the history says of one event.
pub(super) struct Happened {
    order_id: Uuid,
    version: i64,
    position: i64,
    event_id: Uuid,
    event_type: String,
    schema_version: String,
    status_from: Option<i16>,
    status_to: i16,
    actor_id: String,
    actor_role: String,
    command_id: Uuid,
    correlation_id: Option<Uuid>,
    causation_id: Option<Uuid>,
    occurred_at: DateTime<Utc>,
    recorded_at: DateTime<Utc>,
    detail: Map<String, Value>,
}

impl Happened {
    pub(super) fn of(
        record: &OrderRecord<'_>,
        version: i64,
        change: Change,
    ) -> Result<Self, ApplyError> {
        let (recorded, metadata) = (record.recorded, record.metadata);
        // PostgreSQL's text cannot hold NUL, and a subject is the issuer's text, not ours.
        let text = |text: &str| text.replace('\0', "\u{fffd}");
        Ok(Self {
            order_id: record.id.0,
            version,
            position: recorded.position.0,
            event_id: recorded.event_id,
            event_type: recorded.event_type.clone(),
            schema_version: recorded.event_version.clone(),
            status_from: change.from.map(|s| fold::code(s.code())),
            status_to: fold::code(change.to.code()),
            actor_id: text(&metadata.actor_id),
            actor_role: text(&metadata.actor_role),
            command_id: recorded.command_id,
            correlation_id: metadata.correlation_id,
            causation_id: metadata.causation_id,
            occurred_at: occurred_at(record.event)
                .or(metadata.occurred_at)
                .unwrap_or(recorded.recorded_at),
            recorded_at: recorded.recorded_at,
            detail: detail(record)?,
        })
    }
}

/// Takes the rows that a page adds.
pub(super) trait Take {
    fn take(&mut self, record: &OrderRecord<'_>, happened: Happened) -> Result<(), ApplyError>;
}

/// Rows for the ordinary tables.
#[derive(Default)]
pub(super) struct Added {
    history: Vec<Happened>,
    refs: Vec<(&'static str, String, Uuid)>,
}

impl Take for Added {
    fn take(&mut self, record: &OrderRecord<'_>, happened: Happened) -> Result<(), ApplyError> {
        self.history.push(happened);
        for (system, reference) in references(record.event) {
            self.refs.push((system, reference.to_owned(), record.id.0));
        }
        Ok(())
    }
}

impl Added {
    /// Writes them.
    pub(super) async fn insert(self, conn: &mut PgConnection) -> Result<(), ApplyError> {
        insert_history(conn, self.history).await?;
        insert_refs(conn, self.refs).await
    }
}

/// Rows for tables that are being filled.
pub(super) struct Copied {
    history: Rows,
    refs: Rows,
}

impl Copied {
    pub(super) fn new() -> Self {
        Self {
            history: Rows::of("order_history", HISTORY),
            refs: Rows::of("order_ref", &["system", "reference", "order_id"]),
        }
    }

    /// The rows so far, and none from here on.
    pub(super) fn rows(&mut self) -> Vec<Rows> {
        vec![self.history.take(), self.refs.take()]
    }
}

impl Take for Copied {
    fn take(&mut self, record: &OrderRecord<'_>, event: Happened) -> Result<(), ApplyError> {
        self.history
            .row()
            .uuid(event.order_id)
            .bigint(event.version)
            .bigint(event.position)
            .uuid(event.event_id)
            .text(&event.event_type)
            .text(&event.schema_version)
            .option(event.status_from, Rows::smallint)
            .smallint(event.status_to)
            .text(&event.actor_id)
            .text(&event.actor_role)
            .uuid(event.command_id)
            .option(event.correlation_id, Rows::uuid)
            .option(event.causation_id, Rows::uuid)
            .moment(event.occurred_at)
            .moment(event.recorded_at)
            .json(&event.detail)?;
        for (system, reference) in references(record.event) {
            self.refs
                .row()
                .text(system)
                .text(reference)
                .uuid(record.id.0);
        }
        Ok(())
    }
}

/// The columns of the history, as [`Copied`] fills them.
const HISTORY: &[&str] = &[
    "order_id",
    "version",
    "position",
    "event_id",
    "event_type",
    "schema_version",
    "status_from",
    "status_to",
    "actor_id",
    "actor_role",
    "command_id",
    "correlation_id",
    "causation_id",
    "occurred_at",
    "recorded_at",
    "detail",
];

async fn insert_history(conn: &mut PgConnection, rows: Vec<Happened>) -> Result<(), ApplyError> {
    if rows.is_empty() {
        return Ok(());
    }
    let details = rows
        .iter()
        .map(|row| serde_json::to_string(&row.detail))
        .collect::<Result<Vec<String>, _>>()
        .map_err(ApplyError::Encode)?;
    sqlx::query(include_str!("sql/insert_history.sql"))
        .bind(column(&rows, |row| row.order_id))
        .bind(column(&rows, |row| row.version))
        .bind(column(&rows, |row| row.position))
        .bind(column(&rows, |row| row.event_id))
        .bind(column(&rows, |row| row.event_type.clone()))
        .bind(column(&rows, |row| row.schema_version.clone()))
        .bind(column(&rows, |row| row.status_from))
        .bind(column(&rows, |row| row.status_to))
        .bind(column(&rows, |row| row.actor_id.clone()))
        .bind(column(&rows, |row| row.actor_role.clone()))
        .bind(column(&rows, |row| row.command_id))
        .bind(column(&rows, |row| row.correlation_id))
        .bind(column(&rows, |row| row.causation_id))
        .bind(column(&rows, |row| row.occurred_at))
        .bind(column(&rows, |row| row.recorded_at))
        .bind(details)
        .execute(conn)
        .await?;
    Ok(())
}

async fn insert_refs(
    conn: &mut PgConnection,
    rows: Vec<(&'static str, String, Uuid)>,
) -> Result<(), ApplyError> {
    if rows.is_empty() {
        return Ok(());
    }
    let systems: Vec<&str> = rows.iter().map(|(system, ..)| *system).collect();
    let order_ids: Vec<Uuid> = rows.iter().map(|(_, _, id)| *id).collect();
    let references: Vec<String> = rows
        .into_iter()
        .map(|(_, reference, _)| reference)
        .collect();
    sqlx::query(include_str!("sql/insert_refs.sql"))
        .bind(systems)
        .bind(references)
        .bind(order_ids)
        .execute(conn)
        .await?;
    Ok(())
}

fn column<T>(rows: &[Happened], of: impl Fn(&Happened) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}
