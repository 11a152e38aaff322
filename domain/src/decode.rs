//! From stored JSON to today's events. Stored events are never edited: when a payload breaks with
//! its past, the type gets a new version, and [`Event::upcast`] turns the old one into the new.

use crate::entity::Event;

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
///
/// # Errors
/// [`DecodeError`]; the reader must stop.
pub fn decode<E: Event>(event_type: &str, version: &str, payload: &str) -> Result<E, DecodeError> {
    if E::current_version(event_type) == Some(version) {
        return finish(event_type, version, serde_json::from_str(payload));
    }
    let value = serde_json::from_str(payload).map_err(|e| damaged(event_type, version, e))?;
    decode_value(event_type, version, value)
}

/// As [`decode`], for a payload that is parsed already.
///
/// # Errors
/// As [`decode`].
pub fn decode_value<E: Event>(
    event_type: &str,
    version: &str,
    payload: serde_json::Value,
) -> Result<E, DecodeError> {
    let names = || (event_type.to_owned(), version.to_owned());
    let Some(current) = E::current_version(event_type) else {
        let (event_type, version) = names();
        return Err(DecodeError::UnknownType {
            event_type,
            version,
        });
    };
    let payload = if version == current {
        Some(payload)
    } else {
        E::upcast(event_type, version, payload)
    };
    let Some(payload) = payload else {
        let (event_type, version) = names();
        return Err(DecodeError::UnknownVersion {
            event_type,
            version,
        });
    };
    finish(event_type, version, serde_json::from_value(payload))
}

fn damaged(event_type: &str, version: &str, source: serde_json::Error) -> DecodeError {
    DecodeError::Damaged {
        event_type: event_type.to_owned(),
        version: version.to_owned(),
        source,
    }
}

fn finish<E: Event>(
    event_type: &str,
    version: &str,
    parsed: serde_json::Result<E>,
) -> Result<E, DecodeError> {
    let event = parsed.map_err(|e| damaged(event_type, version, e))?;
    if event.event_type() == event_type {
        Ok(event)
    } else {
        Err(DecodeError::TypeMismatch {
            event_type: event_type.to_owned(),
            version: version.to_owned(),
            found: event.event_type(),
        })
    }
}
