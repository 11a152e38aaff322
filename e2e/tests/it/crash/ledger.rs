//! An embedded ledger under test: what runs, and what it stores.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use e2e::{Api, Program, ProgramOptions};
use ledger::embedded::{Endpoint, SUPERUSER_ROLE};
use projections::Model;
use sqlx::{Connection, PgConnection, PgPool};
use store::{LogId, verify};
use tempfile::TempDir;
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    callers::{Callers, Outcome},
    history::{LogCopy, violations},
    steps::{STATE, STEPS},
};

/// The longest the read models may need to catch up when the faults are over.
const CATCH_UP: Duration = Duration::from_secs(30);
/// The longest until PostgreSQL, and then commands, are back after a fault.
const RECOVERY_LIMIT: Duration = Duration::from_secs(20);
/// Orders whose read state is compared with what their callers were shown last.
const COMPARED: usize = 200;

/// A directory that the unprivileged server account can reach when the tests run as root.
pub(crate) fn directory() -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(0o755);
    tempfile::Builder::new()
        .prefix("ledger-fault-")
        .permissions(mode)
        .tempdir()
        .unwrap()
}

/// The process id of the PostgreSQL that works on a data directory.
pub(super) fn postmaster(data_dir: &Path) -> Option<u32> {
    let file = std::fs::read_to_string(data_dir.join("postgres/postmaster.pid")).ok()?;
    file.lines().next()?.parse().ok()
}

/// Whether a process runs.
pub(super) fn alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Sends a signal by its name.
pub(super) fn signal(name: &str, pid: u32) {
    // The process may have ended just before: that is no failure of the test.
    let _gone = std::process::Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
}

/// A started ledger with two stores, whatever happens to its processes.
pub(crate) struct Ledger {
    /// The position of the last store's opening: the callers' events come after it.
    opened: i64,
    pub(crate) program: Program,
    pub(super) data_dir: PathBuf,
    token: String,
    api: watch::Sender<Api>,
}

impl Ledger {
    pub(crate) async fn start(data_dir: &Path, env: Vec<(&'static str, String)>) -> Self {
        let program = Program::start(ProgramOptions {
            env,
            ..ProgramOptions::embedded(data_dir)
        })
        .await;
        let token = program.load_token("admin");
        let (api, _) = watch::channel(program.api(&token));
        let opened = open_stores(&program.api(&token)).await;
        Self {
            opened,
            program,
            data_dir: data_dir.to_owned(),
            token,
            api,
        }
    }

    /// `kill -9`, where it still runs, and a new start on the same data. How long the start took.
    pub(super) async fn restart(&mut self) -> Duration {
        self.program.kill();
        let began = Instant::now();
        self.program = Program::start(ProgramOptions::embedded(&self.data_dir)).await;
        self.api.send_replace(self.program.api(&self.token));
        began.elapsed()
    }

    /// Places one order; its id.
    pub(crate) async fn place(&self) -> String {
        let api = self.api.borrow().clone();
        let step = &STEPS[0];
        let variables = step.variables(Uuid::now_v7(), None);
        let data = api.graphql(&step.query(), variables).await;
        let order = data[step.field]["receipt"]["orderId"].as_str();
        order
            .unwrap_or_else(|| panic!("no receipt: {data}"))
            .to_owned()
    }

    /// The API of whichever process is the newest.
    pub(super) fn api(&self) -> watch::Receiver<Api> {
        self.api.subscribe()
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        Endpoint::of_running(&self.data_dir).expect("PostgreSQL runs")
    }

    pub(super) async fn pool(&self) -> PgPool {
        PgPool::connect_with(self.endpoint().app_options())
            .await
            .unwrap()
    }

    /// A connection past the ledger's rights.
    pub(super) async fn superuser(&self) -> PgConnection {
        let began = Instant::now();
        loop {
            if let Some(connection) = self.try_superuser().await {
                return connection;
            }
            assert!(
                began.elapsed() < RECOVERY_LIMIT,
                "PostgreSQL does not come back"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The same where PostgreSQL answers just now.
    pub(super) async fn try_superuser(&self) -> Option<PgConnection> {
        let url = Endpoint::of_running(&self.data_dir)?.url(SUPERUSER_ROLE);
        PgConnection::connect(&url).await.ok()
    }

    /// Waits until another PostgreSQL runs.
    pub(super) async fn replaced(&self, postgres: Option<u32>) {
        let began = Instant::now();
        while [None, postgres].contains(&postmaster(&self.data_dir)) {
            assert!(
                began.elapsed() < RECOVERY_LIMIT,
                "no new PostgreSQL:\n{}",
                self.program.log()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whether so many commands more are acknowledged in time, by a ledger that lives on.
    pub(super) async fn recovers(&self, callers: &Callers, commands: u64) -> bool {
        let (began, before) = (Instant::now(), callers.acknowledged());
        while callers.acknowledged() < before + commands {
            if !alive(self.program.pid()) {
                return false;
            }
            assert!(
                began.elapsed() < RECOVERY_LIMIT,
                "no commands any more:\n{}",
                self.program.log()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        true
    }

    /// Everything that must hold when the callers are done: the log is what they were told, sound in itself, the
    /// read models are a fold of it, and the API shows what it showed the callers. Returns the log.
    pub(super) async fn check(&self, outcome: &Outcome) -> LogCopy {
        let pool = self.pool().await;
        caught_up(&pool).await;
        let log = LogCopy::read(&pool, self.opened).await;
        assert_eq!(violations(&outcome.history, &log), Vec::<String>::new());
        assert_sound(&pool).await;
        let api = self.api.borrow().clone();
        let query = format!("query Q($id: ID!) {{ order(id: $id) {{ {STATE} }} }}");
        for (id, state) in outcome.states.iter().rev().take(COMPARED) {
            let read = api.graphql(&query, serde_json::json!({ "id": id })).await;
            assert_eq!(&read["order"], state);
        }
        pool.close().await;
        log
    }
}

/// Opens the callers' stores through the ledger itself, which therefore knows them at once; where the log stands then.
async fn open_stores(api: &Api) -> i64 {
    let open = "mutation M($input: OpenStoreInput!) { openStore(input: $input) { receipt { position } problems { code } } }";
    let mut position = 0;
    for id in ["CFR001", "CFR002"] {
        let profile = serde_json::json!({ "name": id, "region": "BKK-CENTRAL", "zone": "BKK" });
        let input =
            serde_json::json!({ "commandId": Uuid::now_v7(), "storeId": id, "profile": profile });
        let data = api
            .graphql(open, serde_json::json!({ "input": input }))
            .await;
        let at = data["openStore"]["receipt"]["position"].as_str();
        position = at.unwrap_or_else(|| panic!("{data}")).parse().unwrap();
    }
    position
}

/// Waits until every read model of this release has applied the whole log.
pub(super) async fn caught_up(pool: &PgPool) {
    // By name: the keys of the release before stand still for good.
    let there = "select count(*) from projection_checkpoint c join log_head h using (log_id) \
                 where c.position = h.position and c.name = any($1)";
    let names: Vec<&str> = Model::ALL.iter().map(|model| model.checkpoint()).collect();
    let began = Instant::now();
    while sqlx::query_scalar::<_, i64>(there)
        .bind(&names)
        .fetch_one(pool)
        .await
        .unwrap()
        < Model::ALL.len() as i64
    {
        assert!(
            began.elapsed() < CATCH_UP,
            "the read models do not catch up"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The log verifies, and the read models equal a fold of it.
pub(super) async fn assert_sound(pool: &PgPool) {
    let report = verify::verify(pool, LogId::DEFAULT, &verify::Options::default(), |_, _| {})
        .await
        .unwrap();
    assert!(report.is_sound(), "{report:?}");
    let models = projections::check::check(pool, LogId::DEFAULT)
        .await
        .unwrap();
    assert!(models.is_clean(), "{models:?}");
}
