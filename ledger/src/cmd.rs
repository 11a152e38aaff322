//! The commands, one file each, and which is which.

mod catalogue;
mod completions;
mod config;
mod doctor;
mod export;
mod forget;
mod import;
mod migrate;
mod operations;
mod order;
mod rebuild;
mod replay;
mod seals;
mod serve;
mod token;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::config::{Loaded, load};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// What every command gets.
#[derive(Debug)]
pub struct Context {
    /// The settings, checked together.
    pub loaded: Loaded,
    /// How to speak.
    pub output: Output,
}

/// The whole program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.global.json, cli.global.color);
    match run(cli, output) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            output.failure(&failure);
            failure.exit.into()
        }
    }
}

fn run(cli: Cli, output: Output) -> Result<Exit, Failure> {
    if let Command::Completions { shell } = cli.command {
        return completions::run(shell, output);
    }
    let loaded = load(cli.sources())?;
    if let Command::Config { action } = cli.command {
        return config::run(action, &loaded, output);
    }
    loaded.config.check()?;
    start_logs(&loaded)?;
    if !output.is_json() {
        for note in &loaded.notes {
            output.note(format!("note: {note}"));
        }
    }
    let context = Context { loaded, output };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, format!("no runtime: {error}")))?;
    runtime.block_on(dispatch(cli.command, context))
}

async fn dispatch(command: Command, context: Context) -> Result<Exit, Failure> {
    match command {
        Command::Serve(_) => serve::run(context).await,
        Command::Migrate { action } => migrate::run(action, context).await,
        Command::Token(token) => token::run(token, &context),
        Command::Import(import) => import::run(import, context).await,
        Command::Order { action } => order::run(action, context).await,
        Command::Forget(forget) => forget::run(forget, context).await,
        Command::Catalogue { action } => catalogue::run(action, context).await,
        Command::Rebuild(rebuild) => rebuild::run(rebuild, context).await,
        Command::Verify(verify) => verify::run(verify, context).await,
        Command::Export(export) => export::run(export, context).await,
        Command::Replay(replay) => replay::run(replay, context).await,
        Command::Seals(seals) => seals::run(seals, context).await,
        Command::Operations { action } => operations::run(&action, &context),
        Command::Doctor => doctor::run(context).await,
        // Done before there were settings.
        Command::Config { .. } | Command::Completions { .. } => Ok(Exit::Done),
    }
}

fn start_logs(loaded: &Loaded) -> Result<(), Failure> {
    use crate::config::LogFormat;
    use observability::logs::{self, Format};

    let log = &loaded.config.log;
    let format = match log.format {
        LogFormat::Auto => Format::Auto,
        LogFormat::Json => Format::Json,
        LogFormat::Text => Format::Text,
    };
    logs::init(format, &log.level)
        .map_err(|error| Failure::new(Exit::Config, format!("log.level: {error}")))
}
