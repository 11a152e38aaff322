//! Starts that cannot succeed: one sentence with what to do, and the documented exit code.

mod data_dir;
mod disk;
mod external;
mod machine;

pub(crate) use disk::SmallDisk;

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// Exit codes, as `ledger --help` lists them.
const CONFIG: i32 = 3;
const ENVIRONMENT: i32 = 4;
const DATABASE: i32 = 5;

/// The longest a refused start may take to say so.
const REFUSAL_LIMIT: Duration = Duration::from_secs(30);

/// The program with these variables and no other `LEDGER_*`.
pub(crate) fn ledger(env: &[(&str, String)]) -> Command {
    ledger_at(&e2e::binary(), env)
}

fn ledger_at(binary: &Path, env: &[(&str, String)]) -> Command {
    let mut command = Command::new(binary);
    with(&mut command, env);
    command
}

fn with(command: &mut Command, env: &[(&str, String)]) {
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LEDGER_")) {
        command.env_remove(name);
    }
    // A backtrace must not appear even where somebody asks for them.
    command.env("RUST_BACKTRACE", "1");
    command.envs(env.iter().map(|(name, value)| (name, value)));
}

/// `ledger serve` on a free port and a data directory.
fn serve(data_dir: &Path) -> Command {
    let mut command = ledger(&[data(data_dir)]);
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command
}

fn data(data_dir: &Path) -> (&'static str, String) {
    ("LEDGER_DATA_DIR", data_dir.display().to_string())
}

/// Whether the tests run as root.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// As an account without rights where we are root; as ourselves, who have none, otherwise.
fn unprivileged(env: &[(&str, String)]) -> Command {
    if !is_root() {
        return ledger(env);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
        .arg(e2e::binary());
    with(&mut command, env);
    command
}

/// What a start said that ended by itself.
#[derive(Debug)]
struct Refusal {
    code: Option<i32>,
    stderr: String,
    took: Duration,
}

/// Runs the command, which must end in time.
fn run(command: &mut Command) -> Refusal {
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = child.stderr.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        said.read_to_string(&mut text).unwrap();
        text
    });
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if began.elapsed() > REFUSAL_LIMIT {
            child.kill().unwrap();
            panic!(
                "still running after {REFUSAL_LIMIT:?}: {}",
                reader.join().unwrap()
            );
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    Refusal {
        code: status.code(),
        stderr: reader.join().unwrap(),
        took: began.elapsed(),
    }
}

/// Runs the command, which must be refused with this code and one sentence that holds all these words.
#[track_caller]
fn refused(command: &mut Command, code: i32, words: &[&str]) -> Refusal {
    let refusal = run(command);
    // What went well before the refusal may be in the log.
    let progress = |line: &&str| line.starts_with('{') && line.contains(r#""level":"INFO""#);
    let lines: Vec<&str> = refusal
        .stderr
        .lines()
        .filter(|line| !progress(line))
        .collect();
    let said = lines.join("\n");
    println!(
        "exit {:?} after {} ms: {said}",
        refusal.code,
        refusal.took.as_millis()
    );
    assert_eq!(refusal.code, Some(code), "{said}");
    let mut lines = lines.into_iter();
    let error = lines.next().unwrap_or_default();
    assert!(
        error.starts_with("error: "),
        "the first words are not the error: {said}"
    );
    let hint = lines.next();
    assert!(
        hint.is_none_or(|line| line.starts_with("  hint: ")),
        "neither error nor hint: {said}"
    );
    assert_eq!(lines.next(), None, "more than the error and a hint: {said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is missing: {said}");
    }
    for noise in ["panicked", "backtrace", "os error", "Os {", "sqlx"] {
        assert!(!said.contains(noise), "{noise:?}: {said}");
    }
    refusal
}

/// A directory that every account can pass through.
fn directory() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(0o755);
    tempfile::Builder::new()
        .prefix("ledger-start-")
        .permissions(mode)
        .tempdir()
        .unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn path(directory: &tempfile::TempDir, name: &str) -> PathBuf {
    directory.path().join(name)
}
