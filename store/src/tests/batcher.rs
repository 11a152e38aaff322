use std::collections::HashSet;

use super::command;
use crate::append::{Batcher, MAX_BATCH_BYTES, MAX_BATCH_COMMANDS, MAX_BATCH_EVENTS};
use crate::record::{Append, Claim};

/// Empties a batcher filled with these; the numbers of the commands, batch by batch.
fn batches(commands: Vec<Append>) -> Vec<Vec<usize>> {
    let mut batcher = Batcher::default();
    for (n, command) in commands.into_iter().enumerate() {
        batcher.push(command, n);
    }
    let mut batches = Vec::new();
    while !batcher.is_empty() {
        let batch = batcher.next_batch();
        assert!(!batch.is_empty(), "a waiting command must make progress");
        batches.push(batch.into_iter().map(|(_, n)| n).collect());
    }
    batches
}

fn claiming(id: u128, stream: &str, values: &[&str]) -> Append {
    let mut command = command(id, stream);
    command.claims = values
        .iter()
        .map(|value| Claim {
            scope: "number".to_owned(),
            value: (*value).to_owned(),
        })
        .collect();
    command
}

#[test]
fn one_command_per_stream_and_none_overtakes() {
    let commands = vec![
        command(1, "a"),
        command(2, "a"),
        command(3, "b"),
        command(4, "a"),
        command(5, "c"),
    ];
    assert_eq!(batches(commands), [vec![0, 2, 4], vec![1], vec![3]]);
}

#[test]
fn one_command_per_id() {
    let commands = vec![command(1, "a"), command(1, "b"), command(2, "b")];
    // The third shares its stream with the second, which waits, so it waits behind it.
    assert_eq!(batches(commands), [vec![0], vec![1], vec![2]]);
}

#[test]
fn one_command_per_claim() {
    let commands = vec![
        claiming(1, "a", &["1", "1"]),
        claiming(2, "b", &["2", "1"]),
        claiming(3, "c", &["2"]),
        claiming(4, "d", &["3"]),
    ];
    assert_eq!(batches(commands), [vec![0, 3], vec![1], vec![2]]);
}

#[test]
fn a_batch_is_bounded_in_commands_events_and_bytes() {
    let many = |n: usize| (0..n).map(|i| command(i as u128, &i.to_string()));
    let sizes = |commands: Vec<Append>| batches(commands).iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(
        sizes(many(MAX_BATCH_COMMANDS + 3).collect()),
        [MAX_BATCH_COMMANDS, 3]
    );

    let event = command(1, "a").events[0].clone();
    let with_events = |n: usize| many(10).map(move |c| (c, n));
    let commands = with_events(MAX_BATCH_EVENTS / 4)
        .map(|(mut c, n)| {
            c.events = vec![event.clone(); n];
            c
        })
        .collect();
    assert_eq!(sizes(commands), [4, 4, 2]);

    let commands = many(5)
        .map(|mut c| {
            c.events[0].payload = "x".repeat(MAX_BATCH_BYTES / 2 - 1000);
            c
        })
        .collect();
    assert_eq!(sizes(commands), [2, 2, 1]);
}

#[test]
fn a_command_larger_than_a_batch_goes_alone() {
    let mut large = command(2, "b");
    large.events[0].payload = "x".repeat(MAX_BATCH_BYTES + 1);
    let commands = vec![command(1, "a"), large, command(3, "c")];
    assert_eq!(batches(commands), [vec![0], vec![1], vec![2]]);
}

/// A long queue of few streams, ids and claims, from a fixed pseudo-random sequence.
#[test]
fn any_queue_is_emptied_without_sharing_or_overtaking() {
    let mut state = 7_u64;
    let mut draw = move |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let commands: Vec<Append> = (0..3000)
        .map(|_| {
            let claim = draw(200).to_string();
            let values: &[&str] = if draw(3) == 0 { &[&claim] } else { &[] };
            claiming(draw(500).into(), &draw(300).to_string(), values)
        })
        .collect();
    let batches = batches(commands.clone());
    let mut batch_of = vec![0; commands.len()];
    for (number, batch) in batches.iter().enumerate() {
        let mut streams = HashSet::new();
        let mut ids = HashSet::new();
        let mut claims = HashSet::new();
        for &n in batch {
            batch_of[n] = number;
            assert!(streams.insert(&commands[n].stream));
            assert!(ids.insert(commands[n].command_id));
            assert!(commands[n].claims.iter().all(|c| claims.insert(c)));
        }
    }
    assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), commands.len());
    for later in 0..commands.len() {
        for earlier in later.saturating_sub(50)..later {
            if commands[earlier].stream == commands[later].stream {
                assert!(batch_of[earlier] < batch_of[later]);
            }
        }
    }
}
