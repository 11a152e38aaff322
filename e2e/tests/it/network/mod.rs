//! How the ledger is reached: TLS, both versions of HTTP, and what bounds a connection.

mod crowd;
mod tls;

use e2e::{Api, Database, Program, ProgramOptions, free_port};

/// A ledger with these settings, and where its operators ask.
async fn operated(database: &Database, settings: Vec<(&'static str, String)>) -> (Program, Api) {
    let operations = format!("127.0.0.1:{}", free_port());
    let mut env = settings;
    env.push(("LEDGER_OPS_LISTEN", operations.clone()));
    let program = Program::start(ProgramOptions {
        env,
        ..ProgramOptions::on(database)
    })
    .await;
    (program, Api::new(operations, String::new()))
}

/// A metric, by its name with its labels; 0 where it has no value yet.
async fn figure(operations: &Api, name: &str) -> f64 {
    let text = operations.get("/metrics").await.body;
    let text = String::from_utf8_lossy(&text);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.trim().parse().unwrap())
}
