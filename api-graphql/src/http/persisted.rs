//! Operations by their hash: Apollo's automatic persisted queries, and the list of those that alone may run.

use std::sync::Arc;

use observability::names;

use super::{params::Params, reject::Rejection};
use crate::{
    digest::sha256,
    operations::{AllowList, MAX_STORED_TEXT, OperationHash, OperationStore},
};

/// How a request names its operation by hash, as `extensions.persistedQuery` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// Version 1 of the protocol: by SHA-256.
    Sha256(OperationHash),
    /// Another version.
    Unknown,
}

/// Finds the texts of operations.
pub(crate) struct Operations {
    /// Texts that were sent before; nobody keeps them where `None`.
    pub(crate) store: Option<Arc<dyn OperationStore>>,
    /// Those that alone may run; all where `None`.
    pub(crate) allowed: Option<Arc<AllowList>>,
}

impl Operations {
    /// Fills in the text of an operation that was sent by its hash, and checks the hash of one that was sent with it.
    ///
    /// # Errors
    /// The text is not known, is not the hash's, or may not run.
    pub(super) async fn find(&self, params: &mut Params) -> Result<(), Rejection> {
        let hash = match params.named {
            None => None,
            Some(Named::Sha256(hash)) => Some(hash),
            Some(Named::Unknown) => return Err(unsupported()),
        };
        if let Some(list) = &self.allowed {
            return allowed(list, params, hash);
        }
        let Some(hash) = hash else { return Ok(()) };
        let Some(store) = &self.store else {
            return if params.query.is_empty() {
                Err(unsupported())
            } else {
                Ok(())
            };
        };
        if !params.query.is_empty() {
            check(&params.query, &hash)?;
            params.is_new = true;
            return Ok(());
        }
        match store.get(&hash).await {
            Some(text) if sha256(text.as_bytes()) == hash => {
                count("hit");
                params.query = text.to_string();
                Ok(())
            }
            kept => {
                let is_foreign = kept.is_some();
                if is_foreign {
                    tracing::error!("a store of operations gave a text that is not its hash's");
                }
                count(if is_foreign { "foreign" } else { "miss" });
                Err(Rejection::new(
                    "PERSISTED_QUERY_NOT_FOUND",
                    // Clients of old compare the message.
                    "PersistedQueryNotFound",
                    None,
                ))
            }
        }
    }

    /// Keeps the text of an operation that was sent with its hash and is about to run.
    pub(super) async fn learn(&self, params: &Params) {
        if let (Some(store), Some(Named::Sha256(hash)), true) =
            (&self.store, params.named, params.is_new)
            && params.query.len() <= MAX_STORED_TEXT
        {
            store.put(&hash, &params.query).await;
            count("stored");
        }
    }
}

/// By hash or by the very same text.
fn allowed(
    list: &AllowList,
    params: &mut Params,
    hash: Option<OperationHash>,
) -> Result<(), Rejection> {
    let hash = match (hash, params.query.is_empty()) {
        (Some(hash), true) => hash,
        (Some(hash), false) => {
            check(&params.query, &hash)?;
            hash
        }
        (None, _) => sha256(params.query.as_bytes()),
    };
    let Some(text) = list.get(&hash) else {
        count("not_allowed");
        return Err(Rejection::new(
            "OPERATION_NOT_ALLOWED",
            "Only operations of the signed list run here. Register this one: add it to the manifest and sign it anew.",
            None,
        ));
    };
    params.query = text.to_string();
    Ok(())
}

fn check(text: &str, hash: &OperationHash) -> Result<(), Rejection> {
    if sha256(text.as_bytes()) == *hash {
        return Ok(());
    }
    count("mismatch");
    Err(Rejection::new(
        "PERSISTED_QUERY_MISMATCH",
        "`sha256Hash` is not the SHA-256 of `query`, as UTF-8 and byte for byte.",
        None,
    ))
}

fn unsupported() -> Rejection {
    Rejection::new(
        "PERSISTED_QUERY_NOT_SUPPORTED",
        "PersistedQueryNotSupported",
        None,
    )
}

fn count(outcome: &'static str) {
    metrics::counter!(names::API_PERSISTED_TOTAL, "outcome" => outcome).increment(1);
}
