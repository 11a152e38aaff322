//! When news says that something happened.

use super::*;
use crate::order::command::{FailCollection, ReportShort};
use OrderStatus as S;

type Told = fn(Option<DateTime<Utc>>) -> OrderCommand;

/// Every command that tells of a time, with where the order stands when it comes, and how the time is
/// named.
const NEWS: [(S, &str, Told); 7] = [
    (S::Released, "occurredAt", |occurred_at| {
        let status = S::InProcess;
        OrderCommand::RecordPicking(RecordPicking {
            status,
            occurred_at,
        })
    }),
    (S::Picked, "occurredAt", |occurred_at| {
        OrderCommand::ReportShort(ReportShort {
            lines: named(&[(2, "0")]),
            reason: "not on the shelf".into(),
            report_id: None,
            occurred_at,
        })
    }),
    (S::Packed, "occurredAt", |occurred_at| {
        OrderCommand::RecordShipment(RecordShipment {
            status: S::Fulfilled,
            tracking_id: Some("TH-1".into()),
            carrier: Some("GRAB".into()),
            shipment_id: None,
            occurred_at,
        })
    }),
    (S::Shipped, "occurredAt", |occurred_at| {
        OrderCommand::RecordDelivery(RecordDelivery {
            status: S::InTransit,
            tracking_id: None,
            occurred_at,
        })
    }),
    (S::OutForDelivery, "occurredAt", |occurred_at| {
        OrderCommand::RecordFailedDelivery(RecordFailedDelivery {
            attempt_id: None,
            reason: "nobody at home".into(),
            tracking_id: None,
            occurred_at,
        })
    }),
    (S::Delivered, "occurredAt", |occurred_at| {
        OrderCommand::FailCollection(FailCollection {
            reason: "no change".into(),
            occurred_at,
        })
    }),
    (S::Delivered, "collectedAt", |collected_at| {
        OrderCommand::CollectCash(CollectCash {
            collected_at,
            ..cash("393")
        })
    }),
];

/// The order, placed half an hour ago.
fn at(status: S) -> Scenario {
    let given = walked(nothing().and(place(grab_order())), status).after(30);
    given.given(|facts| facts.sealed = Some(sealed()))
}

#[test]
fn news_is_not_from_the_future_nor_from_before_the_order() {
    for (status, path, told) in NEWS {
        let given = at(status);
        for minutes in [-5, 0, 12, 30, 35] {
            let events = given.when(told(Some(in_minutes(minutes)))).events();
            assert!(!events.is_empty(), "{minutes} {events:?}");
        }
        for minutes in [-6, -420, 36, 450] {
            given
                .when(told(Some(in_minutes(minutes))))
                .is_refused(&[(Code::Validation, path)]);
        }
        assert!(!given.when(told(None)).events().is_empty());
    }
}

#[test]
fn an_order_that_came_late_begins_when_it_was_captured() {
    let captured = |minutes: i64| PlaceOrder {
        captured_at: Some(in_minutes(minutes)),
        ..grab_order()
    };
    let picked = |minutes: i64| {
        OrderCommand::RecordPicking(RecordPicking {
            status: S::InProcess,
            occurred_at: Some(in_minutes(minutes)),
        })
    };
    let given = walked(nothing().and(place(captured(-90))), S::Released);
    assert!(!given.when(picked(-95)).events().is_empty());
    given
        .when(picked(-96))
        .is_refused(&[(Code::Validation, "occurredAt")]);
    // A marketplace whose clock is fast does not make an order younger than it is.
    let given = walked(nothing().and(place(captured(4))), S::Released);
    assert!(!given.when(picked(-5)).events().is_empty());
    // An order of which nobody knows when it was placed has no beginning.
    let given = order_at(S::Released).given(|facts| facts.placed_at = None);
    assert!(!given.when(picked(-10_000)).events().is_empty());
}

#[test]
fn an_order_is_not_captured_in_the_future() {
    for (minutes, is_refused) in [(-10_000, false), (5, false), (6, true), (420, true)] {
        let command = PlaceOrder {
            captured_at: Some(in_minutes(minutes)),
            ..grab_order()
        };
        let then = nothing().when(place(command));
        if is_refused {
            then.is_refused(&[(Code::Validation, "capturedAt")]);
        } else {
            assert_eq!(then.events().len(), 1);
        }
    }
}
