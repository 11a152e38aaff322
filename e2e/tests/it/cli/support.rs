//! Running a command and reading how it ended.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use e2e::{Database, ledger_command};
use serde_json::Value;
use tempfile::TempDir;

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

impl Ended {
    /// The one line of JSON on standard output.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }
}

pub(super) fn run(mut command: Command) -> Ended {
    ended(command.output().unwrap())
}

fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A command on a database, with a directory of its own for everything else.
pub(super) struct Shell<'a> {
    database: Option<&'a Database>,
    pub(super) dir: TempDir,
}

impl<'a> Shell<'a> {
    pub(super) fn new(database: Option<&'a Database>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { database, dir }
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = ledger_command(self.database, self.dir.path(), arguments);
        // Away from a `ledger.toml` of whoever runs the tests.
        command.current_dir(self.dir.path());
        command
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Ended {
        run(self.command(arguments))
    }

    /// As [`Self::run`], with a text on standard input that fits into a pipe.
    pub(super) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(input.as_bytes()).unwrap();
        drop(pipe);
        ended(child.wait_with_output().unwrap())
    }
}
