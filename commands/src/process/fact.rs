//! From the log's records to the events that a process wants.

use chrono::{DateTime, Utc};
use domain::{
    actor::Role,
    decode::{self, DecodeError},
    entity::{Entity, Event},
    ids::{OrderId, StoreId},
    order::{Order, OrderEvent},
    remittance::{Remittance, RemittanceEvent, RemittanceId},
    store::{Store, StoreEvent},
};
use serde_json::{Map, Value};
use store::{Position, Recorded};
use uuid::Uuid;

use crate::record::{ACTOR_ROLE, CORRELATION_ID, OCCURRED_AT};

/// An event that a process cannot take in. It is never skipped: the process stops before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event at position {position} cannot be taken in: {reason}")]
pub(crate) struct Poison {
    /// Where it stands.
    pub(crate) position: Position,
    /// What is wrong with it. Holds no part of the event's content.
    pub(crate) reason: String,
}

/// What happened, and to what.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Happening {
    Order(OrderId, Box<OrderEvent>),
    Remittance(RemittanceId, Box<RemittanceEvent>),
    Store(StoreId, Box<StoreEvent>),
}

/// What set something off: commands that follow carry both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cause {
    /// The event.
    pub(crate) event_id: Uuid,
    /// What belongs together across systems.
    pub(crate) correlation_id: Uuid,
}

/// An event that a process wants.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fact {
    pub(crate) position: Position,
    pub(crate) cause: Cause,
    pub(crate) happening: Happening,
    /// When the log took it in, by the database's clock.
    pub(crate) recorded_at: DateTime<Utc>,
    /// When it was decided, by the clock of the bus that did.
    pub(crate) decided_at: DateTime<Utc>,
    /// The ledger's own processes did it.
    pub(crate) is_ours: bool,
}

/// Decodes what a process wants of a page, in order, up to the first event that it cannot take in: one that does not
/// decode, one of a type that this program does not know, or a hole in the log.
pub(crate) fn decode(
    after: Position,
    page: &[Recorded],
    wanted: &[&str],
) -> (Vec<Fact>, Position, Option<Poison>) {
    let mut facts = Vec::new();
    let mut good = after;
    for recorded in page {
        let expected = Position(good.0 + 1);
        let taken = if recorded.position == expected {
            take(recorded, wanted)
        } else {
            let found = recorded.position;
            Err(format!("the log has a hole: {found} follows"))
        };
        match taken {
            Ok(fact) => facts.extend(fact),
            Err(reason) => {
                let position = expected;
                return (facts, good, Some(Poison { position, reason }));
            }
        }
        good = expected;
    }
    (facts, good, None)
}

fn take(recorded: &Recorded, wanted: &[&str]) -> Result<Option<Fact>, String> {
    let happening = match recorded.aggregate_type.as_str() {
        Order::TYPE => one::<Order>(recorded, wanted, Happening::Order)?,
        Remittance::TYPE => one::<Remittance>(recorded, wanted, Happening::Remittance)?,
        Store::TYPE => one::<Store>(recorded, wanted, Happening::Store)?,
        _ => None,
    };
    let Some(happening) = happening else {
        return Ok(None);
    };
    let fields: Map<String, Value> = serde_json::from_str(&recorded.metadata).unwrap_or_default();
    let text = |name| fields.get(name).and_then(Value::as_str);
    let correlation = text(CORRELATION_ID).and_then(|t| t.parse().ok());
    Ok(Some(Fact {
        position: recorded.position,
        cause: Cause {
            event_id: recorded.event_id,
            correlation_id: correlation.unwrap_or(recorded.event_id),
        },
        happening,
        recorded_at: recorded.recorded_at,
        decided_at: text(OCCURRED_AT)
            .and_then(|t| t.parse().ok())
            .unwrap_or(recorded.recorded_at),
        is_ours: text(ACTOR_ROLE) == Some(Role::System.as_str()),
    }))
}

/// The event, if the process wants it. One that it does not want must still be of a known type: what a newer program
/// writes may change what the others mean.
fn one<E: Entity>(
    recorded: &Recorded,
    wanted: &[&str],
    make: fn(E::Id, Box<E::Event>) -> Happening,
) -> Result<Option<Happening>, String> {
    let (name, version) = (&recorded.event_type, &recorded.event_version);
    if !wanted.contains(&name.as_str()) {
        return match E::Event::current_version(name) {
            Some(_) => Ok(None),
            None => Err(format!(
                "unknown event type {name} (version {version}): run a newer program"
            )),
        };
    }
    let id = recorded
        .aggregate_id
        .parse()
        .map_err(|_| format!("its stream id is not the id of a {}", E::TYPE))?;
    let event = decode::decode(name, version, &recorded.payload).map_err(without_content)?;
    Ok(Some(make(id, Box::new(event))))
}

/// The parser's own words may quote personal data.
fn without_content(error: DecodeError) -> String {
    match error {
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
    }
}

#[cfg(test)]
mod tests {
    use domain::order::OrderStatus;

    use super::*;

    fn recorded(position: i64, kind: &str, event_type: &str, payload: &str) -> Recorded {
        Recorded {
            position: Position(position),
            event_id: Uuid::from_u128(position.unsigned_abs().into()),
            aggregate_type: kind.into(),
            aggregate_id: Uuid::from_u128(7).to_string(),
            sequence: 1,
            event_type: event_type.into(),
            event_version: "1".into(),
            payload: payload.into(),
            metadata: format!(
                r#"{{"actorRole":"system","correlationId":"{}"}}"#,
                Uuid::from_u128(9)
            ),
            command_id: Uuid::nil(),
            recorded_at: DateTime::UNIX_EPOCH,
            content_hash: [0; 32],
            prev_hash: [0; 32],
            hash: [0; 32],
        }
    }

    const ALLOCATED: &str = r#"{"type":"order.allocated","from":1000}"#;

    #[test]
    fn only_what_is_wanted_is_decoded() {
        let page = [
            recorded(5, "order", "order.allocated", ALLOCATED),
            // Nobody looks into these.
            recorded(6, "order", "order.placed", "not JSON"),
            recorded(7, "parcel", "parcel.weighed", "not JSON"),
        ];
        let (facts, last, poison) = decode(Position(4), &page, &["order.allocated"]);
        assert_eq!((last, poison), (Position(7), None));
        assert_eq!(facts.len(), 1);
        let event = OrderEvent::Allocated {
            from: OrderStatus::Open,
        };
        assert_eq!(
            facts[0].happening,
            Happening::Order(OrderId(Uuid::from_u128(7)), Box::new(event))
        );
        assert!(facts[0].is_ours);
        assert_eq!(facts[0].cause.correlation_id, Uuid::from_u128(9));
    }

    #[test]
    fn a_bad_event_stops_before_itself_and_is_not_quoted() {
        let cases = [
            ("order.allocated", "somchai", "Syntax error"),
            ("order.vanished", "{}", "unknown event type order.vanished"),
        ];
        for (event_type, payload, words) in cases {
            let page = [
                recorded(1, "order", "order.allocated", ALLOCATED),
                recorded(2, "order", event_type, payload),
            ];
            let (facts, last, poison) = decode(Position(0), &page, &["order.allocated"]);
            assert_eq!((facts.len(), last), (1, Position(1)));
            let poison = poison.unwrap();
            assert_eq!(poison.position, Position(2));
            assert!(poison.reason.contains(words), "{poison}");
            assert!(!poison.reason.contains("somchai"));
        }
    }

    #[test]
    fn a_hole_stops_it() {
        let page = [recorded(3, "order", "order.allocated", ALLOCATED)];
        let (facts, last, poison) = decode(Position(1), &page, &[]);
        assert_eq!((facts.len(), last), (0, Position(1)));
        assert_eq!(poison.unwrap().position, Position(2));
    }
}
