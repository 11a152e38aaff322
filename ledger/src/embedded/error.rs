//! What can go wrong with the private PostgreSQL, each with what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why the private PostgreSQL could not be started, kept running or stopped.
/// Every message is one sentence for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No usable server programs on this machine.
    #[error(
        "PostgreSQL's server programs were not found ({searched}): install the Debian package \
         `postgresql` (apt-get install postgresql) or set postgres_bin_dir to the directory that holds `initdb` and `postgres`"
    )]
    BinariesMissing {
        /// Where was looked.
        searched: String,
    },

    /// A server program could not say its version.
    #[error(
        "`{program} --version` did not answer with a PostgreSQL version ({detail}): set postgres_bin_dir to a directory with PostgreSQL 14 or later"
    )]
    UnknownVersion {
        /// The program asked.
        program: PathBuf,
        /// What it said instead.
        detail: String,
    },

    /// The data directory was made by another major version.
    #[error(
        "the data directory {path} was made by PostgreSQL {data}, but only PostgreSQL {found} is installed: \
         install the Debian package `postgresql-{data}`, or move the data with pg_upgrade, or choose another data directory with --data-dir"
    )]
    VersionMismatch {
        /// The cluster's directory.
        path: PathBuf,
        /// The major version that made it.
        data: String,
        /// The major versions installed, separated by commas.
        found: String,
    },

    /// The account that is to run the server does not exist.
    #[error(
        "the account `{name}`, which is to run PostgreSQL because root may not, does not exist: \
         create it (useradd --system {name}) or set postgres_user to an existing unprivileged account"
    )]
    AccountMissing {
        /// The configured name.
        name: String,
    },

    /// The configured account is root itself.
    #[error(
        "PostgreSQL refuses to run as root and postgres_user is `{name}`: set postgres_user to an unprivileged account such as `postgres`"
    )]
    AccountIsRoot {
        /// The configured name.
        name: String,
    },

    /// The calling user has no entry in the user database.
    #[error(
        "user id {uid} has no entry in /etc/passwd, and PostgreSQL needs a user name: add one, or start the ledger as a named user"
    )]
    NamelessUser {
        /// The user id without a name.
        uid: u32,
    },

    /// The server's account cannot get at the data directory.
    #[error(
        "the account `{account}`, which runs PostgreSQL, cannot pass through {blocker} to reach the data directory {data_dir}: \
         choose a directory outside it (--data-dir /var/lib/ledger) or let others pass (chmod o+x {blocker})"
    )]
    Unreachable {
        /// The server's account.
        account: String,
        /// The first directory on the way that stops it.
        blocker: PathBuf,
        /// The data directory.
        data_dir: PathBuf,
    },

    /// Another ledger uses this data directory.
    #[error(
        "another ledger{} is running on the data directory {data_dir}: stop it first or choose another directory with --data-dir",
        pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
    )]
    Locked {
        /// The data directory.
        data_dir: PathBuf,
        /// The other ledger's process id, where its lock file names it.
        pid: Option<u32>,
    },

    /// The cluster belongs to another account.
    #[error(
        "{path} belongs to user id {owner}, but PostgreSQL would run as `{account}`: \
         start the ledger as the user who made the directory, or hand it over (chown -R {account} {path})"
    )]
    WrongOwner {
        /// The cluster's directory.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The server's account.
        account: String,
    },

    /// A path that is not ours is in the way.
    #[error(
        "{path} exists but {what}: move it away or choose another data directory with --data-dir"
    )]
    InTheWay {
        /// The path.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },

    /// The directory cannot be written.
    #[error(
        "the data directory {path} cannot be written ({detail}): make it writable for this user or choose another directory with --data-dir"
    )]
    NotWritable {
        /// The directory or file.
        path: PathBuf,
        /// The system's words.
        detail: String,
    },

    /// No space left.
    #[error(
        "the disk that holds {path} is full ({free_mb} MB free, {needed_mb} MB needed): free some space or choose another directory with --data-dir"
    )]
    DiskFull {
        /// The directory.
        path: PathBuf,
        /// Free space, in megabytes.
        free_mb: u64,
        /// What a start needs, in megabytes.
        needed_mb: u64,
    },

    /// No socket path short enough.
    #[error(
        "the socket path under {path} is longer than the {limit} bytes the system allows: choose a shorter directory with --data-dir, or set TMPDIR to a short one"
    )]
    SocketPathTooLong {
        /// The socket directory that would have been used.
        path: PathBuf,
        /// The limit in bytes.
        limit: usize,
    },

    /// The master key is gone although data exists.
    #[error(
        "{path} is missing although the data directory holds orders sealed with it: restore it from a backup, for a new key would leave their personal data unreadable"
    )]
    SecretMissing {
        /// The key file.
        path: PathBuf,
    },

    /// A key file does not hold a key.
    #[error("{path} does not hold a valid key ({what}): restore it from a backup")]
    SecretDamaged {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },

    /// The system's random numbers or key generation failed.
    #[error("the system could not make a new key: check that /dev/urandom can be read")]
    KeyGeneration,

    /// `initdb` failed.
    #[error("PostgreSQL could not create its files in {path}: {detail}")]
    Initdb {
        /// The directory.
        path: PathBuf,
        /// The programs's last words.
        detail: String,
    },

    /// The server ended before it was ready.
    #[error("PostgreSQL did not start: {detail} (more in {log})")]
    StartFailed {
        /// The server's last words.
        detail: String,
        /// Its log.
        log: PathBuf,
    },

    /// The server was not ready in time.
    #[error(
        "PostgreSQL was not ready after {seconds} s: look in {log} and try again; a long recovery after a crash goes on where it stopped"
    )]
    StartTimeout {
        /// The bound, in seconds.
        seconds: u64,
        /// The server's log.
        log: PathBuf,
    },

    /// The server keeps dying.
    #[error(
        "PostgreSQL died {times} times within {seconds} s and is not restarted again: look in {log}"
    )]
    CrashLoop {
        /// How often it died.
        times: usize,
        /// In how many seconds.
        seconds: u64,
        /// The server's log.
        log: PathBuf,
    },

    /// The server would not stop.
    #[error("PostgreSQL (process {pid}) did not stop: end it by hand (kill -QUIT {pid})")]
    StopFailed {
        /// The server's process id.
        pid: i32,
    },

    /// Roles and database could not be set up.
    #[error("the private PostgreSQL refused to {doing}: {source}")]
    Bootstrap {
        /// The step.
        doing: &'static str,
        /// The database's words.
        source: sqlx::Error,
    },

    /// Any other failure of the system.
    #[error("could not {doing} {path}: {source}")]
    Io {
        /// The step, as a verb.
        doing: &'static str,
        /// The file or program.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl EmbeddedError {
    /// Names the everyday causes of a failed file operation; everything else stays [`Self::Io`].
    pub(crate) fn from_io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull {
                path: path.to_owned(),
                free_mb: 0,
                needed_mb: super::layout::MIN_FREE_MB,
            },
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Self::NotWritable {
                    path: path.to_owned(),
                    detail: plain(&source),
                }
            }
            _ => Self::Io {
                doing,
                path: path.to_owned(),
                source,
            },
        }
    }

    /// Names the everyday causes in a server program's last words.
    pub(crate) fn from_output(path: &Path, output: &str) -> Option<Self> {
        if output.contains("No space left on device") || output.contains("Disk quota exceeded") {
            return Some(Self::from_io(
                "write",
                path,
                io::ErrorKind::StorageFull.into(),
            ));
        }
        let denied = ["Read-only file system", "Permission denied"]
            .into_iter()
            .find(|words| output.contains(words))?;
        Some(Self::NotWritable {
            path: path.to_owned(),
            detail: denied.to_lowercase(),
        })
    }
}

/// The system's words without Rust's "(os error 30)".
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    text.get(..end).unwrap_or(&text).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_a_full_and_a_read_only_disk() {
        let path = Path::new("/srv/ledger");
        let full = EmbeddedError::from_io("write", path, io::ErrorKind::StorageFull.into());
        assert!(full.to_string().contains("full"), "{full}");
        let read_only = EmbeddedError::from_io("write", path, io::Error::from_raw_os_error(30));
        assert!(
            read_only
                .to_string()
                .contains("cannot be written (read-only file system)"),
            "{read_only}"
        );
        let said = "FATAL:  could not write lock file: No space left on device";
        assert!(matches!(
            EmbeddedError::from_output(path, said),
            Some(EmbeddedError::DiskFull { .. })
        ));
        assert!(EmbeddedError::from_output(path, "FATAL: something else").is_none());
    }

    #[test]
    fn a_locked_directory_names_the_other_process() {
        let error = EmbeddedError::Locked {
            data_dir: "/d".into(),
            pid: Some(7),
        };
        assert!(
            error
                .to_string()
                .starts_with("another ledger (process 7) is running"),
            "{error}"
        );
    }
}
