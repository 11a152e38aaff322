//! An order's history as a connection.

use async_graphql::{Error, ID, SimpleObject};
use domain::ids::OrderId;
use projections::{
    order_view::{HistoryEntry, HistoryPage},
    paging::{CursorError, Place},
};

use super::status::OrderStatus;
use crate::schema::{
    access::invalid,
    connection::PageInfo,
    problem::int,
    scalars::{DateTime, Position, Uuid},
};

/// A page of an order's history.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct EventConnection {
    /// The events with their cursors.
    pub edges: Vec<EventEdge>,
    /// The events.
    pub nodes: Vec<Event>,
    /// Where the page ends.
    pub page_info: PageInfo,
}

/// An event and its cursor.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct EventEdge {
    /// For `after`.
    pub cursor: String,
    /// The event.
    pub node: Event,
}

/// Something that happened to an order: a fact that never changes.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct Event {
    /// The event's id for good.
    pub id: ID,
    /// What happened, such as order.placed.
    #[graphql(name = "type")]
    pub kind: String,
    /// The version of the event's shape.
    pub schema_version: String,
    /// The order.
    pub order_id: ID,
    /// The order's version after it.
    pub order_version: i32,
    /// The event's place in the log.
    pub position: Position,
    /// The order's status before; null for the first event.
    pub status_from: Option<OrderStatus>,
    /// The order's status after.
    pub status_to: OrderStatus,
    /// When it happened, as far as its sender said; else when it was recorded.
    pub occurred_at: DateTime,
    /// When it was recorded.
    pub recorded_at: DateTime,
    /// Who did it.
    pub actor: EventActor,
    /// The command that caused it.
    pub command_id: Uuid,
    /// What belongs together with it.
    pub correlation_id: Option<Uuid>,
    /// What caused its command.
    pub causation_id: Option<Uuid>,
    /// The event's own fields; none for the first event, whose content is the order.
    pub data: async_graphql::Json<serde_json::Value>,
}

/// Who did something.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct EventActor {
    /// The subject of the credential.
    pub id: String,
    /// The role played.
    pub role: String,
}

/// Names the list in cursors.
const LIST: u8 = b'h';

/// The version behind which a page begins; 0 without a cursor.
///
/// # Errors
/// INVALID_INPUT when it is no cursor of this order's history.
pub(super) fn after(order: OrderId, cursor: Option<&str>) -> Result<i64, Error> {
    let Some(cursor) = cursor else { return Ok(0) };
    let place = Place::decode(cursor, LIST).map_err(|e| invalid("after", e))?;
    if place.id == order.to_string() && place.key > 0 {
        Ok(place.key)
    } else {
        Err(invalid("after", CursorError::Malformed))
    }
}

/// Leaves out what came after a version.
pub(super) fn end_at(page: &mut HistoryPage, version: i64) {
    page.entries.retain(|entry| entry.version <= version);
    let last = page.entries.last().map(|entry| entry.version);
    page.has_next &= last.is_some_and(|last| last < version);
}

impl EventConnection {
    pub(crate) fn new(order: OrderId, page: HistoryPage, after: i64) -> Self {
        let nodes: Vec<_> = page
            .entries
            .into_iter()
            .map(|entry| Event::new(order, entry))
            .collect();
        let cursor = |event: &Event| {
            let place = Place {
                key: i64::from(event.order_version),
                id: order.to_string(),
            };
            place.encode(LIST)
        };
        Self {
            page_info: PageInfo {
                has_next_page: page.has_next,
                has_previous_page: after > 0,
                start_cursor: nodes.first().map(cursor),
                end_cursor: nodes.last().map(cursor),
            },
            edges: nodes
                .iter()
                .map(|node| EventEdge {
                    cursor: cursor(node),
                    node: node.clone(),
                })
                .collect(),
            nodes,
        }
    }
}

impl Event {
    fn new(order: OrderId, entry: HistoryEntry) -> Self {
        Self {
            id: ID::from(entry.event_id),
            kind: entry.event_type,
            schema_version: entry.schema_version,
            order_id: ID::from(order.0),
            order_version: int(entry.version),
            position: Position(entry.position),
            status_from: entry.status_from.map(OrderStatus::from),
            status_to: entry.status_to.into(),
            occurred_at: DateTime(entry.occurred_at),
            recorded_at: DateTime(entry.recorded_at),
            actor: EventActor {
                id: entry.actor.id,
                role: entry.actor.role,
            },
            command_id: Uuid(entry.command_id.0),
            correlation_id: entry.correlation_id.map(Uuid),
            causation_id: entry.causation_id.map(Uuid),
            data: async_graphql::Json(entry.detail),
        }
    }
}
