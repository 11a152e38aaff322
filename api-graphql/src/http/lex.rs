//! Counts a document's tokens and open brackets before anything parses it, so that parsing has a bound.

use super::reject::Rejection;
use crate::limits::{MAX_NESTING, MAX_TOKENS};

/// Refuses a document that is too long or too deep. Strings and comments count as one token and none.
pub(crate) fn check(document: &str) -> Result<(), Rejection> {
    let bytes = document.as_bytes();
    let (mut at, mut tokens, mut open) = (0, 0_usize, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => at + 1,
            b'#' => skip_while(bytes, at, |b| b != b'\n'),
            _ => {
                tokens += 1;
                if tokens > MAX_TOKENS {
                    return Err(Rejection::too_much(
                        "TOO_MANY_TOKENS",
                        format!("at most {MAX_TOKENS} tokens"),
                    ));
                }
                match byte {
                    b'{' | b'[' | b'(' => open += 1,
                    b'}' | b']' | b')' => open = open.saturating_sub(1),
                    _ => {}
                }
                if open > MAX_NESTING {
                    return Err(Rejection::too_much(
                        "TOO_DEEP",
                        format!("at most {MAX_NESTING} open brackets"),
                    ));
                }
                end_of_token(bytes, at)
            }
        };
    }
    Ok(())
}

fn end_of_token(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    match rest.first() {
        Some(b'"') if rest.starts_with(b"\"\"\"") => end_of_block_string(bytes, at + 3),
        Some(b'"') => end_of_string(bytes, at + 1),
        Some(b) if is_word(*b) => skip_while(bytes, at, is_word),
        _ => at + 1,
    }
}

/// Names and numbers; bytes beyond ASCII go along, the parser will refuse them.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.') || !byte.is_ascii()
}

fn skip_while(bytes: &[u8], from: usize, holds: impl Fn(u8) -> bool) -> usize {
    bytes
        .get(from..)
        .unwrap_or_default()
        .iter()
        .position(|b| !holds(*b))
        .map_or(bytes.len(), |n| from + n)
}

fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_block_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(rest) = bytes.get(at..).filter(|r| !r.is_empty()) {
        if rest.starts_with(b"\\\"\"\"") {
            at += 4;
        } else if rest.starts_with(b"\"\"\"") {
            return at + 3;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let open = "{".repeat(MAX_NESTING + 1);
        assert!(check(&open).is_err());
        assert!(check(&format!("{{ a(b: \"{open}\") }}")).is_ok());
        assert!(check(&format!("{{ a(b: \"\\\"{open}\") }}")).is_ok());
        assert!(check(&format!("{{ a(b: \"\"\" \\\"\"\" {open}\"\"\") }}")).is_ok());
        assert!(check(&format!("# {open}\n{{ a }}")).is_ok());
        assert!(check(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn long_documents_are_refused() {
        assert!(check(&"a ".repeat(MAX_TOKENS)).is_ok());
        assert!(check(&"a ".repeat(MAX_TOKENS + 1)).is_err());
        assert!(check(&"!".repeat(MAX_TOKENS + 1)).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,300}", quotes in "[\"\\\\#{}\\n ]{0,80}") {
            let _ = check(&text);
            let _ = check(&quotes);
        }
    }
}
