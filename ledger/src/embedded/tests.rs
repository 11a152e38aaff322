//! Tests that really start a server, each on a directory of its own.

use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

use super::*;

/// The server's account must be able to pass through the directory.
fn directory() -> TempDir {
    tempfile::Builder::new()
        .prefix("ledger-test-")
        .permissions(std::fs::Permissions::from_mode(0o755))
        .tempdir()
        .unwrap()
}

fn options(dir: &TempDir) -> Options {
    Options {
        shared_buffers_mb: 16,
        max_connections: 10,
        ..Options::new(dir.path().join("data"))
    }
}

async fn ask(url: &str, question: &str) -> Result<String, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query_scalar(question)
        .fetch_one(&mut connection)
        .await
}

/// Whether another server process takes over from a killed one.
async fn replaced(embedded: &Embedded, old: i32) -> bool {
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        let again = embedded.pid() != old && *embedded.state().borrow() == ServerState::Running;
        if again && ask(&embedded.app_url(), "SELECT 'x'").await.is_ok() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

fn kill(pid: i32) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL).unwrap();
}

#[tokio::test]
async fn starts_limits_rights_survives_a_crash_and_starts_again() {
    let dir = directory();
    let stages = Mutex::new(Vec::new());
    let first = Embedded::start(&options(&dir), |stage| stages.lock().unwrap().push(stage))
        .await
        .unwrap();
    assert_eq!(
        *stages.lock().unwrap(),
        [Stage::Creating, Stage::Starting, Stage::Ready]
    );
    let rights = "SELECT format('%s %s %s', current_user, r.rolsuper, d.datdba = r.oid)
                  FROM pg_roles r, pg_database d
                  WHERE r.rolname = current_user AND d.datname = current_database()";
    let owner = ask(&first.owner_url(), rights).await.unwrap();
    assert_eq!(owner, "ledger_owner f t");
    let app = ask(&first.app_url(), rights).await.unwrap();
    assert_eq!(app, "ledger_app f f");
    let superuser = ask(&first.superuser_url(), rights).await.unwrap();
    assert_eq!(superuser, "postgres t f");
    for (setting, wanted) in [
        ("listen_addresses", ""),
        ("data_checksums", "on"),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("server_encoding", "UTF8"),
        ("shared_buffers", "16MB"),
        ("log_parameter_max_length", "0"),
    ] {
        let question = format!("SELECT current_setting('{setting}')");
        let found = ask(&first.superuser_url(), &question).await.unwrap();
        assert_eq!(found, wanted, "{setting}");
    }

    let found = Endpoint::of_running(first.data_dir());
    assert_eq!(found.as_ref(), Some(first.endpoint()));

    match Embedded::start(&options(&dir), |_| {}).await {
        Err(EmbeddedError::Locked { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        other => panic!("a second ledger on one directory: {other:?}"),
    }

    let old = first.pid();
    kill(old);
    assert!(replaced(&first, old).await, "not restarted");
    let last = first.pid();
    let key = *first.secrets().master_key();
    first.stop().await.unwrap();
    assert!(!process::alive(last));

    let second = Embedded::start(&options(&dir), |_| {}).await.unwrap();
    assert_eq!(second.secrets().master_key(), &key);
    second.stop().await.unwrap();
}

#[tokio::test]
async fn takes_over_a_server_left_running_unless_its_settings_changed() {
    let dir = directory();
    let options = options(&dir);
    let mut killed = Embedded::start(&options, |_| {}).await.unwrap();
    let pid = killed.pid();
    // What kill -9 of the ledger leaves: a server, and a lock that nobody holds.
    killed.supervisor.take().unwrap().abort();
    drop(killed);
    assert!(process::alive(pid));

    let stages = Mutex::new(Vec::new());
    let mut adopter = Embedded::start(&options, |stage| stages.lock().unwrap().push(stage))
        .await
        .unwrap();
    assert_eq!(adopter.pid(), pid);
    assert_eq!(*stages.lock().unwrap(), [Stage::Adopting, Stage::Ready]);

    // An adopted server is watched, too.
    kill(pid);
    assert!(replaced(&adopter, pid).await, "not restarted");
    let pid = adopter.pid();
    adopter.supervisor.take().unwrap().abort();
    drop(adopter);

    let changed = Options {
        shared_buffers_mb: 24,
        ..options
    };
    let third = Embedded::start(&changed, |_| {}).await.unwrap();
    assert_ne!(third.pid(), pid);
    let buffers = ask(&third.app_url(), "SELECT current_setting('shared_buffers')").await;
    assert_eq!(buffers.unwrap(), "24MB");
    third.stop().await.unwrap();
}

#[tokio::test]
async fn a_stale_pid_file_of_a_living_stranger_is_no_obstacle() {
    let dir = directory();
    let options = options(&dir);
    let first = Embedded::start(&options, |_| {}).await.unwrap();
    let pid_file = first.data_dir().join("postgres/postmaster.pid");
    let text = std::fs::read_to_string(&pid_file).unwrap();
    first.stop().await.unwrap();

    let rest = text.split_once('\n').unwrap().1;
    std::fs::write(&pid_file, format!("{}\n{rest}", std::process::id())).unwrap();
    let second = Embedded::start(&options, |_| {}).await.unwrap();
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_directory_of_another_version_is_refused_in_one_sentence() {
    let dir = directory();
    let options = options(&dir);
    let cluster = options.data_dir.join("postgres");
    std::fs::create_dir_all(&cluster).unwrap();
    std::fs::write(cluster.join("PG_VERSION"), "9\n").unwrap();
    let error = Embedded::start(&options, |_| {}).await.unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("made by PostgreSQL 9") && said.contains("postgresql-9"),
        "{said}"
    );
    assert!(!said.contains('\n'));
}

#[tokio::test]
async fn only_a_server_that_steps_down_is_kept_out_by_a_private_parent() {
    let dir = directory();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    match Embedded::start(&options(&dir), |_| {}).await {
        Err(EmbeddedError::Unreachable { blocker, .. }) => {
            assert!(nix::unistd::Uid::effective().is_root());
            assert_eq!(blocker, dir.path().canonicalize().unwrap());
        }
        Ok(embedded) => {
            assert!(!nix::unistd::Uid::effective().is_root());
            embedded.stop().await.unwrap();
        }
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_long_path_works_through_a_short_socket() {
    let dir = directory();
    let deep = dir.path().join("x".repeat(120)).join("data");
    let options = Options {
        data_dir: deep,
        ..options(&dir)
    };
    let embedded = Embedded::start(&options, |_| {}).await.unwrap();
    assert_eq!(
        ask(&embedded.app_url(), "SELECT 'yes'").await.unwrap(),
        "yes"
    );
    let socket_dir = embedded.endpoint().socket_dir().to_owned();
    embedded.stop().await.unwrap();
    std::fs::remove_dir_all(socket_dir).unwrap();
}
