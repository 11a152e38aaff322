//! A database of somebody else's that is not there, not ready, or not for us.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
};

use e2e::{free_port, fresh_database, new_database};
use sqlx::{ConnectOptions, postgres::PgConnectOptions};

use super::{CONFIG, DATABASE, data, directory, ledger, path, refused};

const MASTER_KEY: &str = "KioqKioqKioqKioqKioqKioqKioqKioqKioqKioqKio=";
/// Must never be printed.
const PASSWORD: &str = "hunter2-geheim";

fn serve_on(directory: &tempfile::TempDir, url: &str) -> Command {
    let mut command = ledger(&[
        data(&path(directory, "data")),
        ("LEDGER_DATABASE_URL", url.to_owned()),
        ("LEDGER_MASTER_KEY", MASTER_KEY.to_owned()),
        (
            "LEDGER_AUTH_LOCAL_KEYS_DIR",
            path(directory, "tokens").display().to_string(),
        ),
    ]);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command
}

fn url(options: &PgConnectOptions) -> String {
    options.to_url_lossy().to_string()
}

#[test]
fn nobody_listens() {
    let directory = directory();
    let url = format!(
        "postgres://ledger_app:{PASSWORD}@127.0.0.1:{}/ledger",
        free_port()
    );
    let refusal = refused(
        &mut serve_on(&directory, &url),
        DATABASE,
        &["database", "LEDGER_DATABASE_URL"],
    );
    assert!(!refusal.stderr.contains(PASSWORD));
}

#[test]
fn somebody_listens_who_says_nothing() {
    let directory = directory();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://ledger_app:{PASSWORD}@127.0.0.1:{port}/ledger");
    refused(
        &mut serve_on(&directory, &url),
        DATABASE,
        &["database", "LEDGER_DATABASE_URL"],
    );
}

#[test]
fn a_name_that_does_not_resolve() {
    let directory = directory();
    let url = format!("postgres://ledger_app:{PASSWORD}@no-such-host.invalid/ledger");
    refused(
        &mut serve_on(&directory, &url),
        DATABASE,
        &["database", "LEDGER_DATABASE_URL"],
    );
}

#[test]
fn a_wrong_password() {
    let directory = directory();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    std::thread::spawn(move || server.incoming().flatten().for_each(refuse_password));
    let url = format!("postgres://ledger_app:{PASSWORD}@127.0.0.1:{port}/ledger?sslmode=disable");
    let words = [
        "password authentication failed",
        "ledger_app",
        "LEDGER_DATABASE_URL",
    ];
    let refusal = refused(&mut serve_on(&directory, &url), DATABASE, &words);
    assert!(!refusal.stderr.contains(PASSWORD));
}

/// As much of PostgreSQL's protocol as it takes to ask for a password and to refuse it.
fn refuse_password(mut client: TcpStream) {
    let mut length = [0; 4];
    let mut skip = |client: &mut TcpStream, tag: usize| -> std::io::Result<()> {
        client.read_exact(&mut vec![0; tag])?;
        client.read_exact(&mut length)?;
        client.read_exact(&mut vec![0; u32::from_be_bytes(length) as usize - 4])
    };
    let refuse = |client: &mut TcpStream| -> std::io::Result<()> {
        skip(client, 0)?;
        client.write_all(b"R\0\0\0\x08\0\0\0\x03")?;
        skip(client, 1)?;
        let fields =
            b"SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"ledger_app\"\0\0";
        client.write_all(b"E")?;
        client.write_all(&(fields.len() as u32 + 4).to_be_bytes())?;
        client.write_all(fields)
    };
    // A client that hangs up early has nothing to be told.
    let _hung_up = { refuse }(&mut client);
}

#[test]
fn a_url_that_is_none() {
    let directory = directory();
    for url in [
        format!("host=db user=ledger_app password={PASSWORD}"),
        format!("postgres://ledger_app:{PASSWORD}@db:port/ledger"),
        PASSWORD.to_owned(),
    ] {
        let words = [
            "is not a PostgreSQL URL",
            "postgres://ROLE:PASSWORD@HOST/DATABASE",
        ];
        let refusal = refused(&mut serve_on(&directory, &url), CONFIG, &words);
        assert!(
            !refusal.stderr.contains(PASSWORD),
            "the password was printed"
        );
    }
}

#[test]
fn no_master_key() {
    let directory = directory();
    let mut command = serve_on(&directory, "postgres://ledger_app@127.0.0.1/ledger");
    command.env_remove("LEDGER_MASTER_KEY");
    refused(
        &mut command,
        CONFIG,
        &[
            "master_key",
            "required with database_url",
            "openssl rand -base64 32",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_migrated() {
    let directory = directory();
    let database = new_database().await;
    let mut command = serve_on(&directory, &url(&database.app()));
    refused(
        &mut command,
        DATABASE,
        &[
            "lacks migrations",
            "0001",
            "ledger migrate",
            "migrate_database_url",
        ],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_exist() {
    let directory = directory();
    let missing = fresh_database().await.app().database("no_such_database");
    let words = ["no_such_database", "does not exist", "LEDGER_DATABASE_URL"];
    refused(&mut serve_on(&directory, &url(&missing)), DATABASE, &words);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_does_not_exist() {
    let directory = directory();
    let stranger = fresh_database().await.app().username("stranger");
    refused(
        &mut serve_on(&directory, &url(&stranger)),
        DATABASE,
        &["stranger", "LEDGER_DATABASE_URL"],
    );
}

/// What is wrong with a replica's URL is known when all else works already: none of it is left as if it died.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_late_stops_what_it_started() {
    let directory = directory();
    let database = fresh_database().await;
    let mut command = serve_on(&directory, &url(&database.app()));
    command.env("LEDGER_REPLICA_URLS", "nonsense");
    let words = ["replica_urls", "is not a PostgreSQL URL"];
    refused(&mut command, CONFIG, &words);
    // What it ran is let go, so that another ledger goes on at once and not when a lease has run out.
    let left: Vec<(String, bool)> = sqlx::query_as(
        "select name, updated_at = 'epoch' from projection_checkpoint where owner_epoch > 0",
    )
    .fetch_all(&database.superuser_pool().await)
    .await
    .unwrap();
    assert!(!left.is_empty(), "it fails before it has begun to work");
    assert!(left.iter().all(|(_, is_free)| *is_free), "{left:?}");
}
