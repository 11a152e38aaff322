//! `migrate` and `doctor`.

use e2e::{Certificate, Program, ProgramOptions, fresh_database, new_database};
use serde_json::{Value, json};

use super::support::{Ended, Shell, run};

#[tokio::test(flavor = "multi_thread")]
async fn migrate_says_what_is_missing_and_applies_it() {
    let database = new_database().await;
    let shell = Shell::new(Some(&database));
    let missing = shell.run(&["migrate", "status"]);
    assert_eq!(missing.code, Some(5), "{missing:?}");
    assert!(missing.out.lines().count() >= 3);
    assert!(
        missing
            .out
            .lines()
            .all(|line| line.starts_with("missing  ")),
        "{}",
        missing.out
    );
    let applied = shell.run(&["migrate", "--json"]);
    assert_eq!(applied.code, Some(0), "{applied:?}");
    let told = applied.json();
    assert_eq!(
        told["applied"].as_array().unwrap().len(),
        missing.out.lines().count()
    );
    assert_eq!(told["missing"], json!([]));
    for arguments in [&["migrate", "status"][..], &["migrate"], &["migrate", "up"]] {
        let ended = shell.run(arguments);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (Some(0), "the schema is up to date\n")
        );
    }
}

fn check(ended: &Ended, name: &str) -> Value {
    let report = ended.json();
    assert_eq!(report["exit"], json!(ended.code));
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["check"] == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {report}"))
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_beside_a_ledger_on_a_database() {
    let database = fresh_database().await.with_stores().await;
    let program = Program::start(ProgramOptions::on(&database)).await;
    let doctor = run(program.command(&[
        "doctor",
        "--json",
        "--set",
        &format!("listen={}", program.address),
    ]));
    for name in [
        "port",
        "clock",
        "database",
        "schema",
        "log",
        "read models, processes",
        "readers of queries",
        "connections",
    ] {
        assert_eq!(check(&doctor, name)["status"], "ok", "{}", doctor.out);
    }
    assert!(matches!(doctor.code, Some(0 | 9)), "{doctor:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_beside_an_embedded_ledger_and_without_one() {
    let directory = e2e::reachable_directory();
    let mut program = Program::start(ProgramOptions::embedded(directory.path())).await;
    let beside = run(program.command(&[
        "doctor",
        "--json",
        "--set",
        &format!("listen={}", program.address),
    ]));
    let pid = program.pid().to_string();
    let running = check(&beside, "running ledger");
    assert!(
        running["detail"].as_str().unwrap().contains(&pid),
        "{running}"
    );
    for name in [
        "PostgreSQL programs",
        "data directory",
        "port",
        "database",
        "schema",
        "log",
        "read models, processes",
        "readers of queries",
        "connections",
    ] {
        assert_eq!(check(&beside, name)["status"], "ok", "{}", beside.out);
    }
    // Other commands work beside it as well.
    assert_eq!(run(program.command(&["verify"])).code, Some(0));
    assert_eq!(run(program.command(&["migrate", "status"])).code, Some(0));
    assert!(program.stop().await.success());

    let without = run(program.command(&["doctor", "--json"]));
    assert_eq!(check(&without, "running ledger")["status"], "ok");
    assert_eq!(check(&without, "database")["status"], "skipped");
    let empty = Shell::new(None);
    let first = empty.run(&[
        "doctor",
        "--json",
        "--data-dir",
        &empty.dir.path().join("new").display().to_string(),
    ]);
    assert_eq!(check(&first, "database")["status"], "skipped");
    assert_eq!(
        std::fs::read_dir(empty.dir.path()).unwrap().count(),
        0,
        "the doctor makes nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_without_a_database_to_reach_fails() {
    let database = fresh_database().await;
    let shell = Shell::new(Some(&database));
    let mut command = shell.command(&["doctor", "--json"]);
    command.env(
        "LEDGER_DATABASE_URL",
        "postgres://nobody:secret@127.0.0.1:1/none",
    );
    let ended = run(command);
    assert_eq!(ended.code, Some(10));
    let found = check(&ended, "database");
    assert_eq!(found["status"], "failure");
    assert!(
        !ended.out.contains("secret") && !ended.err.contains("secret"),
        "{ended:?}"
    );
}

/// A port that something else holds is not mistaken for a ledger's.
#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_a_port_taken_by_something_else() {
    let database = fresh_database().await;
    let shell = Shell::new(Some(&database));
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("listen={}", silent.local_addr().unwrap());
    let ended = shell.run(&["doctor", "--json", "--set", &listen]);
    assert_eq!(ended.code, Some(10));
    assert_eq!(check(&ended, "port")["status"], "failure", "{}", ended.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_tells_of_a_certificate_that_ends_soon_and_of_too_few_connections() {
    let database = fresh_database().await;
    let name = database.app().get_database().unwrap().to_owned();
    // Three pools of 32 do not fit.
    let limit = format!("alter database \"{name}\" connection limit 95");
    let superuser = database.superuser_pool().await;
    sqlx::raw_sql(&limit).execute(&superuser).await.unwrap();
    let shell = Shell::new(Some(&database));
    // Good for two days.
    let certificate = Certificate::make(shell.dir.path(), "short");
    let mut command = shell.command(&["doctor", "--json"]);
    command.envs(certificate.environment());
    let ended = run(command);
    assert_eq!(ended.code, Some(9), "{ended:?}");
    for (name, words) in [
        ("certificate", "in 1 days: renew it"),
        (
            "connections",
            "has 95 for its role: lower database_pool_max",
        ),
    ] {
        let found = check(&ended, name);
        assert_eq!(found["status"], "warning", "{found}");
        assert!(found["detail"].as_str().unwrap().contains(words), "{found}");
    }
    let fewer = run({
        let mut command = shell.command(&["doctor", "--json"]);
        command.env("LEDGER_DATABASE_POOL_MAX", "31");
        command
    });
    assert_eq!(check(&fewer, "connections")["status"], "ok", "{fewer:?}");
}
