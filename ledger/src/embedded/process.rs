//! Looks at processes of the server through `postmaster.pid` and `/proc`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::EmbeddedError;

/// How long a fast stop may take: it writes a checkpoint.
const FAST_STOP: Duration = Duration::from_secs(15);

/// How long an immediate stop and then a kill may take.
const HARD_STOP: Duration = Duration::from_secs(5);

/// How often a process is looked at while it is waited for.
pub(super) const POLL: Duration = Duration::from_millis(20);

/// Lines of `postmaster.pid` (PostgreSQL's `pidfile.h`).
const LINE_DATA_DIR: usize = 1;
const LINE_SOCKET_DIR: usize = 4;
const LINE_STATUS: usize = 7;

/// What a server writes about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: i32,
    pub(super) data_dir: PathBuf,
    pub(super) socket_dir: Option<PathBuf>,
    pub(super) ready: bool,
}

impl PidFile {
    /// Reads it; `None` where there is none or it is still being written.
    pub(super) fn read(pgdata: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(pgdata.join("postmaster.pid")).ok()?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let pid: i32 = lines.first()?.parse().ok()?;
        Some(Self {
            // A standalone backend writes its id negated.
            pid: pid.checked_abs()?,
            data_dir: PathBuf::from(lines.get(LINE_DATA_DIR)?),
            socket_dir: lines
                .get(LINE_SOCKET_DIR)
                .filter(|dir| !dir.is_empty())
                .map(PathBuf::from),
            ready: lines
                .get(LINE_STATUS)
                .is_some_and(|status| *status == "ready"),
        })
    }
}

/// Whether the process exists and has not ended (a zombie has).
pub(super) fn alive(pid: i32) -> bool {
    // "pid (name) state ...": the name may hold anything, so look behind its closing bracket.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| stat.rsplit_once(')')?.1.trim_start().chars().next())
        .is_some_and(|state| state != 'Z' && state != 'X')
}

/// Whether the process is a main server process on this data directory, not another process that
/// was given the same number since.
pub(super) fn is_server_of(pid: i32, pgdata: &Path) -> bool {
    let Ok(line) = std::fs::read(format!("/proc/{pid}/cmdline")) else {
        return false;
    };
    let mut words = line.split(|byte| *byte == 0);
    let program = words.next().unwrap_or_default();
    let is_postgres = program.ends_with(b"postgres") || program.ends_with(b"postmaster");
    let wanted = std::os::unix::ffi::OsStrExt::as_bytes(pgdata.as_os_str());
    is_postgres && words.any(|word| word == wanted) && alive(pid)
}

/// Server processes that outlived their main process; they name the cluster in their title.
pub(super) fn orphans(cluster: &str) -> Vec<i32> {
    let title = format!("postgres: {cluster}: ");
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &i32| {
            std::fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| line.starts_with(title.as_bytes()))
                && alive(*pid)
        })
        .collect()
}

/// Waits until every orphan of a dead main process is gone; those that stay are ended.
/// They share memory with each other, and a new server must not start beside them.
pub(super) async fn await_orphans(cluster: &str) {
    let began = Instant::now();
    while began.elapsed() < HARD_STOP {
        let left = orphans(cluster);
        if left.is_empty() {
            return;
        }
        if began.elapsed() > HARD_STOP / 2 {
            for pid in left {
                signal(pid, Signal::SIGKILL);
            }
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Stops a server: fast (sessions are rolled back, a checkpoint is written), then immediate
/// (the next start recovers), then by force.
///
/// # Errors
/// When it outlives all three.
pub(super) async fn stop(pid: i32) -> Result<(), EmbeddedError> {
    let steps = [
        (Signal::SIGINT, FAST_STOP),
        (Signal::SIGQUIT, HARD_STOP),
        (Signal::SIGKILL, HARD_STOP),
    ];
    for (how, limit) in steps {
        signal(pid, how);
        let began = Instant::now();
        while began.elapsed() < limit {
            if !alive(pid) {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        tracing::warn!(
            pid,
            signal = how.as_str(),
            "PostgreSQL did not stop in time"
        );
    }
    Err(EmbeddedError::StopFailed { pid })
}

/// Asks a server to stop fast and does not wait.
pub(super) fn stop_without_waiting(pid: i32) {
    signal(pid, Signal::SIGINT);
}

fn signal(pid: i32, how: Signal) {
    // Gone already is what we want; nothing else can be done about a refusal.
    let _ = kill(Pid::from_raw(pid), how);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_pid_file() {
        let text =
            "2711\n/srv/data/postgres\n1764000000\n5432\n/srv/data/run\n\n 12 34\nready   \n";
        let found = PidFile::parse(text).unwrap();
        assert_eq!(found.pid, 2711);
        assert!(found.ready);
        assert_eq!(found.data_dir, Path::new("/srv/data/postgres"));
        assert_eq!(found.socket_dir, Some(PathBuf::from("/srv/data/run")));

        let starting = PidFile::parse("2711\n/srv/data/postgres\n1\n5432\n").unwrap();
        assert!(!starting.ready && starting.socket_dir.is_none());
        for broken in ["", "x\n/d\n", "-2147483648\n/d\n"] {
            assert_eq!(PidFile::parse(broken), None);
        }
    }

    #[test]
    fn we_are_alive_and_no_server() {
        let us = i32::try_from(std::process::id()).unwrap();
        assert!(alive(us));
        assert!(!is_server_of(us, Path::new("/srv/data/postgres")));
        assert!(!alive(i32::MAX));
        assert!(orphans("ledger-no-such-cluster").is_empty());
    }
}
