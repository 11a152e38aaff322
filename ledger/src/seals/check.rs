//! Whether the log still holds what a seal says.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use store::feed::chain_link;
use store::{LogId, StoreError};

use super::{Written, is_signed};
use crate::exit::{Exit, Failure};
use store::hash::hex;

/// More than a file of seals has: a seal has about 400 bytes, a year of minutes half a million of them.
const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;
/// Findings named one by one; the rest is only counted.
const MAX_FINDINGS: usize = 100;

/// What was found of seals.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// Seals that were checked.
    pub checked: u64,
    /// What is wrong.
    pub findings: Vec<String>,
    /// Findings beyond those.
    pub more_findings: u64,
}

/// The forms of a file: what `ledger seals --json` and `/v1/seals` print, a list, or one.
#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    Page { seals: Vec<Written> },
    List(Vec<Written>),
    One(Box<Written>),
}

/// Reads the seals of a file.
///
/// # Errors
/// It cannot be read or holds no seals.
pub fn read(path: &Path) -> Result<Vec<Written>, Failure> {
    let unreadable = |why: &dyn std::fmt::Display| {
        Failure::new(
            Exit::Refused,
            format!("{} cannot be read as seals: {why}", path.display()),
        )
        .hint("a file is expected that `ledger seals --json` or GET /v1/seals made")
    };
    let meta = fs::metadata(path).map_err(|error| unreadable(&error))?;
    if meta.len() > MAX_FILE_BYTES {
        return Err(unreadable(&"it is too large"));
    }
    let text = fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    let file: File = serde_json::from_str(&text).map_err(|_| unreadable(&"no such JSON"))?;
    let seals = match file {
        File::Page { seals } | File::List(seals) => seals,
        File::One(seal) => vec![*seal],
    };
    if seals.is_empty() {
        return Err(unreadable(&"there is none in it"));
    }
    Ok(seals)
}

/// Checks each seal's signature, by the keys named where there are any, and that the log has the sealed hash and time
/// at the sealed position. That the log is a chain up to there is `ledger verify`'s to say.
///
/// # Errors
/// The database does not answer.
pub async fn check(
    pool: &PgPool,
    seals: &[Written],
    keys: &[String],
) -> Result<Checked, StoreError> {
    let mut found = Checked::default();
    for written in seals {
        found.checked += 1;
        if let Some(what) = wrong(pool, written, keys).await? {
            if found.findings.len() < MAX_FINDINGS {
                let at = written.position;
                found
                    .findings
                    .push(format!("the seal of position {at}: {what}"));
            } else {
                found.more_findings += 1;
            }
        }
    }
    Ok(found)
}

async fn wrong(
    pool: &PgPool,
    written: &Written,
    keys: &[String],
) -> Result<Option<String>, StoreError> {
    let Some(seal) = written.seal() else {
        return Ok(Some("it is not in the form of a seal".to_owned()));
    };
    if !is_signed(&seal) {
        return Ok(Some("the signature is not its key's".to_owned()));
    }
    if !keys.is_empty() && !keys.contains(&written.public_key) {
        let what = format!("it is signed by another key, {}", written.public_key);
        return Ok(Some(what));
    }
    if seal.head.log_id != LogId::DEFAULT {
        return Ok(Some("it is another log's".to_owned()));
    }
    let link = chain_link(pool, LogId::DEFAULT, seal.head.position).await?;
    Ok(match link {
        None => Some("the log has no event there any more".to_owned()),
        Some((hash, _)) if hash != seal.head.hash => Some(format!(
            "the log has the hash {} there, not {}",
            hex(&hash),
            written.hash
        )),
        Some((_, at)) if at != seal.head.recorded_at => Some(format!(
            "the log says {at} there, not {}",
            written.recorded_at
        )),
        Some(_) => None,
    })
}
