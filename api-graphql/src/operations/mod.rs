//! Operations that are known by their hash: those that clients have sent before ([`OperationStore`]), and those that
//! alone may run ([`AllowList`]).

mod allowed;
mod shared;
mod store;

pub use allowed::{AllowList, MAX_MANIFEST_BYTES, MAX_OPERATIONS, ManifestError};
pub use shared::SharedOperations;
pub use store::{InProcess, MAX_STORED_BYTES, MAX_STORED_TEXT, OperationStore};

/// The SHA-256 of an operation's text, by which clients and manifests name it.
pub type OperationHash = [u8; 32];
