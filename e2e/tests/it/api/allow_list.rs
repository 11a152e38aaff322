//! Operations by their hash at a real ledger: learnt from clients, or from a signed list that alone may run.

use std::{path::Path, process::Output};

use e2e::{Api, Database, Program, ProgramOptions, Response, fresh_database, ledger_command};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    clients,
    support::{ask, code, post, world},
};

const BOARD: &str = "query Board { storeBoard { count } }";
const OTHER: &str = "query Other { __typename }";

fn sha256(text: &str) -> String {
    store::hash::hex(&Sha256::digest(text))
}

fn by_hash(text: Option<&str>, hash: &str) -> String {
    let extension = json!({ "version": 1, "sha256Hash": hash });
    json!({ "query": text, "extensions": { "persistedQuery": extension } }).to_string()
}

fn run(dir: &Path, arguments: &[&str]) -> Output {
    ledger_command(None, dir, arguments).output().unwrap()
}

fn data(response: &Response) -> Value {
    response.json()["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sends_the_hash_then_the_text_then_the_hash() {
    let world = world().await;
    let auditor = world.caller("auditor", &[]);
    let hash = sha256(BOARD);
    let first = post(&auditor, by_hash(None, &hash)).await;
    assert_eq!(code(&first), "PERSISTED_QUERY_NOT_FOUND");
    let second = post(&auditor, by_hash(Some(BOARD), &hash)).await;
    assert_eq!(data(&second), json!({ "storeBoard": [] }));
    // From now on for everybody, within what each may see.
    let manager = world.caller("store-manager", &["CFR001"]);
    let third = post(&manager, by_hash(None, &hash)).await;
    assert_eq!(data(&third), json!({ "storeBoard": [] }));
    let wrong = post(&auditor, by_hash(Some(OTHER), &hash)).await;
    assert_eq!(code(&wrong), "PERSISTED_QUERY_MISMATCH");
    world.assert_unharmed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn apollos_client_sends_the_text_once() {
    let world = world().await;
    let url = format!("http://{}/graphql", world.program.address);
    let token = world.program.token("auditor", &[]);
    let said = clients::run("apollo.mjs", &[&url], &token).await;
    let said: Value = serde_json::from_str(&said).unwrap();
    let sent = |method: &str, text: bool| json!({ "method": method, "text": text });
    let data = json!({ "storeBoard": [] });
    assert_eq!(
        said,
        json!([
            { "sent": [sent("POST", false), sent("POST", true)], "data": data },
            { "sent": [sent("POST", false)], "data": data },
            { "sent": [sent("GET", false)], "data": data },
        ])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_listed_and_signed_runs() {
    let database = fresh_database().await.with_stores().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("operations.json");
    let (manifest, key) = (file.to_str().unwrap(), dir.path().join("release.pk8"));
    let sign = [
        "--json",
        "operations",
        "sign",
        manifest,
        "--key",
        key.to_str().unwrap(),
    ];
    std::fs::write(&file, json!({ sha256(BOARD): BOARD }).to_string()).unwrap();
    let signed = run(dir.path(), &sign);
    assert!(signed.status.success(), "{signed:?}");
    let signed: Value = serde_json::from_slice(&signed.stdout).unwrap();
    let public_key = signed["signature"]["publicKey"]
        .as_str()
        .unwrap()
        .to_owned();
    let check = ["operations", "check", manifest, "--public-key", &public_key];
    assert!(run(dir.path(), &check).status.success());

    let settings = vec![
        ("LEDGER_OPERATIONS_MODE", "allow-list".to_owned()),
        ("LEDGER_OPERATIONS_MANIFEST", manifest.to_owned()),
        ("LEDGER_OPERATIONS_PUBLIC_KEY", public_key.clone()),
    ];
    let mut program = Program::start(ProgramOptions {
        env: settings.clone(),
        ..ProgramOptions::on(&database)
    })
    .await;
    let api = program.admin();
    runs_only_the_board(&api).await;
    assert_eq!(api.get("/graphiql").await.status, 404);
    let url = format!("http://{}/graphql", program.address);
    let talk = clients::run("spent.mjs", &[&url, "1"], &program.token("auditor", &[])).await;
    assert!(talk.contains("OPERATION_NOT_ALLOWED"), "{talk}");
    program.stop().await;

    // Changed behind the signature, or without one, the ledger does not start and says what to do.
    let refuses = |word: &str| {
        assert_eq!(run(dir.path(), &check).status.code(), Some(3));
        refuses_to_start(&database, dir.path(), &settings, word);
    };
    std::fs::write(&file, json!({ sha256(OTHER): OTHER }).to_string()).unwrap();
    refuses("not what was signed");
    std::fs::remove_file(format!("{manifest}.sig")).unwrap();
    refuses("not signed");
}

async fn runs_only_the_board(api: &Api) {
    for answer in [
        ask(api, BOARD, json!({})).await,
        post(api, by_hash(None, &sha256(BOARD))).await,
    ] {
        assert_eq!(data(&answer), json!({ "storeBoard": [] }));
    }
    for answer in [
        ask(api, OTHER, json!({})).await,
        ask(api, "{ __schema { queryType { name } } }", json!({})).await,
        post(api, by_hash(None, &sha256(OTHER))).await,
        post(api, by_hash(Some(OTHER), &sha256(OTHER))).await,
    ] {
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (400, "OPERATION_NOT_ALLOWED")
        );
    }
}

fn refuses_to_start(
    database: &Database,
    dir: &Path,
    settings: &[(&'static str, String)],
    word: &str,
) {
    let mut serve = ledger_command(Some(database), dir, &["serve", "--listen", "127.0.0.1:0"]);
    let ended = serve.envs(settings.iter().cloned()).output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(3), "{said}");
    assert!(
        said.contains(word) && said.contains("ledger operations sign"),
        "{said}"
    );
}
