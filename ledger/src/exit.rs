//! Exit codes and the errors that end the program. The codes are part of the interface: they are
//! listed in `ledger --help` and never change their meaning.

use std::fmt;
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::embedded::EmbeddedError;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Everything was done.
    Done = 0,
    /// Something failed that has no code of its own.
    Failed = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// The configuration is not usable; for `verify` and `rebuild --compare`: a read model is not what
    /// the log says.
    Config = 3,
    /// The machine lacks something: PostgreSQL, space, rights, a free port; or another ledger runs.
    Environment = 4,
    /// The database cannot be reached, or its schema is not this program's.
    Database = 5,
    /// What was asked for does not exist.
    NotFound = 6,
    /// Input was refused, wholly or in part.
    Refused = 7,
    /// `verify` found that the log is not what was written.
    Damaged = 8,
    /// `doctor` found nothing worse than a warning.
    Warning = 9,
    /// `doctor` found a failure.
    Unhealthy = 10,
}

impl Exit {
    /// A read model is not what the log says: `verify`, which found the log itself sound, and `rebuild --compare`. Shares
    /// its number with a wrong configuration, which is told on standard error and without a report.
    pub const MISMATCH: Self = Self::Config;

    /// The number the shell sees.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// For `ledger --help`.
pub const EXIT_CODES: &str = "Exit codes:
   0  done                           6  not found
   1  failed                         7  input refused, wholly or in part
   2  wrong usage                    8  verify: the log is damaged
   3  wrong configuration; verify,   9  doctor: warnings only
      rebuild --compare: a read      10 doctor: failures
      model is not the log's
   4  machine not ready
   5  database out of reach";

/// An error that ends the program: one sentence, perhaps a hint, and the exit code.
#[derive(Debug)]
pub struct Failure {
    /// The code.
    pub exit: Exit,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to do about it, where the message does not say.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self {
            exit,
            message: message.to_string(),
            hint: None,
        }
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::new(Exit::Config, error)
            .hint("`ledger config dump` shows every setting in force and where it came from")
    }
}

impl From<EmbeddedError> for Failure {
    fn from(error: EmbeddedError) -> Self {
        Self::new(Exit::Environment, error)
    }
}
