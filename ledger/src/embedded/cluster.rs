//! Makes the server's files with `initdb`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::EmbeddedError;
use super::account::Account;
use super::binaries::Binaries;
use super::layout::{Layout, private_dir};
use super::settings::SUPERUSER_ROLE;

/// `initdb` takes about two seconds; a machine that needs longer than this is broken.
const INITDB_LIMIT: Duration = Duration::from_secs(120);

/// Locales to try, best first; the second exists everywhere.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

/// What a program's last words are cut to.
const LAST_WORDS: usize = 400;

/// A server program, started as the server's account with nothing of our environment: that may
/// hold keys, and PostgreSQL reads variables of its own.
pub(super) fn command(binaries: &Binaries, name: &str, account: &Account) -> Command {
    let mut command = Command::new(binaries.program(name));
    command
        .env_clear()
        .env("PATH", &binaries.dir)
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null());
    if account.step_down {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// Makes a new cluster beside its place and moves it there when it is whole, so that an
/// interrupted first start leaves nothing half-made behind.
///
/// # Errors
/// When `initdb` fails, with its own words.
pub(super) async fn create(
    layout: &Layout,
    binaries: &Binaries,
    account: &Account,
) -> Result<(), EmbeddedError> {
    let new = layout.root.join("postgres.new");
    let mut said = String::new();
    for locale in LOCALES {
        remove_leftover(&new)?;
        private_dir(&new, account)?;
        match initdb(&new, binaries, account, locale).await? {
            Ok(()) => return move_into_place(&new, &layout.pgdata),
            Err(words) => said = words,
        }
        if !said.contains("invalid locale name") {
            break;
        }
    }
    remove_leftover(&new)?;
    Err(
        EmbeddedError::from_output(&layout.root, &said).unwrap_or(EmbeddedError::Initdb {
            path: layout.root.clone(),
            detail: said,
        }),
    )
}

/// `Ok(Err(words))` when `initdb` itself failed.
async fn initdb(
    new: &Path,
    binaries: &Binaries,
    account: &Account,
    locale: &str,
) -> Result<Result<(), String>, EmbeddedError> {
    let run = command(binaries, "initdb", account)
        .arg("--pgdata")
        .arg(new)
        .args(["--username", SUPERUSER_ROLE, "--encoding", "UTF8"])
        .args(["--locale", locale, "--data-checksums"])
        .args(["--auth-local", "peer", "--auth-host", "reject"])
        .kill_on_drop(true)
        .output();
    let program = binaries.program("initdb");
    let Ok(output) = tokio::time::timeout(INITDB_LIMIT, run).await else {
        let seconds = INITDB_LIMIT.as_secs();
        return Ok(Err(format!("initdb had not finished after {seconds} s")));
    };
    let output = output.map_err(|error| EmbeddedError::from_io("run", &program, error))?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    Ok(Err(last_words(&String::from_utf8_lossy(&output.stderr))))
}

fn move_into_place(new: &Path, pgdata: &Path) -> Result<(), EmbeddedError> {
    let failed = |error| EmbeddedError::from_io("move", new, error);
    // An empty directory there is replaced.
    std::fs::rename(new, pgdata).map_err(failed)?;
    match pgdata.parent() {
        Some(parent) => std::fs::File::open(parent)
            .and_then(|dir| dir.sync_all())
            .map_err(failed),
        None => Ok(()),
    }
}

fn remove_leftover(path: &Path) -> Result<(), EmbeddedError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(EmbeddedError::from_io("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// The lines that say what went wrong, on one line.
pub(super) fn last_words(output: &str) -> String {
    let telling = |line: &&str| {
        ["FATAL", "ERROR", "PANIC", "error:", "fatal:", "HINT"]
            .iter()
            .any(|word| line.contains(word))
    };
    let mut lines: Vec<&str> = output.lines().map(str::trim).filter(telling).collect();
    if lines.is_empty() {
        lines = output
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
    }
    let first = lines.len().saturating_sub(3);
    let text = lines.get(first..).unwrap_or_default().join("; ");
    match text.char_indices().nth(LAST_WORDS) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None if text.is_empty() => "it said nothing".to_owned(),
        None => text,
    }
}

/// The newest of the server's own log files, where it has any.
pub(super) fn newest_log(pgdata: &Path) -> Option<PathBuf> {
    std::fs::read_dir(pgdata.join("log"))
        .ok()?
        .flatten()
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .max()
        .map(|(_, path)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_telling_lines() {
        let said = "The files belong to you.\ncreating directory ... ok\n\
                    initdb: error: could not write: No space left on device\n\
                    initdb: removing contents";
        assert_eq!(
            last_words(said),
            "initdb: error: could not write: No space left on device"
        );
        assert_eq!(last_words(" \n"), "it said nothing");
        assert!(last_words(&"ERROR ".repeat(500)).len() <= LAST_WORDS + 3);
    }
}
