//! `ledger rebuild`.

use projections::rebuild::{
    self, CONNECTIONS_PER_MODEL, MORE_CONNECTIONS, Mode, RebuildError, Rebuilt, Stage,
};
use serde_json::json;
use sqlx::PgPool;
use store::{LogId, Position};

use super::Context;
use crate::cli::Rebuild;
use crate::database::Database;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::progress::Progress;

pub(super) async fn run(rebuild: Rebuild, context: Context) -> Result<Exit, Failure> {
    let database = Database::open(&context.loaded.config).await?;
    let outcome = on(&database, &rebuild, context.output).await;
    let closed = database.close().await;
    let exit = outcome?;
    closed?;
    Ok(exit)
}

async fn on(database: &Database, rebuild: &Rebuild, output: Output) -> Result<Exit, Failure> {
    let models = u32::try_from(rebuild.models.0.len()).unwrap_or(u32::MAX);
    let connections = models
        .saturating_mul(CONNECTIONS_PER_MODEL)
        .saturating_add(MORE_CONNECTIONS);
    let owner = database.owner_pool_of(connections).await?;
    let outcome = if rebuild.rollback || rebuild.discard {
        undo(&owner, rebuild, output).await
    } else {
        anew(&owner, rebuild, output).await
    };
    owner.close().await;
    outcome
}

async fn anew(owner: &PgPool, rebuild: &Rebuild, output: Output) -> Result<Exit, Failure> {
    let mode = if rebuild.compare {
        Mode::CompareOnly
    } else {
        Mode::Exchange
    };
    let progress = Progress::start("reading the log", Some(0));
    let told = |stage| match stage {
        Stage::Filling(at, head) => {
            progress.expect_total(count(head));
            progress.reach(count(at));
        }
        Stage::Indexing(model) => progress.label(format!("indexing {model}")),
        Stage::Comparing(model) => progress.label(format!("comparing {model}")),
        Stage::Exchanging(model) => progress.label(format!("exchanging {model}")),
    };
    let models = &rebuild.models.0;
    let rebuilt = rebuild::rebuild(owner, LogId::DEFAULT, models, mode, told).await;
    drop(progress);
    let rebuilt = rebuilt.map_err(failure)?;
    show(&rebuilt, output)?;
    let differ = rebuilt.iter().any(|model| !model.differences.is_empty());
    Ok(if differ && rebuild.compare {
        Exit::Damaged
    } else {
        Exit::Done
    })
}

async fn undo(owner: &PgPool, rebuild: &Rebuild, output: Output) -> Result<Exit, Failure> {
    let several = rebuild.models.0.len() > 1;
    let mut done = Vec::new();
    for model in rebuild.models.0.iter().copied() {
        let outcome = if rebuild.discard {
            rebuild::discard(owner, LogId::DEFAULT, model)
                .await
                .map(|()| None)
        } else {
            rebuild::rollback(owner, LogId::DEFAULT, model)
                .await
                .map(Some)
        };
        match outcome {
            Ok(at) => done.push((model, at)),
            // Of all models, those of which something is kept.
            Err(RebuildError::NothingKept(_)) if several => {}
            Err(error) => return Err(failure(error)),
        }
    }
    if output.is_json() {
        let lines: Vec<_> = done
            .iter()
            .map(|(model, at)| json!({ "model": model.name(), "position": at }))
            .collect();
        output.json(&lines)?;
    } else if done.is_empty() {
        output.line("no earlier tables are kept")?;
    } else {
        for (model, at) in done {
            output.line(match at {
                Some(at) => {
                    format!("{model}: the earlier tables are in use, and read on from {at}")
                }
                None => format!("{model}: the earlier tables are gone"),
            })?;
        }
    }
    Ok(Exit::Done)
}

fn show(rebuilt: &[Rebuilt], output: Output) -> Result<(), Failure> {
    if output.is_json() {
        return output.json(&rebuilt);
    }
    for Rebuilt {
        model,
        compared_at,
        differences,
        exchanged_at,
    } in rebuilt
    {
        let verdict = if differences.is_empty() {
            "equal to the log"
        } else {
            "NOT equal to the log"
        };
        let outcome = exchanged_at.map_or_else(
            || "nothing was changed".to_owned(),
            |at| format!("new tables in use from {at} on"),
        );
        output.line(format!("{model}: {verdict} at {compared_at}; {outcome}"))?;
        for difference in differences {
            output.line(format!(
                "  {}: {} rows that should not be, {} rows missing, such as {}",
                difference.table,
                difference.only_in_use,
                difference.only_in_log,
                difference.keys.join(", ")
            ))?;
        }
    }
    Ok(())
}

/// Positions are never negative.
fn count(position: Position) -> u64 {
    u64::try_from(position.0).unwrap_or_default()
}

fn failure(error: RebuildError) -> Failure {
    let exit = match &error {
        RebuildError::Database(_) | RebuildError::Store(_) => Exit::Database,
        RebuildError::NothingKept(_) => Exit::NotFound,
        RebuildError::Apply { .. } => Exit::Damaged,
        RebuildError::Busy(_) | RebuildError::InUse { .. } | RebuildError::TooSlow(_) => {
            Exit::Failed
        }
    };
    Failure::new(exit, error)
}
