//! `ledger import`.

use std::path::PathBuf;

use domain::actor::{Actor, Role, StoreScope};

use super::Context;
use crate::cli;
use crate::database::{self, Database};
use crate::exit::{Exit, Failure};
use crate::import::{InProcess, Options, Summary, import_file};

pub(super) async fn run(import: cli::Import, context: Context) -> Result<Exit, Failure> {
    let config = &context.loaded.config;
    let database = Database::open(config).await?;
    let summary = carry_out(&import.file, import.results, &context, &database).await;
    let closed = database.close().await;
    let summary = summary?;
    closed?;
    context.output.note(summary.to_string());
    Ok(summary.exit())
}

async fn carry_out(
    file: &std::path::Path,
    results: Option<PathBuf>,
    context: &Context,
    database: &Database,
) -> Result<Summary, Failure> {
    let config = &context.loaded.config;
    database.bring_up_to_date(config).await?;
    let log = database.log(config).await?;
    let vault = database.vault(config, &log).await?;
    let bus = database::bus(config, &log, &vault);
    // Whoever may use the database and its master key may do everything; the events say how.
    let actor = Actor {
        id: "import".to_owned(),
        role: Role::Admin,
        stores: StoreScope::All,
    };
    let orders = InProcess::new(bus, log.clone());
    let summary = import_file(
        &orders,
        &actor,
        file,
        results.as_deref(),
        Options::default(),
    )
    .await;
    log.close().await;
    summary.map_err(|error| Failure::new(Exit::Failed, error))
}
