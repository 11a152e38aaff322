//! `ledger verify`.

use store::LogId;
use store::verify::{Options, Report, verify};

use super::Context;
use crate::database::{Database, failure};
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::progress::Progress;

pub(super) async fn run(context: Context) -> Result<Exit, Failure> {
    let database = Database::open(&context.loaded.config).await?;
    let report = check(&database).await;
    let closed = database.close().await;
    let report = report?;
    closed?;
    show(&report, context.output)
}

async fn check(database: &Database) -> Result<Report, Failure> {
    let pool = database.app_pool().await?;
    let progress = Progress::start("verifying the log", Some(0));
    let report = verify(
        &pool,
        LogId::DEFAULT,
        &Options::default(),
        |reached, head| {
            progress.expect_total(count(head));
            progress.reach(count(reached));
        },
    )
    .await;
    // Before its server is stopped, which would look like a failure in the log.
    pool.close().await;
    report.map_err(failure)
}

/// Positions are never negative.
fn count(position: store::Position) -> u64 {
    u64::try_from(position.0).unwrap_or_default()
}

fn show(report: &Report, output: Output) -> Result<Exit, Failure> {
    if output.is_json() {
        output.json(report)?;
    } else {
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
        ))?;
    }
    Ok(if report.is_sound() {
        Exit::Done
    } else {
        Exit::Damaged
    })
}
