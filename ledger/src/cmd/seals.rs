//! `ledger seals`: the signed heads of the chain, for auditors to keep elsewhere.

use serde::Serialize;
use store::{LogId, seal};

use super::Context;
use crate::cli;
use crate::database::{Database, failure};
use crate::exit::{Exit, Failure};
use crate::seals::Written;

/// What is printed for programs, and what `verify --seal` reads.
#[derive(Serialize)]
struct Page {
    seals: Vec<Written>,
}

pub(super) async fn run(asked: cli::Seals, context: Context) -> Result<Exit, Failure> {
    let database = Database::open(&context.loaded.config).await?;
    let read = read(&database, &asked).await;
    let closed = database.close().await;
    let seals = read?;
    closed?;
    let output = context.output;
    if output.is_json() {
        output.json(&Page { seals })?;
        return Ok(Exit::Done);
    }
    if seals.is_empty() {
        output.line("no seals: a serving ledger makes one a minute while something is appended")?;
    }
    for seal in seals {
        let Written {
            position,
            hash,
            sealed_at,
            key_id,
            public_key,
            ..
        } = seal;
        output.line(format!(
            "{sealed_at}  {position:>12}  {hash}  key {key_id} ({public_key})"
        ))?;
    }
    Ok(Exit::Done)
}

async fn read(database: &Database, asked: &cli::Seals) -> Result<Vec<Written>, Failure> {
    let pool = database.app_pool().await?;
    let seals = seal::page(&pool, LogId::DEFAULT, asked.after, asked.limit).await;
    pool.close().await;
    let seals = seals.map_err(failure)?;
    Ok(seals.into_iter().map(Written::from).collect())
}
