//! Whether an export is what its manifest says: without the ledger, on any machine.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};
use store::{Recorded, hash};

use super::manifest::{Format, Manifest, Part};
use super::{parquet, part, row, unreadable};
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use store::hash::{hex, unhex};

/// Findings named one by one; the rest is only counted.
const MAX_FINDINGS: usize = 100;
/// Bytes read at a time.
const BLOCK: usize = 64 * 1024;

/// What was found.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// Files that were read.
    pub parts: usize,
    /// Events in them.
    pub rows: u64,
    /// Whether the hash of every event was computed anew: for JSON lines.
    pub hashes_checked: bool,
    /// Up to here the log is in the parts.
    pub scanned_to: i64,
    /// What is wrong.
    pub findings: Vec<String>,
    /// Findings beyond those.
    pub more_findings: u64,
}

impl Verified {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(&mut self, finding: String) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more_findings += 1;
        }
    }
}

/// Checks the export in a directory.
///
/// # Errors
/// There is no manifest, or it or a file cannot be read. What is wrong with them is in [`Verified`].
pub fn verify(dir: &Path) -> Result<Verified, Failure> {
    let manifest = Manifest::load(dir)?.ok_or_else(|| {
        let what = format!("{} holds no export", dir.display());
        Failure::new(Exit::NotFound, what).hint("name the directory with manifest.json")
    })?;
    let mut found = Verified {
        hashes_checked: manifest.format == Format::Jsonl,
        scanned_to: manifest.scanned_to,
        ..Verified::default()
    };
    if !manifest.is_complete {
        found.add(format!(
            "the export is not complete: it reaches position {} of {}",
            manifest.scanned_to, manifest.until.position
        ));
    }
    let is_whole = manifest.types.is_none() && manifest.stores.is_none();
    let mut chain = Chain {
        last: is_whole.then_some(hash::GENESIS),
        position: 0,
        is_whole,
    };
    let progress = Progress::start("checking the parts", Some(0));
    progress.expect_total(manifest.rows());
    for part in &manifest.parts {
        check_part(dir, &manifest, part, &mut chain, &mut found)?;
        progress.advance(part.rows);
    }
    if is_whole && chain.position != manifest.scanned_to {
        found.add(format!(
            "the parts end at position {}, the manifest at {}",
            chain.position, manifest.scanned_to
        ));
    }
    if let (true, true, Some(last)) = (manifest.is_complete, found.hashes_checked, chain.last)
        && Some(last) != unhex(&manifest.until.hash)
    {
        found.add("the last event's hash is not the manifest's".to_owned());
    }
    check_strangers(dir, &manifest, &mut found)?;
    Ok(found)
}

/// Where the chain stands between two events.
struct Chain {
    /// The hash of the event before; `None` where events were left out, so that nothing links.
    last: Option<[u8; 32]>,
    position: i64,
    is_whole: bool,
}

fn check_part(
    dir: &Path,
    manifest: &Manifest,
    part: &Part,
    chain: &mut Chain,
    found: &mut Verified,
) -> Result<(), Failure> {
    let path = dir.join(&part.file);
    let name = &part.file;
    if part.file.contains(['/', '\\']) || !part::is_ours(name) {
        found.add(format!("{name} is no name of a part"));
        return Ok(());
    }
    let (bytes, sha256) = match sum(&path) {
        Ok(sum) => sum,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            found.add(format!("{name} is missing"));
            return Ok(());
        }
        Err(error) => return Err(unreadable(&path, &error)),
    };
    found.parts += 1;
    if bytes != part.bytes {
        found.add(format!("{name} has {bytes} bytes, not {}", part.bytes));
    } else if sha256 != part.sha256 {
        found.add(format!(
            "{name} is not the file that was written: its SHA-256 is {sha256}"
        ));
    }
    let follows = part.first_position > chain.position
        && (!chain.is_whole || part.first_position == chain.position + 1);
    if !follows || part.last_position < part.first_position {
        found.add(format!(
            "{name} has positions {} to {} behind {}",
            part.first_position, part.last_position, chain.position
        ));
    }
    let rows = match manifest.format {
        Format::Jsonl => check_lines(&path, part, chain, found),
        Format::Csv => records(&path).map(|records| records.saturating_sub(1)),
        Format::Parquet => parquet::rows(&path),
    };
    chain.position = part.last_position;
    match rows {
        Ok(rows) => {
            found.rows += rows;
            if rows != part.rows {
                found.add(format!("{name} has {rows} rows, not {}", part.rows));
            }
        }
        Err(error) => found.add(format!(
            "{name} cannot be read as {:?}: {error}",
            manifest.format
        )),
    }
    Ok(())
}

/// Computes the hashes of every event anew.
fn check_lines(
    path: &Path,
    part: &Part,
    chain: &mut Chain,
    found: &mut Verified,
) -> io::Result<u64> {
    let name = &part.file;
    let mut rows = 0;
    let (mut first, mut last) = (None, None);
    for line in BufReader::new(File::open(path)?).lines() {
        rows += 1;
        let line = line?;
        let Some(event) = row::of_json(&line) else {
            found.add(format!("{name} line {rows} is no event"));
            chain.last = None;
            continue;
        };
        let position = event.position.0;
        if last.is_some_and(|last| position <= last) {
            found.add(format!(
                "{name} line {rows}: position {position} stands behind a later one or itself"
            ));
        }
        first = first.or(Some(position));
        last = Some(position);
        if !hashes(&event) {
            found.add(format!(
                "the event at position {} is not what was appended",
                event.position
            ));
        }
        if chain.last.is_some_and(|last| last != event.prev_hash) {
            found.add(format!(
                "the event at position {} does not follow the one before it",
                event.position
            ));
        }
        chain.last = chain.is_whole.then_some(event.hash);
    }
    if let (Some(first), Some(last)) = (first, last)
        && (first, last) != (part.first_position, part.last_position)
    {
        found.add(format!(
            "{name} has the events {first} to {last}, not {} to {}",
            part.first_position, part.last_position
        ));
    }
    Ok(rows)
}

fn hashes(event: &Recorded) -> bool {
    let content = hash::content_of(event);
    let chained = hash::chain(
        &event.prev_hash,
        event.position,
        event.recorded_at,
        &content,
    );
    content == event.content_hash && chained == event.hash
}

/// Records of comma-separated values, the header among them: line ends outside of quotes.
fn records(path: &Path) -> io::Result<u64> {
    let (mut records, mut quoted) = (0, false);
    each_block(path, |block| {
        for byte in block {
            match byte {
                b'"' => quoted = !quoted,
                b'\n' if !quoted => records += 1,
                _ => {}
            }
        }
    })?;
    Ok(records)
}

pub(super) fn sum(path: &Path) -> io::Result<(u64, String)> {
    let (mut bytes, mut hasher) = (0, Sha256::new());
    each_block(path, |block| {
        bytes += block.len() as u64;
        hasher.update(block);
    })?;
    Ok((bytes, hex(&hasher.finalize())))
}

fn each_block(path: &Path, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(()),
            read => take(block.get(..read).unwrap_or_default()),
        }
    }
}

/// Files that look like parts and are in no manifest.
fn check_strangers(dir: &Path, manifest: &Manifest, found: &mut Verified) -> Result<(), Failure> {
    for entry in fs::read_dir(dir).map_err(|error| unreadable(dir, &error))? {
        let name = entry.map_err(|error| unreadable(dir, &error))?.file_name();
        let name = name.to_string_lossy();
        let known = manifest.parts.iter().any(|part| part.file == name);
        if name.starts_with("part-") && !known {
            found.add(format!("{name} is not in the manifest"));
        }
    }
    Ok(())
}
