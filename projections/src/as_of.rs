//! An order as of a moment: its events up to then, folded as the order view folds them.
//!
//! The log itself is read, not a read model, so that what is over never changes and nothing has to be waited for.
//! Personal data stays sealed; whether a seal opens depends on the key today, not on the moment.

use chrono::{DateTime, Utc};
use domain::{
    entity::Entity,
    ids::OrderId,
    order::{Order, OrderStatus},
};
use store::{Log, Position, Recorded, StoreError, StreamId};

use crate::{
    decode::{Kind, Poison, Record, decode_all},
    order_view::OrderRow,
};

/// The longest history that is folded for one answer; an order has about a dozen events.
pub const MAX_EVENTS: i64 = 5_000;

/// A moment of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// After so many of its events.
    Version(i64),
    /// After what was recorded then or before. A time to come is the end of the log.
    Time(DateTime<Utc>),
    /// After the event of the log at this position.
    Position(Position),
}

/// An order as it was.
#[derive(Debug, Clone)]
pub struct Past {
    /// Its row in the order view, as it was then.
    pub row: OrderRow,
    /// Its events up to then, oldest first.
    pub steps: Vec<Step>,
}

/// One event and where the order stood after it.
#[derive(Debug, Clone)]
pub struct Step {
    /// The event.
    pub recorded: Recorded,
    /// The status after it.
    pub status: OrderStatus,
}

/// What there was of an order at a moment.
#[derive(Debug, Clone)]
pub enum Found {
    /// The log knows no such order.
    Unknown,
    /// It was placed later.
    NotYet,
    /// It has not come to that version.
    Beyond {
        /// The version asked for.
        asked: i64,
        /// Its newest version.
        newest: i64,
    },
    /// This.
    Order(Box<Past>),
}

impl Found {
    /// The row of the order as it was; `None` where there was none.
    pub fn row(self) -> Option<OrderRow> {
        match self {
            Self::Order(past) => Some(past.row),
            Self::Unknown | Self::NotYet | Self::Beyond { .. } => None,
        }
    }
}

/// Why an order cannot be shown as of a moment.
#[derive(Debug, thiserror::Error)]
pub enum AsOfError {
    /// The position is none of the log.
    #[error("the log ends at position {head}, before {asked}")]
    Ahead {
        /// The position asked for.
        asked: Position,
        /// The end of the log.
        head: Position,
    },
    /// The order has more events than are folded for one answer.
    #[error("the order has more than {max} events up to then; ask for an earlier moment")]
    TooLong {
        /// The most events folded.
        max: i64,
    },
    /// An event cannot be folded.
    #[error(transparent)]
    Poison(#[from] Poison),
    /// The log did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An order as of a moment; as it is now without one.
///
/// # Errors
/// See [`AsOfError`].
pub async fn order(log: &Log, id: OrderId, as_of: Option<AsOf>) -> Result<Found, AsOfError> {
    if let Some(AsOf::Position(asked)) = as_of {
        let head = log.head().await?.position;
        if asked > head {
            return Err(AsOfError::Ahead { asked, head });
        }
    }
    let most = match as_of {
        Some(AsOf::Version(version)) => version.clamp(1, MAX_EVENTS + 1),
        _ => MAX_EVENTS + 1,
    };
    let stream = StreamId::new(Order::TYPE, id.to_string());
    let events = log.stream(&stream, 0, most).await?;
    fold(id, events, as_of)
}

/// As [`order`], over the order's events: all of them, or at least those up to the moment.
///
/// # Errors
/// An event cannot be folded; there are more than [`MAX_EVENTS`] up to the moment.
pub fn fold(
    id: OrderId,
    mut events: Vec<Recorded>,
    as_of: Option<AsOf>,
) -> Result<Found, AsOfError> {
    let Some(newest) = events.last().map(|event| event.sequence) else {
        return Ok(Found::Unknown);
    };
    match as_of {
        None => {}
        // Of a history that is too long only the beginning was read.
        Some(AsOf::Version(asked)) if asked > newest && !is_long(&events) => {
            return Ok(Found::Beyond { asked, newest });
        }
        Some(AsOf::Version(version)) => events.retain(|event| event.sequence <= version),
        // Times never go back along the log, so this is a prefix of the log as a position is one.
        Some(AsOf::Time(time)) => events.retain(|event| event.recorded_at <= time),
        Some(AsOf::Position(position)) => events.retain(|event| event.position <= position),
    }
    if events.is_empty() {
        return Ok(Found::NotYet);
    }
    if is_long(&events) {
        return Err(AsOfError::TooLong { max: MAX_EVENTS });
    }
    let (row, statuses) = replay(id, &events)?;
    let steps = events.into_iter().zip(statuses);
    let steps = steps.map(|(recorded, status)| Step { recorded, status });
    Ok(Found::Order(Box::new(Past {
        row,
        steps: steps.collect(),
    })))
}

fn is_long(events: &[Recorded]) -> bool {
    i64::try_from(events.len()).is_ok_and(|len| len > MAX_EVENTS)
}

fn replay(id: OrderId, events: &[Recorded]) -> Result<(OrderRow, Vec<OrderStatus>), Poison> {
    let records = decode_all(events, &[Kind::Order])?;
    let mut row = OrderRow::unplaced(id);
    let records = records.iter().filter_map(Record::of::<Order>);
    let statuses = records
        .map(|record| Ok(row.advance(&record)?.to))
        .collect::<Result<_, Poison>>()?;
    Ok((row, statuses))
}

#[cfg(test)]
mod tests {
    use domain::order::OrderEvent;

    use super::*;
    use crate::testing::{ORDER, at, life};

    fn events() -> Vec<Recorded> {
        let from = OrderStatus::Open;
        life(&[
            OrderEvent::Allocated { from },
            OrderEvent::Released { at: None },
        ])
    }

    fn version(as_of: AsOf) -> Option<i64> {
        let found = fold(ORDER, events(), Some(as_of)).unwrap();
        found.row().map(|row| row.version)
    }

    #[test]
    fn a_moment_is_a_version_a_time_or_a_position() {
        for (as_of, expected) in [
            (AsOf::Version(0), None),
            (AsOf::Version(1), Some(1)),
            (AsOf::Version(3), Some(3)),
            (AsOf::Version(4), None),
            (AsOf::Time(at(0)), None),
            (AsOf::Time(at(1)), Some(1)),
            (AsOf::Time(at(2)), Some(2)),
            (AsOf::Time(at(999)), Some(3)),
            (AsOf::Position(Position(9)), None),
            (AsOf::Position(Position(10)), Some(1)),
            (AsOf::Position(Position(29)), Some(2)),
        ] {
            assert_eq!(version(as_of), expected, "{as_of:?}");
        }
        assert!(matches!(
            fold(ORDER, Vec::new(), None).unwrap(),
            Found::Unknown
        ));
        let beyond = fold(ORDER, events(), Some(AsOf::Version(4))).unwrap();
        assert!(matches!(
            beyond,
            Found::Beyond {
                asked: 4,
                newest: 3
            }
        ));
    }

    #[test]
    fn every_version_is_what_the_view_showed_then() {
        let all = events();
        for version in 1..=3 {
            let as_of = Some(AsOf::Version(version));
            let Found::Order(past) = fold(ORDER, all.clone(), as_of).unwrap() else {
                panic!("version {version}");
            };
            let now = fold(
                ORDER,
                all[..usize::try_from(version).unwrap()].to_vec(),
                None,
            );
            assert_eq!(Some(past.row.clone()), now.unwrap().row());
            assert_eq!(past.steps.len(), usize::try_from(version).unwrap());
            let status = past.steps.last().map(|step| step.status);
            assert_eq!(status, Some(past.row.order.status));
        }
    }

    #[test]
    fn a_history_without_an_end_is_not_folded() {
        let one = events().remove(0);
        let many = (1..=MAX_EVENTS + 1).map(|sequence| Recorded {
            sequence,
            ..one.clone()
        });
        let many: Vec<Recorded> = many.collect();
        for as_of in [None, Some(AsOf::Version(MAX_EVENTS + 9))] {
            let error = fold(ORDER, many.clone(), as_of).unwrap_err();
            let is_long = matches!(error, AsOfError::TooLong { max: MAX_EVENTS });
            assert!(is_long, "{as_of:?}: {error}");
        }
    }
}
