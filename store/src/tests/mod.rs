//! The parts that need no server.

mod batcher;
mod framing;

use uuid::Uuid;

use crate::record::{Append, NewEvent, StreamId};

/// A command for the stream `stream` with one event.
fn command(id: u128, stream: &str) -> Append {
    Append {
        command_id: Uuid::from_u128(id),
        request_hash: [0; 32],
        stream: StreamId::new("order", stream),
        expected_version: 0,
        events: vec![NewEvent {
            event_id: Uuid::from_u128(1),
            event_type: "OrderPlaced".to_owned(),
            event_version: "1".to_owned(),
            payload: "{}".to_owned(),
            metadata: "{}".to_owned(),
        }],
        claims: Vec::new(),
        subject_key: None,
    }
}
