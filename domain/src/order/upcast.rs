//! From stored JSON to today's events. Stored events are never edited: when a payload breaks with
//! its past, the type gets a new version, and this module turns the old one into the new.

use super::event::OrderEvent;

/// Why a stored event cannot be read. A reader that meets one must stop: skipping it would lose a
/// fact.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A type this program does not know.
    #[error("unknown event type {event_type} (version {version}): run a newer program")]
    UnknownType {
        /// The stored type.
        event_type: String,
        /// The stored version.
        version: String,
    },
    /// A version of the type this program does not know.
    #[error("unknown version {version} of event type {event_type}: run a newer program")]
    UnknownVersion {
        /// The stored type.
        event_type: String,
        /// The stored version.
        version: String,
    },
    /// The payload names another type than its record.
    #[error("event stored as {event_type} (version {version}) says that it is {found}")]
    TypeMismatch {
        /// The stored type.
        event_type: String,
        /// The stored version.
        version: String,
        /// What the payload says.
        found: &'static str,
    },
    /// The payload is not an event of that type and version.
    #[error("damaged {event_type} (version {version}): {source}")]
    Damaged {
        /// The stored type.
        event_type: String,
        /// The stored version.
        version: String,
        /// What the parser says.
        source: serde_json::Error,
    },
}

/// Reads a stored event of any version as today's event.
pub fn decode(event_type: &str, version: &str, payload: &str) -> Result<OrderEvent, DecodeError> {
    finish(event_type, version, || serde_json::from_str(payload))
}

/// As [`decode`], for a payload that is parsed already.
pub fn decode_value(
    event_type: &str,
    version: &str,
    payload: serde_json::Value,
) -> Result<OrderEvent, DecodeError> {
    finish(event_type, version, || serde_json::from_value(payload))
}

fn finish(
    event_type: &str,
    version: &str,
    parse: impl FnOnce() -> serde_json::Result<OrderEvent>,
) -> Result<OrderEvent, DecodeError> {
    let names = || (event_type.to_owned(), version.to_owned());
    if !OrderEvent::TYPES.contains(&event_type) {
        let (event_type, version) = names();
        return Err(DecodeError::UnknownType {
            event_type,
            version,
        });
    }
    if version != OrderEvent::VERSION {
        let (event_type, version) = names();
        return Err(DecodeError::UnknownVersion {
            event_type,
            version,
        });
    }
    let event = parse().map_err(|source| {
        let (event_type, version) = names();
        DecodeError::Damaged {
            event_type,
            version,
            source,
        }
    })?;
    if event.event_type() == event_type {
        Ok(event)
    } else {
        let (event_type, version) = names();
        Err(DecodeError::TypeMismatch {
            event_type,
            version,
            found: event.event_type(),
        })
    }
}
