//! Clients from the registry at a running ledger. `scripts/clients` installs them; `make test` calls it.

use std::{collections::BTreeMap, path::Path, process::Stdio};

use e2e::{Program, ProgramOptions, fresh_database};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
};

use super::support::{done, input, placed, world};

/// How many of the audits of graphql-http are of things that a server must or should do.
const AUDITS: usize = 36;

/// What an audit of GraphQL over HTTP found.
#[derive(Debug, Deserialize)]
struct Audit {
    name: String,
    /// `ok`, `notice`, `warn` or `error`.
    status: String,
    reason: Option<String>,
}

/// One of the scripts in `e2e/clients`, not yet run.
fn script(name: &str, arguments: &[&str], token: &str) -> Command {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    assert!(
        clients.join("node_modules").is_dir(),
        "the clients are not installed: run scripts/clients"
    );
    let mut command = Command::new("node");
    command
        .arg(clients.join(name))
        .args(arguments)
        .env("LEDGER_TOKEN", token)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs a script; what it prints.
pub(super) async fn run(name: &str, arguments: &[&str], token: &str) -> String {
    let output = script(name, arguments, token).output().await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

async fn audit(url: &str, token: &str) -> Vec<Audit> {
    let audits: Vec<Audit> = serde_json::from_str(&run("audit.mjs", &[url], token).await).unwrap();
    let binding = |a: &Audit| a.name.starts_with("MUST") || a.name.starts_with("SHOULD");
    audits.into_iter().filter(binding).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_audit_of_graphql_over_http_passes() {
    let database = fresh_database().await.with_stores().await;
    let program = Program::start(ProgramOptions::on(&database)).await;
    let token = program.token("ops", &[]);
    let audits = audit(&format!("http://{}/graphql", program.address), &token).await;
    assert_eq!(audits.len(), AUDITS);
    for Audit {
        name,
        status,
        reason,
    } in &audits
    {
        assert_eq!(status, "ok", "{name}: {reason:?}");
    }
    // A server that speaks another protocol does not pass.
    let other = audit(&format!("http://{}/livez", program.address), &token).await;
    assert!(other.iter().filter(|a| a.status != "ok").count() > AUDITS / 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_reach_the_clients_that_people_use_over_both_transports() {
    let world = world().await;
    let ops = world.caller("ops", &[]);
    let (id, _) = placed(&world.caller("channel", &[]), json!({})).await;
    let token = world.program.token("store-manager", &["CFR001"]);
    let url = format!("http://{}/graphql", world.program.address);
    let mut watching = script("live.mjs", &[&url, &id], &token).spawn().unwrap();
    // All five have their first answer before anything changes.
    let mut told = BufReader::new(watching.stderr.take().unwrap()).lines();
    for _ in 0..5 {
        assert_eq!(told.next_line().await.unwrap().as_deref(), Some("watching"));
    }
    done(&ops, "allocateOrder", input(&id, json!({}))).await;
    done(
        &ops,
        "cancelOrder",
        input(&id, json!({ "reason": "changed" })),
    )
    .await;
    let mut heard = String::new();
    let reading = watching
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut heard)
        .await;
    reading.unwrap();
    assert!(watching.wait().await.unwrap().success());

    let heard: Vec<Vec<Value>> = serde_json::from_str(&heard).unwrap();
    for orders in &heard[..2] {
        let versions: Vec<i64> = orders
            .iter()
            .map(|data| data["orderChanged"]["version"].as_i64().unwrap())
            .collect();
        assert_eq!((versions.first(), versions.last()), (Some(&1), Some(&3)));
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
    }
    for boards in &heard[2..4] {
        let board = |data: &Value| data["storeBoard"].clone();
        let (first, last) = (board(&boards[0]), board(boards.last().unwrap()));
        let counts = |of: &Value| {
            let counts = of["counts"].as_array().unwrap().iter();
            let count = |c: &Value| (c["status"].as_str().unwrap().to_owned(), c["count"].clone());
            counts.map(count).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(
            (&first["isWhole"], counts(&first)),
            (&json!(true), [("OPEN".to_owned(), json!(1))].into())
        );
        assert_eq!(last["isWhole"], false);
        assert_eq!(counts(&last)["CANCELLED"], 1);
    }
    // Who watches one status hears of no other.
    assert_eq!(
        json!(heard[4]),
        json!([
            { "storeBoard": { "isWhole": true, "counts": [] } },
            { "storeBoard": { "isWhole": false, "counts": [{ "status": "CANCELLED", "count": 1 }] } },
        ])
    );
    world.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_closed_with_the_protocols_codes() {
    let world = world().await;
    let (id, _) = placed(&world.caller("channel", &[]), json!({})).await;
    let url = format!("http://{}/graphql", world.program.address);
    let token = world.program.token("store-manager", &["CFR001"]);
    let talks: Value =
        serde_json::from_str(&run("socket.mjs", &[&url, &id], &token).await).unwrap();
    for (talk, closed) in [
        ("otherProtocol", 400),
        ("garbage", 4400),
        ("binary", 4400),
        ("noInit", 4401),
        ("badToken", 4403),
        ("noToken", 4403),
        ("twoInits", 4429),
        ("sameId", 4409),
        ("ping", 1000),
        ("query", 1000),
        ("invalid", 1000),
        ("twoRoots", 1000),
        ("unknown", 1000),
        ("completed", 1000),
    ] {
        let talk_ = &talks[talk];
        assert_eq!(talk_["closed"], closed, "{talk}: {talk_}");
    }
    let said = |talk: &str, at: usize| talks[talk]["said"][at].clone();
    assert_eq!(
        said("ping", 0),
        json!({ "type": "pong", "payload": { "n": 1 } })
    );
    let next = said("query", 1);
    assert_eq!((&next["id"], &next["type"]), (&json!("q"), &json!("next")));
    assert_eq!(next["payload"]["data"], json!({ "__typename": "Query" }));
    assert_eq!(
        next["payload"]["extensions"]["cost"]["requestedQueryCost"],
        1
    );
    assert_eq!(said("query", 2), json!({ "id": "q", "type": "complete" }));
    for talk in ["invalid", "twoRoots"] {
        assert_eq!(said(talk, 1)["type"], "error");
        let code = &said(talk, 1)["payload"][0]["extensions"]["code"];
        assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{talk}");
    }
    let code = &said("unknown", 1)["payload"]["errors"][0]["extensions"]["code"];
    assert_eq!(code, "NOT_FOUND");
    // The client ended it and began anew under the same name: one first answer each.
    let answers = talks["completed"]["said"].as_array().unwrap().iter();
    assert_eq!(answers.filter(|m| m["type"] == "next").count(), 2);
    world.assert_unharmed().await;
}
