//! From the log's records to the domain's events.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use domain::{
    bundle::Bundle, decode::DecodeError, entity::Entity, intake::Intake, order::Order,
    remittance::Remittance, store::Store,
};
use serde_json::{Map, Value};
use store::{Position, Recorded};
use uuid::Uuid;

/// An event that a projection cannot apply. It is never skipped: the projection stops before it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event at position {position} cannot be applied: {reason}")]
pub struct Poison {
    /// Where it stands.
    pub position: Position,
    /// What is wrong with it. Holds no part of the event's content.
    pub reason: String,
}

/// A kind of aggregate whose events the log holds.
pub(crate) trait Logged: Entity {
    const KIND: Kind;

    /// Its id and its event, if the fact is about this kind.
    fn of(fact: &Fact) -> Option<(&Self::Id, &Self::Event)>;
}

macro_rules! logged {
    ($($kind:ident),+) => {
        /// The kinds of aggregates whose events the log holds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Kind {
            $($kind),+
        }

        impl Kind {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The aggregate type under which they stand in the log.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $kind::TYPE),+
                }
            }
        }

        /// What happened, and to whom.
        #[derive(Debug)]
        pub(crate) enum Fact {
            $($kind(<$kind as Entity>::Id, <$kind as Entity>::Event)),+
        }

        $(
            impl Logged for $kind {
                const KIND: Kind = Kind::$kind;

                fn of(fact: &Fact) -> Option<(&Self::Id, &Self::Event)> {
                    match fact {
                        Fact::$kind(id, event) => Some((id, event)),
                        _ => None,
                    }
                }
            }
        )+

        fn fact(kind: Kind, recorded: &Recorded) -> Result<Fact, String> {
            match kind {
                $(Kind::$kind => parts::<$kind>(recorded).map(|(id, event)| Fact::$kind(id, event))),+
            }
        }
    };
}

logged!(Order, Bundle, Store, Remittance, Intake);

/// An event with the record it was read from.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) fact: Fact,
    pub(crate) recorded: &'a Recorded,
}

/// An event of one kind of aggregate, with the record it was read from.
#[derive(Debug)]
pub(crate) struct Of<'a, E: Entity> {
    pub(crate) id: &'a E::Id,
    pub(crate) event: &'a E::Event,
    pub(crate) recorded: &'a Recorded,
}

/// An event of an order.
pub(crate) type OrderRecord<'a> = Of<'a, Order>;

/// What the projections read of an event's metadata; they ignore the rest. Decoration: what does not
/// parse is left out and stops nothing.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) actor_id: String,
    pub(crate) actor_role: String,
    pub(crate) correlation_id: Option<Uuid>,
    pub(crate) causation_id: Option<Uuid>,
    pub(crate) occurred_at: Option<DateTime<Utc>>,
    /// How long the steps of its command took, in microseconds by name.
    pub(crate) step_micros: Vec<(String, u64)>,
}

/// Decodes the events of some kinds in a page, in order, up to the first one that does not decode.
/// Records of the other kinds are left out unread; a kind that nobody knows does not decode.
pub(crate) fn decode<'a>(
    page: &'a [Recorded],
    kinds: &[Kind],
) -> (Vec<Record<'a>>, Option<Poison>) {
    let mut records = Vec::with_capacity(page.len());
    for recorded in page {
        let mut known = Kind::ALL.iter().copied();
        let decoded = match known.find(|k| k.name() == recorded.aggregate_type) {
            Some(kind) if !kinds.contains(&kind) => continue,
            Some(kind) => fact(kind, recorded),
            None => Err(format!(
                "unknown aggregate type {}: run a newer program",
                recorded.aggregate_type
            )),
        };
        match decoded {
            Ok(fact) => records.push(Record { fact, recorded }),
            Err(reason) => return (records, Some(poison(recorded, reason))),
        }
    }
    (records, None)
}

/// An event's aggregate and what happened to it.
fn parts<E: Entity>(recorded: &Recorded) -> Result<(E::Id, E::Event), String> {
    let id = E::Id::from_str(&recorded.aggregate_id)
        .map_err(|_| format!("its stream id does not name a {}", E::TYPE))?;
    let event = domain::decode::decode(
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
    Ok((id, event))
}

fn poison(recorded: &Recorded, reason: impl Into<String>) -> Poison {
    Poison {
        position: recorded.position,
        reason: reason.into(),
    }
}

impl Record<'_> {
    /// The event, if it is of this kind.
    pub(crate) fn of<E: Logged>(&self) -> Option<Of<'_, E>> {
        let (id, event) = E::of(&self.fact)?;
        Some(Of {
            id,
            event,
            recorded: self.recorded,
        })
    }
}

impl<E: Entity> Of<'_, E> {
    pub(crate) fn poison(&self, reason: impl Into<String>) -> Poison {
        poison(self.recorded, reason)
    }

    pub(crate) fn metadata(&self) -> Metadata {
        let fields: Map<String, Value> =
            serde_json::from_str(&self.recorded.metadata).unwrap_or_default();
        let steps = fields.get("stepMicros").and_then(Value::as_object);
        let steps = steps.into_iter().flatten();
        let text = |name| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        Metadata {
            actor_id: text("actorId").to_owned(),
            actor_role: text("actorRole").to_owned(),
            correlation_id: text("correlationId").parse().ok(),
            causation_id: text("causationId").parse().ok(),
            occurred_at: text("occurredAt").parse().ok(),
            step_micros: steps
                .filter_map(|(name, took)| Some((name.clone(), took.as_u64()?)))
                .collect(),
        }
    }

    /// When it was decided, as the write side says it too; what was appended without that, when it
    /// was recorded.
    pub(crate) fn decided_at(&self) -> DateTime<Utc> {
        self.metadata()
            .occurred_at
            .unwrap_or(self.recorded.recorded_at)
    }
}
