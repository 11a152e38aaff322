//! Stored events and stored states: what is written once must be read for ever.

use super::*;
use crate::{
    decode::{DecodeError, decode, decode_value},
    entity::Event,
};

fn samples() -> Vec<OrderEvent> {
    samples::all().into_iter().map(|s| s.event).collect()
}

fn fold(events: &[OrderEvent]) -> Order {
    let mut order = Order::default();
    events.iter().for_each(|event| order.apply(event));
    order
}

#[test]
fn decoding_what_was_encoded_is_the_identity() {
    for event in samples() {
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(
            decode::<OrderEvent>(event.event_type(), event.version(), &text).unwrap(),
            event
        );
        let value = serde_json::to_value(&event).unwrap();
        assert_eq!(
            decode_value::<OrderEvent>(event.event_type(), event.version(), value).unwrap(),
            event
        );
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let released = r#"{"type":"order.released"}"#;
    let message = |event_type, version, payload| {
        decode::<OrderEvent>(event_type, version, payload)
            .unwrap_err()
            .to_string()
    };
    let unknown = decode::<OrderEvent>("order.eaten", "1", released).unwrap_err();
    assert!(matches!(unknown, DecodeError::UnknownType { .. }));
    assert!(
        unknown.to_string().contains("order.eaten (version 1)"),
        "{unknown}"
    );
    let newer = decode::<OrderEvent>("order.released", "2", released).unwrap_err();
    assert!(matches!(newer, DecodeError::UnknownVersion { .. }));
    assert!(
        newer
            .to_string()
            .contains("version 2 of event type order.released"),
        "{newer}"
    );
    let other = decode::<OrderEvent>("order.paid", "1", released).unwrap_err();
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
