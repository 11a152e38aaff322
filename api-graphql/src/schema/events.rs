//! The log itself: the event feed as a connection.

use std::sync::Arc;

use async_graphql::{Context, Error, ID, InputObject, Json, Object, SimpleObject};
use domain::actor::Action;
use serde::Deserialize;
use serde_json::Value;
use store::{
    Recorded,
    feed::{Filter, Scanned},
    hash::hex,
};

use super::{
    access::{Access, coded, invalid, page_size, parsed},
    connection::PageInfo,
    order::history::EventActor,
    problem::int,
    scalars::{DateTime, Position, Uuid},
};
use crate::{
    feed::{self, Reader, Unread},
    limits::MAX_PAGE,
};

/// A page of the log.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct LogEventConnection {
    /// The events with their cursors.
    pub edges: Vec<LogEventEdge>,
    /// The events.
    pub nodes: Vec<LogEvent>,
    /// Where the page ends. `hasNextPage`: the log goes on behind `endCursor`, which stands behind everything that was
    /// looked at, events that the filter left out included. A page may be short, or empty, and not be the last: it looks
    /// at 10,000 events at most.
    pub page_info: PageInfo,
    /// The end of the log when it was read.
    pub head: Position,
}

/// An event of the log and its cursor.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct LogEventEdge {
    /// For `after`: the event's position.
    pub cursor: String,
    /// The event.
    pub node: LogEvent,
}

/// Something that happened, as the log has it: a fact that never changes.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct LogEvent {
    /// The event's id for good.
    pub id: ID,
    /// What happened, such as order.placed.
    #[graphql(name = "type")]
    pub kind: String,
    /// The version of the event's shape.
    pub schema_version: String,
    /// Its place in the log.
    pub position: Position,
    /// The kind of what it happened to: order, bundle, store, remittance or intake.
    pub subject_type: String,
    /// Which one.
    pub subject_id: ID,
    /// The version of what it happened to after it.
    pub subject_version: i32,
    /// The store it belongs to; null for what belongs to the whole chain.
    pub store_id: Option<ID>,
    /// When it was recorded: never goes back along the log.
    pub recorded_at: DateTime,
    /// Who did it.
    pub actor: EventActor,
    /// The command that caused it.
    pub command_id: Uuid,
    /// What belongs together with it.
    pub correlation_id: Option<Uuid>,
    /// What caused its command.
    pub causation_id: Option<Uuid>,
    /// The event as it is stored: what was sealed stays sealed.
    pub data: Json<Value>,
    /// Its place in the chain of hashes: SHA-256 in hexadecimal.
    pub hash: String,
    /// The hash of the event before it in the log.
    pub previous_hash: String,
}

/// Conditions that must all be met.
#[derive(Debug, Clone, Default, InputObject)]
pub struct LogEventFilter {
    /// Any of these types, such as order.placed; at most 100.
    pub types: Option<Vec<String>>,
    /// Of this store.
    pub store_id: Option<String>,
}

/// What is shown of an event's metadata. Decoration: what cannot be read of it is left out and hides no event.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    actor_id: String,
    actor_role: String,
    store_id: Option<String>,
    correlation_id: Option<String>,
    causation_id: Option<String>,
}

/// The query over the log.
#[derive(Default)]
pub struct EventsQuery;

#[Object]
impl EventsQuery {
    /// The log in its order, page by page, as the event feed has it (`GET /v1/events`): every event of the stores that
    /// the caller may see. For who may read events, with the scope `events:read`. Personal data stays sealed.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Conditions that must all be met; all of the log when absent.")]
        filter: Option<LogEventFilter>,
        #[graphql(
            desc = "Events behind this position: an `endCursor`, an event's position, or \"0\", which is meant when absent."
        )]
        after: Option<Position>,
        #[graphql(default_with = "most()", desc = "1 to 100.")] first: i32,
    ) -> Result<LogEventConnection, Error> {
        let access = Access::to_read_events(ctx).await?;
        let first = page_size("first", first)?;
        let reader = reader(ctx)?;
        let filter = within(&access, filter.unwrap_or_default()).await?;
        let after = after.map_or(store::Position::START, |position| position.0);
        let page = reader.read(after, first, &filter).await;
        let page = page.map_err(|unread| unreadable(&access, unread))?;
        LogEventConnection::of(after, page).map_err(|why| access.fault(&why.to_string()))
    }
}

/// What reads the log.
///
/// # Errors
/// UNAVAILABLE where it is not served.
pub(super) fn reader(ctx: &Context<'_>) -> Result<Arc<Reader>, Error> {
    let reader = ctx.data_opt::<Arc<Reader>>().cloned();
    reader.ok_or_else(|| coded("UNAVAILABLE", "the log is not served here"))
}

/// The events of a page when nobody says.
pub(super) fn most() -> i32 {
    i32::try_from(MAX_PAGE).unwrap_or(1)
}

/// What the caller may see of what is asked for; a foreign store's events are none, and the attempt is audited.
pub(super) async fn within(access: &Access<'_>, asked: LogEventFilter) -> Result<Filter, Error> {
    let types = asked
        .types
        .map(|names| feed::types(names.iter().map(String::as_str)))
        .transpose()
        .map_err(|why| invalid("filter.types", why))?;
    let store = parsed("filter.storeId", asked.store_id)?;
    match feed::visible(access.actor(), types, store.as_ref()) {
        Some(filter) => Ok(filter),
        None => {
            let store = store.map(|store: domain::ids::StoreId| store.to_string());
            let store = store.unwrap_or_default();
            access.refused(Action::ReadEvents, &store, "store").await;
            Ok(feed::nothing())
        }
    }
}

pub(super) fn unreadable(access: &Access<'_>, unread: Unread) -> Error {
    match unread {
        Unread::Ahead { .. } => invalid(
            "after",
            "is ahead of the log: stop, and find out whether the ledger was restored to an earlier state",
        ),
        Unread::TimedOut => coded(
            "UNAVAILABLE",
            "the log could not be read in time; try again",
        ),
        Unread::Store(error) => access.log_failed(error),
    }
}

impl LogEventConnection {
    fn of(after: store::Position, page: Scanned) -> Result<Self, serde_json::Error> {
        let nodes = page.events.into_iter().map(LogEvent::of);
        let nodes: Vec<LogEvent> = nodes.collect::<Result<_, _>>()?;
        let cursor = |event: &LogEvent| event.position.0.to_string();
        Ok(Self {
            page_info: PageInfo {
                has_next_page: page.next < page.head,
                has_previous_page: after > store::Position::START,
                start_cursor: nodes.first().map(cursor),
                end_cursor: Some(page.next.to_string()),
            },
            edges: nodes
                .iter()
                .map(|node| LogEventEdge {
                    cursor: cursor(node),
                    node: node.clone(),
                })
                .collect(),
            nodes,
            head: Position(page.head),
        })
    }
}

impl LogEvent {
    /// # Errors
    /// The payload is no JSON, which the log does not take.
    pub(super) fn of(recorded: Recorded) -> Result<Self, serde_json::Error> {
        let metadata: Metadata = serde_json::from_str(&recorded.metadata).unwrap_or_default();
        let uuid = |text: Option<String>| text.and_then(|text| text.parse().ok()).map(Uuid);
        Ok(Self {
            id: ID::from(recorded.event_id),
            kind: recorded.event_type,
            schema_version: recorded.event_version,
            position: Position(recorded.position),
            subject_type: recorded.aggregate_type,
            subject_id: ID::from(recorded.aggregate_id),
            subject_version: int(recorded.sequence),
            store_id: metadata.store_id.filter(|s| !s.is_empty()).map(ID::from),
            recorded_at: DateTime(recorded.recorded_at),
            actor: EventActor {
                id: metadata.actor_id,
                role: metadata.actor_role,
            },
            command_id: Uuid(recorded.command_id),
            correlation_id: uuid(metadata.correlation_id),
            causation_id: uuid(metadata.causation_id),
            data: Json(serde_json::from_str(&recorded.payload)?),
            hash: hex(&recorded.hash),
            previous_hash: hex(&recorded.prev_hash),
        })
    }
}
