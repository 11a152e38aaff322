//! The auditors' commands: export, replay, seals.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use domain::ids::StoreId;
use projections::as_of::AsOf;
use store::Position;

use crate::export::{Format, PART_EVENTS};
use crate::moment::{self, Moment};

/// A moment of the log; its end where neither is given.
#[derive(Debug, Args)]
pub struct At {
    /// As of this time, such as 2026-01-31T18:00:00+07:00, or of Bangkok: "2026-01-31 18:00"
    #[arg(long, value_name = "TIME", value_parser = moment::time, conflicts_with = "position")]
    pub as_of: Option<DateTime<Utc>>,
    /// As of this position of the log
    #[arg(long, value_name = "N", value_parser = moment::position)]
    pub position: Option<Position>,
}

impl At {
    /// What was given.
    pub fn moment(&self) -> Option<Moment> {
        let position = self.position.map(Moment::Position);
        position.or(self.as_of.map(Moment::Time))
    }
}

/// Flags of `export`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Export {
    /// Something else than to export.
    #[command(subcommand)]
    pub action: Option<ExportAction>,
    /// The form of the files
    #[arg(long, value_enum, required = true)]
    pub format: Option<Format>,
    /// The directory: a new one, or one in which an export was begun with the same arguments
    #[arg(long, value_name = "DIR", required = true)]
    pub to: Option<PathBuf>,
    /// The part of the log.
    #[command(flatten)]
    pub moment: At,
    /// A store; may be given again
    #[arg(long = "store", value_name = "STORE", value_parser = store_id)]
    pub stores: Vec<StoreId>,
    /// Event types, separated by commas, such as order.placed,order.paid
    #[arg(long, value_name = "TYPES", value_delimiter = ',', value_parser = event_type)]
    pub types: Vec<String>,
    /// Events of one file
    #[arg(long, value_name = "N", default_value_t = PART_EVENTS, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub part_events: u64,
}

/// What `export` does beside exporting.
#[derive(Debug, Subcommand)]
pub enum ExportAction {
    /// Check that an export is what its manifest says; needs no ledger
    Verify {
        /// The directory with manifest.json
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
}

/// Flags of `replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// The file, or a directory that exists: then the file is named after the position
    #[arg(long, value_name = "FILE|DIR")]
    pub to: PathBuf,
    /// The part of the log.
    #[command(flatten)]
    pub moment: At,
}

/// Reads a moment of an order: `3` or `version:3`, `position:1200`, or a time.
pub(super) fn as_of(text: &str) -> Result<AsOf, String> {
    if let Some(position) = text.strip_prefix("position:") {
        return moment::position(position).map(AsOf::Position);
    }
    let number = text.strip_prefix("version:").unwrap_or(text);
    if let Ok(version) = number.parse::<i64>() {
        return match version {
            1.. => Ok(AsOf::Version(version)),
            _ => Err("versions begin with 1".to_owned()),
        };
    }
    let time = moment::time(text).map(AsOf::Time);
    time.map_err(|time| format!("a version, `position:N` or a time is expected; {time}"))
}

/// An unknown type would silently never come.
fn event_type(text: &str) -> Result<String, String> {
    if api_graphql::is_event_type(text) {
        Ok(text.to_owned())
    } else {
        Err("no event has this type; they look like order.placed".to_owned())
    }
}

fn store_id(text: &str) -> Result<StoreId, String> {
    text.parse()
        .map_err(|_| "a store is expected: CFR and 3 digits".to_owned())
}

/// Flags of `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// Seals that were kept elsewhere: the log must still hold every one of them; may be given again
    #[arg(long = "seal", value_name = "FILE")]
    pub seals: Vec<PathBuf>,
    /// A public key of seals, base64, as an auditor wrote it down; others are refused then
    #[arg(long = "seal-key", value_name = "KEY", requires = "seals")]
    pub keys: Vec<String>,
}

/// Flags of `seals`.
#[derive(Debug, Args)]
pub struct Seals {
    /// Those behind a position, oldest first [default: the newest]
    #[arg(long, value_name = "POSITION", value_parser = moment::position)]
    pub after: Option<Position>,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1_000))]
    pub limit: i64,
}

/// Examples of `seals`.
pub(super) const SEALS: &str = "Examples:
  ledger seals
  ledger seals --json > /media/auditor/seals-2026-01-31.json
  ledger verify --seal /media/auditor/seals-2026-01-31.json
A serving ledger signs the head of the log every minute in which something was appended. Keep seals,
and once the public key, where nobody of the ledger can change them.";

/// Examples of `verify`.
pub(super) const VERIFY: &str = "Examples:
  ledger verify
  ledger verify --json | jq '.findings, .views.differences'
  ledger verify --seal seals-2026-01-31.json --seal-key \"$(cat public-key)\"
Exit code 8 when the log is not what was written or lacks what was sealed, 3 when the log is sound and a
read model is not what it says.";

/// Examples of `export`.
pub(super) const EXPORT: &str = "Examples:
  ledger export --format jsonl --to audit-2026-01 --as-of '2026-02-01 00:00'
  ledger export --format parquet --to lake --store CFR001 --types order.placed,order.paid
  ledger export verify audit-2026-01
An export that was interrupted goes on where it was when it is run once more. Every part has its
SHA-256 in manifest.json, beside the hash of the log's chain at its end.";

/// Examples of `replay`.
pub(super) const REPLAY: &str = "Examples:
  ledger replay --to /tmp/replay.jsonl
  ledger replay --to /tmp --as-of '2026-02-01 00:00'
Computes every order, remittance, bundle, store and dead letter and every cash balance from the events
alone, without the read models. The same position always gives the same file; its last line has the
SHA-256 of the lines before it.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_an_order_is_a_version_a_position_or_a_time() {
        assert_eq!(as_of("3"), Ok(AsOf::Version(3)));
        assert_eq!(as_of("version:12"), Ok(AsOf::Version(12)));
        assert_eq!(as_of("position:7"), Ok(AsOf::Position(Position(7))));
        let time = "2026-01-31T11:00:00Z".parse().unwrap();
        assert_eq!(as_of("2026-01-31 18:00"), Ok(AsOf::Time(time)));
        assert!(event_type("order.placed").is_ok() && event_type("order.plcaed").is_err());
        for text in ["", "0", "-1", "position:x", "version:x", "tomorrow"] {
            assert!(as_of(text).is_err(), "{text}");
        }
    }
}
