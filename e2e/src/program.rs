//! The `ledger` program in a process of its own.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;

use crate::{
    api::Api, client::Target, cluster::reachable_directory, database::Database, redis::Redis,
    servers::url,
};

/// The longest a program may take to start on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(90);
/// The longest it may take to stop: its own limit and a margin.
const STOP_LIMIT: Duration = Duration::from_secs(35);
/// The master key of programs that work on a test's database: 32 times `*`, base64.
const MASTER_KEY_BASE64: &str = "KioqKioqKioqKioqKioqKioqKioqKioqKioqKioqKio=";

/// The built program. `make test` builds it first.
pub fn binary() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.ancestors().nth(2).unwrap().join("ledger");
    assert!(
        path.is_file(),
        "{} is missing; build it with `cargo build -p ledger`",
        path.display()
    );
    path
}

/// What to start.
pub struct ProgramOptions<'a> {
    /// Works on this database; on an embedded one of its own where `None`.
    pub database: Option<&'a Database>,
    /// Its data directory; a new one where `None`.
    pub data_dir: Option<&'a Path>,
    /// More variables.
    pub env: Vec<(&'static str, String)>,
}

impl<'a> ProgramOptions<'a> {
    /// On a test's database.
    pub const fn on(database: &'a Database) -> Self {
        Self {
            database: Some(database),
            data_dir: None,
            env: Vec::new(),
        }
    }

    /// On an embedded database under a directory.
    pub const fn embedded(data_dir: &'a Path) -> Self {
        Self {
            database: None,
            data_dir: Some(data_dir),
            env: Vec::new(),
        }
    }
}

/// `ledger serve`, killed when dropped.
pub struct Program {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// Where it says whether it is ready.
    health: String,
    data_dir: PathBuf,
    env: Vec<(String, String)>,
    _own_dir: Option<TempDir>,
}

impl Program {
    /// Starts `ledger serve` on a free port and waits until it is ready.
    pub async fn start(options: ProgramOptions<'_>) -> Self {
        let own_dir = options.data_dir.is_none().then(reachable_directory);
        let data_dir = options
            .data_dir
            .or(own_dir.as_ref().map(TempDir::path))
            .unwrap()
            .to_owned();
        let address = format!("127.0.0.1:{}", free_port());
        let mut env = environment(options.database, &data_dir);
        // A test that is about what is read says itself where answers are kept.
        if !options.env.iter().any(|(name, _)| *name == CACHE) {
            env.extend(cache());
        }
        env.extend(options.env.into_iter().map(|(k, v)| (k.to_owned(), v)));
        let operations = env.iter().find(|(name, _)| name == "LEDGER_OPS_LISTEN");
        let health = operations.map_or_else(|| address.clone(), |(_, value)| value.clone());
        let child = command(&env)
            .args(["serve", "--listen", &address])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log_file(&data_dir))
            .spawn()
            .expect("the program starts");
        let mut program = Self {
            child,
            address,
            health,
            data_dir,
            env,
            _own_dir: own_dir,
        };
        program.wait_until_ready().await;
        program
    }

    async fn wait_until_ready(&mut self) {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("ledger serve ended with {status}:\n{}", self.log());
            }
            let health = Api::new(self.health.clone(), String::new());
            if let Ok(response) = health.try_get("/readyz").await
                && response.status == 200
            {
                return;
            }
            assert!(
                started.elapsed() < START_LIMIT,
                "ledger serve is not ready:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// What it wrote to its standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data_dir.join("serve.log")).unwrap_or_default()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A token for a role, made with `ledger token`.
    pub fn token(&self, role: &str, stores: &[&str]) -> String {
        let mut arguments = vec!["token", "--role", role];
        for store in stores {
            arguments.extend(["--store", store]);
        }
        let output = self.run(&arguments);
        output.lines().last().expect("a token").to_owned()
    }

    /// A token for a role, with the quotas of load tests: for tests that send far more than anybody does.
    pub fn load_token(&self, role: &str) -> String {
        let output = self.run(&["token", "--role", role, "--load-test"]);
        output.lines().last().expect("a token").to_owned()
    }

    /// Its API with a token.
    pub fn api(&self, token: &str) -> Api {
        Api::new(self.address.clone(), token.to_owned())
    }

    /// Its API with a token that may do everything.
    pub fn admin(&self) -> Api {
        self.api(&self.load_token("admin"))
    }

    /// Where and as whom it is put under load: with a token that may do everything.
    pub fn target(&self) -> Target {
        Target {
            address: self.address.clone(),
            token: self.load_token("admin"),
        }
    }

    /// Runs another sub-command with the same configuration; what it printed.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = command(&self.env)
            .args(arguments)
            .output()
            .expect("the program runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{arguments:?}: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        text
    }

    /// A sub-command with the same configuration, not yet run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.env);
        command.args(arguments);
        command
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _already_gone = self.child.kill();
        self.child.wait().unwrap();
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// A signal by its name, such as `INT`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.pid().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// SIGTERM and wait.
    pub async fn stop(&mut self) -> ExitStatus {
        self.terminate();
        self.wait().await
    }

    /// Waits until it has ended.
    pub async fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                started.elapsed() < STOP_LIMIT,
                "ledger serve does not stop:\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

fn environment(database: Option<&Database>, data_dir: &Path) -> Vec<(String, String)> {
    // What the ledger does by itself would race with tests that give each command themselves; a test of it
    // says `--set processes=true`, which is stronger.
    let mut env = vec![
        ("LEDGER_DATA_DIR".to_owned(), data_dir.display().to_string()),
        ("LEDGER_PROCESSES".to_owned(), "false".to_owned()),
    ];
    if let Some(database) = database {
        let tokens = data_dir.join("tokens");
        let external = external(&database.app(), &database.owner(), &tokens);
        env.extend(external.into_iter().map(|(k, v)| (k.to_owned(), v)));
    }
    env
}

/// The setting that says where answers are kept.
const CACHE: &str = "LEDGER_CACHE_BACK_END";

/// Where a program keeps answers: no test may see a difference, so programs take turns, unless `TEST_CACHE` says
/// `memory`, `redis` or `none` for all of them.
fn cache() -> Vec<(String, String)> {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    let turn = STARTED.fetch_add(1, Ordering::Relaxed);
    let told = std::env::var("TEST_CACHE").ok();
    let back_end = told.unwrap_or_else(|| ["memory", "redis", "none"][turn % 3].to_owned());
    let mut env = Vec::new();
    if back_end == "redis" {
        env.push(("LEDGER_CACHE_REDIS_URL".to_owned(), Redis::shared()));
    }
    env.push((CACHE.to_owned(), back_end));
    env
}

/// The variables of a program on a database that somebody else runs.
pub(crate) fn external(
    app: &PgConnectOptions,
    owner: &PgConnectOptions,
    tokens: &Path,
) -> Vec<(&'static str, String)> {
    vec![
        ("LEDGER_DATABASE_URL", url(app)),
        ("LEDGER_MIGRATE_DATABASE_URL", url(owner)),
        ("LEDGER_MASTER_KEY", MASTER_KEY_BASE64.into()),
        ("LEDGER_AUTH_LOCAL_KEYS_DIR", tokens.display().to_string()),
    ]
}

/// A sub-command on a database, or on an embedded one under the directory, with no ledger running.
pub fn ledger_command(database: Option<&Database>, data_dir: &Path, arguments: &[&str]) -> Command {
    let mut command = command(&environment(database, data_dir));
    command.args(arguments);
    command
}

/// The program with our variables and nobody else's `LEDGER_*`.
fn command(env: &[(String, String)]) -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LEDGER_")) {
        command.env_remove(name);
    }
    command.envs(env.iter().cloned());
    command
}

fn log_file(data_dir: &Path) -> Stdio {
    let file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(data_dir.join("serve.log"));
    file.expect("a log file").into()
}

/// A port nobody listens on just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
