//! `ledger verify`: the log against itself, then the read models against the log.

use projections::check::{CheckError, CheckReport};
use serde::Serialize;
use store::LogId;
use store::verify::{Options, Report, verify};

use super::Context;
use crate::cli;
use crate::database::{Database, failure};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::progress::Progress;
use crate::seals::{self, Checked, Written};

/// What was found of both.
#[derive(Serialize)]
struct Found {
    #[serde(flatten)]
    log: Report,
    views: Views,
    /// What was found of the seals that were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    seals: Option<Checked>,
}

/// What was found of the read models.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Views {
    /// Where each model stood when it was compared.
    models: Vec<At>,
    /// Places where a table is not what the log says.
    found: u64,
    /// The first of them.
    differences: Vec<Differs>,
    /// Why they could not all be compared: the log does not fold.
    #[serde(skip_serializing_if = "Option::is_none")]
    unfolded: Option<String>,
}

#[derive(Serialize)]
struct At {
    model: &'static str,
    position: i64,
}

#[derive(Serialize)]
struct Differs {
    table: &'static str,
    key: String,
    what: String,
}

pub(super) async fn run(asked: cli::Verify, context: Context) -> Result<Exit, Failure> {
    // Before anything slow: a wrong file is known at once.
    let mut kept = Vec::new();
    for file in &asked.seals {
        kept.extend(seals::read(file)?);
    }
    let database = Database::open(&context.loaded.config).await?;
    let found = check(&database, &kept, &asked.keys).await;
    let closed = database.close().await;
    let found = found?;
    closed?;
    show(&found, context.output)
}

async fn check(database: &Database, kept: &[Written], keys: &[String]) -> Result<Found, Failure> {
    let pool = database.app_pool().await?;
    let run = async {
        let progress = Progress::start("verifying the log", Some(0));
        let told = |reached, head| {
            progress.at(reached, head);
        };
        let log = verify(&pool, LogId::DEFAULT, &Options::default(), told).await;
        let log = log.map_err(failure)?;
        drop(progress);
        let progress = Progress::start("comparing the read models", Some(0));
        let told = |done, streams| {
            progress.expect_total(streams);
            progress.reach(done);
        };
        let views = match projections::check::check_with(&pool, LogId::DEFAULT, told).await {
            Ok(report) => Views::of(report),
            Err(CheckError::Database(error)) => return Err(Failure::new(Exit::Database, error)),
            Err(error) => Views::unfolded(&error),
        };
        let seals = match kept {
            [] => None,
            kept => Some(seals::check(&pool, kept, keys).await.map_err(failure)?),
        };
        Ok(Found { log, views, seals })
    };
    let found = run.await;
    // Before its server is stopped, which would look like a failure in the log.
    pool.close().await;
    found
}

impl Views {
    fn of(report: CheckReport) -> Self {
        let models = report.positions.iter().map(|(model, at)| At {
            model: model.name(),
            position: at.0,
        });
        Self {
            models: models.collect(),
            found: report.found,
            differences: report
                .differences
                .into_iter()
                .map(|d| Differs {
                    table: d.table,
                    key: d.key,
                    what: d.what,
                })
                .collect(),
            unfolded: None,
        }
    }

    fn unfolded(error: &CheckError) -> Self {
        Self {
            models: Vec::new(),
            found: 0,
            differences: Vec::new(),
            unfolded: Some(error.to_string()),
        }
    }

    const fn is_clean(&self) -> bool {
        self.found == 0 && self.unfolded.is_none()
    }
}

fn show(found: &Found, output: Output) -> Result<Exit, Failure> {
    if output.is_json() {
        output.json(found)?;
    } else {
        say_log(&found.log, output)?;
        if let Some(seals) = &found.seals {
            say_seals(seals, output)?;
        }
        say_views(&found.views, output)?;
    }
    let sealed = found.seals.as_ref().is_none_or(|s| s.findings.is_empty());
    Ok(if !found.log.is_sound() || !sealed {
        Exit::Damaged
    } else if !found.views.is_clean() {
        Exit::MISMATCH
    } else {
        Exit::Done
    })
}

fn say_log(report: &Report, output: Output) -> Result<(), Failure> {
    for finding in &report.findings {
        output.line(finding.to_string())?;
    }
    if report.more_findings > 0 {
        output.line(format!("and {} more", report.more_findings))?;
    }
    let verdict = if report.is_sound() {
        "sound"
    } else {
        "NOT what was appended"
    };
    output.line(format!(
        "the log is {verdict}: {} events checked, head at {}",
        report.events, report.head
    ))
}

fn say_seals(seals: &Checked, output: Output) -> Result<(), Failure> {
    for finding in &seals.findings {
        output.line(finding)?;
    }
    if seals.more_findings > 0 {
        output.line(format!("and {} more", seals.more_findings))?;
    }
    let verdict = if seals.findings.is_empty() {
        "holds every one"
    } else {
        "does NOT hold every one"
    };
    output.line(format!("the log {verdict} of {} seals", seals.checked))
}

fn say_views(views: &Views, output: Output) -> Result<(), Failure> {
    for differs in &views.differences {
        let Differs { table, key, what } = differs;
        output.line(format!("{table} {key}: {what}"))?;
    }
    let named = views.differences.len() as u64;
    if views.found > named {
        output.line(format!("and {} more", views.found - named))?;
    }
    if let Some(why) = &views.unfolded {
        return output.line(format!("the read models were not compared: {why}"));
    }
    let verdict = if views.is_clean() {
        "what a replay of the log gives"
    } else {
        "NOT what a replay of the log gives"
    };
    let furthest = views.models.iter().map(|at| at.position).max();
    output.line(format!(
        "the read models are {verdict}: {} compared, up to position {}",
        views.models.len(),
        furthest.unwrap_or_default()
    ))?;
    if views.is_clean() {
        return Ok(());
    }
    output.note("hint: the log is the truth; `ledger rebuild MODEL` makes a read model anew from it, `all` every one");
    Ok(())
}
