//! (d) The ceiling: pgbench inserting the rows our append writes, in batches, with nothing to decide.
//!
//! One transaction writes what a batch of [`BATCH`] commands writes: their events, their command rows, the heads and
//! claims of the orders that are new, the moved heads of the others. The rows are copies of rows the bus wrote just
//! before, under the same indexes. They come from a table, not over the wire: a ceiling that no client can reach.

use std::{process::Stdio, time::Duration};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::{lives, measure::Sample, server::Server};

/// Commands of one transaction: what the bus's own batches hold at 64 callers.
const BATCH: usize = 64;
/// Orders of a batch that are new.
const PLACED: usize = BATCH / lives::STEPS;
/// Orders of a batch that move on.
const MOVED: usize = BATCH - PLACED;
/// pgbench connections; more only wait for the processors.
const MAX_CLIENTS: usize = 4;

/// What one pgbench transaction does.
fn script() -> String {
    format!(
        "BEGIN;\n\
         INSERT INTO ceiling.events SELECT aggregate_type, aggregate_id, sequence, event_type, event_version, payload, \
         metadata, log_id, nextval('ceiling.position'), event_id, command_id, recorded_at, content_hash, prev_hash, \
         hash FROM ceiling.sample_events;\n\
         INSERT INTO ceiling.command_log SELECT log_id, gen_random_uuid(), request_hash, aggregate_id, first_position, \
         last_position, version FROM ceiling.sample_commands;\n\
         INSERT INTO ceiling.stream_head SELECT 1, 'order', gen_random_uuid()::text, 1, n, n \
         FROM generate_series(1, {PLACED}) AS n;\n\
         INSERT INTO ceiling.claims SELECT 1, 'number', gen_random_uuid()::text, '', gen_random_uuid() \
         FROM generate_series(1, {PLACED});\n\
         UPDATE ceiling.stream_head SET version = version + 1, last_position = last_position + 1 \
         WHERE log_id = 1 AND aggregate_type = 'order' AND aggregate_id IN (SELECT :client_id || '-' || n \
         FROM generate_series(1, {MOVED}) AS n);\n\
         COMMIT;\n"
    )
}

/// Tables like ours with rows of ours, made anew for each row of the table.
async fn prepare(server: &Server) -> Result<()> {
    let sql = include_str!("ceiling.sql")
        .replace("{batch}", &BATCH.to_string())
        .replace("{clients}", &MAX_CLIENTS.to_string())
        .replace("{moved}", &MOVED.to_string());
    sqlx::raw_sql(&sql)
        .execute(&server.owner)
        .await
        .context("the ceiling's tables could not be made")?;
    tokio::fs::write(server.script_path(), script()).await?;
    Ok(())
}

/// Runs the row.
pub(crate) async fn run(server: &Server, callers: usize, time: Duration) -> Result<Sample> {
    prepare(server).await?;
    let clients = callers.min(MAX_CLIENTS);
    let output = Command::new(server.program("pgbench"))
        .args([
            "-n",
            "-M",
            "prepared",
            "-c",
            &clients.to_string(),
            "-j",
            &clients.min(2).to_string(),
        ])
        .args([
            "-T",
            &time.as_secs().to_string(),
            "-U",
            "ledger_owner",
            "-h",
        ])
        .arg(server.socket())
        .arg("-f")
        .arg(server.script_path())
        .arg(&server.bus_database)
        .stdin(Stdio::null())
        .output()
        .await
        .context("pgbench does not start")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "pgbench failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let number = |label: &str| -> Result<f64> {
        let line = text
            .lines()
            .find(|l| l.starts_with(label))
            .with_context(|| format!("no {label} in: {text}"))?;
        let word = line.split(['=', ' ']).find_map(|w| w.parse::<f64>().ok());
        word.with_context(|| format!("no number in: {line}"))
    };
    let rate = number("tps")? * BATCH as f64;
    Ok(Sample {
        path: "pgbench ceiling",
        callers,
        commands_per_second: rate,
        events_per_second: rate,
        // The mean of whole transactions: pgbench says no percentiles.
        p50_ms: number("latency average")?,
        p99_ms: None,
        p999_ms: None,
        errors: 0,
    })
}
