//! The PostgreSQL event log: group commit, gapless positions, idempotency, a hash chain.
//!
//! The log knows records, not orders. [`Log`] appends and reads; the modules beside it are the
//! small tables everything else needs: checkpoints, keys, numbers, snapshots, audit.

pub mod append;
pub mod audit;
pub mod checkpoint;
pub mod claims;
pub mod connect;
mod error;
pub mod feed;
pub mod hash;
pub mod keys;
mod log;
pub mod migrate;
pub mod numbers;
pub mod phones;
mod read;
mod record;
pub mod seal;
pub mod snapshots;
pub mod verify;
pub mod wake;

pub use append::AppendOptions;
pub use error::{AppendError, StoreError};
pub use log::Log;
pub use record::{
    Append, Claim, Hash, Head, LogId, NewEvent, PhoneHash, Position, Receipt, Recorded, StreamHead,
    StreamId, SubjectKey,
};

#[cfg(test)]
mod tests;
