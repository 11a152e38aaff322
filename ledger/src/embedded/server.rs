//! Brings one server process up, or takes over one that outlived its ledger.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::process::Child;

use super::account::Account;
use super::binaries::Binaries;
use super::layout::{Layout, hand_over};
use super::process::{self, POLL, PidFile};
use super::settings::ServerFiles;
use super::{EmbeddedError, Stage, cluster};

/// How long a start may take. A recovery after a crash reads up to `max_wal_size` of log.
const START_LIMIT: Duration = Duration::from_secs(180);

/// When a start is slow enough to say that a recovery is going on.
const SLOW_START: Duration = Duration::from_secs(2);

/// How often an adopted server, which is not our child, is looked at.
const ADOPTED_POLL: Duration = Duration::from_millis(200);

/// How much of a log's end is read for the server's last words, in bytes.
const LOG_TAIL: u64 = 8 * 1024;

/// Everything a start needs, worked out once.
pub(super) struct Plan {
    pub(super) layout: Layout,
    pub(super) binaries: Binaries,
    pub(super) account: Account,
    pub(super) files: ServerFiles,
}

impl Plan {
    fn cluster_name(&self) -> String {
        format!("ledger-{}", self.layout.tag())
    }

    /// Where a person should look.
    pub(super) fn log(&self) -> PathBuf {
        cluster::newest_log(&self.layout.pgdata).unwrap_or_else(|| self.layout.start_log.clone())
    }
}

/// A running server.
pub(super) struct Server {
    pub(super) pid: i32,
    /// `None` for an adopted one.
    child: Option<Child>,
}

impl Server {
    /// Waits until the process has ended and says how.
    pub(super) async fn ended(&mut self) -> String {
        match &mut self.child {
            Some(child) => match child.wait().await {
                Ok(status) => describe(status),
                Err(error) => error.to_string(),
            },
            None => {
                while process::alive(self.pid) {
                    tokio::time::sleep(ADOPTED_POLL).await;
                }
                "it was not our child, so its end is not known".to_owned()
            }
        }
    }
}

/// Takes over a server that a killed ledger left behind, if it is ours, ready and has the settings
/// we would give it; one that cannot be taken over is stopped. `None` when there is none now.
///
/// # Errors
/// When a server of ours is in the way and does not stop.
pub(super) async fn adopt(plan: &Plan) -> Result<Option<Server>, EmbeddedError> {
    let pgdata = &plan.layout.pgdata;
    let Some(found) = PidFile::read(pgdata) else {
        return Ok(None);
    };
    if !process::is_server_of(found.pid, pgdata) {
        return Ok(None);
    }
    let ours = found.ready
        && found.data_dir == *pgdata
        && found.socket_dir.as_ref() == Some(&plan.layout.socket_dir)
        && plan.files.are_current(pgdata);
    if ours {
        return Ok(Some(Server {
            pid: found.pid,
            child: None,
        }));
    }
    process::stop(found.pid).await?;
    Ok(None)
}

/// PostgreSQL clears the lock files of a dead server itself, unless their process number still
/// exists: given to somebody else since, or kept by a dead process that nobody has asked about, as in
/// a container without an init. Then it would refuse to start. The files also guard the memory that
/// processes of the dead server may still share, so they stay while there are any.
fn discard_stale(plan: &Plan) -> Result<(), EmbeddedError> {
    let pgdata = &plan.layout.pgdata;
    let runs = PidFile::read(pgdata).is_some_and(|found| process::is_server_of(found.pid, pgdata));
    if runs || !process::orphans(&plan.cluster_name()).is_empty() {
        return Ok(());
    }
    for path in [pgdata.join("postmaster.pid"), plan.layout.socket_lock()] {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(EmbeddedError::from_io("remove", &path, error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Starts the server and waits until it takes connections. `pid` hears of the process as soon as
/// there is one, so that a cancelled start can be cleaned up.
///
/// # Errors
/// When it ends before it is ready or is not ready in time.
pub(super) async fn launch(
    plan: &Plan,
    report: &(dyn Fn(Stage) + Send + Sync),
    pid: impl Fn(i32) + Send,
) -> Result<Server, EmbeddedError> {
    process::await_orphans(&plan.cluster_name()).await;
    discard_stale(plan)?;
    let earlier = LogEnd::of(plan);
    plan.files.write(&plan.layout.pgdata, &plan.account)?;
    let (out, err) = start_log(&plan.layout, &plan.account)?;
    let program = plan.binaries.program("postgres");
    let mut child = cluster::command(&plan.binaries, "postgres", &plan.account)
        .arg("-D")
        .arg(&plan.layout.pgdata)
        .stdout(out)
        .stderr(err)
        // Ctrl-C at the terminal is for the ledger, which stops its server when it has drained.
        .process_group(0)
        .spawn()
        .map_err(|error| EmbeddedError::from_io("run", &program, error))?;
    let id = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .unwrap_or_default();
    pid(id);

    let began = Instant::now();
    let mut told = false;
    while began.elapsed() < START_LIMIT {
        if let Ok(Some(status)) = child.try_wait() {
            return Err(start_failure(plan, status, &earlier));
        }
        if PidFile::read(&plan.layout.pgdata).is_some_and(|file| file.pid == id && file.ready) {
            return Ok(Server {
                pid: id,
                child: Some(child),
            });
        }
        if !told && began.elapsed() > SLOW_START {
            told = true;
            report(Stage::Recovering);
        }
        tokio::time::sleep(POLL).await;
    }
    process::stop(id).await?;
    Err(EmbeddedError::StartTimeout {
        seconds: START_LIMIT.as_secs(),
        log: plan.log(),
    })
}

/// Empties the file that takes the server's words until its own log begins.
fn start_log(layout: &Layout, account: &Account) -> Result<(Stdio, Stdio), EmbeddedError> {
    let path = &layout.start_log;
    let failed = |error| EmbeddedError::from_io("write", path, error);
    let out = File::create(path).map_err(failed)?;
    let err = out.try_clone().map_err(failed)?;
    hand_over(path, account)?;
    Ok((out.into(), err.into()))
}

/// Where the server's own log ended before a start: what stands before that is about earlier runs.
struct LogEnd {
    log: Option<PathBuf>,
    length: u64,
}

impl LogEnd {
    fn of(plan: &Plan) -> Self {
        let log = cluster::newest_log(&plan.layout.pgdata);
        let found = log.as_ref().and_then(|log| std::fs::metadata(log).ok());
        Self {
            length: found.map_or(0, |found| found.len()),
            log,
        }
    }
}

fn start_failure(plan: &Plan, status: ExitStatus, earlier: &LogEnd) -> EmbeddedError {
    let mut said = tail(&plan.layout.start_log, 0);
    if let Some(log) = cluster::newest_log(&plan.layout.pgdata) {
        let same = earlier.log.as_ref() == Some(&log);
        said.push_str(&tail(&log, if same { earlier.length } else { 0 }));
    }
    EmbeddedError::from_output(&plan.layout.root, &said).unwrap_or_else(|| {
        EmbeddedError::StartFailed {
            detail: format!("{}; {}", describe(status), cluster::last_words(&said)),
            log: plan.log(),
        }
    })
}

/// The end of a file, of what stands behind `from`; a file shorter than that was begun anew.
fn tail(path: &Path, from: u64) -> String {
    let mut bytes = Vec::new();
    if let Ok(mut file) = File::open(path) {
        let length = file.metadata().map_or(0, |found| found.len());
        let from = if from > length { 0 } else { from };
        let start = length.saturating_sub(LOG_TAIL).max(from);
        if file.seek(SeekFrom::Start(start)).is_ok() {
            // A log that cannot be read leaves only less to say.
            let _ = file.take(LOG_TAIL).read_to_end(&mut bytes);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with code {code}"),
        (None, Some(signal)) => format!("it was ended by signal {signal}"),
        (None, None) => "it ended".to_owned(),
    }
}
