//! GraphQL request errors: the document or its inputs cannot be executed at all.

use async_graphql::{ErrorExtensionValues, Pos, ServerError};

/// Codes that clients may branch on.
pub(super) const PARSE_FAILED: &str = "GRAPHQL_PARSE_FAILED";
pub(super) const VALIDATION_FAILED: &str = "GRAPHQL_VALIDATION_FAILED";
pub(super) const INVALID_INPUT: &str = "INVALID_INPUT";

/// Why a request is not executed: at least one error, each with `extensions.code`.
#[derive(Debug)]
pub(crate) struct Rejection {
    /// Names the reason in the metrics.
    pub(super) reason: &'static str,
    pub(super) errors: Vec<ServerError>,
    /// What the operation would have cost, where it was added up.
    pub(super) cost: Option<usize>,
}

impl Rejection {
    pub(super) fn new(code: &'static str, message: impl Into<String>, at: Option<Pos>) -> Self {
        Self {
            reason: code,
            errors: vec![error(code, message, at)],
            cost: None,
        }
    }

    /// A bound is exceeded; `bound` completes "The request is too much for one call: ".
    pub(super) fn too_much(code: &'static str, bound: impl std::fmt::Display) -> Self {
        Self::new(
            code,
            format!("The request is too much for one call: {bound} are allowed. Split it."),
            None,
        )
    }

    /// The first error, in words.
    pub(crate) fn why(&self) -> String {
        let first = self.errors.first();
        first.map_or_else(String::new, |error| error.message.clone())
    }

    pub(super) fn many(reason: &'static str, errors: Vec<ServerError>) -> Self {
        Self {
            reason,
            errors,
            cost: None,
        }
    }

    /// The same, of an operation that was added up.
    pub(super) fn costing(self, cost: usize) -> Self {
        let cost = Some(cost);
        Self { cost, ..self }
    }
}

/// An error with a code.
pub(super) fn error(code: &str, message: impl Into<String>, at: Option<Pos>) -> ServerError {
    let mut error = ServerError::new(message, at);
    set_code(&mut error, code);
    error
}

/// Sets `extensions.code` where there is none yet.
pub(super) fn set_code(error: &mut ServerError, code: &str) {
    let values = error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default);
    if values.get("code").is_none() {
        values.set("code", code);
    }
}
