//! The one private PostgreSQL of a run, and what works on it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use commands::{BusOptions, CommandBus, facts::SystemClock, personal::Vault};
use e2e::Target;
use ledger::embedded::{Binaries, Embedded, Options};
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use store::{AppendOptions, Log, LogId};
use tempfile::TempDir;

use crate::lives;

/// Connections of each path's pool: more than two processors can use.
const CONNECTIONS: u32 = 16;
/// Connections of all paths together, with room for pgbench.
const MAX_CONNECTIONS: u16 = 150;
/// Databases of the plain pair, of our bus, and of our program.
const DATABASES: [&str; 3] = ["bench_plain", "bench_bus", "bench_http"];
/// The tables that cqrs-es + postgres-es want, from their documentation.
const PLAIN_TABLES: &str = include_str!("plain.sql");
const MASTER_KEY: [u8; 32] = [1; 32];
const MASTER_KEY_BASE64: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
const START_LIMIT: Duration = Duration::from_secs(60);

/// Everything a run works on.
pub(crate) struct Server {
    postgres: Embedded,
    pub(crate) directory: TempDir,
    /// The plain pair's pool.
    pub(crate) plain: PgPool,
    /// Our bus.
    pub(crate) bus: CommandBus,
    /// Our bus's database.
    pub(crate) bus_database: String,
    /// The owner of our bus's database.
    pub(crate) owner: PgPool,
    /// Our program.
    pub(crate) api: ApiProcess,
}

/// `ledger serve` in a process of its own.
pub(crate) struct ApiProcess {
    child: Child,
    pub(crate) target: Target,
}

impl Server {
    /// Starts PostgreSQL, makes the databases and starts the program.
    pub(crate) async fn start() -> Result<Self> {
        let directory = e2e_directory()?;
        let options = Options {
            max_connections: MAX_CONNECTIONS,
            ..Options::new(directory.path().join("data"))
        };
        let postgres = Embedded::start(&options, |_| {}).await?;
        let superuser: PgConnectOptions = postgres.superuser_url().parse()?;
        let mut admin = PgConnection::connect_with(&superuser).await?;
        for database in DATABASES {
            let create = format!(
                "CREATE DATABASE {database} OWNER ledger_owner TEMPLATE template0 ENCODING 'UTF8'"
            );
            sqlx::query(&create).execute(&mut admin).await?;
        }
        let durable: String = sqlx::query_scalar("SHOW synchronous_commit")
            .fetch_one(&mut admin)
            .await?;
        ensure!(
            durable == "on",
            "synchronous_commit is {durable}: the figures would mean nothing"
        );

        let plain = pool(postgres.owner_options().database(DATABASES[0])).await?;
        sqlx::raw_sql(PLAIN_TABLES).execute(&plain).await?;
        let owner = pool(postgres.owner_options().database(DATABASES[1])).await?;
        store::migrate::up(&owner).await?;
        store::migrate::ensure_partitions(&owner).await?;
        let bus_pool = pool(postgres.app_options().database(DATABASES[1])).await?;
        add_store(&bus_pool).await;
        let log = Log::open(bus_pool, LogId::DEFAULT, AppendOptions::default()).await?;
        let vault = Vault::new(log.clone(), &MASTER_KEY)?;
        let bus = CommandBus::new(log, vault, Arc::new(SystemClock), BusOptions::default());
        let api = ApiProcess::start(&postgres, directory.path()).await?;
        Ok(Self {
            postgres,
            directory,
            plain,
            bus,
            bus_database: DATABASES[1].to_owned(),
            owner,
            api,
        })
    }

    /// A program of PostgreSQL.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        Binaries::find(None, Some(self.postgres.major_version()))
            .map_or_else(|_| name.into(), |b| b.program(name))
    }

    /// Where PostgreSQL listens.
    pub(crate) fn socket(&self) -> PathBuf {
        self.postgres
            .owner_options()
            .get_socket()
            .cloned()
            .unwrap_or_default()
    }

    /// Where pgbench finds its script.
    pub(crate) fn script_path(&self) -> PathBuf {
        self.directory.path().join("ceiling.pgbench")
    }

    /// Stops everything.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.api.child.kill()?;
        self.api.child.wait()?;
        self.postgres.stop().await?;
        Ok(())
    }
}

impl ApiProcess {
    async fn start(postgres: &Embedded, directory: &Path) -> Result<Self> {
        let url =
            |options: PgConnectOptions| sqlx::ConnectOptions::to_url_lossy(&options).to_string();
        let database = DATABASES[2];
        let env = [
            (
                "LEDGER_DATABASE_URL",
                url(postgres.app_options().database(database)),
            ),
            (
                "LEDGER_MIGRATE_DATABASE_URL",
                url(postgres.owner_options().database(database)),
            ),
            ("LEDGER_MASTER_KEY", MASTER_KEY_BASE64.to_owned()),
            (
                "LEDGER_AUTH_LOCAL_KEYS_DIR",
                directory.join("tokens").display().to_string(),
            ),
            (
                "LEDGER_DATA_DIR",
                directory.join("http").display().to_string(),
            ),
        ];
        let address = format!("127.0.0.1:{}", e2e::free_port());
        let log = std::fs::File::create(directory.join("serve.log"))?;
        let child = Command::new(binary()?)
            .args(["serve", "--listen", &address])
            .envs(env.clone())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let mut api = Self {
            child,
            target: Target {
                address,
                token: String::new(),
            },
        };
        api.wait_until_ready(directory).await?;
        let output = Command::new(binary()?)
            .args(["token", "--role", "admin", "--load-test"])
            .envs(env)
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        api.target.token = text
            .lines()
            .last()
            .context("ledger token printed nothing")?
            .to_owned();
        add_store(&pool(postgres.app_options().database(database)).await?).await;
        Ok(api)
    }

    async fn wait_until_ready(&mut self, directory: &Path) -> Result<()> {
        let started = Instant::now();
        let api = e2e::Api::new(self.target.address.clone(), String::new());
        while !api.try_get("/readyz").await.is_ok_and(|r| r.status == 200) {
            let log = || std::fs::read_to_string(directory.join("serve.log")).unwrap_or_default();
            ensure!(
                self.child.try_wait()?.is_none(),
                "ledger serve ended: {}",
                log()
            );
            ensure!(
                started.elapsed() < START_LIMIT,
                "ledger serve is not ready: {}",
                log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Resident memory now.
    pub(crate) fn rss_mb(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find_map(|l| l.strip_prefix("VmRSS:"))
            .context("no VmRSS")?;
        let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kilobytes / 1024.0)
    }
}

impl Drop for ApiProcess {
    fn drop(&mut self) {
        let _already_gone = self.child.kill();
    }
}

/// The release build, beside this benchmark.
fn binary() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let path = own
        .ancestors()
        .nth(2)
        .context("no target directory")?
        .join("ledger");
    ensure!(
        path.is_file(),
        "{} is missing; build it with `cargo build --release -p ledger`",
        path.display()
    );
    Ok(path)
}

/// Where the server's unprivileged account can reach when root measures.
fn e2e_directory() -> Result<TempDir> {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::Builder::new().prefix("ledger-bench-").tempdir()?;
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755))?;
    Ok(directory)
}

async fn pool(options: PgConnectOptions) -> Result<PgPool> {
    Ok(PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .connect_with(options)
        .await?)
}

async fn add_store(pool: &PgPool) {
    e2e::stores::open_in(pool, [(lives::STORE, e2e::stores::profile("Bench"))]).await;
}
