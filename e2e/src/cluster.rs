//! One private PostgreSQL for the whole test program.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use ledger::embedded::{Embedded, Options};
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;

use crate::database::TEMPLATE;

/// Enough for every test that runs at once with pools of its own.
const MAX_CONNECTIONS: u16 = 250;
/// The longest a first start may take on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(120);

/// The server and what connects to it as each role.
pub struct Cluster {
    superuser: PgConnectOptions,
    owner: PgConnectOptions,
    app: PgConnectOptions,
    /// Ends the server and removes its files when this process is gone, however it ends.
    _watchdog: Child,
}

/// The program's one server, started by whoever asks first.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        std::thread::spawn(start)
            .join()
            .expect("the private PostgreSQL starts")
    })
}

impl Cluster {
    /// A database as the superuser: for tests that go past the ledger's rights.
    pub fn superuser(&self, database: &str) -> PgConnectOptions {
        self.superuser.clone().database(database)
    }

    /// A database as its owner: for migrations.
    pub fn owner(&self, database: &str) -> PgConnectOptions {
        self.owner.clone().database(database)
    }

    /// A database as the ledger's own role.
    pub fn app(&self, database: &str) -> PgConnectOptions {
        self.app.clone().database(database)
    }
}

/// Runs in a thread of its own with a runtime that lives as long as the program: tests have runtimes that end.
fn start() -> Cluster {
    let runtime: &'static tokio::runtime::Runtime = Box::leak(Box::new(
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap(),
    ));
    let directory = reachable_directory();
    let options = Options {
        max_connections: MAX_CONNECTIONS,
        ..Options::new(directory.path())
    };
    runtime.block_on(async {
        let start = Embedded::start(&options, |_| {});
        let server = tokio::time::timeout(START_LIMIT, start)
            .await
            .expect("in time")
            .unwrap_or_else(|e| panic!("{e}"));
        let superuser: PgConnectOptions = server.superuser_url().parse().unwrap();
        let cluster = Cluster {
            superuser: superuser.clone(),
            owner: server.owner_options(),
            app: server.app_options(),
            _watchdog: watchdog(server.pid(), directory.path()),
        };
        make_template(&cluster).await;
        // Both live on until the watchdog ends them.
        std::mem::forget((server, directory));
        cluster
    })
}

/// A directory that the unprivileged server account can reach when the tests run as root.
pub fn reachable_directory() -> TempDir {
    let directory = tempfile::Builder::new()
        .prefix("ledger-test-")
        .tempdir()
        .unwrap();
    let mut rights = std::fs::metadata(directory.path()).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o755);
    std::fs::set_permissions(directory.path(), rights).unwrap();
    directory
}

/// Ends a server and removes its files when this process is gone, or its standard input is closed.
pub(crate) fn watchdog(server: i32, directory: &Path) -> Child {
    let script = r#"read -r _; kill -QUIT "$1"; sleep 1; rm -rf "$2""#;
    Command::new("sh")
        .args(["-c", script, "sh", &server.to_string()])
        .arg(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh runs")
}

async fn make_template(cluster: &Cluster) {
    let mut admin = PgConnection::connect_with(&cluster.superuser)
        .await
        .unwrap();
    let create =
        format!("CREATE DATABASE {TEMPLATE} OWNER ledger_owner TEMPLATE template0 ENCODING 'UTF8'");
    sqlx::query(&create).execute(&mut admin).await.unwrap();
    let pool = sqlx::PgPool::connect_with(cluster.owner(TEMPLATE))
        .await
        .unwrap();
    store::migrate::up(&pool).await.unwrap();
    store::migrate::ensure_partitions(&pool).await.unwrap();
    pool.close().await;
}
