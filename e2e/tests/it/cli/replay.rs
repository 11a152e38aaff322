//! `replay`, and `verify` of the read models.

use std::fs;

use e2e::{Program, ProgramOptions, STORE_EVENTS};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    order::delivered,
    support::{Shell, run},
};

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_every_state_and_balance_and_always_the_same() {
    let (database, id, _) = delivered().await;
    let shell = Shell::new(Some(&database));
    let done = shell.run(&["replay", "--to", ".", "--json"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let head = STORE_EVENTS + 12;
    let path = shell.dir.path().join(format!("replay-{head}.jsonl"));
    let text = fs::read_to_string(&path).unwrap();
    let all = lines(&text);
    let end = all.last().unwrap();
    let (before, _) = text.trim_end().rsplit_once('\n').unwrap();
    let hash = Sha256::digest(format!("{before}\n"));
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        (&end["kind"], &end["sha256"]),
        (&json!("end"), &json!(hash))
    );
    assert_eq!(end["position"], head);
    assert_eq!(done.json()["sha256"], json!(hash));

    let order = all.iter().find(|line| line["id"] == id.as_str()).unwrap();
    let shown = shell.run(&["order", "show", &id, "--json"]).json();
    assert_eq!(order["state"], shown["order"]);
    assert_eq!(
        (&order["of"], &order["version"]),
        (&json!("order"), &json!(12))
    );
    let stores = all.iter().filter(|line| line["of"] == "store").count();
    assert_eq!(stores, 3);
    let totals: Vec<String> = all
        .iter()
        .filter(|line| line["kind"] == "cashTotal" && line["balance"] != "0.0000")
        .map(|line| {
            format!(
                "{} {}",
                line["account"].as_str().unwrap(),
                line["balance"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(totals, ["SALES -169.0000", "RECEIVABLE 169.0000"]);
    let balances: Vec<&Value> = all
        .iter()
        .filter(|line| line["kind"] == "cashBalance")
        .collect();
    assert!(
        balances.iter().all(|line| line["storeId"] == "CFR001"),
        "{balances:?}"
    );
    for secret in ["สมหญิง", "+66800000042", "somying.secret", "Hidden Lane"] {
        assert!(!text.contains(secret), "{secret}");
    }

    assert_eq!(shell.run(&["replay", "--to", "again.jsonl"]).code, Some(0));
    assert_eq!(
        fs::read_to_string(shell.dir.path().join("again.jsonl")).unwrap(),
        text
    );
    // As of the position, whatever came later.
    let position = (STORE_EVENTS + 2).to_string();
    let early = shell.run(&["replay", "--to", "early.jsonl", "--position", &position]);
    assert_eq!(early.code, Some(0), "{early:?}");
    let early = lines(&fs::read_to_string(shell.dir.path().join("early.jsonl")).unwrap());
    let order = early.iter().find(|line| line["id"] == id.as_str()).unwrap();
    assert_eq!(order["version"], 2);
    assert!(
        !early.iter().any(|line| line["kind"] == "cashBalance"),
        "nothing was paid yet"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn verify_says_where_a_read_model_is_not_the_logs() {
    let (database, id, _) = delivered().await;
    let program = Program::start(ProgramOptions::on(&database)).await;
    let head = STORE_EVENTS + 12;
    let report = e2e::eventually("the read models have seen all", || async {
        let report = run(program.command(&["verify", "--json"])).json();
        let models = report["views"]["models"].as_array().unwrap().clone();
        models
            .iter()
            .all(|model| model["position"] == head)
            .then_some(report)
    })
    .await;
    assert_eq!(report["views"]["differences"], json!([]), "{report}");
    let sound = run(program.command(&["verify"]));
    assert_eq!(sound.code, Some(0), "{sound:?}");
    let said = format!(
        "the read models are what a replay of the log gives: {} compared, up to position {head}",
        projections::Model::ALL.len()
    );
    assert!(sound.out.contains(&said), "{}", sound.out);

    let pool = database.superuser_pool().await;
    for forge in [
        "update order_view set is_stuck = not is_stuck",
        "update store_board set orders = orders + 1",
    ] {
        sqlx::query(forge).execute(&pool).await.unwrap();
    }
    let differs = run(program.command(&["verify"]));
    assert_eq!(differs.code, Some(3), "{differs:?}");
    assert!(differs.out.contains("the log is sound"), "{}", differs.out);
    for word in [
        "order_view ",
        "store_board ",
        &id,
        "NOT what a replay of the log gives",
    ] {
        assert!(differs.out.contains(word), "{word}: {}", differs.out);
    }
    let report = run(program.command(&["verify", "--json"]));
    assert_eq!(report.code, Some(3));
    let report = report.json();
    assert_eq!(report["findings"], json!([]));
    assert_eq!(
        report["views"]["found"],
        report["views"]["differences"].as_array().unwrap().len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_leaves_other_files_alone() {
    let (database, _, _) = delivered().await;
    let shell = Shell::new(Some(&database));
    let mine = shell.dir.path().join("keep.tmp");
    fs::write(&mine, "mine").unwrap();
    let done = shell.run(&["replay", "--to", "keep.json"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(fs::read(&mine).unwrap(), b"mine");
}
