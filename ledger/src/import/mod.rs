//! Import: order commands from a file or a pipe, one a line, each with its result, in order.
//!
//! Whatever happens on the way, repeating an import is safe: every command carries its own id, and the ledger
//! answers a command it has carried out with the receipt of then. That is why a crash needs no care beyond
//! running the import again, and why results may be lost but never doubled.

mod carry_out;
mod file;
mod in_process;
pub mod line;
mod reader;
mod result;
mod resume;
mod run;
mod schedule;
#[cfg(test)]
mod tests;

use std::{future::Future, path::PathBuf};

use commands::{CommandError, Receipt, Request};
use domain::ids::{OrderId, OrderNumber};
use uuid::Uuid;

pub use file::import_file;
pub use in_process::InProcess;
pub use result::{LineProblem, LineResult, Outcome, Summary};
pub use resume::Resume;
pub use run::run;

/// Commands in work at once unless told otherwise.
pub const DEFAULT_IN_FLIGHT: usize = 64;
/// The most commands in work at once: more only wait for each other.
pub const MAX_IN_FLIGHT: usize = 512;

/// What an import needs of the ledger.
pub trait Orders {
    /// Carries out one command.
    fn execute(&self, request: Request) -> impl Future<Output = Result<Receipt, CommandError>>;

    /// The order that has this number.
    fn by_number(
        &self,
        number: &OrderNumber,
    ) -> impl Future<Output = Result<Option<OrderId>, CommandError>>;
}

/// How to import.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Commands in work at once, 1 to [`MAX_IN_FLIGHT`].
    pub in_flight: usize,
    /// Written into every event as what belongs together: names this import.
    pub correlation_id: Uuid,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            in_flight: DEFAULT_IN_FLIGHT,
            correlation_id: Uuid::now_v7(),
        }
    }
}

/// Why an import stopped before its end. Running it again goes on or repeats harmlessly.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The input cannot be opened.
    #[error("cannot open {}: {source}; give a file that can be read, or - for standard input", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The input broke off.
    #[error("cannot read the input: {0}; run the import again once it can be read")]
    Read(#[source] std::io::Error),
    /// The results cannot be written.
    #[error("cannot write the results: {0}; give them another place, then run the import again")]
    Write(#[source] std::io::Error),
    /// The file for the results holds something else.
    #[error("{} is not a results file of an import; choose another file", .0.display())]
    NotResults(PathBuf),
    /// The results are those of another input.
    #[error(
        "line {line} of the input is not the one the results file tells of; give this input a results file of its own"
    )]
    OtherInput {
        /// Which line.
        line: u64,
    },
    /// The ledger's database stays out of reach.
    #[error("line {line}: {problem}; run the import again once the database is back")]
    Unreachable {
        /// The first line without a result.
        line: u64,
        /// What the ledger says.
        problem: String,
    },
}
