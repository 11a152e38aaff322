//! What `verify` finds in a damaged log.

use std::collections::BTreeSet;

use store::verify::{FindingKind, verify_stream};

use super::db::*;

fn found(list: &[(FindingKind, i64)]) -> BTreeSet<(String, i64)> {
    list.iter().map(|(k, p)| (format!("{k:?}"), *p)).collect()
}

/// Ten commands of two events on three streams, and what becomes of them.
async fn harmed(damage: &str) -> Db {
    let db = fresh_db().await;
    let log = db.log().await;
    for n in 0..10 {
        log.append(append(&format!("s{}", n % 3), n / 3 * 2, 2))
            .await
            .unwrap();
    }
    db.assert_sound(20).await;
    for table in ["events_p0000000000000001", "command_log"] {
        db.run(&format!("ALTER TABLE {table} DISABLE TRIGGER ALL"))
            .await;
    }
    db.run(damage).await;
    db
}

async fn damaged(damage: &str) -> BTreeSet<(String, i64)> {
    harmed(damage).await.findings().await
}

/// What a check of stream `s0` alone finds: its events stand at 1, 2, 7, 8, 13, 14, 19 and 20.
async fn damaged_stream(damage: &str) -> BTreeSet<(String, i64)> {
    let db = harmed(damage).await;
    let stream = append("s0", 0, 1).stream;
    let report = verify_stream(&db.pool, LOG, &stream).await.unwrap();
    let findings = report.findings.iter();
    findings
        .map(|finding| (format!("{:?}", finding.kind), finding.position.0))
        .collect()
}

#[tokio::test]
async fn one_stream_alone_is_checked_against_itself_and_its_neighbours() {
    use FindingKind::{CommandLog, Content, Gap, Hash, Link, Sequence, StreamHead};
    let events = "events_p0000000000000001";
    let payload = "payload = replace(payload::text, ':1', ':7')::json";
    for (damage, expected) in [
        ("SELECT 1".to_owned(), vec![]),
        (
            format!("UPDATE {events} SET {payload} WHERE position = 7"),
            vec![(Content, 7)],
        ),
        // Another stream's event is none of its own business, but for the hash that it follows.
        (
            format!("UPDATE {events} SET {payload} WHERE position = 5"),
            vec![],
        ),
        (
            format!("UPDATE {events} SET hash = sha256('x') WHERE position = 6"),
            vec![(Link, 7)],
        ),
        (
            format!("UPDATE {events} SET hash = sha256('x') WHERE position = 7"),
            vec![(Hash, 7), (Link, 8)],
        ),
        (
            format!("DELETE FROM {events} WHERE position = 6"),
            vec![(Gap, 6)],
        ),
        (
            format!("DELETE FROM {events} WHERE position = 8"),
            vec![(Sequence, 13)],
        ),
        (
            format!("DELETE FROM {events} WHERE position = 20"),
            vec![(StreamHead, 20)],
        ),
        (
            format!("DELETE FROM {events} WHERE position = 1"),
            vec![(Gap, 1), (Sequence, 2), (StreamHead, 1)],
        ),
        (
            "DELETE FROM command_log WHERE first_position = 7".to_owned(),
            vec![(CommandLog, 7), (CommandLog, 8)],
        ),
        (
            "UPDATE stream_head SET version = 99 WHERE aggregate_id = 's0'".to_owned(),
            vec![(StreamHead, 20)],
        ),
    ] {
        assert_eq!(damaged_stream(&damage).await, found(&expected), "{damage}");
    }
}

#[tokio::test]
async fn verify_finds_a_flipped_byte() {
    let flip = "UPDATE events_p0000000000000001 SET payload = replace(payload::text, ':1', ':7')::json \
                WHERE position = 9";
    let findings = damaged(flip).await;
    assert_eq!(findings, found(&[(FindingKind::Content, 9)]));
}

#[tokio::test]
async fn verify_finds_white_space_that_was_changed() {
    let flip = "UPDATE events_p0000000000000001 SET metadata = (metadata::text || ' ')::json \
                WHERE position = 9";
    let findings = damaged(flip).await;
    assert_eq!(findings, found(&[(FindingKind::Content, 9)]));
}

#[tokio::test]
async fn verify_finds_a_removed_tail() {
    let cut = "DELETE FROM events_p0000000000000001 WHERE position = 20";
    let findings = damaged(cut).await;
    assert_eq!(
        findings,
        found(&[
            (FindingKind::Head, 20),
            (FindingKind::StreamHead, 20),
            (FindingKind::CommandLog, 20)
        ])
    );
}

#[tokio::test]
async fn verify_finds_a_tail_removed_from_every_table() {
    // The whole last command is gone and the head moved back: only its old hash betrays it.
    let cut = "DELETE FROM events_p0000000000000001 WHERE position > 18; \
               DELETE FROM command_log WHERE last_position > 18; \
               UPDATE stream_head SET version = version - 2, last_position = 14 WHERE last_position = 20; \
               UPDATE log_head SET position = 18";
    let findings = damaged(cut).await;
    assert!(findings.contains(&("Head".to_owned(), 18)), "{findings:?}");
}

#[tokio::test]
async fn verify_finds_a_removed_middle() {
    let cut = "DELETE FROM events_p0000000000000001 WHERE position = 8";
    let findings = damaged(cut).await;
    assert!(findings.contains(&("Gap".to_owned(), 8)), "{findings:?}");
    assert!(
        findings.iter().any(|(k, _)| k == "Sequence"),
        "{findings:?}"
    );
    assert!(!findings.iter().any(|(k, _)| k == "Link"), "{findings:?}");
}

#[tokio::test]
async fn verify_finds_a_rehashed_event() {
    let forge = "UPDATE events_p0000000000000001 SET hash = sha256('x') WHERE position = 7";
    let findings = damaged(forge).await;
    assert_eq!(
        findings,
        found(&[(FindingKind::Hash, 7), (FindingKind::Link, 8)])
    );
}

#[tokio::test]
async fn verify_finds_heads_and_commands_that_disagree() {
    let forge = "UPDATE stream_head SET version = 99 WHERE aggregate_id = 's0'; \
                 DELETE FROM command_log WHERE first_position = 3";
    let findings = damaged(forge).await;
    assert_eq!(
        findings,
        found(&[
            (FindingKind::StreamHead, 20),
            (FindingKind::CommandLog, 3),
            (FindingKind::CommandLog, 4)
        ])
    );
}

#[tokio::test]
async fn verify_finds_an_acknowledgement_of_what_never_was() {
    let row = |position: i64, version: i64, first: i64| {
        format!(
            "INSERT INTO command_log SELECT 1, gen_random_uuid(), sha256('x'), 's0', {first}, {position}, {version}"
        )
    };
    // Of stream s0, whose second pair of events lies at 7 and 8.
    assert_eq!(damaged(&row(8, 4, 9)).await, found(&[]));
    assert_eq!(damaged(&row(0, 0, 1)).await, found(&[]));
    for (position, version, first) in [(8, 3, 9), (9, 1, 10), (8, 4, 10), (0, 4, 1)] {
        let findings = damaged(&row(position, version, first)).await;
        assert_eq!(
            findings,
            found(&[(FindingKind::CommandLog, position)]),
            "{position} {version} {first}"
        );
    }
}
