//! From the log's records to the domain's events.

mod metadata;

use std::{str::FromStr, sync::Arc};

use chrono::{DateTime, Utc};
use domain::{
    bundle::Bundle, decode::DecodeError, entity::Entity, intake::Intake, order::Order,
    remittance::Remittance, store::Store,
};
use store::{Position, Recorded};

use self::metadata::Metadata;

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

            /// The kind that an event belongs to; `None` for one that this program does not know.
            fn of(recorded: &Recorded) -> Option<Self> {
                let mut known = Self::ALL.iter().copied();
                known.find(|kind| kind.name() == recorded.aggregate_type)
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

/// What was decoded of an event: once, for every model that reads it.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) fact: Fact,
    metadata: Metadata,
}

/// An event with the record it was read from.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) decoded: Arc<Decoded>,
    pub(crate) recorded: &'a Recorded,
}

/// An event of one kind of aggregate, with the record it was read from.
#[derive(Debug)]
pub(crate) struct Of<'a, E: Entity> {
    pub(crate) id: &'a E::Id,
    pub(crate) event: &'a E::Event,
    pub(crate) metadata: &'a Metadata,
    pub(crate) recorded: &'a Recorded,
}

/// An event of an order.
pub(crate) type OrderRecord<'a> = Of<'a, Order>;

/// Decodes the events of some kinds in a page, in order, up to the first one that does not decode.
/// Records of the other kinds are left out unread; a kind that nobody knows does not decode.
pub(crate) fn decode<'a>(
    page: &'a [Recorded],
    kinds: &[Kind],
) -> (Vec<Record<'a>>, Option<Poison>) {
    let mut records = Vec::with_capacity(page.len());
    for recorded in page {
        match one(recorded, kinds) {
            None => {}
            Some(Ok(decoded)) => records.push(Record { decoded, recorded }),
            Some(Err(poison)) => return (records, Some(poison)),
        }
    }
    (records, None)
}

/// As [`decode`], where one that does not decode is an error.
pub(crate) fn decode_all<'a>(
    page: &'a [Recorded],
    kinds: &[Kind],
) -> Result<Vec<Record<'a>>, Poison> {
    match decode(page, kinds) {
        (records, None) => Ok(records),
        (_, Some(poison)) => Err(poison),
    }
}

/// Decodes one event; `None` if it is of none of these kinds.
fn one(recorded: &Recorded, kinds: &[Kind]) -> Option<Result<Arc<Decoded>, Poison>> {
    let decoded = match Kind::of(recorded) {
        Some(kind) if !kinds.contains(&kind) => return None,
        Some(kind) => fact(kind, recorded),
        None => Err(format!(
            "unknown aggregate type {}: run a newer program",
            recorded.aggregate_type
        )),
    };
    let decoded = decoded.map(|fact| {
        let metadata = Metadata::of(&recorded.metadata);
        Arc::new(Decoded { fact, metadata })
    });
    Some(decoded.map_err(|reason| poison(recorded, reason)))
}

/// A page of the log that several models read, each event decoded once.
#[derive(Debug, Default)]
pub(crate) struct Page {
    events: Vec<Recorded>,
    /// One for each event; `None` for those of kinds that nobody reads.
    decoded: Vec<Option<Result<Arc<Decoded>, Poison>>>,
}

impl Page {
    /// Decodes the events of some kinds.
    pub(crate) fn of(events: Vec<Recorded>, kinds: &[Kind]) -> Self {
        let decoded = events.iter().map(|recorded| one(recorded, kinds)).collect();
        Self { events, decoded }
    }

    /// The events.
    pub(crate) fn events(&self) -> &[Recorded] {
        &self.events
    }

    /// As [`decode`]: the events of some of the kinds that were decoded.
    pub(crate) fn records(&self, kinds: &[Kind]) -> (Vec<Record<'_>>, Option<Poison>) {
        let mut records = Vec::with_capacity(self.events.len());
        for (recorded, decoded) in self.events.iter().zip(&self.decoded) {
            if Kind::of(recorded).is_some_and(|kind| !kinds.contains(&kind)) {
                continue;
            }
            match decoded {
                None => {}
                Some(Ok(decoded)) => records.push(Record {
                    decoded: Arc::clone(decoded),
                    recorded,
                }),
                Some(Err(poison)) => return (records, Some(poison.clone())),
            }
        }
        (records, None)
    }
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
        let (id, event) = E::of(&self.decoded.fact)?;
        Some(Of {
            id,
            event,
            metadata: &self.decoded.metadata,
            recorded: self.recorded,
        })
    }
}

impl<E: Entity> Of<'_, E> {
    pub(crate) fn poison(&self, reason: impl Into<String>) -> Poison {
        poison(self.recorded, reason)
    }

    /// When it was decided, as the write side says it too; what was appended without that, when it
    /// was recorded.
    pub(crate) fn decided_at(&self) -> DateTime<Utc> {
        self.metadata
            .occurred_at
            .unwrap_or(self.recorded.recorded_at)
    }
}
