//! `export` and `export verify`.

use std::{fs, path::Path};

use e2e::STORE_EVENTS;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    order::delivered,
    support::{Ended, Shell},
};

/// Events of a database with one delivered order.
const EVENTS: i64 = STORE_EVENTS + 12;

fn export(shell: &Shell<'_>, to: &str, more: &[&str]) -> Ended {
    let mut arguments = vec!["export", "--to", to, "--json"];
    arguments.extend(more);
    shell.run(&arguments)
}

fn check(shell: &Shell<'_>, dir: &str) -> (Option<i32>, Value) {
    let ended = shell.run(&["export", "verify", dir, "--json"]);
    (ended.code, ended.json())
}

fn manifest(dir: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(dir.join("manifest.json")).unwrap()).unwrap()
}

fn sha256(path: &Path) -> String {
    let hash = Sha256::digest(fs::read(path).unwrap());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every file of a directory.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_the_log_in_parts_and_proves_it() {
    let (database, id, _) = delivered().await;
    let shell = Shell::new(Some(&database));
    let dir = shell.dir.path().join("out");
    let done = export(&shell, "out", &["--format", "jsonl", "--part-events", "5"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let written = manifest(&dir);
    assert_eq!(done.json(), written);
    let parts = written["parts"].as_array().unwrap();
    let rows: Vec<_> = parts
        .iter()
        .map(|part| part["rows"].as_i64().unwrap())
        .collect();
    assert_eq!(rows, [5, 5, 5, EVENTS - 15]);
    let head = database.log().await.head().await.unwrap();
    let hash: String = head.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        written["until"],
        json!({ "position": EVENTS, "hash": hash })
    );
    for part in parts {
        let path = dir.join(part["file"].as_str().unwrap());
        assert_eq!(part["sha256"], sha256(&path));
        assert_eq!(part["bytes"], fs::metadata(&path).unwrap().len());
    }
    let text: String = files(&dir)
        .into_iter()
        .map(|f| String::from_utf8(f.1).unwrap())
        .collect();
    for secret in ["สมหญิง", "+66800000042", "somying.secret", "Hidden Lane"] {
        assert!(!text.contains(secret), "{secret}");
    }
    assert!(text.contains(&id));
    let (code, found) = check(&shell, "out");
    assert_eq!((code, &found["findings"]), (Some(0), &json!([])), "{found}");
    assert_eq!(
        (&found["rows"], &found["hashesChecked"]),
        (&json!(EVENTS), &json!(true))
    );

    assert_damage_is_found(&shell, &dir, &written);
    let nothing = shell.run(&["export", "verify", "nowhere"]);
    assert_eq!(nothing.code, Some(6), "{nothing:?}");
}

fn assert_damage_is_found(shell: &Shell<'_>, dir: &Path, written: &Value) {
    // One changed amount is found by the hash of the file; by that of the event where the manifest lies too.
    let part = dir.join("part-000002.jsonl");
    let honest = fs::read_to_string(&part).unwrap();
    let forged = honest.replacen("169.0000", "168.0000", 1);
    assert_ne!(honest, forged);
    fs::write(&part, &forged).unwrap();
    let (code, found) = check(shell, "out");
    assert_eq!(code, Some(8));
    assert!(
        found["findings"][0]
            .as_str()
            .unwrap()
            .contains("part-000002.jsonl"),
        "{found}"
    );
    let mut lying = written.clone();
    lying["parts"][1]["sha256"] = json!(sha256(&part));
    fs::write(dir.join("manifest.json"), lying.to_string()).unwrap();
    let (code, found) = check(shell, "out");
    assert_eq!(code, Some(8));
    let finding = found["findings"][0].as_str().unwrap();
    assert!(finding.ends_with("is not what was appended"), "{found}");
    fs::write(&part, &honest).unwrap();
    fs::write(dir.join("manifest.json"), written.to_string()).unwrap();

    fs::copy(&part, dir.join("part-000009.jsonl")).unwrap();
    fs::remove_file(dir.join("part-000003.jsonl")).unwrap();
    let (code, found) = check(shell, "out");
    let findings = found["findings"].to_string();
    assert_eq!(code, Some(8));
    assert!(
        findings.contains("part-000003.jsonl is missing"),
        "{findings}"
    );
    assert!(
        findings.contains("part-000009.jsonl is not in the manifest"),
        "{findings}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_export_goes_on_and_comes_to_the_same_files() {
    let (database, _, _) = delivered().await;
    let shell = Shell::new(Some(&database));
    let arguments = ["--format", "csv", "--part-events", "5"];
    assert_eq!(export(&shell, "whole", &arguments).code, Some(0));
    let whole = shell.dir.path().join("whole");
    // As a kill leaves it: one part is named, the next has its name and no entry, the one after it is half written.
    let killed = shell.dir.path().join("killed");
    fs::create_dir(&killed).unwrap();
    for part in ["part-000001.csv", "part-000002.csv"] {
        fs::copy(whole.join(part), killed.join(part)).unwrap();
    }
    fs::write(killed.join("part-000003.csv.tmp"), "half a").unwrap();
    let mut begun = manifest(&whole);
    begun["isComplete"] = json!(false);
    begun["scannedTo"] = json!(5);
    begun["parts"].as_array_mut().unwrap().truncate(1);
    fs::write(killed.join("manifest.json"), begun.to_string()).unwrap();
    let (code, found) = check(&shell, "killed");
    assert_eq!(code, Some(8));
    assert!(
        found["findings"][0]
            .as_str()
            .unwrap()
            .contains("not complete"),
        "{found}"
    );
    // What was appended meanwhile does not belong to it.
    let bus = database.bus().await;
    e2e::orders::placed(&bus).await;
    assert_eq!(export(&shell, "killed", &arguments).code, Some(0));
    assert_eq!(files(&killed), files(&whole));
    // Once more is nothing to do.
    assert_eq!(export(&shell, "killed", &arguments).code, Some(0));
    assert_eq!(files(&killed), files(&whole));
    for other in [
        vec!["--format", "jsonl", "--part-events", "5"],
        vec!["--format", "csv"],
        vec!["--format", "csv", "--part-events", "5", "--store", "CFR001"],
        vec!["--format", "csv", "--part-events", "5", "--position", "6"],
    ] {
        let refused = export(&shell, "killed", &other);
        assert_eq!(refused.code, Some(7), "{other:?}: {refused:?}");
    }
    fs::create_dir(shell.dir.path().join("mine")).unwrap();
    fs::write(shell.dir.path().join("mine/thesis.txt"), "").unwrap();
    assert_eq!(export(&shell, "mine", &arguments).code, Some(7));
    // The export of another ledger is no beginning of one of this.
    begun["until"]["hash"] = json!("00".repeat(32));
    fs::write(killed.join("manifest.json"), begun.to_string()).unwrap();
    let foreign = export(&shell, "killed", &arguments);
    assert_eq!(foreign.code, Some(8), "{foreign:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_what_was_asked_for() {
    let (database, _, _) = delivered().await;
    let shell = Shell::new(Some(&database));
    for (to, more, rows, until) in [
        ("a", vec!["--format", "parquet"], EVENTS, EVENTS),
        (
            "b",
            vec!["--format", "csv", "--types", "order.placed,order.paid"],
            2,
            EVENTS,
        ),
        ("c", vec!["--format", "jsonl", "--position", "6"], 6, 6),
        (
            "d",
            vec!["--format", "jsonl", "--store", "CFR001"],
            12,
            EVENTS,
        ),
        (
            "e",
            vec!["--format", "parquet", "--store", "CFR404"],
            0,
            EVENTS,
        ),
        ("f", vec!["--format", "csv", "--as-of", "2020-01-01"], 0, 0),
    ] {
        let done = export(&shell, to, &more);
        assert_eq!(done.code, Some(0), "{more:?}: {done:?}");
        assert_eq!(done.json()["until"]["position"], until, "{more:?}");
        let (code, found) = check(&shell, to);
        assert_eq!(
            (code, found["rows"].as_i64()),
            (Some(0), Some(rows)),
            "{more:?}: {found}"
        );
    }
    let to_come = export(&shell, "g", &["--format", "csv", "--as-of", "2099-01-01"]);
    assert_eq!(to_come.code, Some(7), "{to_come:?}");
    assert!(to_come.err.contains("has not come yet"), "{to_come:?}");
    let beyond = export(&shell, "h", &["--format", "csv", "--position", "999"]);
    assert_eq!(beyond.code, Some(7));
    assert!(
        beyond.err.contains("the log ends at position"),
        "{}",
        beyond.err
    );
    for wrong in [
        vec!["export", "--to", "x"],
        vec!["export", "--format", "csv"],
        vec!["export", "--format", "xml", "--to", "x"],
        vec!["export", "--format", "csv", "--to", "x", "--as-of", "later"],
        vec![
            "export",
            "--format",
            "csv",
            "--to",
            "x",
            "--as-of",
            "2026-01-31",
            "--position",
            "1",
        ],
    ] {
        assert_eq!(shell.run(&wrong).code, Some(2), "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_not_called_done_over_damaged_parts_nor_written_over_other_files() {
    let (database, _, _) = delivered().await;
    let shell = Shell::new(Some(&database));
    let arguments = ["--format", "csv", "--part-events", "5"];
    assert_eq!(export(&shell, "out", &arguments).code, Some(0));
    let part = shell.dir.path().join("out/part-000002.csv");
    let honest = fs::read(&part).unwrap();
    fs::write(&part, "something else").unwrap();
    let damaged = export(&shell, "out", &arguments);
    assert_eq!(damaged.code, Some(8), "{damaged:?}");
    assert!(damaged.err.contains("part-000002.csv"), "{damaged:?}");
    fs::remove_file(&part).unwrap();
    let missing = export(&shell, "out", &arguments);
    assert_eq!(missing.code, Some(8), "{missing:?}");
    assert!(missing.err.contains("is missing"), "{missing:?}");
    fs::write(&part, honest).unwrap();
    assert_eq!(export(&shell, "out", &arguments).code, Some(0));

    let mine = shell.dir.path().join("mine");
    fs::create_dir(&mine).unwrap();
    fs::write(mine.join("part-000001.csv"), "mine").unwrap();
    let refused = export(&shell, "mine", &arguments);
    assert_eq!(refused.code, Some(7), "{refused:?}");
    assert_eq!(fs::read(mine.join("part-000001.csv")).unwrap(), b"mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_a_filtered_export_cannot_be_swapped_repeated_or_cut() {
    let (database, _, _) = delivered().await;
    let shell = Shell::new(Some(&database));
    let arguments = ["--format", "jsonl", "--store", "CFR001"];
    assert_eq!(export(&shell, "out", &arguments).code, Some(0));
    let dir = shell.dir.path().join("out");
    let part = dir.join("part-000001.jsonl");
    let written = manifest(&dir);
    let honest = fs::read_to_string(&part).unwrap();
    let lines: Vec<&str> = honest.lines().collect();
    let with = |change: fn(&mut Vec<&str>)| {
        let mut lines = lines.clone();
        change(&mut lines);
        lines.join("\n") + "\n"
    };
    for (forged, word) in [
        (with(|lines| lines.swap(3, 4)), "stands behind"),
        (with(|lines| lines[4] = lines[3]), "stands behind"),
        (
            with(|lines| lines.truncate(lines.len() - 1)),
            "has the events",
        ),
    ] {
        fs::write(&part, &forged).unwrap();
        // Whoever changed the file has changed the manifest as well.
        let mut lying = written.clone();
        lying["parts"][0]["sha256"] = json!(sha256(&part));
        lying["parts"][0]["bytes"] = json!(forged.len());
        lying["parts"][0]["rows"] = json!(forged.lines().count());
        fs::write(dir.join("manifest.json"), lying.to_string()).unwrap();
        let (code, found) = check(&shell, "out");
        assert_eq!(code, Some(8), "{found}");
        assert!(found["findings"].to_string().contains(word), "{found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_export_loses_nothing() {
    let (database, _, _) = delivered().await;
    let shell = Shell::new(Some(&database));
    let arguments = ["--format", "parquet", "--part-events", "1"];
    assert_eq!(export(&shell, "whole", &arguments).code, Some(0));
    let killed = shell.dir.path().join("killed");
    let mut command = shell.command(&["export", "--to", "killed"]);
    let mut child = command.args(arguments).spawn().unwrap();
    e2e::eventually("a second part", || async {
        killed.join("part-000002.parquet").exists().then_some(())
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(export(&shell, "killed", &arguments).code, Some(0));
    assert_eq!(files(&killed), files(&shell.dir.path().join("whole")));
    assert_eq!(check(&shell, "killed").0, Some(0));
}
