//! Stored events and stored states: what is written once must be read for ever.

use serde_json::Value;

use super::*;
use crate::order::{
    command::{Contact, Slot},
    event::{SealedContact, Step},
    upcast::{DecodeError, decode, decode_value},
};
use OrderStatus as S;

/// Every stored form of every event type: type, version, payload.
const FIXTURES: &[(&str, &str, &str)] = &[
    (
        "order.placed",
        "1",
        include_str!("../fixtures/order.placed.v1.json"),
    ),
    (
        "order.allocated",
        "1",
        include_str!("../fixtures/order.allocated.v1.json"),
    ),
    (
        "order.back_ordered",
        "1",
        include_str!("../fixtures/order.back_ordered.v1.json"),
    ),
    (
        "order.paid",
        "1",
        include_str!("../fixtures/order.paid.v1.json"),
    ),
    (
        "order.released",
        "1",
        include_str!("../fixtures/order.released.v1.json"),
    ),
    (
        "order.picking_recorded",
        "1",
        include_str!("../fixtures/order.picking_recorded.v1.json"),
    ),
    (
        "order.shipment_recorded",
        "1",
        include_str!("../fixtures/order.shipment_recorded.v1.json"),
    ),
    (
        "order.delivery_recorded",
        "1",
        include_str!("../fixtures/order.delivery_recorded.v1.json"),
    ),
    (
        "order.cancelled",
        "1",
        include_str!("../fixtures/order.cancelled.v1.json"),
    ),
];

/// The state after all of [`samples`] but the cancel, with the version of its shape.
const STATE: (u32, &str) = (1, include_str!("../fixtures/state.v1.json"));

/// One event of every type with every field filled: the life of one order.
fn samples() -> Vec<OrderEvent> {
    let step = |from, to, skipped: &[S]| Step {
        from,
        to,
        skipped: skipped.to_vec(),
        occurred_at: Some(in_minutes(20)),
    };
    vec![
        OrderEvent::Placed(Box::new(full_order())),
        OrderEvent::BackOrdered {
            reason: "store CFR029 is inactive".into(),
        },
        OrderEvent::Allocated {
            from: S::BackOrdered,
        },
        OrderEvent::Paid {
            method: "COD".into(),
            amount: baht("894.78"),
            rounding: baht("-0.005"),
        },
        OrderEvent::Released {},
        OrderEvent::PickingRecorded {
            step: step(S::Released, S::Packed, &[S::InProcess, S::Picked]),
        },
        OrderEvent::ShipmentRecorded {
            step: step(S::Packed, S::Fulfilled, &[]),
            tracking_id: Some("TH-1".into()),
            carrier: Some("GRAB".into()),
            shipment_id: Some("SH-1".into()),
        },
        OrderEvent::DeliveryRecorded {
            step: step(
                S::Fulfilled,
                S::Delivered,
                &[S::Shipped, S::InTransit, S::OutForDelivery],
            ),
        },
        OrderEvent::Cancelled {
            from: S::Released,
            reason: "ลูกค้ายกเลิก".into(),
            payment_status: crate::order::PaymentStatus::NotApplicable,
        },
    ]
}

/// Placed through the decision, so that its sums are right.
fn full_order() -> Placed {
    let command = PlaceOrder {
        number: Some("QC-2026-03-14-000123".into()),
        channel: "GRAB".into(),
        order_type: Some("MKP-HD-STD".into()),
        alternate_order_id: Some("123456789-C7NVLG".into()),
        cust_ref: Some("SL-1".into()),
        customer_id: Some("C-1".into()),
        t1_membership_id: Some("T1-1".into()),
        t1_number: Some("0012345".into()),
        contact: Some(Contact {
            name: Some("สมชาย".into()),
            ..Contact::default()
        }),
        order_discounts: vec![adjustment("MEMBER", "15")],
        fees: vec![adjustment("SHIPPING", "40")],
        requested_slot: Some(Slot {
            from: in_minutes(30),
            to: in_minutes(90),
        }),
        promised_at: Some(in_minutes(60)),
        captured_at: Some(in_minutes(-1)),
        allow_substitution: true,
        ..order_of(vec![
            LineInput {
                original_unit_price: Some(baht("140")),
                discounts: vec![adjustment("PROMOTION", "11")],
                name_th: Some("น้ำปลา".into()),
                name_en: Some("Fish sauce".into()),
                uom: Some("EA".into()),
                promotion_id: Some("PROMO-1".into()),
                ..line(1, "129", "1")
            },
            pack(2, "299.99", 2, 3),
            weighed(3, "189", "0.745"),
        ])
    };
    let sealed = SealedContact {
        subject: "customer:C-1".into(),
        sealed: "c2VhbGVk".into(),
    };
    nothing()
        .given(|facts| facts.contact = Some(sealed))
        .given(|facts| facts.customer = Standing::Unreachable)
        .when(place(command))
        .placed()
}

fn fold(events: &[OrderEvent]) -> Order {
    let mut order = Order::default();
    events.iter().for_each(|event| order.apply(event));
    order
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn every_type_has_a_fixture_of_its_version() {
    for event_type in OrderEvent::TYPES {
        assert!(
            FIXTURES
                .iter()
                .any(|(t, v, _)| t == event_type && *v == OrderEvent::VERSION),
            "write src/order/fixtures/{event_type}.v{}.json",
            OrderEvent::VERSION
        );
    }
    let mut sampled: Vec<&str> = samples().iter().map(OrderEvent::event_type).collect();
    let mut types = OrderEvent::TYPES.to_vec();
    sampled.sort_unstable();
    types.sort_unstable();
    assert_eq!(sampled, types, "one sample of each type");
}

#[test]
fn the_list_of_types_is_complete() {
    // The parser knows every variant and names them when it meets none of them.
    let error = serde_json::from_str::<OrderEvent>(r#"{"type":"?"}"#)
        .unwrap_err()
        .to_string();
    let known: Vec<&str> = error
        .split('`')
        .filter(|part| part.starts_with("order."))
        .collect();
    assert_eq!(known, OrderEvent::TYPES);
}

#[test]
fn decoding_what_was_encoded_is_the_identity() {
    for event in samples() {
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(
            decode(event.event_type(), event.version(), &text).unwrap(),
            event
        );
        let value = serde_json::to_value(&event).unwrap();
        assert_eq!(
            decode_value(event.event_type(), event.version(), value).unwrap(),
            event
        );
    }
}

#[test]
fn the_fixtures_decode_to_the_samples_and_todays_encoding_is_unchanged() {
    for event in samples() {
        let key = (event.event_type(), event.version());
        let (_, _, stored) = FIXTURES.iter().find(|(t, v, _)| (*t, *v) == key).unwrap();
        assert_eq!(decode(key.0, key.1, stored).unwrap(), event);
        assert_eq!(
            serde_json::to_value(&event).unwrap(),
            json(stored),
            "{key:?}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let released = r#"{"type":"order.released"}"#;
    let message = |event_type, version, payload| {
        decode(event_type, version, payload)
            .unwrap_err()
            .to_string()
    };
    let unknown = decode("order.eaten", "1", released).unwrap_err();
    assert!(matches!(unknown, DecodeError::UnknownType { .. }));
    assert!(
        unknown.to_string().contains("order.eaten (version 1)"),
        "{unknown}"
    );
    let newer = decode("order.released", "2", released).unwrap_err();
    assert!(matches!(newer, DecodeError::UnknownVersion { .. }));
    assert!(
        newer
            .to_string()
            .contains("version 2 of event type order.released"),
        "{newer}"
    );
    let other = decode("order.paid", "1", released).unwrap_err();
    assert!(matches!(other, DecodeError::TypeMismatch { .. }));
    for payload in [
        "",
        "{",
        "null",
        "[]",
        "{}",
        r#"{"type":"order.paid"}"#,
        "\u{0}",
    ] {
        let damaged = message("order.paid", "1", payload);
        assert!(
            damaged.starts_with("damaged order.paid (version 1)"),
            "{damaged}"
        );
    }
}

#[test]
fn the_shape_of_the_state_is_the_one_its_version_names() {
    let (version, golden) = STATE;
    let order = fold(&samples()[..8]);
    assert_eq!(
        Order::STATE_VERSION,
        version,
        "keep one golden state, that of today's version"
    );
    let changed = "the state's shape changed: raise Order::STATE_VERSION and write its golden file";
    assert_eq!(
        serde_json::to_value(&order).unwrap(),
        json(golden),
        "{changed}"
    );
    assert_eq!(
        serde_json::from_str::<Order>(golden).unwrap(),
        order,
        "{changed}"
    );
}

#[test]
fn the_status_after_an_event_is_the_orders() {
    let mut order = Order::default();
    for event in &samples() {
        order.apply(event);
        assert_eq!(
            event.status_after().unwrap_or(order.status),
            order.status,
            "{event:?}"
        );
    }
}

#[test]
fn any_event_may_be_applied_to_any_order() {
    let events = samples();
    for first in &events {
        for second in &events {
            let order = fold(&[first.clone(), second.clone()]);
            assert!(order.min_line_status() <= order.max_line_status());
        }
    }
}

#[test]
fn the_json_is_what_readers_rely_on() {
    let text = serde_json::to_string(&samples()).unwrap();
    for part in [
        r#""type":"order.placed""#,
        r#""system":"GRAB","reference":"123456789-C7NVLG""#,
        r#""orderTotal":"#,
        r#""from":3000,"to":3700,"skipped":[3500,3600],"occurredAt":"2026-03-14T03:50:00Z""#,
    ] {
        assert!(text.contains(part), "{part} not in {text}");
    }
}
