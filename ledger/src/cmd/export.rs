//! `ledger export` and `ledger export verify`.

use std::path::Path;

use chrono::Utc;
use store::feed::Filter;

use super::Context;
use crate::cli;
use crate::database::Database;
use crate::exit::{Exit, Failure};
use crate::export::{Format, Manifest, Order, export, verify};
use crate::moment;
use crate::output::Output;

pub(super) async fn run(asked: cli::Export, context: Context) -> Result<Exit, Failure> {
    if let Some(cli::ExportAction::Verify { dir }) = &asked.action {
        return check(dir, context.output);
    }
    let (Some(format), Some(to)) = (asked.format, &asked.to) else {
        // The command line asks for both; this is for whoever calls us otherwise.
        return Err(Failure::new(Exit::Usage, "--format and --to are required"));
    };
    let database = Database::open(&context.loaded.config).await?;
    let exported = write(&database, &asked, format, to).await;
    let closed = database.close().await;
    let manifest = exported?;
    closed?;
    if context.output.is_json() {
        context.output.json(&manifest)?;
    } else {
        context.output.line(format!(
            "exported {} events up to position {} into {} parts in {}",
            manifest.rows(),
            manifest.until.position,
            manifest.parts.len(),
            to.display()
        ))?;
    }
    Ok(Exit::Done)
}

async fn write(
    database: &Database,
    asked: &cli::Export,
    format: Format,
    to: &Path,
) -> Result<Manifest, Failure> {
    // Where the log will stand then is not known: the same command run again would mean another export.
    if asked.moment.as_of.is_some_and(|time| time > Utc::now()) {
        return Err(
            Failure::new(Exit::Refused, "the time of --as-of has not come yet")
                .hint("leave it out to export what there is now"),
        );
    }
    let pool = database.app_pool().await?;
    let run = async {
        let until = match asked.moment.moment() {
            Some(moment) => Some(moment::resolve(&pool, Some(moment)).await?),
            None => None,
        };
        let order = Order {
            to: to.to_owned(),
            format,
            until,
            filter: Filter {
                types: (!asked.types.is_empty()).then(|| asked.types.clone()),
                stores: (!asked.stores.is_empty())
                    .then(|| asked.stores.iter().map(ToString::to_string).collect()),
                hidden: None,
            },
            part_events: asked.part_events,
        };
        export(&pool, &order).await
    };
    let exported = run.await;
    pool.close().await;
    exported
}

fn check(dir: &Path, output: Output) -> Result<Exit, Failure> {
    let found = verify(dir)?;
    if output.is_json() {
        output.json(&found)?;
    } else {
        for finding in &found.findings {
            output.line(finding)?;
        }
        if found.more_findings > 0 {
            output.line(format!("and {} more", found.more_findings))?;
        }
        let verdict = if found.is_sound() {
            "sound"
        } else {
            "NOT what its manifest says"
        };
        let depth = if found.hashes_checked {
            "files and the hash of every event"
        } else {
            "files and rows"
        };
        output.line(format!(
            "the export is {verdict}: {} events in {} parts up to position {}, {depth} checked",
            found.rows, found.parts, found.scanned_to
        ))?;
    }
    Ok(if found.is_sound() {
        Exit::Done
    } else {
        Exit::Damaged
    })
}
