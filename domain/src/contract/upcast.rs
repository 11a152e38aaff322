//! What happens when a type breaks with its past, shown on a type of three versions.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    decode::{DecodeError, decode, decode_value},
    entity::Event,
    money::Money,
};

/// A fact whose shape changed twice: first `baht`, a whole number; then `amount`, a decimal; then
/// `amount` with the `method`, which used to be cash always.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Counted {
    #[serde(rename = "till.counted")]
    Till { amount: Money, method: String },
    #[serde(rename = "till.closed")]
    Closed {},
}

impl Event for Counted {
    const TYPES: &'static [&'static str] = &["till.counted", "till.closed"];

    fn event_type(&self) -> &'static str {
        match self {
            Self::Till { .. } => "till.counted",
            Self::Closed {} => "till.closed",
        }
    }

    fn current_version(event_type: &str) -> Option<&'static str> {
        match event_type {
            "till.counted" => Some("3"),
            "till.closed" => Some("1"),
            _ => None,
        }
    }

    fn upcast(event_type: &str, version: &str, payload: Value) -> Option<Value> {
        match (event_type, version) {
            ("till.counted", "1") => Self::upcast(event_type, "2", from_baht(payload)),
            ("till.counted", "2") => Some(with_method(payload)),
            _ => None,
        }
    }
}

fn from_baht(mut payload: Value) -> Value {
    let baht = payload["baht"].as_i64().map(|baht| format!("{baht}.0000"));
    if let Some(members) = payload.as_object_mut() {
        members.remove("baht");
        members.insert("amount".into(), json!(baht));
    }
    payload
}

fn with_method(mut payload: Value) -> Value {
    if let Some(members) = payload.as_object_mut() {
        members.insert("method".into(), json!("CASH"));
    }
    payload
}

#[test]
fn every_past_version_becomes_todays_event() {
    let event = Counted::Till {
        amount: "120".parse().unwrap(),
        method: "CASH".into(),
    };
    assert_eq!(event.version(), "3");
    for (version, stored) in [
        ("1", r#"{"type":"till.counted","baht":120}"#),
        ("2", r#"{"type":"till.counted","amount":"120.0000"}"#),
        (
            "3",
            r#"{"type":"till.counted","amount":"120.0000","method":"CASH"}"#,
        ),
    ] {
        assert_eq!(
            decode::<Counted>("till.counted", version, stored).unwrap(),
            event
        );
        let value = serde_json::from_str(stored).unwrap();
        assert_eq!(
            decode_value::<Counted>("till.counted", version, value).unwrap(),
            event
        );
    }
    let closed = decode::<Counted>("till.closed", "1", r#"{"type":"till.closed"}"#).unwrap();
    assert_eq!(closed, Counted::Closed {});
}

#[test]
fn an_old_event_that_is_damaged_is_not_made_up() {
    for stored in [
        "{",
        "null",
        "[]",
        "{}",
        r#"{"type":"till.counted","baht":"many"}"#,
    ] {
        let error = decode::<Counted>("till.counted", "1", stored).unwrap_err();
        assert!(
            matches!(error, DecodeError::Damaged { .. }),
            "{stored}: {error}"
        );
        assert!(
            error.to_string().contains("till.counted (version 1)"),
            "{error}"
        );
    }
}

#[test]
fn a_version_that_nobody_wrote_is_not_read() {
    let stored = r#"{"type":"till.counted","amount":"120.0000","method":"CASH"}"#;
    for (event_type, version) in [
        ("till.counted", "4"),
        ("till.counted", "0"),
        ("till.closed", "2"),
    ] {
        let error = decode::<Counted>(event_type, version, stored).unwrap_err();
        assert!(
            matches!(error, DecodeError::UnknownVersion { .. }),
            "{error}"
        );
    }
    let error = decode::<Counted>("till.opened", "1", stored).unwrap_err();
    assert!(matches!(error, DecodeError::UnknownType { .. }), "{error}");
}
