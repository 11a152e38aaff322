//! The list of operations that may run, from a manifest as client tools write it.
//!
//! Two forms are read: that of Apollo's `generate-persisted-query-manifest`
//! (`{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"id", "name", "type", "body"}]}`) and
//! that of Relay's compiler with `persistConfig` (`{"HASH": "TEXT"}`). Ids are SHA-256 of the text in both.

use std::{collections::HashMap, sync::Arc};

use async_graphql::parser::parse_query;
use serde::Deserialize;
use store::hash::{hex, unhex};

use super::OperationHash;
use crate::{digest::sha256, http::lex};

/// The largest manifest, in bytes.
pub const MAX_MANIFEST_BYTES: usize = 16 * 1024 * 1024;
/// The most operations of a manifest.
pub const MAX_OPERATIONS: usize = 10_000;

/// Why a manifest cannot be used. Each message says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Beyond [`MAX_MANIFEST_BYTES`] or [`MAX_OPERATIONS`].
    #[error(
        "the manifest has more than {MAX_MANIFEST_BYTES} bytes or {MAX_OPERATIONS} operations; split the clients"
    )]
    TooLarge,
    /// Not JSON, or of neither form.
    #[error(
        "the manifest is neither Apollo's (format apollo-persisted-query-manifest, version 1) nor a map of hash to text: {0}"
    )]
    Form(String),
    /// No operation: everything would be refused.
    #[error("the manifest names no operation; generate it anew")]
    Empty,
    /// An id that is not its text's.
    #[error(
        "the id {0} is not the SHA-256 of its operation's text: generate the manifest with SHA-256 ids and do not edit it"
    )]
    NotItsHash(String),
    /// A text that could never run.
    #[error("the operation {id} cannot be used: {why}; mend it and generate the manifest anew")]
    Operation {
        /// Its hash.
        id: String,
        /// What is wrong with it.
        why: String,
    },
}

/// The operations that may run, by hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList(HashMap<OperationHash, Arc<str>>);

#[derive(Deserialize)]
struct Apollo {
    format: String,
    version: u32,
    operations: Vec<ApolloOperation>,
}

#[derive(Deserialize)]
struct ApolloOperation {
    id: String,
    body: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Manifest {
    Apollo(Apollo),
    Relay(HashMap<String, String>),
}

impl AllowList {
    /// Reads a manifest.
    ///
    /// # Errors
    /// See [`ManifestError`].
    pub fn read(manifest: &[u8]) -> Result<Self, ManifestError> {
        if manifest.len() > MAX_MANIFEST_BYTES {
            return Err(ManifestError::TooLarge);
        }
        let form = |why: &dyn std::fmt::Display| ManifestError::Form(why.to_string());
        let operations: Vec<(String, String)> =
            match serde_json::from_slice(manifest).map_err(|error| form(&error))? {
                Manifest::Apollo(Apollo {
                    format,
                    version,
                    operations,
                }) => {
                    if format != "apollo-persisted-query-manifest" || version != 1 {
                        return Err(form(&format!("it is {format}, version {version}")));
                    }
                    let pairs = operations.into_iter().map(|one| (one.id, one.body));
                    pairs.collect()
                }
                Manifest::Relay(map) => map.into_iter().collect(),
            };
        match operations.len() {
            0 => Err(ManifestError::Empty),
            1..=MAX_OPERATIONS => operations.into_iter().map(checked).collect(),
            _ => Err(ManifestError::TooLarge),
        }
        .map(Self)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text of an operation that may run.
    pub(crate) fn get(&self, hash: &OperationHash) -> Option<Arc<str>> {
        self.0.get(hash).cloned()
    }
}

fn checked((id, text): (String, String)) -> Result<(OperationHash, Arc<str>), ManifestError> {
    let hash = sha256(text.as_bytes());
    if unhex(&id) != Some(hash) {
        return Err(ManifestError::NotItsHash(id));
    }
    let wrong = |why: String| ManifestError::Operation {
        id: hex(&hash),
        why,
    };
    lex::check(&text).map_err(|rejection| wrong(rejection.why()))?;
    parse_query(&text).map_err(|error| wrong(error.to_string()))?;
    Ok((hash, text.into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(manifest: &serde_json::Value) -> Result<AllowList, ManifestError> {
        AllowList::read(manifest.to_string().as_bytes())
    }

    #[test]
    fn both_forms_are_read() {
        let text = "query Board { storeBoard { count } }";
        let id = hex(&sha256(text.as_bytes()));
        let apollo = json!({ "format": "apollo-persisted-query-manifest", "version": 1,
            "operations": [{ "id": id, "name": "Board", "type": "query", "body": text }] });
        let relay = json!({ &id: text });
        let list = read(&apollo).unwrap();
        assert_eq!(Ok(&list), read(&relay).as_ref());
        assert_eq!(list.get(&sha256(text.as_bytes())).as_deref(), Some(text));
        assert_eq!((list.len(), list.is_empty()), (1, false));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let of = |text: &str| json!({ hex(&sha256(text.as_bytes())): text });
        for (manifest, word) in [
            (json!([]), "neither"),
            (json!({}), "no operation"),
            (
                json!({ "format": "x", "version": 1, "operations": [] }),
                "x, version 1",
            ),
            (
                json!({ "format": "apollo-persisted-query-manifest", "version": 2, "operations": [] }),
                "version 2",
            ),
            (
                json!({ "d41d8cd98f00b204e9800998ecf8427e": "{ a }" }),
                "SHA-256",
            ),
            (json!({ "a".repeat(64): "{ a }" }), "do not edit"),
            (of("{ a "), "cannot be used"),
            (of(&"{".repeat(100)), "brackets"),
        ] {
            let said = read(&manifest).unwrap_err().to_string();
            assert!(said.contains(word), "{manifest}: {said}");
        }
        assert_eq!(
            AllowList::read(&vec![b' '; MAX_MANIFEST_BYTES + 1]),
            Err(ManifestError::TooLarge)
        );
        assert!(AllowList::read(b"\xff").is_err());
    }
}
