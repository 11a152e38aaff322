//! `ledger migrate`.

use serde_json::json;
use store::migrate;

use super::Context;
use crate::cli;
use crate::database::{Database, failure};
use crate::exit::{Exit, Failure};
use crate::progress::Progress;

pub(super) async fn run(action: Option<cli::Migrate>, context: Context) -> Result<Exit, Failure> {
    let database = Database::open(&context.loaded.config).await?;
    let result = migrate(action.unwrap_or(cli::Migrate::Up), &context, &database).await;
    let closed = database.close().await;
    let exit = result?;
    closed?;
    Ok(exit)
}

async fn migrate(
    action: cli::Migrate,
    context: &Context,
    database: &Database,
) -> Result<Exit, Failure> {
    let pool = database.owner_pool().await?;
    let pending = migrate::pending(&pool).await.map_err(failure)?;
    let up = action == cli::Migrate::Up;
    if up {
        let _progress = Progress::start("updating the database's schema", None);
        migrate::up(&pool).await.map_err(failure)?;
    }
    let output = context.output;
    if output.is_json() {
        output.json(&json!({ "applied": if up { &pending[..] } else { &[] }, "missing": if up { &[] } else { &pending[..] } }))?;
    } else if pending.is_empty() {
        output.line("the schema is up to date")?;
    } else {
        let word = if up { "applied" } else { "missing" };
        for migration in &pending {
            output.line(format!("{word}  {migration}"))?;
        }
    }
    Ok(if up || pending.is_empty() {
        Exit::Done
    } else {
        Exit::Database
    })
}
