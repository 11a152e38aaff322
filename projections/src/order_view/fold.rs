//! One order's row as a fold of its events.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{ids::OrderId, order::OrderStatus};
use store::Position;

use super::OrderRow;
use crate::decode::{OrderRecord, Poison};

/// The status before and after one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Change {
    /// `None` for the first event.
    pub(crate) from: Option<OrderStatus>,
    pub(crate) to: OrderStatus,
}

impl OrderRow {
    /// An order before its first event.
    pub(crate) fn unplaced(id: OrderId) -> Self {
        Self {
            id,
            version: 0,
            position: Position::START,
            order: Arc::default(),
            placed_at: DateTime::<Utc>::UNIX_EPOCH,
            updated_at: DateTime::<Utc>::UNIX_EPOCH,
        }
    }

    /// Applies the order's next event.
    pub(crate) fn advance(&mut self, record: &OrderRecord<'_>) -> Result<Change, Poison> {
        let recorded = record.recorded;
        if recorded.sequence != self.version + 1 {
            return Err(record.poison(format!(
                "it is event {} of its order, the view stands at {}; rebuild the view",
                recorded.sequence, self.version
            )));
        }
        let from = self.order.exists().then_some(self.order.status);
        Arc::make_mut(&mut self.order).apply(record.event);
        if !self.order.exists() {
            return Err(record.poison("its order does not exist after it"));
        }
        let at = record.decided_at();
        if self.version == 0 {
            self.placed_at = at;
        }
        self.updated_at = at;
        self.version = recorded.sequence;
        self.position = recorded.position;
        Ok(Change {
            from,
            to: self.order.status,
        })
    }
}

/// A status code as the column's type. Every code is below 10,000.
pub(crate) fn code(code: u16) -> i16 {
    i16::try_from(code).unwrap_or(i16::MAX)
}

/// The status behind a stored code.
pub(crate) fn status(code: i16) -> Result<OrderStatus, sqlx::Error> {
    u16::try_from(code)
        .ok()
        .and_then(|code| OrderStatus::try_from(code).ok())
        .ok_or_else(|| sqlx::Error::Decode(format!("{code} is not a status code").into()))
}

#[cfg(test)]
mod tests {
    use domain::order::{Order, OrderEvent};
    use proptest::prelude::*;

    use super::*;
    use crate::{
        decode::{Kind, Record, decode},
        testing::{self, ORDER, life, recorded},
    };

    /// The row as it comes back from the table between two pages.
    fn stored(row: OrderRow) -> OrderRow {
        let doc = serde_json::to_string(&row.order).unwrap();
        OrderRow {
            order: serde_json::from_str(&doc).unwrap(),
            ..row
        }
    }

    proptest! {
        /// Wherever the pages are cut, the row is the same, and each status follows from the one before.
        #[test]
        fn cutting_into_pages_changes_nothing(
            later in prop::collection::vec((testing::later(), any::<bool>()), 0..20),
        ) {
            let (events, cuts): (Vec<OrderEvent>, Vec<bool>) = later.into_iter().unzip();
            let events = life(&events);
            let (records, poison) = decode(&events, Kind::ALL);
            prop_assert_eq!(poison, None);
            let mut whole = OrderRow::unplaced(ORDER);
            let mut cut = whole.clone();
            let mut status = None;
            let records = records.iter().filter_map(Record::of::<Order>);
            for (record, stop) in records.zip(std::iter::once(&true).chain(&cuts)) {
                let change = whole.advance(&record).unwrap();
                prop_assert_eq!(change.from, status);
                status = Some(change.to);
                cut.advance(&record).unwrap();
                if *stop {
                    cut = stored(cut);
                }
            }
            prop_assert_eq!(&whole, &cut);
            prop_assert_eq!(whole.version, i64::try_from(events.len()).unwrap());
            prop_assert_eq!(whole.placed_at, events[0].recorded_at);
        }
    }

    #[test]
    fn an_event_that_does_not_come_next_is_refused() {
        let from = OrderStatus::Open;
        let events = life(&[
            OrderEvent::Allocated { from },
            OrderEvent::Released { at: None },
        ]);
        let (records, _) = decode(&events, Kind::ALL);
        let records: Vec<OrderRecord<'_>> =
            records.iter().filter_map(Record::of::<Order>).collect();
        let mut row = OrderRow::unplaced(ORDER);
        assert_eq!(row.advance(&records[1]).unwrap_err().position, Position(20));
        row.advance(&records[0]).unwrap();
        assert!(row.advance(&records[0]).is_err(), "twice");
        assert!(row.advance(&records[2]).is_err(), "one left out");
        row.advance(&records[1]).unwrap();
        assert_eq!(row.version, 2);
    }

    #[test]
    fn the_reason_of_a_poison_quotes_no_content() {
        let mut damaged = recorded::<Order>(&ORDER, 1, &testing::placed());
        damaged.payload = damaged
            .payload
            .replace("\"GRAB\"", "\"somchai@example.com\"");
        let (records, poison) = decode(std::slice::from_ref(&damaged), Kind::ALL);
        assert!(records.is_empty());
        let poison = poison.unwrap();
        assert_eq!(poison.position, Position(10));
        assert!(!poison.to_string().contains("somchai"), "{poison}");
    }

    #[test]
    fn what_nobody_knows_stops_every_model_and_what_others_know_only_theirs() {
        let mut events = life(&[]);
        events[0].aggregate_type = "parcel".into();
        let (_, poison) = decode(&events, &[]);
        assert!(poison.unwrap().reason.contains("parcel"));
        events[0].aggregate_type = "order".into();
        events[0].event_type = "order.teleported".into();
        let (records, poison) = decode(&events, &[Kind::Bundle]);
        assert!(records.is_empty() && poison.is_none());
        let (_, poison) = decode(&events, &[Kind::Order]);
        assert!(poison.unwrap().reason.contains("order.teleported"));
    }
}
