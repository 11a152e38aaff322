//! A PostgreSQL of a test's own, and streaming replicas of it: real servers, to pause, kill and promote.

use std::{
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use ledger::embedded::{Binaries, DEFAULT_ACCOUNT, Embedded, Options};
use sqlx::{ConnectOptions, Connection, PgConnection, PgPool, postgres::PgConnectOptions};
use tempfile::TempDir;

use crate::{cluster, eventually, program, reachable_directory, stores};

/// Enough for two ledgers, a backup and the test itself.
const MAX_CONNECTIONS: u16 = 120;
/// A replica listens in a directory of its own, so that any port will do.
const PORT: u16 = 5432;

/// A primary that a ledger can use: migrated, with the stores CFR001 and CFR002.
pub struct Primary {
    // Dropped in this order: asked to stop, then waited for.
    server: Embedded,
    directory: TempDir,
    watchdog: Child,
}

impl Primary {
    /// Starts a server with an empty ledger.
    pub async fn start() -> Self {
        let directory = reachable_directory();
        let options = Options {
            max_connections: MAX_CONNECTIONS,
            ..Options::new(directory.path())
        };
        let server = Embedded::start(&options, |_| {})
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        let primary = Self {
            watchdog: cluster::watchdog(server.pid(), directory.path()),
            server,
            directory,
        };
        let owner = PgPool::connect_with(primary.owner()).await.unwrap();
        store::migrate::up(&owner).await.unwrap();
        store::migrate::ensure_partitions(&owner).await.unwrap();
        owner.close().await;
        let app = PgPool::connect_with(primary.app()).await.unwrap();
        let open = ["CFR001", "CFR002"].map(|id| (id, stores::profile(id)));
        stores::open_in(&app, open).await;
        app.close().await;
        primary.let_replicas_in().await;
        primary
    }

    /// The server's own rules know no replicas.
    async fn let_replicas_in(&self) {
        let mut conn = self.superuser_connection().await;
        let file: String = sqlx::query_scalar("select current_setting('hba_file')")
            .fetch_one(&mut conn)
            .await
            .unwrap();
        let mut rules = std::fs::read_to_string(&file).unwrap();
        rules.push_str("local  replication  postgres  peer  map=ledger\n");
        std::fs::write(&file, rules).unwrap();
        sqlx::query("select pg_reload_conf()")
            .execute(&mut conn)
            .await
            .unwrap();
    }

    /// Connects as the ledger's own role.
    pub fn app(&self) -> PgConnectOptions {
        self.server.app_options()
    }

    /// Connects as the database's owner.
    pub fn owner(&self) -> PgConnectOptions {
        self.server.owner_options()
    }

    /// Connects as the superuser, to the ledger's database.
    pub fn superuser(&self) -> PgConnectOptions {
        let url: PgConnectOptions = self.server.superuser_url().parse().unwrap();
        url.database(self.app().get_database().unwrap())
    }

    /// A connection as the superuser.
    pub async fn superuser_connection(&self) -> PgConnection {
        PgConnection::connect_with(&self.superuser()).await.unwrap()
    }

    /// The process of the server.
    pub fn pid(&self) -> i32 {
        self.server.pid()
    }

    /// The variables of a ledger on this primary that reads from `replicas`.
    pub fn environment(&self, replicas: &[PgConnectOptions]) -> Vec<(&'static str, String)> {
        let tokens = self.directory.path().join("tokens");
        let mut env = program::external(&self.app(), &self.owner(), &tokens);
        let urls: Vec<String> = replicas.iter().map(url).collect();
        env.push(("LEDGER_REPLICA_URLS", urls.join("\n")));
        env
    }

    /// Where the server listens.
    fn socket(&self) -> PathBuf {
        self.app().get_socket().unwrap().clone()
    }
}

impl Drop for Primary {
    fn drop(&mut self) {
        end(&mut self.watchdog);
    }
}

/// A streaming replica.
pub struct Replica {
    directory: TempDir,
    child: Option<Child>,
    watchdog: Option<Child>,
    database: String,
    start_prefix: Vec<String>,
}

impl Replica {
    /// Copies the primary and follows it.
    pub async fn of(primary: &Primary) -> Self {
        Self::of_with(primary, &[]).await
    }

    /// The same; the server is started by `prefix`, such as `taskset -c 1`.
    pub async fn of_with(primary: &Primary, prefix: &[&str]) -> Self {
        let directory = reachable_directory();
        give(directory.path());
        let mut replica = Self {
            directory,
            child: None,
            watchdog: None,
            database: primary.app().get_database().unwrap().to_owned(),
            start_prefix: prefix.iter().map(|&s| s.to_owned()).collect(),
        };
        replica.copy(primary);
        replica.start().await;
        replica
    }

    /// Copies the primary anew, as after a promotion: the server must not run.
    pub fn copy(&self, primary: &Primary) {
        let data = self.data();
        if data.exists() {
            std::fs::remove_dir_all(&data).unwrap();
        }
        let output = as_account(&program_of("pg_basebackup"), &[])
            .args(["-R", "-X", "stream", "-c", "fast", "--no-sync"])
            .args(["-U", "postgres", "-h"])
            .arg(primary.socket())
            .arg("-D")
            .arg(&data)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Starts the server and waits until it can be read.
    pub async fn start(&mut self) {
        let log = std::fs::File::create(self.directory.path().join("log")).unwrap();
        let sockets = format!(
            "unix_socket_directories={}",
            self.directory.path().display()
        );
        let child = as_account(&program_of("postgres"), &self.start_prefix)
            .arg("-D")
            .arg(self.data())
            .args(["-c", &sockets, "-c", &format!("port={PORT}")])
            .args(["-c", "cluster_name=replica", "-c", "logging_collector=off"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        if let Some(mut old) = self.watchdog.take() {
            // It must not remove what the new server has: it hears nothing more.
            let _already_gone = old.kill();
            let _ = old.wait();
        }
        self.watchdog = Some(cluster::watchdog(pid, self.directory.path()));
        self.child = Some(child);
        eventually("the replica answers", async || {
            PgConnection::connect_with(&self.app()).await.ok()
        })
        .await;
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn options(&self, role: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(self.directory.path())
            .port(PORT)
            .username(role)
            .database(&self.database)
    }

    /// Connects as the ledger's own role.
    pub fn app(&self) -> PgConnectOptions {
        self.options("ledger_app")
    }

    /// Runs SQL as the superuser.
    pub async fn run(&self, sql: &str) {
        let options = self.options("postgres");
        let mut conn = PgConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    }

    /// Waits until a question in SQL is answered with yes, as the superuser sees it. What fails is asked again: a
    /// standby cancels whoever reads what the replay removes.
    pub async fn comes_to(&self, question: &str) {
        eventually(question, async || {
            let options = self.options("postgres");
            let mut conn = PgConnection::connect_with(&options).await.ok()?;
            let answer = sqlx::query_scalar(question).fetch_one(&mut conn).await;
            answer.ok().filter(|&yes: &bool| yes)
        })
        .await;
    }

    /// What the primary sends is kept and not replayed.
    pub async fn pause(&self) {
        self.run("select pg_wal_replay_pause()").await;
        // Asked for only: it is paused when the process that replays has heard of it.
        self.comes_to("select pg_get_wal_replay_pause_state() = 'paused'")
            .await;
    }

    /// Replays again.
    pub async fn resume(&self) {
        self.run("select pg_wal_replay_resume()").await;
    }

    /// Makes it a primary, and waits until it takes writes.
    pub async fn promote(&self) {
        // Not `pg_promote(true)`: whoever waits there can be cancelled by what is replayed meanwhile.
        self.run("select pg_promote(false)").await;
        self.comes_to("select not pg_is_in_recovery()").await;
    }

    /// Has a promoted server start as a standby, with the history it has: the server must not run.
    pub fn stand_by(&self) {
        let signal = self.data().join("standby.signal");
        std::fs::write(&signal, "").unwrap();
        give(&signal);
    }

    /// Stops every process of the server where it is, or lets it go on: connections stay, and nobody answers.
    pub fn freeze(&self, frozen: bool) {
        let server = self.pid().expect("it runs").to_string();
        let listed = Command::new("ps")
            .args(["-o", "pid=", "--ppid", &server])
            .output()
            .unwrap();
        let children = String::from_utf8_lossy(&listed.stdout).into_owned();
        let name = if frozen { "-STOP" } else { "-CONT" };
        // The one that starts others first.
        let processes = std::iter::once(server.as_str()).chain(children.split_whitespace());
        let sent = Command::new("kill").arg(name).args(processes).status();
        assert!(sent.unwrap().success());
    }

    /// Ends every process of the server at once, as a crash would.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        // After a SIGKILL the processes of its connections would live on until they notice.
        signal(&child, "QUIT");
        child.wait().unwrap();
    }

    /// The process of the server, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
        if let Some(watchdog) = &mut self.watchdog {
            end(watchdog);
        }
    }
}

/// A connection's address as the ledger's settings take it.
pub fn url(options: &PgConnectOptions) -> String {
    options.to_url_lossy().to_string()
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// The watchdog ends its server and removes the files when it hears nothing more.
fn end(watchdog: &mut Child) {
    drop(watchdog.stdin.take());
    let _ = watchdog.wait();
}

fn program_of(name: &str) -> PathBuf {
    Binaries::find(None, None).unwrap().program(name)
}

/// A server program in the account that may run it.
fn as_account(program: &Path, prefix: &[String]) -> Command {
    let mut command = match prefix {
        [] => Command::new(program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    };
    if let Some((uid, gid)) = account() {
        command.uid(uid).gid(gid);
    }
    command.current_dir("/");
    command
}

fn give(directory: &Path) {
    if let Some((uid, gid)) = account() {
        chown(directory, Some(uid), Some(gid)).unwrap();
    }
}

/// The account that a server runs as when the tests run as root, which it refuses.
fn account() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> u32 {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse()
            .unwrap()
    };
    let is_root = id(&["-u"]) == 0;
    is_root.then(|| (id(&["-u", DEFAULT_ACCOUNT]), id(&["-g", DEFAULT_ACCOUNT])))
}
