//! Lines that are no command get a result too, and the exit code tells.

use ledger::import::Outcome;
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{assert_in_order, outcomes, printed, sample, world};

/// Placing order `n`, then what follows on it by number.
fn line(order: Value, command: Value) -> String {
    let mut line = json!({ "commandId": Uuid::now_v7(), "command": command });
    if !order.is_null() {
        line["order"] = order;
    }
    line.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_life_goes_in_by_number() {
    let world = world().await;
    let place: Value = serde_json::from_str(&sample(1)).unwrap();
    let number = json!({ "number": place["command"]["number"] });
    let progress = |kind: &str, status: u16| json!({ "type": kind, "status": status });
    let cancel = json!({ "type": "cancel", "reason": "changed" });
    let lines = [
        place.to_string(),
        line(number.clone(), json!({ "type": "allocate" })),
        line(number.clone(), json!({ "type": "allocate" })),
        line(number.clone(), json!({ "type": "release" })),
        line(number.clone(), progress("recordPicking", 3500)),
        line(number.clone(), cancel.clone()),
        line(json!({ "number": "QC-2026-01-15-999999" }), cancel.clone()),
        line(json!({ "orderId": Uuid::now_v7() }), cancel),
    ];
    let file = world.file("life.ndjson", &lines.join("\n"));
    let results = printed(&world.import(&file, None).output().unwrap(), 7);
    assert_in_order(&results, 8);
    use Outcome::{AlreadyApplied, Done, Refused};
    assert_eq!(
        outcomes(&results),
        [
            Done,
            Done,
            AlreadyApplied,
            Refused,
            Refused,
            Done,
            Refused,
            Refused
        ]
    );
    let codes: Vec<&str> = results
        .iter()
        .flat_map(|r| &r.problems)
        .map(|p| p.code.as_str())
        .collect();
    assert_eq!(
        codes,
        [
            "ERR_INVALID_TRANSITION",
            "ERR_INVALID_TRANSITION",
            "ORD_001",
            "ORD_001"
        ]
    );
    assert_eq!(world.events().await, 3);
}

/// Nothing of a person, and no panic, in what the program says.
fn assert_quiet(output: &std::process::Output) {
    let told = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(
        !told.contains("Somchai") && !told.contains("panicked"),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_that_are_no_command_become_results() {
    let world = world().await;
    let good = sample(2);
    let mut good = good.lines();
    let (first, last) = (good.next().unwrap(), good.next().unwrap());
    let id = Uuid::now_v7();
    let deep = "[".repeat(10_000);
    let long = format!("{{\"commandId\":\"{}\"}}", "x".repeat(1 << 20));
    let bad = [
        "nonsense".to_owned(),
        "{".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        "\u{0}".to_owned(),
        deep,
        long,
        format!("{{\"commandId\":\"{id}\",\"command\":{{\"type\":\"teleport\"}}}}"),
        format!("{{\"commandId\":\"{id}\",\"command\":{{\"type\":\"allocate\"}}}}"),
        line(
            json!({ "number": "x" }),
            json!({ "type": "allocate", "colour": 1 }),
        ),
        line(
            json!({ "number": "x" }),
            json!({ "type": "pay", "method": "COD", "amount": 169 }),
        ),
        line(
            json!({ "number": "x" }),
            json!({ "type": "pay", "method": "COD", "amount": "1e400" }),
        ),
        line(
            json!({ "number": "x" }),
            json!({ "type": "pay", "method": "COD", "amount": "NaN" }),
        ),
        line(
            json!({ "number": "x" }),
            json!({ "type": "recordPicking", "status": 1 }),
        ),
        first.replace("\"place\"", "\"place\",\"colour\":\"red\""),
        first.replace("\"GRAB\"", "\"\\ud800\""),
    ];
    let count = bad.len() as u64;
    let mut bytes = format!("{first}\n\n{}\n", bad.join("\n")).into_bytes();
    bytes.extend(b"\xff\xfe not UTF-8\r\n   \r\n");
    bytes.extend(last.as_bytes());
    let file = world.path("bad.ndjson");
    std::fs::write(&file, bytes).unwrap();
    let output = world.import(&file, None).output().unwrap();
    let results = printed(&output, 1);
    let (first, rest) = results.split_first().unwrap();
    let (last, bad) = rest.split_last().unwrap();
    assert_eq!((first.line, first.outcome), (1, Outcome::Done));
    // The blank second line has no result.
    assert_eq!((bad[0].line, bad.len() as u64), (3, count + 1));
    for result in bad {
        assert_eq!(result.outcome, Outcome::Error, "{result:?}");
        assert_eq!(result.problems[0].code, "VAL_001");
        assert!(!result.problems[0].message.is_empty());
    }
    assert_eq!(
        bad.iter()
            .filter(|r| r.command_id == Some(domain::ids::CommandId(id)))
            .count(),
        2
    );
    assert_eq!(last.outcome, Outcome::Done, "the import goes on to its end");
    assert_eq!(world.events().await, 2);
    assert_quiet(&output);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_rules_and_missing_files_have_exit_codes_of_their_own() {
    let world = world().await;
    let refused = sample(1).replace("\"isForceAllocation\":true", "\"isForceAllocation\":false");
    let file = world.file("refused.ndjson", &refused);
    let results = printed(&world.import(&file, None).output().unwrap(), 7);
    assert_eq!(results[0].problems[0].code, "ERR_FORCE_ALLOCATION_REQUIRED");
    assert_eq!(results[0].problems[0].path, "isForceAllocation");

    let empty = world.file("empty.ndjson", "");
    assert!(printed(&world.import(&empty, None).output().unwrap(), 0).is_empty());
    for missing in [world.path("missing.ndjson"), world.dir.path().to_owned()] {
        let output = world.import(&missing, None).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            told.contains("cannot open") && told.contains("standard input"),
            "{told}"
        );
    }
    assert_eq!(world.events().await, 0);
}
