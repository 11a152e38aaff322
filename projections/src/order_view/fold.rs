//! One order's row as a fold of its events.

use chrono::{DateTime, Utc};
use domain::{
    ids::OrderId,
    order::{Order, OrderStatus},
};
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
            order: Order::default(),
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
        self.order.apply(&record.event);
        if !self.order.exists() {
            return Err(record.poison("its order does not exist after it"));
        }
        // When it was decided, as the write side says it too; what was appended without it, when it was recorded.
        let at = record
            .metadata()
            .occurred_at
            .unwrap_or(recorded.recorded_at);
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
    use domain::order::OrderEvent;
    use proptest::prelude::*;
    use store::Recorded;
    use uuid::Uuid;

    use super::*;

    const PLACED: &str = include_str!("../../../domain/src/order/fixtures/order.placed.v1.json");
    /// The domain's golden events: every type but the first.
    const LATER: [&str; 8] = [
        include_str!("../../../domain/src/order/fixtures/order.allocated.v1.json"),
        include_str!("../../../domain/src/order/fixtures/order.back_ordered.v1.json"),
        include_str!("../../../domain/src/order/fixtures/order.paid.v1.json"),
        include_str!("../../../domain/src/order/fixtures/order.released.v1.json"),
        include_str!("../../../domain/src/order/fixtures/order.picking_recorded.v1.json"),
        include_str!("../../../domain/src/order/fixtures/order.shipment_recorded.v1.json"),
        include_str!("../../../domain/src/order/fixtures/order.delivery_recorded.v1.json"),
        include_str!("../../../domain/src/order/fixtures/order.cancelled.v1.json"),
    ];

    fn recorded(payload: &str, sequence: i64) -> Recorded {
        let event: OrderEvent = serde_json::from_str(payload).unwrap();
        Recorded {
            position: Position(10 * sequence),
            event_id: Uuid::from_u128(1),
            aggregate_type: "order".into(),
            aggregate_id: Uuid::nil().to_string(),
            sequence,
            event_type: event.event_type().into(),
            event_version: event.version().into(),
            payload: payload.into(),
            metadata: "{}".into(),
            command_id: Uuid::nil(),
            recorded_at: DateTime::from_timestamp(sequence, 0).unwrap(),
            content_hash: [0; 32],
            prev_hash: [0; 32],
            hash: [0; 32],
        }
    }

    fn life(later: &[usize]) -> Vec<Recorded> {
        let payloads = std::iter::once(PLACED).chain(later.iter().map(|i| LATER[*i]));
        (1..)
            .zip(payloads)
            .map(|(sequence, payload)| recorded(payload, sequence))
            .collect()
    }

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
            later in prop::collection::vec((0..LATER.len(), any::<bool>()), 0..20),
        ) {
            let (kinds, cuts): (Vec<usize>, Vec<bool>) = later.into_iter().unzip();
            let events = life(&kinds);
            let (records, poison) = crate::decode::decode(&events);
            prop_assert_eq!(poison, None);
            let mut whole = OrderRow::unplaced(OrderId(Uuid::nil()));
            let mut cut = whole.clone();
            let mut status = None;
            for (record, stop) in records.iter().zip(std::iter::once(&true).chain(&cuts)) {
                let change = whole.advance(record).unwrap();
                prop_assert_eq!(change.from, status);
                status = Some(change.to);
                cut.advance(record).unwrap();
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
        let events = life(&[0, 3]);
        let (records, _) = crate::decode::decode(&events);
        let mut row = OrderRow::unplaced(OrderId(Uuid::nil()));
        assert_eq!(row.advance(&records[1]).unwrap_err().position, Position(20));
        row.advance(&records[0]).unwrap();
        assert!(row.advance(&records[0]).is_err(), "twice");
        assert!(row.advance(&records[2]).is_err(), "one left out");
        row.advance(&records[1]).unwrap();
        assert_eq!(row.version, 2);
    }

    #[test]
    fn the_reason_of_a_poison_quotes_no_content() {
        let mut damaged = recorded(PLACED, 1);
        damaged.payload = PLACED.replace("\"GRAB\"", "\"somchai@example.com\"");
        let (records, poison) = crate::decode::decode(std::slice::from_ref(&damaged));
        assert!(records.is_empty());
        let poison = poison.unwrap();
        assert_eq!(poison.position, Position(10));
        assert!(!poison.to_string().contains("somchai"), "{poison}");
    }
}
