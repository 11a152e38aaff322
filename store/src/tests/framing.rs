use std::collections::HashSet;

use chrono::DateTime;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::command;
use crate::hash::{GENESIS, chain, content, content_of};
use crate::record::{Hash, NewEvent, Position, Recorded, StreamId};

/// The hash of the event of `command(9, "a")` after `change`.
fn hash(change: impl FnOnce(&mut StreamId, &mut i64, &mut Uuid, &mut NewEvent)) -> Hash {
    let command = command(9, "a");
    let (mut stream, mut sequence, mut id) = (command.stream, 1, command.command_id);
    let mut event = command.events[0].clone();
    change(&mut stream, &mut sequence, &mut id, &mut event);
    content(&stream, sequence, id, &event)
}

/// The documented framing, written a second time: what is stored must verify for ever.
#[test]
fn the_framing_is_as_documented() {
    let mut bytes = Vec::new();
    for field in [
        &b"ledger-event-1"[..],
        b"order",
        b"a",
        &[0, 0, 0, 0, 0, 0, 0, 1],
        Uuid::from_u128(1).as_bytes(),
        b"OrderPlaced",
        b"1",
        Uuid::from_u128(9).as_bytes(),
        b"{}",
        b"{}",
    ] {
        bytes.extend_from_slice(&u32::try_from(field.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(field);
    }
    let expected: Hash = Sha256::digest(&bytes).into();
    assert_eq!(hash(|_, _, _, _| {}), expected);
}

#[test]
fn every_field_counts_and_no_border_can_move() {
    let hashes = [
        hash(|_, _, _, _| {}),
        hash(|s, _, _, _| s.aggregate_type = "orde".into()),
        hash(|s, _, _, _| {
            s.aggregate_type = "orde".into();
            s.aggregate_id = "ra".to_owned();
        }),
        hash(|s, _, _, _| s.aggregate_id = "b".to_owned()),
        hash(|_, n, _, _| *n = 2),
        hash(|_, _, id, _| *id = Uuid::nil()),
        hash(|_, _, _, e| e.event_id = Uuid::nil()),
        hash(|_, _, _, e| e.event_type = "OrderPaid".to_owned()),
        hash(|_, _, _, e| {
            e.event_type = "OrderPlaced1".to_owned();
            e.event_version = String::new();
        }),
        hash(|_, _, _, e| e.event_version = "2".to_owned()),
        hash(|_, _, _, e| e.payload = "{ }".to_owned()),
        hash(|_, _, _, e| e.metadata = "{ }".to_owned()),
        hash(|_, _, _, e| {
            e.payload = "{}{".to_owned();
            e.metadata = "}".to_owned();
        }),
    ];
    assert_eq!(hashes.iter().collect::<HashSet<_>>().len(), hashes.len());
}

#[test]
fn a_stored_event_hashes_like_the_new_one() {
    let command = command(9, "a");
    let event = command.events[0].clone();
    let recorded = Recorded {
        position: Position(5),
        event_id: event.event_id,
        aggregate_type: "order".to_owned(),
        aggregate_id: "a".to_owned(),
        sequence: 1,
        event_type: event.event_type,
        event_version: event.event_version,
        payload: event.payload,
        metadata: event.metadata,
        command_id: command.command_id,
        recorded_at: DateTime::UNIX_EPOCH,
        content_hash: GENESIS,
        prev_hash: GENESIS,
        hash: GENESIS,
    };
    assert_eq!(content_of(&recorded), hash(|_, _, _, _| {}));
    assert!(
        !format!("{recorded:?}").contains("{}"),
        "no payload in Debug"
    );
}

#[test]
fn the_chain_depends_on_everything_before() {
    let at = |micros| DateTime::from_timestamp_micros(micros).unwrap();
    let base = chain(&GENESIS, Position(1), at(1), &[1; 32]);
    let mut bytes = vec![0; 32];
    bytes.extend_from_slice(&1_i64.to_be_bytes());
    bytes.extend_from_slice(&1_i64.to_be_bytes());
    bytes.extend_from_slice(&[1; 32]);
    assert_eq!(base, Hash::from(Sha256::digest(&bytes)));
    assert_ne!(base, chain(&[2; 32], Position(1), at(1), &[1; 32]));
    assert_ne!(base, chain(&GENESIS, Position(2), at(1), &[1; 32]));
    assert_ne!(base, chain(&GENESIS, Position(1), at(2), &[1; 32]));
    assert_ne!(base, chain(&GENESIS, Position(1), at(1), &[2; 32]));
}
