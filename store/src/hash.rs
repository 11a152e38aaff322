//! What is hashed, and how. The only place that knows; appending and verifying both use it.
//!
//! **Content hash** of an event: SHA-256 over the label `ledger-event-1` and these nine fields in
//! this order, the label and every field preceded by its length in bytes as a 32-bit big-endian
//! number (so no two different events give the same input):
//! `aggregate_type`, `aggregate_id`, `sequence` (64-bit big-endian), `event_id` (16 bytes),
//! `event_type`, `event_version`, `command_id` (16 bytes), `payload` (the JSON text as stored),
//! `metadata` (the JSON text as stored). Text is UTF-8.
//!
//! **Chain hash**: SHA-256 over the previous event's chain hash (32 zero bytes before the first
//! event), the position (64-bit big-endian), `recorded_at` in microseconds since 1970 (64-bit
//! big-endian) and the content hash. The database computes it while it holds the head of the log.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::record::{Hash, NewEvent, Position, Recorded, StreamId};

/// The hash before the first event.
pub const GENESIS: Hash = [0; 32];

const LABEL: &[u8] = b"ledger-event-1";

/// The content hash of an event about to become number `sequence` of `stream`.
pub fn content(stream: &StreamId, sequence: i64, command_id: Uuid, event: &NewEvent) -> Hash {
    fields([
        LABEL,
        stream.aggregate_type.as_bytes(),
        stream.aggregate_id.as_bytes(),
        &sequence.to_be_bytes(),
        event.event_id.as_bytes(),
        event.event_type.as_bytes(),
        event.event_version.as_bytes(),
        command_id.as_bytes(),
        event.payload.as_bytes(),
        event.metadata.as_bytes(),
    ])
}

/// The content hash of a stored event, computed anew from what it says.
pub fn content_of(event: &Recorded) -> Hash {
    fields([
        LABEL,
        event.aggregate_type.as_bytes(),
        event.aggregate_id.as_bytes(),
        &event.sequence.to_be_bytes(),
        event.event_id.as_bytes(),
        event.event_type.as_bytes(),
        event.event_version.as_bytes(),
        event.command_id.as_bytes(),
        event.payload.as_bytes(),
        event.metadata.as_bytes(),
    ])
}

/// The chain hash of the event at `position`.
pub fn chain(
    previous: &Hash,
    position: Position,
    recorded_at: DateTime<Utc>,
    content: &Hash,
) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(previous);
    hasher.update(position.0.to_be_bytes());
    hasher.update(recorded_at.timestamp_micros().to_be_bytes());
    hasher.update(content);
    hasher.finalize().into()
}

fn fields(fields: [&[u8]; 10]) -> Hash {
    let mut hasher = Sha256::new();
    for field in fields {
        // An append is bounded far below 4 GiB; a longer field would have to be rejected there.
        let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
        hasher.update(length.to_be_bytes());
        hasher.update(field);
    }
    hasher.finalize().into()
}

/// Bytes as lower-case hexadecimal, as hashes are shown everywhere.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A SHA-256 hash from hexadecimal.
pub fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_survives_hexadecimal() {
        let hash: [u8; 32] = std::array::from_fn(|n| u8::try_from(n * 7).unwrap());
        assert_eq!(unhex(&hex(&hash)), Some(hash));
        assert_eq!(unhex("00"), None);
        assert_eq!(unhex(&"ก".repeat(22)), None);
    }
}
