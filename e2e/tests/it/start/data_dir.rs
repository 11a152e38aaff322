//! A data directory that is in use, of another version, or without its key. Nothing refused here may harm it.

use std::{fs, path::Path};

use e2e::{Program, ProgramOptions};

use crate::crash::Ledger;

use super::{CONFIG, ENVIRONMENT, directory, path, refused, serve};

#[tokio::test(flavor = "multi_thread")]
async fn refusals_leave_the_data_as_it_was() {
    let directory = directory();
    let data_dir = path(&directory, "data");
    fs::create_dir(&data_dir).unwrap();
    let mut ledger = Ledger::start(&data_dir, Vec::new()).await;
    let pid = ledger.program.pid().to_string();
    let words = [
        "another ledger",
        &format!("process {pid}"),
        "is running on the data directory",
        "--data-dir",
    ];
    refused(&mut serve(&data_dir), ENVIRONMENT, &words);
    // The first one was not disturbed, and has a sealed contact from now on.
    ledger.place().await;
    assert!(ledger.program.stop().await.success());

    another_version(&data_dir);
    no_version(&data_dir);
    master_key(&data_dir);
    broken_files(&data_dir);

    let mut program = Program::start(ProgramOptions::embedded(&data_dir)).await;
    assert!(program.stop().await.success());
}

fn another_version(data_dir: &Path) {
    let file = data_dir.join("postgres/PG_VERSION");
    let was = fs::read_to_string(&file).unwrap();
    fs::write(&file, "9\n").unwrap();
    let words = [
        "was made by PostgreSQL 9",
        was.trim(),
        "pg_upgrade",
        "--data-dir",
    ];
    refused(&mut serve(data_dir), ENVIRONMENT, &words);
    fs::write(&file, was).unwrap();
}

fn no_version(data_dir: &Path) {
    let file = data_dir.join("postgres/PG_VERSION");
    let was = fs::read_to_string(&file).unwrap();
    fs::write(&file, "fifteen\n").unwrap();
    refused(
        &mut serve(data_dir),
        ENVIRONMENT,
        &["PG_VERSION", "does not hold a version number", "--data-dir"],
    );
    fs::write(&file, was).unwrap();
}

fn master_key(data_dir: &Path) {
    let file = data_dir.join("secrets/master.key");
    let key = fs::read(&file).unwrap();

    fs::write(&file, &key[..key.len() / 2]).unwrap();
    refused(
        &mut serve(data_dir),
        ENVIRONMENT,
        &["master.key", "does not hold a valid key", "from a backup"],
    );

    fs::remove_file(&file).unwrap();
    refused(
        &mut serve(data_dir),
        ENVIRONMENT,
        &["master.key", "is missing", "from a backup"],
    );
    assert!(
        !file.exists(),
        "a new key was made over data of the old one"
    );

    // As long as a key, and not ours: orders would be unreadable, and new ones sealed with it.
    fs::write(&file, [7; 32]).unwrap();
    let words = ["not the one", "sealed with", "from a backup", "master.key"];
    refused(&mut serve(data_dir), CONFIG, &words);

    fs::write(&file, key).unwrap();
    let mut command = serve(data_dir);
    command.env("LEDGER_MASTER_KEY", "c2hvcnQ=");
    refused(
        &mut command,
        CONFIG,
        &[
            "master_key",
            "32 bytes in base64",
            "openssl rand -base64 32",
        ],
    );
}

/// PostgreSQL itself refuses: its last words are passed on.
fn broken_files(data_dir: &Path) {
    let file = data_dir.join("postgres/global/pg_control");
    let was = fs::read(&file).unwrap();
    fs::write(&file, "").unwrap();
    refused(
        &mut serve(data_dir),
        ENVIRONMENT,
        &["PostgreSQL did not start", "pg_control"],
    );
    fs::write(&file, was).unwrap();
}
