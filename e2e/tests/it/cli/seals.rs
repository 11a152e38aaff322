//! Seals of the log: made while it is served, kept by an auditor, missed when the log is cut.

use std::{fs, path::Path};

use chrono::{DateTime, TimeDelta, Utc};
use e2e::{Database, Program, ProgramOptions, fresh_database, orders};
use serde_json::{Value, json};
use store::{Head, Position};

use super::support::{Ended, run};

async fn sealing(database: &Database, key: &Path) -> Program {
    let env = vec![
        ("LEDGER_SEALS_KEY_FILE", key.display().to_string()),
        ("LEDGER_SEALS_EVERY", "1s".to_owned()),
    ];
    Program::start(ProgramOptions {
        env,
        ..ProgramOptions::on(database)
    })
    .await
}

/// The seals, once the newest is of the head.
async fn sealed(database: &Database, program: &Program) -> Value {
    let head = database.log().await.head().await.unwrap().position.0;
    e2e::eventually("the head is sealed", || async {
        let seals = run(program.command(&["seals", "--json"])).json();
        let newest = seals["seals"].as_array().unwrap().last().cloned();
        newest
            .is_some_and(|seal| seal["position"] == head)
            .then_some(seals)
    })
    .await
}

fn verify(program: &Program, seals: &Path, more: &[&str]) -> Ended {
    let mut arguments = vec!["verify", "--json", "--seal", seals.to_str().unwrap()];
    arguments.extend(more);
    run(program.command(&arguments))
}

fn assert_forgeries_are_found(program: &Program, one: &Path, newest: &Value, earlier: Position) {
    // What was changed in a seal is not what was signed.
    for (field, value) in [
        ("position", json!(earlier.0)),
        ("hash", json!("ab".repeat(32))),
        ("sealedAt", json!("2026-01-01T00:00:00.000000Z")),
        ("keyId", json!("x")),
    ] {
        let mut forged = newest.clone();
        forged[field] = value;
        fs::write(one, forged.to_string()).unwrap();
        let found = verify(program, one, &[]);
        assert_eq!(found.code, Some(8), "{field}");
        let finding = found.json()["seals"]["findings"][0].to_string();
        assert!(
            finding.contains("the signature is not its key's"),
            "{field}: {finding}"
        );
    }
}

/// Whoever owns the database cuts the log off behind a position so well that the log by itself is sound.
async fn cut_off(database: &Database, first: &Head) {
    let pool = database.superuser_pool().await;
    let hash: String = first
        .hash
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let cut = format!(
        "set session_replication_role = replica;
         alter table events disable trigger all; alter table command_log disable trigger all;
         do $$ declare part regclass; begin
            for part in select inhrelid from pg_inherits where inhparent = 'events'::regclass loop
                execute format('alter table %s disable trigger all', part);
            end loop; end $$;
         delete from events where position > {at};
         delete from command_log where first_position > {at};
         delete from stream_head where first_position > {at};
         update log_head set position = {at}, hash = decode('{hash}', 'hex')",
        at = first.position
    );
    sqlx::raw_sql(&cut).execute(&pool).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_keeps_seals_and_finds_that_the_log_was_cut() {
    let database = fresh_database().await.with_stores().await;
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("seal.pk8");
    let mut program = sealing(&database, &key).await;
    let bus = database.bus().await;
    orders::placed(&bus).await;
    let first = database.log().await.head().await.unwrap();
    sealed(&database, &program).await;
    orders::placed(&bus).await;
    let seals = sealed(&database, &program).await;
    let served = program
        .api(&program.token("auditor", &[]))
        .get("/v1/seals")
        .await;
    assert_eq!((served.status, served.json()), (200, seals.clone()));

    let kept = dir.path().join("kept.json");
    fs::write(&kept, seals.to_string()).unwrap();
    let public = seals["seals"][0]["publicKey"].as_str().unwrap();
    let good = verify(&program, &kept, &["--seal-key", public]);
    assert_eq!(good.code, Some(0), "{good:?}");
    let count = seals["seals"].as_array().unwrap().len();
    assert_eq!(good.json()["seals"]["checked"], count);
    let said = run(program.command(&["seals"]));
    assert!(said.out.contains(public), "{said:?}");
    // Of a single seal too, and not by another's key.
    let newest = seals["seals"].as_array().unwrap().last().unwrap().clone();
    let one = dir.path().join("one.json");
    fs::write(&one, newest.to_string()).unwrap();
    assert_eq!(verify(&program, &one, &[]).code, Some(0));
    let other = verify(&program, &one, &["--seal-key", "AAAA"]);
    assert_eq!(other.code, Some(8));
    assert_forgeries_are_found(&program, &one, &newest, first.position);
    fs::write(&one, "[]").unwrap();
    assert_eq!(verify(&program, &one, &[]).code, Some(7));
    program.stop().await;

    cut_off(&database, &first).await;
    let alone = run(program.command(&["verify", "--json"]));
    assert_eq!(alone.json()["findings"], json!([]), "{alone:?}");
    let found = verify(&program, &kept, &[]);
    assert_eq!(found.code, Some(8), "{found:?}");
    let finding = found.json()["seals"]["findings"][0].to_string();
    assert!(
        finding.contains("the log has no event there any more"),
        "{finding}"
    );
    // Other events in their place do not have the hash.
    orders::placed(&database.bus().await).await;
    let found = verify(&program, &kept, &[]);
    assert_eq!(found.code, Some(8));
    let finding = found.json()["seals"]["findings"][0].to_string();
    assert!(finding.contains("the log has the hash"), "{finding}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_ledgers_seal_as_often_as_one() {
    let database = fresh_database().await.with_stores().await;
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("seal.pk8");
    let programs = [
        sealing(&database, &key).await,
        sealing(&database, &key).await,
    ];
    let bus = database.bus().await;
    let seals = e2e::eventually("four seals", || async {
        orders::placed(&bus).await;
        let seals = run(programs[0].command(&["seals", "--json"])).json();
        let seals = seals["seals"].as_array().unwrap().clone();
        (seals.len() >= 4).then_some(seals)
    })
    .await;
    let at = |seal: &Value| {
        seal["sealedAt"]
            .as_str()
            .unwrap()
            .parse::<DateTime<Utc>>()
            .unwrap()
    };
    for pair in seals.windows(2) {
        assert!(
            at(&pair[1]) - at(&pair[0]) >= TimeDelta::seconds(1),
            "{pair:?}"
        );
        assert!(pair[1]["position"].as_i64() > pair[0]["position"].as_i64());
    }
}
