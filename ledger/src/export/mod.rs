//! The log as files for others: in parts, with a manifest that says what belongs to them.
//!
//! A part is written under a temporary name, made durable and renamed; then the manifest is replaced, which names the
//! parts there are and how far the log was read for them. So a run that was killed goes on with the next part, and
//! writes the same files that one run would have written: where parts end depends on the log alone.

mod manifest;
mod parquet;
mod part;
mod row;
mod verify;

use std::fs;
use std::path::{Path, PathBuf};

use sqlx::PgPool;
use store::feed::{Filter, Scan, chain_link, scan_until};
use store::{Head, LogId, Position, Recorded};

use crate::database::failure;
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use store::hash::hex;

pub(crate) use manifest::sync_dir;
pub use manifest::{Format, Manifest, Part};
pub use verify::{Verified, verify};

use part::Writer;

/// Events read at a time.
const PAGE: i64 = 1_000;
/// Positions looked at in one read, where a filter leaves most of them out.
const WINDOW: i64 = 20_000;
/// Events of a part, when nobody says: some 50 MB.
pub const PART_EVENTS: u64 = 50_000;

/// What to export.
#[derive(Debug)]
pub struct Order {
    /// Where to.
    pub to: PathBuf,
    /// In which form.
    pub format: Format,
    /// The part of the log; the end of the log at the first run where `None`.
    pub until: Option<Head>,
    /// Which events.
    pub filter: Filter,
    /// Events of a part.
    pub part_events: u64,
}

/// Exports, or goes on with what an earlier run began.
///
/// # Errors
/// The directory holds something else or another export, the log is not the one that the export was begun from, a file
/// cannot be written, the database does not answer.
pub async fn export(pool: &PgPool, order: &Order) -> Result<Manifest, Failure> {
    let mut manifest = begin(pool, order).await?;
    let until = Position(manifest.until.position);
    let progress = Progress::start("exporting", Some(0));
    progress.expect_total(until.0.unsigned_abs());
    // Ends: every part moves the manifest on, up to `until`.
    while manifest.scanned_to < until.0 {
        let part = write_part(pool, order, &manifest, &progress).await?;
        manifest.scanned_to = part.scanned_to;
        manifest.parts.extend(part.part);
        manifest.is_complete = manifest.scanned_to >= until.0;
        manifest.save(&order.to)?;
    }
    if !manifest.is_complete {
        manifest.is_complete = true;
        manifest.save(&order.to)?;
    }
    Ok(manifest)
}

/// The manifest to go on with.
async fn begin(pool: &PgPool, order: &Order) -> Result<Manifest, Failure> {
    let log = LogId::DEFAULT;
    if let Some(found) = Manifest::load(&order.to)? {
        found.check_same(order)?;
        let at = Position(found.until.position);
        let link = chain_link(pool, log, at).await.map_err(failure)?;
        let hash = link.map_or_else(|| hex(&store::hash::GENESIS), |(hash, _)| hex(&hash));
        if hash != found.until.hash {
            return Err(Failure::new(
                Exit::Damaged,
                format!(
                    "the log has another event at position {at} than when this export was begun"
                ),
            )
            .hint(
                "run `ledger verify`; if this is another ledger, export into another directory",
            ));
        }
        check_parts(&order.to, &found)?;
        return Ok(found);
    }
    fs::create_dir_all(&order.to).map_err(|e| unwritable(&order.to, &e))?;
    let mut entries = fs::read_dir(&order.to).map_err(|e| unwritable(&order.to, &e))?;
    // A run writes its manifest before its first part: without one, parts are somebody else's as well. Only a manifest
    // on its way is no reason to refuse.
    let is_foreign = |name: &str| name != manifest::UNFINISHED;
    if entries.any(|e| e.is_ok_and(|e| is_foreign(&e.file_name().to_string_lossy()))) {
        return Err(Failure::new(
            Exit::Refused,
            format!("{} is not empty and holds no export", order.to.display()),
        )
        .hint("name a new directory"));
    }
    let until = match order.until {
        Some(until) => until,
        None => store::feed::head(pool, log).await.map_err(failure)?,
    };
    let manifest = Manifest::new(order, until);
    manifest.save(&order.to)?;
    Ok(manifest)
}

/// Whether the parts of before are there as they were written: "done" would be said of files that nobody can use.
fn check_parts(dir: &Path, manifest: &Manifest) -> Result<(), Failure> {
    for part in &manifest.parts {
        let path = dir.join(&part.file);
        let what = match verify::sum(&path) {
            Ok((bytes, sha256)) if bytes == part.bytes && sha256 == part.sha256 => continue,
            Ok(_) => "is not the file that was written",
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "is missing",
            Err(error) => return Err(unreadable(&path, &error)),
        };
        return Err(
            Failure::new(Exit::Damaged, format!("{} {what}", path.display()))
                .hint("export into a new directory; `ledger export verify` says what is wrong"),
        );
    }
    Ok(())
}

/// What came of one part.
struct Written {
    /// `None` where the filter left nothing.
    part: Option<Part>,
    scanned_to: i64,
}

async fn write_part(
    pool: &PgPool,
    order: &Order,
    manifest: &Manifest,
    progress: &Progress,
) -> Result<Written, Failure> {
    let until = Position(manifest.until.position);
    let name = part::name(manifest.parts.len() + 1, order.format);
    let mut writer = Writer::create(&order.to, &name, order.format)?;
    let mut next = Position(manifest.scanned_to);
    let mut rows = 0_u64;
    let (mut first, mut last) = (None, None);
    // Ends: every read moves `next` on.
    while next < until && rows < order.part_events {
        let left = i64::try_from(order.part_events - rows).unwrap_or(PAGE);
        let scan = Scan {
            after: next,
            window: WINDOW,
            limit: PAGE.min(left),
            filter: &order.filter,
        };
        let scanned = scan_until(pool, LogId::DEFAULT, &scan, until).await;
        let scanned = scanned.map_err(failure)?;
        check_whole(next, &scanned.events, &order.filter, scanned.next)?;
        writer.write(&scanned.events)?;
        rows += scanned.events.len() as u64;
        first = first.or(scanned.events.first().map(|e| e.position.0));
        last = scanned.events.last().map(|e| e.position.0).or(last);
        next = scanned.next;
        progress.reach(next.0.unsigned_abs());
    }
    let (Some(first), Some(last)) = (first, last) else {
        writer.abandon()?;
        return Ok(Written {
            part: None,
            scanned_to: next.0,
        });
    };
    let sum = writer.finish()?;
    Ok(Written {
        part: Some(Part {
            file: name,
            rows,
            bytes: sum.bytes,
            sha256: hex(&sum.sha256),
            first_position: first,
            last_position: last,
        }),
        scanned_to: next.0,
    })
}

/// Without a filter every position must be there: an export of a log with a gap would hide it.
fn check_whole(
    after: Position,
    events: &[Recorded],
    filter: &Filter,
    next: Position,
) -> Result<(), Failure> {
    let whole = *filter == Filter::default();
    let found = i64::try_from(events.len()).unwrap_or(i64::MAX);
    if !whole || found == next.0 - after.0 {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Damaged,
        format!("events are missing between positions {after} and {next}"),
    )
    .hint("`ledger verify` says which"))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("{} cannot be written: {error}", path.display()),
    )
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("{} cannot be read: {error}", path.display()),
    )
}
