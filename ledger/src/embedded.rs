//! A private PostgreSQL under the data directory: found, made, started, watched and stopped by the
//! ledger; reachable over a local socket only, by its owner only.
//!
//! What holds:
//! - One ledger per data directory: [`DataDirLock`] is taken before anything is looked at.
//! - The server never runs as root and never listens on TCP.
//! - A server that outlived its ledger is taken over or stopped, never run beside a second one.
//! - A server that dies is started again, a bounded number of times.

mod account;
mod binaries;
mod cluster;
mod endpoint;
mod error;
mod layout;
mod lock;
mod process;
mod roles;
mod secrets;
mod server;
mod settings;
mod supervisor;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use sqlx::postgres::PgConnectOptions;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use account::{Account, our_name};
use layout::Layout;
use server::{Plan, Server};
use settings::ServerFiles;
use supervisor::{SharedPid, Supervisor};

pub use binaries::{Binaries, OLDEST_MAJOR};
pub use endpoint::Endpoint;
pub use error::EmbeddedError;
pub(crate) use error::plain;
pub(crate) use layout::{MIN_FREE_MB, free_mb};
pub use lock::DataDirLock;
pub use secrets::{MASTER_KEY_BYTES, Secrets, seal_key, token_keys};
pub use settings::{APP_ROLE, DATABASE, OWNER_ROLE, SUPERUSER_ROLE};

/// Which account runs the server where nothing is configured; Debian's package makes it.
pub const DEFAULT_ACCOUNT: &str = "postgres";

/// The server's memory where nothing is configured, in megabytes.
const SHARED_BUFFERS_MB: u32 = 128;

/// Connections for the ledger where nothing is configured.
const MAX_CONNECTIONS: u16 = 60;

/// What to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Where everything lives; made when missing.
    pub data_dir: PathBuf,
    /// The directory with the server programs; searched for when `None`.
    pub bin_dir: Option<PathBuf>,
    /// The account that runs the server when we are root.
    pub account: String,
    /// Connections for the ledger; a few more are kept for people.
    pub max_connections: u16,
    /// The server's page cache, in megabytes.
    pub shared_buffers_mb: u32,
}

impl Options {
    /// The defaults, on this data directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            bin_dir: None,
            account: DEFAULT_ACCOUNT.to_owned(),
            max_connections: MAX_CONNECTIONS,
            shared_buffers_mb: SHARED_BUFFERS_MB,
        }
    }
}

/// How far a start has come; shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A new cluster is made; about two seconds.
    Creating,
    /// The server starts.
    Starting,
    /// A server left running by a killed ledger is taken over.
    Adopting,
    /// The server recovers after a crash.
    Recovering,
    /// Connections are taken.
    Ready,
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Creating => "creating the private database (first start only)",
            Self::Starting => "starting the private database",
            Self::Adopting => "taking over the private database of an earlier run",
            Self::Recovering => "the private database recovers after a crash",
            Self::Ready => "the private database is ready",
        })
    }
}

/// What the server is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerState {
    /// It takes connections.
    Running,
    /// It died and is being started again.
    Restarting,
    /// It cannot be kept running; the reason, for people.
    Failed(String),
    /// It was stopped.
    Stopped,
}

/// A running private PostgreSQL. Dropping it without [`Embedded::stop`] asks the server to stop
/// and does not wait.
#[derive(Debug)]
pub struct Embedded {
    endpoint: Endpoint,
    data_dir: PathBuf,
    major: u32,
    secrets: Secrets,
    pid: SharedPid,
    state: watch::Receiver<ServerState>,
    stop: Option<oneshot::Sender<()>>,
    supervisor: Option<JoinHandle<Result<(), EmbeddedError>>>,
    _lock: DataDirLock,
}

impl Embedded {
    /// Starts the server, making a new cluster at the first start. `report` hears what is being
    /// done; it must not block.
    ///
    /// # Errors
    /// Each cause has its own sentence: see [`EmbeddedError`].
    pub async fn start(
        options: &Options,
        report: impl Fn(Stage) + Send + Sync,
    ) -> Result<Self, EmbeddedError> {
        let account = Account::choose(&options.account)?;
        // Before anything is made there; once more below, with symbolic links resolved.
        layout::check_reach(&absolute(&options.data_dir)?, &account)?;
        let layout = Layout::open(&options.data_dir)?;
        let lock = DataDirLock::acquire(&layout.root)?;
        let existing = layout.cluster_version()?;
        let binaries = find_binaries(options, &layout, existing)?;
        layout.prepare(&account, existing.is_some())?;
        let secrets = Secrets::load_or_make(&layout.secrets, existing.is_none())?;
        if existing.is_none() {
            report(Stage::Creating);
            cluster::create(&layout, &binaries, &account).await?;
        }
        let files = ServerFiles::new(options, &layout, our_name().as_deref(), &account.name);
        let major = binaries.major;
        let plan = Plan {
            layout: layout.clone(),
            binaries,
            account,
            files,
        };

        let pid: SharedPid = Arc::new(AtomicI32::new(0));
        let guard = StopUnlessKept(Some(Arc::clone(&pid)));
        let server = bring_up(&plan, &pid, &report).await?;
        guard.keep();
        report(Stage::Ready);

        let (stop, stopped) = oneshot::channel();
        let (tell, state) = watch::channel(ServerState::Running);
        let supervisor = Supervisor {
            plan,
            pid: Arc::clone(&pid),
            state: tell,
        };
        Ok(Self {
            endpoint: Endpoint::new(layout.socket_dir),
            data_dir: layout.root,
            major,
            secrets,
            pid,
            state,
            stop: Some(stop),
            supervisor: Some(tokio::spawn(supervisor.run(server, stopped))),
            _lock: lock,
        })
    }

    /// Where the server is reached.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Connects as the owner of the database: for migrations.
    pub fn owner_options(&self) -> PgConnectOptions {
        self.endpoint.owner_options()
    }

    /// Connects as the role the ledger works as.
    pub fn app_options(&self) -> PgConnectOptions {
        self.endpoint.app_options()
    }

    /// [`Self::owner_options`] as a URL.
    pub fn owner_url(&self) -> String {
        self.endpoint.url(OWNER_ROLE)
    }

    /// [`Self::app_options`] as a URL.
    pub fn app_url(&self) -> String {
        self.endpoint.url(APP_ROLE)
    }

    /// The database as the superuser sees it: for tests that must go past the ledger's rights.
    pub fn superuser_url(&self) -> String {
        self.endpoint.url(SUPERUSER_ROLE)
    }

    /// The keys made at the first start.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The data directory, absolute.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The server's major version, such as 15.
    pub fn major_version(&self) -> u32 {
        self.major
    }

    /// The server's process id; 0 while it is down.
    pub fn pid(&self) -> i32 {
        self.pid.load(Ordering::Acquire)
    }

    /// What the server is doing, now and from now on.
    pub fn state(&self) -> watch::Receiver<ServerState> {
        self.state.clone()
    }

    /// Stops the server: fast, then immediately, then by force, each bounded.
    ///
    /// # Errors
    /// When it could not be kept running before, or does not stop.
    pub async fn stop(mut self) -> Result<(), EmbeddedError> {
        if let Some(stop) = self.stop.take() {
            // A supervisor that has given up listens no more; its error comes below.
            let _ = stop.send(());
        }
        match self.supervisor.take() {
            Some(supervisor) => match supervisor.await {
                Ok(result) => result,
                Err(_) => process::stop(self.pid()).await,
            },
            None => Ok(()),
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.abort();
            ask_to_stop(&self.pid);
        }
    }
}

/// Stops the server when a start fails, or is given up, after it was launched.
struct StopUnlessKept(Option<SharedPid>);

impl StopUnlessKept {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for StopUnlessKept {
    fn drop(&mut self) {
        if let Some(pid) = &self.0 {
            ask_to_stop(pid);
        }
    }
}

fn ask_to_stop(pid: &SharedPid) {
    match pid.swap(0, Ordering::AcqRel) {
        0 => {}
        pid => process::stop_without_waiting(pid),
    }
}

/// The major version that made the cluster under `data_dir`; `None` where there is none yet.
///
/// # Errors
/// When something that is not a cluster is in the way.
pub fn cluster_version(data_dir: &Path) -> Result<Option<u32>, EmbeddedError> {
    layout::cluster_version(&data_dir.join(layout::CLUSTER_DIR))
}

/// Checks, without changing anything, that the directory can be used, and by which account.
///
/// # Errors
/// The sentence that a start would fail with.
pub fn check_access(options: &Options) -> Result<String, EmbeddedError> {
    let account = Account::choose(&options.account)?;
    let path = absolute(&options.data_dir)?;
    layout::check_reach(&path, &account)?;
    layout::check_owner(&path.join(layout::CLUSTER_DIR), &account)?;
    layout::check_writable(&path)?;
    Ok(account.name)
}

/// The directory that keeps the server's account from `data_dir` when we are root; `None` when
/// nothing does, or the account cannot be asked about.
pub(crate) fn root_is_blocked(data_dir: &Path, account: &str) -> Option<PathBuf> {
    let account = Account::choose(account).ok()?;
    let path = absolute(data_dir).ok()?;
    account.step_down.then(|| account.blocked_at(&path))?
}

fn absolute(path: &Path) -> Result<PathBuf, EmbeddedError> {
    std::path::absolute(path).map_err(|error| EmbeddedError::from_io("resolve", path, error))
}

/// Finds the programs and names the cluster in a version mismatch.
fn find_binaries(
    options: &Options,
    layout: &Layout,
    existing: Option<u32>,
) -> Result<Binaries, EmbeddedError> {
    Binaries::find(options.bin_dir.as_deref(), existing).map_err(|error| match error {
        EmbeddedError::VersionMismatch { data, found, .. } => EmbeddedError::VersionMismatch {
            path: layout.pgdata.clone(),
            data,
            found,
        },
        other => other,
    })
}

/// Adopts a server that is there, else launches one, and sees to roles and database.
async fn bring_up(
    plan: &Plan,
    pid: &SharedPid,
    report: &(dyn Fn(Stage) + Send + Sync),
) -> Result<Server, EmbeddedError> {
    let note = |id| pid.store(id, Ordering::Release);
    let superuser = Endpoint::new(plan.layout.socket_dir.clone()).bootstrap_options();
    if let Some(adopted) = server::adopt(plan).await? {
        report(Stage::Adopting);
        note(adopted.pid);
        if roles::ensure(superuser.clone()).await.is_ok() {
            return Ok(adopted);
        }
        process::stop(adopted.pid).await?;
    }
    report(Stage::Starting);
    let server = server::launch(plan, report, note).await?;
    roles::ensure(superuser).await?;
    Ok(server)
}
