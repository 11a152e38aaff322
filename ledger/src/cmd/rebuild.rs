//! `ledger rebuild`.

use projections::Model;
use projections::rebuild::{
    self, CONNECTIONS_PER_MODEL, MORE_CONNECTIONS, Mode, RebuildError, Rebuilt, Stage, Unfinished,
};
use serde_json::json;
use sqlx::PgPool;
use store::LogId;

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
            progress.at(at, head);
        }
        Stage::Indexing => progress.label("writing what is held, and indexing"),
        Stage::Comparing(model) => progress.label(format!("comparing {model}")),
        Stage::Exchanging(model) => progress.label(format!("exchanging {model}")),
        Stage::Analysing(model) => progress.label(format!("in use; analysing {model}")),
    };
    let models = &rebuild.models.0;
    let rebuilt = rebuild::rebuild(owner, LogId::DEFAULT, models, mode, told).await;
    drop(progress);
    let rebuilt = match rebuilt {
        Ok(rebuilt) => rebuilt,
        Err(Unfinished { done, error }) => {
            // What was exchanged stays exchanged, whatever became of the next one.
            if !done.is_empty() {
                show(&done, output)?;
            }
            return Err(unfinished(error, models, &done));
        }
    };
    show(&rebuilt, output)?;
    let exit = if rebuild.compare {
        verdict(&rebuilt)
    } else {
        Exit::Done
    };
    if exit == Exit::Failed {
        output.note(
            "hint: the read models have not caught up with the log; let `ledger serve` run, and compare again",
        );
    }
    Ok(exit)
}

/// What a comparison came to: a difference counts for more than a model that could not be compared.
fn verdict(rebuilt: &[Rebuilt]) -> Exit {
    if rebuilt.iter().any(|model| !model.differences.is_empty()) {
        Exit::MISMATCH
    } else if rebuilt.iter().any(|model| model.compared_at.is_none()) {
        Exit::Failed
    } else {
        Exit::Done
    }
}

/// A failure after some of several models were done with.
fn unfinished(error: RebuildError, models: &[Model], done: &[Rebuilt]) -> Failure {
    let failed = failure(error);
    if done.is_empty() {
        return failed;
    }
    let (done, left): (Vec<&str>, Vec<&str>) = models
        .iter()
        .map(|model| model.name())
        .partition(|name| done.iter().any(|rebuilt| rebuilt.model == *name));
    let mut hint = format!("done with: {}", done.join(", "));
    if !left.is_empty() {
        hint = format!("{hint}; not done, and as before: {}", left.join(", "));
    }
    failed.hint(hint)
}

async fn undo(owner: &PgPool, rebuild: &Rebuild, output: Output) -> Result<Exit, Failure> {
    let several = rebuild.models.0.len() > 1;
    let mut done = Vec::new();
    let mut failed = None;
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
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    if done.is_empty()
        && let Some(error) = failed
    {
        return Err(failure(error));
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
    // Those before it are done all the same, and were said above.
    failed.map_or(Ok(Exit::Done), |error| Err(failure(error)))
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
        let verdict = match compared_at {
            None => "NOT compared, its tables are behind the log".to_owned(),
            Some(at) if differences.is_empty() => format!("equal to the log at {at}"),
            Some(at) => format!("NOT equal to the log at {at}"),
        };
        let outcome = exchanged_at.map_or_else(
            || "nothing was changed".to_owned(),
            |at| format!("new tables in use from {at} on"),
        );
        output.line(format!("{model}: {verdict}; {outcome}"))?;
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

fn failure(error: RebuildError) -> Failure {
    let exit = match &error {
        RebuildError::Database(_) | RebuildError::Store(_) => Exit::Database,
        RebuildError::NothingKept(_) => Exit::NotFound,
        RebuildError::Apply { .. } => Exit::Damaged,
        RebuildError::Busy(_)
        | RebuildError::InUse { .. }
        | RebuildError::TooSlow(_)
        | RebuildError::Analysing(_)
        | RebuildError::Broken { .. } => Exit::Failed,
    };
    Failure::new(exit, error)
}
