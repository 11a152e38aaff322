//! Is this machine fit to run the ledger? Each check is one finding; nothing is changed.

pub mod database;
pub mod machine;

use serde::Serialize;
use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::output::{Output, Style};

/// How a check came out, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Not asked, because something else has to be there first.
    Skipped,
    /// Works, but somebody should look.
    Warning,
    /// The ledger would not run, or must not.
    Failure,
}

/// One check's outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked, in two or three words.
    pub check: &'static str,
    /// How it came out.
    pub status: Status,
    /// What was found; for anything but `Ok` with what to do.
    pub detail: String,
}

impl Finding {
    /// Any outcome.
    pub fn new(check: &'static str, status: Status, detail: impl Into<String>) -> Self {
        Self {
            check,
            status,
            detail: detail.into(),
        }
    }

    /// All well.
    pub fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, Status::Ok, detail)
    }

    /// Worth a look.
    pub fn warning(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, Status::Warning, detail)
    }

    /// Would not run.
    pub fn failure(check: &'static str, detail: impl Into<String>) -> Self {
        Self::new(check, Status::Failure, detail)
    }
}

/// Shows the findings and turns the worst into an exit code.
///
/// # Errors
/// When standard output cannot be written.
pub fn report(findings: &[Finding], output: Output) -> Result<Exit, Failure> {
    let worst = findings.iter().map(|finding| finding.status).max();
    let exit = match worst {
        Some(Status::Failure) => Exit::Unhealthy,
        Some(Status::Warning) => Exit::Warning,
        _ => Exit::Done,
    };
    if output.is_json() {
        output.json(&json!({ "checks": findings, "exit": exit.code() }))?;
        return Ok(exit);
    }
    let width = findings
        .iter()
        .map(|finding| finding.check.len())
        .max()
        .unwrap_or_default();
    for finding in findings {
        let (style, word) = match finding.status {
            Status::Ok => (Style::Green, "ok     "),
            Status::Skipped => (Style::Bold, "skipped"),
            Status::Warning => (Style::Yellow, "warning"),
            Status::Failure => (Style::Red, "failure"),
        };
        let word = output.styled(style, word);
        output.line(format!(
            "{word}  {:width$}  {}",
            finding.check, finding.detail
        ))?;
    }
    Ok(exit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Color;

    #[test]
    fn the_worst_finding_decides() {
        let output = Output::new(true, Color::Never);
        let fine = Finding::ok("a", "");
        let skipped = Finding::new("b", Status::Skipped, "");
        let doubtful = Finding::warning("c", "");
        let broken = Finding::failure("d", "");
        let exit = |findings: &[Finding]| report(findings, output).unwrap();
        assert_eq!(exit(&[]), Exit::Done);
        assert_eq!(exit(&[fine.clone(), skipped.clone()]), Exit::Done);
        assert_eq!(
            exit(&[fine.clone(), doubtful.clone(), skipped]),
            Exit::Warning
        );
        assert_eq!(exit(&[broken, doubtful, fine]), Exit::Unhealthy);
    }
}
