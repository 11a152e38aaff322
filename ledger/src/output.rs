//! What the program says: results on standard output, everything else on standard error.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use serde_json::json;

use crate::exit::{Exit, Failure};

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How to speak.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
    color: Color,
}

/// ANSI styles used for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Wrong.
    Red,
    /// Doubtful.
    Yellow,
    /// Right.
    Green,
    /// Headings.
    Bold,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Red => "31",
            Self::Yellow => "33",
            Self::Green => "32",
            Self::Bold => "1",
        }
    }
}

impl Output {
    /// For people, or for programs when `json`.
    pub const fn new(json: bool, color: Color) -> Self {
        Self { json, color }
    }

    /// Whether results are for programs.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a person reads standard output.
    pub fn is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// A line of result.
    ///
    /// # Errors
    /// When standard output is gone; a reader that has seen enough (`| head`) is no failure.
    pub fn line(&self, text: impl AsRef<str>) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        ignore_closed(writeln!(out, "{}", text.as_ref()))
    }

    /// A result for programs, on one line.
    ///
    /// # Errors
    /// As [`Self::line`].
    pub fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text =
            serde_json::to_string(value).map_err(|error| Failure::new(Exit::Failed, error))?;
        self.line(text)
    }

    /// Something said in passing, on standard error.
    pub fn note(&self, text: impl AsRef<str>) {
        // Nobody left to read it: nothing to be done.
        let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
    }

    /// The error that ends the program.
    pub fn failure(&self, failure: &Failure) {
        if self.json {
            let error = json!({ "error": {
                "exit": failure.exit.code(),
                "message": failure.message,
                "hint": failure.hint,
            }});
            self.note(error.to_string());
            return;
        }
        let label = self.paint(Style::Red, "error:", io::stderr().is_terminal());
        self.note(format!("{label} {}", failure.message));
        if let Some(hint) = &failure.hint {
            self.note(format!("  hint: {hint}"));
        }
    }

    /// Text for standard output in a style.
    pub fn styled(&self, style: Style, text: &str) -> String {
        self.paint(style, text, io::stdout().is_terminal())
    }

    fn paint(&self, style: Style, text: &str, terminal: bool) -> String {
        let wanted = match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
        };
        if wanted {
            format!("\u{1b}[{}m{text}\u{1b}[0m", style.code())
        } else {
            text.to_owned()
        }
    }
}

fn ignore_closed(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(
            Exit::Failed,
            format!("standard output cannot be written: {error}"),
        )),
        Ok(()) => Ok(()),
    }
}
