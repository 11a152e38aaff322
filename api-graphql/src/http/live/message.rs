//! The messages of graphql-transport-ws (the protocol of the npm package graphql-ws).

use async_graphql::{Response as GraphqlResponse, ServerError};
use serde_json::{Map, Value, json};

/// The protocol's name, as the handshake has it.
pub(in crate::http) const PROTOCOL: &str = "graphql-transport-ws";

/// Why a socket is closed: code and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Close(pub(super) u16, pub(super) String);

impl Close {
    pub(super) fn bad(why: &str) -> Self {
        Self(4400, why.to_owned())
    }

    pub(super) fn unauthorized() -> Self {
        Self(4401, "Unauthorized".to_owned())
    }

    pub(super) fn forbidden() -> Self {
        Self(4403, "Forbidden".to_owned())
    }

    pub(super) fn no_init() -> Self {
        Self(4408, "Connection initialisation timeout".to_owned())
    }

    pub(super) fn twice(id: &str) -> Self {
        Self(4409, format!("Subscriber for {id} already exists"))
    }

    pub(super) fn too_many_inits() -> Self {
        Self(4429, "Too many initialisation requests".to_owned())
    }

    pub(super) fn rate_limited() -> Self {
        Self(4429, "Too many requests".to_owned())
    }

    pub(super) fn full() -> Self {
        Self(4429, "Too many connections".to_owned())
    }

    pub(super) fn going() -> Self {
        Self(1001, "The server stops".to_owned())
    }
}

/// What a client says.
#[derive(Debug, PartialEq)]
pub(super) enum Said {
    Init(Map<String, Value>),
    Ping(Option<Value>),
    Pong,
    Subscribe(String, Map<String, Value>),
    Complete(String),
}

impl Said {
    /// Reads a message.
    ///
    /// # Errors
    /// How the socket is closed where it is none.
    pub(super) fn read(text: &str) -> Result<Self, Close> {
        let bad = || Close::bad("Invalid message");
        let Ok(Value::Object(mut fields)) = serde_json::from_str(text) else {
            return Err(bad());
        };
        let payload = fields.remove("payload").filter(|p| !p.is_null());
        let object = |payload| match payload {
            Some(Value::Object(map)) => Ok(map),
            None => Ok(Map::new()),
            Some(_) => Err(bad()),
        };
        let id = match fields.remove("id") {
            Some(Value::String(id)) if !id.is_empty() => Some(id),
            _ => None,
        };
        match fields.get("type").and_then(Value::as_str) {
            Some("connection_init") => Ok(Self::Init(object(payload)?)),
            Some("ping") => Ok(Self::Ping(payload)),
            Some("pong") => Ok(Self::Pong),
            Some("subscribe") => match payload {
                Some(Value::Object(params)) => Ok(Self::Subscribe(id.ok_or_else(bad)?, params)),
                _ => Err(bad()),
            },
            Some("complete") => Ok(Self::Complete(id.ok_or_else(bad)?)),
            _ => Err(bad()),
        }
    }
}

pub(super) fn ack() -> String {
    json!({ "type": "connection_ack" }).to_string()
}

pub(super) fn pong(payload: Option<Value>) -> String {
    match payload {
        Some(payload) => json!({ "type": "pong", "payload": payload }).to_string(),
        None => json!({ "type": "pong" }).to_string(),
    }
}

pub(super) fn next(id: &str, answer: &GraphqlResponse) -> String {
    json!({ "id": id, "type": "next", "payload": answer }).to_string()
}

pub(super) fn errors(id: &str, errors: &[ServerError]) -> String {
    json!({ "id": id, "type": "error", "payload": errors }).to_string()
}

pub(super) fn complete(id: &str) -> String {
    json!({ "id": id, "type": "complete" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_or_close_the_socket() {
        let read = Said::read;
        assert_eq!(
            read(r#"{"type":"connection_init"}"#),
            Ok(Said::Init(Map::new()))
        );
        assert_eq!(
            read(r#"{"type":"ping","payload":{"a":1}}"#),
            Ok(Said::Ping(Some(json!({"a": 1}))))
        );
        assert_eq!(
            read(r#"{"type":"complete","id":"x"}"#),
            Ok(Said::Complete("x".into()))
        );
        let subscribe = read(r#"{"type":"subscribe","id":"x","payload":{"query":"{a}"}}"#);
        assert!(matches!(subscribe, Ok(Said::Subscribe(id, _)) if id == "x"));
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"type":"hello"}"#,
            r#"{"type":"connection_init","payload":7}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"x"}"#,
            r#"{"type":"complete"}"#,
            r#"{"type":"complete","id":7}"#,
        ] {
            assert_eq!(read(bad), Err(Close::bad("Invalid message")), "{bad}");
        }
    }
}
