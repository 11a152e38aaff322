//! From the log's records to the order's events.

use chrono::{DateTime, Utc};
use domain::{
    ids::OrderId,
    order::{
        OrderEvent,
        upcast::{self, DecodeError},
    },
};
use serde_json::{Map, Value};
use store::{Position, Recorded};
use uuid::Uuid;

/// The aggregate type under which orders stand in the log.
pub(crate) const ORDER_AGGREGATE: &str = "order";

/// An event that a projection cannot apply. It is never skipped: the projection stops before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event at position {position} cannot be applied: {reason}")]
pub struct Poison {
    /// Where it stands.
    pub position: Position,
    /// What is wrong with it. Holds no part of the event's content.
    pub reason: String,
}

/// An event of an order, with the record it was read from.
pub(crate) struct OrderRecord<'a> {
    pub(crate) order_id: OrderId,
    pub(crate) event: OrderEvent,
    pub(crate) recorded: &'a Recorded,
}

/// What the projections read of an event's metadata; they ignore the rest. Decoration: what does not
/// parse is left out and stops nothing.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) actor_id: String,
    pub(crate) actor_role: String,
    pub(crate) correlation_id: Option<Uuid>,
    pub(crate) causation_id: Option<Uuid>,
    pub(crate) occurred_at: Option<DateTime<Utc>>,
}

/// Decodes the order events of a page, in order, up to the first one that does not decode. Records of
/// other aggregates are left out.
pub(crate) fn decode(page: &[Recorded]) -> (Vec<OrderRecord<'_>>, Option<Poison>) {
    let mut records = Vec::with_capacity(page.len());
    for recorded in page.iter().filter(|r| r.aggregate_type == ORDER_AGGREGATE) {
        match decode_one(recorded) {
            Ok(record) => records.push(record),
            Err(reason) => {
                return (
                    records,
                    Some(Poison {
                        position: recorded.position,
                        reason,
                    }),
                );
            }
        }
    }
    (records, None)
}

fn decode_one(recorded: &Recorded) -> Result<OrderRecord<'_>, String> {
    let order_id = recorded
        .aggregate_id
        .parse()
        .map_err(|_| "its stream id is not an order id".to_owned())?;
    let event = upcast::decode(
        &recorded.event_type,
        &recorded.event_version,
        &recorded.payload,
    )
    .map_err(|error| match error {
        // The parser's own words may quote personal data.
        DecodeError::Damaged {
            event_type,
            version,
            source,
        } => format!(
            "damaged {event_type} (version {version}): {:?} error at column {}",
            source.classify(),
            source.column()
        ),
        other => other.to_string(),
    })?;
    Ok(OrderRecord {
        order_id,
        event,
        recorded,
    })
}

impl OrderRecord<'_> {
    pub(crate) fn poison(&self, reason: impl Into<String>) -> Poison {
        Poison {
            position: self.recorded.position,
            reason: reason.into(),
        }
    }

    /// When it happened, as far as its sender said.
    pub(crate) const fn occurred_at(&self) -> Option<DateTime<Utc>> {
        match &self.event {
            OrderEvent::PickingRecorded { step }
            | OrderEvent::ShipmentRecorded { step, .. }
            | OrderEvent::DeliveryRecorded { step } => step.occurred_at,
            _ => None,
        }
    }

    pub(crate) fn metadata(&self) -> Metadata {
        let fields: Map<String, Value> =
            serde_json::from_str(&self.recorded.metadata).unwrap_or_default();
        let text = |name| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        Metadata {
            actor_id: text("actorId").to_owned(),
            actor_role: text("actorRole").to_owned(),
            correlation_id: text("correlationId").parse().ok(),
            causation_id: text("causationId").parse().ok(),
            occurred_at: text("occurredAt").parse().ok(),
        }
    }

    /// The event's own fields short of what the history shows in columns of its own; nothing for the
    /// first event, whose content is the order itself.
    pub(crate) fn detail(&self) -> Result<Map<String, Value>, Poison> {
        if matches!(self.event, OrderEvent::Placed(_)) {
            return Ok(Map::new());
        }
        let mut fields: Map<String, Value> =
            serde_json::from_str(&self.recorded.payload).map_err(|e| {
                self.poison(format!(
                    "its payload is not a JSON object ({:?} error)",
                    e.classify()
                ))
            })?;
        fields.retain(|name, _| !matches!(name.as_str(), "type" | "from" | "to" | "occurredAt"));
        Ok(fields)
    }
}
