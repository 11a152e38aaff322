//! `manifest.json`: what an export holds, and how to prove it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use store::{Head, LogId};

use super::{Order, unreadable, unwritable};
use crate::exit::{Exit, Failure};
use store::hash::hex;

/// The file's name.
pub(super) const FILE: &str = "manifest.json";
/// Its name while it is written.
pub(super) const UNFINISHED: &str = "manifest.tmp";
/// The shape of the manifest.
const VERSION: u32 = 1;
/// More than a manifest has: 100 bytes and some for each part of a log of billions of events.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The form of the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object a line; payloads byte for byte, so that hashes can be checked
    Jsonl,
    /// Comma-separated values with a header (RFC 4180)
    Csv,
    /// Apache Parquet, compressed with Snappy
    Parquet,
}

impl Format {
    /// The ending of its files.
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }
}

/// The end of the exported part of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Until {
    /// The last position that was looked at, or will be.
    pub position: i64,
    /// The chain's hash there, hexadecimal.
    pub hash: String,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// Its name in the directory.
    pub file: String,
    /// Events in it.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Position of its first event.
    pub first_position: i64,
    /// Position of its last event.
    pub last_position: i64,
}

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The shape of this file.
    pub version: u32,
    /// Which log.
    pub log_id: i16,
    /// The form of the parts.
    pub format: Format,
    /// The types that were asked for; all where null.
    pub types: Option<Vec<String>>,
    /// The stores that were asked for; all where null.
    pub stores: Option<Vec<String>>,
    /// Events of a full part.
    pub part_events: u64,
    /// The end of the exported part of the log.
    pub until: Until,
    /// Up to here the log is in the parts.
    pub scanned_to: i64,
    /// Whether that is all.
    pub is_complete: bool,
    /// The files, in the order of the log.
    pub parts: Vec<Part>,
}

impl Manifest {
    pub(super) fn new(order: &Order, until: Head) -> Self {
        Self {
            version: VERSION,
            log_id: LogId::DEFAULT.0,
            format: order.format,
            types: order.filter.types.clone(),
            stores: order.filter.stores.clone(),
            part_events: order.part_events,
            until: Until {
                position: until.position.0,
                hash: hex(&until.hash),
            },
            scanned_to: 0,
            is_complete: false,
            parts: Vec::new(),
        }
    }

    /// Events in all parts.
    pub fn rows(&self) -> u64 {
        self.parts.iter().map(|part| part.rows).sum()
    }

    /// The manifest of a directory; `None` where there is none.
    ///
    /// # Errors
    /// When it cannot be read or is none of ours.
    pub fn load(dir: &Path) -> Result<Option<Self>, Failure> {
        let path = dir.join(FILE);
        let meta = match fs::metadata(&path) {
            Ok(meta) => meta,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&path, &error)),
        };
        let damaged =
            |why: String| Failure::new(Exit::Damaged, format!("{}: {why}", path.display()));
        if meta.len() > MAX_BYTES {
            return Err(damaged("too large for a manifest".to_owned()));
        }
        let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        let manifest: Self =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if manifest.version != VERSION {
            return Err(damaged(format!(
                "version {} is not known",
                manifest.version
            )));
        }
        Ok(Some(manifest))
    }

    /// Replaces the manifest: whoever reads it finds the old one or the new one, whole.
    pub(super) fn save(&self, dir: &Path) -> Result<(), Failure> {
        let path = dir.join(FILE);
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|error| Failure::new(Exit::Failed, error))?;
        text.push('\n');
        replace(&path, text.as_bytes()).map_err(|error| unwritable(&path, &error))
    }

    /// Whether an order is the one that this export was begun with.
    pub(super) fn check_same(&self, order: &Order) -> Result<(), Failure> {
        let other = if self.format != order.format {
            "format"
        } else if self.types != order.filter.types {
            "types"
        } else if self.stores != order.filter.stores {
            "store"
        } else if self.part_events != order.part_events {
            "part-events"
        } else if order
            .until
            .is_some_and(|u| u.position.0 != self.until.position)
        {
            "as-of or position"
        } else {
            return Ok(());
        };
        Err(Failure::new(
            Exit::Refused,
            format!(
                "{} holds an export with another {other}",
                order.to.display()
            ),
        )
        .hint("go on with the same arguments, or name a new directory"))
    }
}

/// Writes a file under a temporary name, durably, and renames it.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("tmp");
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    sync_dir(path)
}

/// Makes a rename durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => File::open(dir)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
