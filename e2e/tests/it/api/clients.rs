//! Clients from the registry at a running ledger. `scripts/clients` installs them; `make test` calls it.

use std::path::Path;

use e2e::{Program, ProgramOptions, fresh_database};
use serde::Deserialize;
use tokio::process::Command;

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

/// Runs one of the scripts in `e2e/clients`; what it prints.
async fn run(script: &str, url: &str, token: &str) -> String {
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients");
    assert!(
        clients.join("node_modules").is_dir(),
        "the clients are not installed: run scripts/clients"
    );
    let output = Command::new("node")
        .arg(clients.join(script))
        .arg(url)
        .env("LEDGER_TOKEN", token)
        .output()
        .await
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

async fn audit(url: &str, token: &str) -> Vec<Audit> {
    let audits: Vec<Audit> = serde_json::from_str(&run("audit.mjs", url, token).await).unwrap();
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
