//! Parsed documents, remembered: clients send the same few texts again and again, and parsing one costs more than
//! the command it carries. Only the text is remembered, never its variables or who sent it.

use std::sync::Arc;

use async_graphql::parser::{parse_query, types::ExecutableDocument};
use moka::sync::Cache;

use super::{
    lex,
    reject::{PARSE_FAILED, Rejection},
};

/// Text remembered at most, in bytes; a parsed document takes about twenty times its text.
const MAX_REMEMBERED: u64 = 512 * 1024;
/// Longer texts are parsed each time: values written into them make each one new.
const MAX_TEXT: usize = 8 * 1024;

/// The documents parsed lately.
pub(super) struct Documents(Cache<String, Arc<ExecutableDocument>>);

impl Default for Documents {
    fn default() -> Self {
        let weigh = |text: &String, _: &Arc<ExecutableDocument>| {
            u32::try_from(text.len()).unwrap_or(u32::MAX)
        };
        Self(
            Cache::builder()
                .max_capacity(MAX_REMEMBERED)
                .weigher(weigh)
                .build(),
        )
    }
}

impl Documents {
    /// The document of a text, checked for its tokens and nesting and parsed.
    pub(super) fn parsed(&self, text: &str) -> Result<Arc<ExecutableDocument>, Rejection> {
        if let Some(document) = self.0.get(text) {
            return Ok(document);
        }
        lex::check(text)?;
        let document = parse_query(text).map_err(|error| {
            let at = error.positions().next();
            Rejection::new(PARSE_FAILED, error.to_string(), at)
        })?;
        let document = Arc::new(document);
        if text.len() <= MAX_TEXT {
            self.0.insert(text.to_owned(), Arc::clone(&document));
        }
        Ok(document)
    }
}
