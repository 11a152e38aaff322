//! What became of a line, and of all of them.

use std::{fmt, time::Duration};

use commands::{CommandError, Receipt};
use domain::{
    ids::{CommandId, OrderId},
    refusal::Code,
};
use serde::{Deserialize, Serialize};

use super::line::LineError;
use crate::exit::Exit;

/// What became of one line: a line of the results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineResult {
    /// Which line of the input, from 1.
    pub line: u64,
    /// The command, where it could be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub command_id: Option<CommandId>,
    /// How it went.
    pub outcome: Outcome,
    /// The order, where it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub order_id: Option<OrderId>,
    /// The order's version after the command.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<i64>,
    /// The log's position after the command.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub position: Option<i64>,
    /// Why not, where it was not done.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub problems: Vec<LineProblem>,
}

/// How a line went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Carried out now.
    Done,
    /// The order was there already.
    AlreadyApplied,
    /// This command was carried out before.
    Replayed,
    /// A rule is against it.
    Refused,
    /// The line is no command, or the command's outcome is not known.
    Error,
}

/// A reason, with the codes the API has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineProblem {
    /// A stable code.
    pub code: String,
    /// Where in the command; empty for the line as a whole.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub path: String,
    /// What is wrong, for a person. Never holds personal data.
    pub message: String,
}

impl LineResult {
    const fn bare(line: u64, command_id: Option<CommandId>, outcome: Outcome) -> Self {
        Self {
            line,
            command_id,
            outcome,
            order_id: None,
            version: None,
            position: None,
            problems: Vec::new(),
        }
    }

    /// A command that is in effect.
    pub(super) fn of_receipt(line: u64, receipt: &Receipt) -> Self {
        let outcome = match (receipt.replayed, receipt.event_ids.is_empty()) {
            (true, _) => Outcome::Replayed,
            (false, true) => Outcome::AlreadyApplied,
            (false, false) => Outcome::Done,
        };
        Self {
            order_id: Some(receipt.id),
            version: Some(receipt.version),
            position: Some(receipt.position.0),
            ..Self::bare(line, Some(receipt.command_id), outcome)
        }
    }

    /// A line that is no command.
    pub(super) fn of_line_error(line: u64, error: LineError) -> Self {
        let problem = problem(Code::Validation.as_str(), "", error.message);
        Self {
            problems: vec![problem],
            ..Self::bare(line, error.command_id, Outcome::Error)
        }
    }

    /// A command that is not in effect, as far as anybody knows.
    pub(super) fn of_command_error(
        line: u64,
        id: CommandId,
        order: Option<OrderId>,
        error: CommandError,
    ) -> Self {
        let message = error.to_string();
        let (outcome, code, order_id) = match error {
            CommandError::Refused(refusal) => {
                let problems = refusal.problems.into_iter();
                let problems = problems
                    .map(|p| problem(p.code.as_str(), &p.path, p.message))
                    .collect();
                return Self {
                    order_id: order,
                    problems,
                    ..Self::bare(line, Some(id), Outcome::Refused)
                };
            }
            CommandError::NotFound { .. } => (Outcome::Refused, "ORD_001", None),
            CommandError::OrderExists { holder, .. } => {
                let holder = holder.and_then(|holder| holder.parse().ok());
                (Outcome::Refused, "ORD_002", holder)
            }
            CommandError::VersionConflict { .. } => (Outcome::Refused, "VERSION_CONFLICT", order),
            CommandError::CommandReused => (Outcome::Refused, "COMMAND_REUSED", order),
            CommandError::Forbidden { .. } | CommandError::OtherPartner { .. } => {
                (Outcome::Refused, "AUTH_002", order)
            }
            CommandError::Internal(_) => (Outcome::Error, "SYS_001", order),
            _ => (Outcome::Error, "SYS_002", order),
        };
        Self {
            order_id,
            problems: vec![problem(code, "", message)],
            ..Self::bare(line, Some(id), outcome)
        }
    }

    /// A command for a number that no order has.
    pub(super) fn unknown_number(line: u64, id: CommandId) -> Self {
        let message = "no order has this number; place it first, or correct the number";
        let problem = problem("ORD_001", "order.number", message);
        Self {
            problems: vec![problem],
            ..Self::bare(line, Some(id), Outcome::Refused)
        }
    }
}

fn problem(code: &str, path: &str, message: impl Into<String>) -> LineProblem {
    LineProblem {
        code: code.to_owned(),
        path: path.to_owned(),
        message: message.into(),
    }
}

/// Every line counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Commands carried out.
    pub done: u64,
    /// Commands whose effect was there.
    pub already_applied: u64,
    /// Commands carried out before.
    pub replayed: u64,
    /// Commands a rule is against.
    pub refused: u64,
    /// Lines that are no command, or whose outcome is not known.
    pub errors: u64,
    /// Lines passed over because the results told of them already.
    pub skipped: u64,
    /// From the first line to the last.
    pub elapsed: Duration,
}

impl Summary {
    pub(super) const fn count(&mut self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Done => &mut self.done,
            Outcome::AlreadyApplied => &mut self.already_applied,
            Outcome::Replayed => &mut self.replayed,
            Outcome::Refused => &mut self.refused,
            Outcome::Error => &mut self.errors,
        };
        *counter += 1;
    }

    /// Lines with a result of this run.
    pub const fn lines(&self) -> u64 {
        self.done + self.already_applied + self.replayed + self.refused + self.errors
    }

    /// The program's exit code: errors outweigh refusals.
    pub const fn exit(&self) -> Exit {
        match (self.errors, self.refused) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::Refused,
            _ => Exit::Failed,
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines: {} done", self.lines(), self.done)?;
        for (count, what) in [
            (self.already_applied, "already applied"),
            (self.replayed, "replayed"),
            (self.refused, "refused"),
            (self.errors, "in error"),
            (self.skipped, "passed over, their results were there"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        let per_second = u128::from(self.lines()) * 1_000 / self.elapsed.as_millis().max(1);
        write!(f, "; {:.1?}, {per_second} lines/s", self.elapsed)
    }
}
