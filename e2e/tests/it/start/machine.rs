//! What the machine lacks: programs, a port, rights, short paths.

use std::net::TcpListener;

use super::{
    ENVIRONMENT, data, directory, is_root, ledger, path, refused, serve, set_mode, unprivileged,
};

#[test]
fn no_server_programs() {
    let directory = directory();
    let empty = path(&directory, "bin");
    std::fs::create_dir(&empty).unwrap();
    let mut command = serve(&path(&directory, "data"));
    command.env("LEDGER_POSTGRES_BIN_DIR", &empty);
    let words = [
        "PostgreSQL's server programs were not found",
        "apt-get install postgresql",
        "postgres_bin_dir",
    ];
    refused(&mut command, ENVIRONMENT, &words);
}

#[test]
fn a_program_that_is_no_server() {
    let directory = directory();
    let wrong = path(&directory, "bin");
    std::fs::create_dir(&wrong).unwrap();
    for name in ["initdb", "postgres"] {
        std::fs::copy("/bin/true", wrong.join(name)).unwrap();
    }
    let mut command = serve(&path(&directory, "data"));
    command.env("LEDGER_POSTGRES_BIN_DIR", &wrong);
    refused(
        &mut command,
        ENVIRONMENT,
        &["--version", "PostgreSQL 14 or later", "postgres_bin_dir"],
    );
}

#[test]
fn a_port_in_use() {
    let directory = directory();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data_dir = path(&directory, "data");
    let mut command = ledger(&[data(&data_dir)]);
    command.args(["serve", "--listen", &address]);
    refused(
        &mut command,
        ENVIRONMENT,
        &[&address, "another program listens there", "listen"],
    );
    assert!(
        !data_dir.exists(),
        "something was made before the port was known to be taken"
    );

    let mut command = serve(&data_dir);
    command.env("LEDGER_OPS_LISTEN", &address);
    refused(
        &mut command,
        ENVIRONMENT,
        &[&address, "another program listens there", "ops_listen"],
    );
}

#[test]
fn a_directory_without_write_permission() {
    let directory = directory();
    let closed = path(&directory, "closed");
    std::fs::create_dir(&closed).unwrap();
    set_mode(&closed, 0o555);
    for data_dir in [closed.clone(), closed.join("data")] {
        let mut command = unprivileged(&[data(&data_dir)]);
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        let words = [
            "cannot be written",
            "permission denied",
            "--data-dir",
            closed.to_str().unwrap(),
        ];
        refused(&mut command, ENVIRONMENT, &words);
    }
}

#[test]
fn a_file_where_the_data_directory_should_be() {
    let directory = directory();
    let file = path(&directory, "data");
    std::fs::write(&file, "").unwrap();
    refused(
        &mut serve(&file),
        ENVIRONMENT,
        &["is not a directory", "--data-dir"],
    );
}

#[test]
fn a_directory_of_another_program() {
    let directory = directory();
    let data_dir = path(&directory, "data");
    std::fs::create_dir_all(data_dir.join("postgres")).unwrap();
    std::fs::write(data_dir.join("postgres/letter.txt"), "dear").unwrap();
    refused(
        &mut serve(&data_dir),
        ENVIRONMENT,
        &["is not a PostgreSQL data directory", "--data-dir"],
    );
    assert!(data_dir.join("postgres/letter.txt").exists());
}

#[test]
fn a_home_that_the_server_account_cannot_pass() {
    let directory = directory();
    let home = path(&directory, "home");
    std::fs::create_dir(&home).unwrap();
    set_mode(&home, 0o700);
    let data_dir = home.join("data");
    if is_root() {
        let words = [
            "`postgres`",
            "cannot pass through",
            home.to_str().unwrap(),
            "--data-dir",
            "chmod o+x",
        ];
        refused(&mut serve(&data_dir), ENVIRONMENT, &words);
        assert!(!data_dir.exists());
        return;
    }
    // Only root steps down to another account. For everybody else the same home is in the way when it is
    // somebody else's, which is any home without rights for us.
    set_mode(&home, 0o000);
    refused(
        &mut serve(&data_dir),
        ENVIRONMENT,
        &["cannot be written", "--data-dir"],
    );
    set_mode(&home, 0o700);
}

#[test]
fn a_socket_path_that_is_too_long_everywhere() {
    let directory = directory();
    let deep = path(&directory, &"x".repeat(120));
    std::fs::create_dir(&deep).unwrap();
    let mut command = serve(&deep.join("data"));
    command.env("TMPDIR", &deep);
    refused(
        &mut command,
        ENVIRONMENT,
        &["socket path", "107 bytes", "--data-dir", "TMPDIR"],
    );
}

#[test]
fn an_account_that_does_not_exist() {
    let directory = directory();
    let mut command = serve(&path(&directory, "data"));
    command.env("LEDGER_POSTGRES_USER", "no-such-account");
    if is_root() {
        refused(
            &mut command,
            ENVIRONMENT,
            &["no-such-account", "does not exist", "postgres_user"],
        );
    } else {
        // The setting is for root only: without root a start does not look at it. An unusable directory ends it.
        let closed = path(&directory, "closed");
        std::fs::create_dir(&closed).unwrap();
        set_mode(&closed, 0o555);
        command.env("LEDGER_DATA_DIR", &closed);
        refused(&mut command, ENVIRONMENT, &["cannot be written"]);
    }
}
