//! `ledger config`.

use serde_json::json;

use crate::cli;
use crate::config::Loaded;
use crate::exit::{Exit, Failure};
use crate::output::Output;

pub(super) fn run(action: cli::Config, loaded: &Loaded, output: Output) -> Result<Exit, Failure> {
    match action {
        cli::Config::Check => {
            loaded.config.check()?;
            if output.is_json() {
                output.json(&json!({ "ok": true }))?;
            } else {
                output.line("the configuration is usable")?;
            }
        }
        // Shown even when it cannot be used: that is when one wants to see it.
        cli::Config::Dump if output.is_json() => output.json(&loaded.to_json())?,
        cli::Config::Dump => output.line(loaded.to_toml().trim_end())?,
    }
    Ok(Exit::Done)
}
