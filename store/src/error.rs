//! What can go wrong, and what to do about it.

use crate::record::{LogId, Receipt};

/// A read, a migration or a table beside the log failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is unreachable or refused the statement.
    #[error("the database did not answer: {0}; check LEDGER_DATABASE_URL and that PostgreSQL runs")]
    Database(#[from] sqlx::Error),
    /// A migration failed or the database holds migrations this build does not know.
    #[error("migrating the database failed: {0}; the database is left at the migration before it")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database has no such log.
    #[error("log {0} does not exist in this database; run the migrations first")]
    NoSuchLog(LogId),
    /// Another process took the projection over; stop applying.
    #[error(
        "projection {name} is owned by epoch {current}, not {ours}: another process runs it; stop this one"
    )]
    Fenced {
        /// The projection.
        name: String,
        /// The epoch this process was given.
        ours: i64,
        /// The epoch in the database.
        current: i64,
    },
    /// The caller passed something that can never be stored.
    #[error("cannot store this: {0}")]
    Invalid(String),
    /// What was read cannot be right.
    #[error("the stored data is damaged: {0}; run `ledger doctor`")]
    Corrupt(String),
}

/// Why a command was not appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Somebody else appended to the stream first: load it again and decide again.
    #[error("the stream is at version {actual}, not {expected}; load it again and decide again")]
    VersionConflict {
        /// The version the decision was made on.
        expected: i64,
        /// The version in the log.
        actual: i64,
    },
    /// The command id belongs to a different request: use a new id.
    #[error("this command id was used for a different request; use a new id")]
    CommandReused,
    /// Another stream holds a value this one wanted.
    #[error("{scope} {value} belongs to {holder} already")]
    ClaimTaken {
        /// The kind of value.
        scope: String,
        /// The value.
        value: String,
        /// The stream that holds it.
        holder: String,
        /// The receipt of the command that claimed it, when that made the same request: the
        /// caller may answer with it as a replay.
        holder_receipt: Option<Box<Receipt>>,
    },
    /// The subject has another key: load that one with [`crate::keys::get`] and seal again.
    #[error("subject {0} has a key already; load it and seal the personal data with it")]
    SubjectKeyExists(String),
    /// The command can never be stored as it is (bad JSON, a NUL character, too large).
    #[error("the command cannot be stored: {0}")]
    Invalid(String),
    /// The queue is full: nothing was written, retry later.
    #[error("too many commands are waiting; retry in a moment")]
    Overloaded,
    /// The connection was lost while the command was under way and it could not be found out
    /// whether it was written: retry with the same command id.
    #[error("it is unknown whether the command was written ({0}); retry with the same command id")]
    OutcomeUnknown(String),
    /// Surely not written: retry.
    #[error("the log cannot be written just now ({0}); retry")]
    Unavailable(String),
    /// The database answered something that cannot be right.
    #[error("the log's answer makes no sense ({0}); run `ledger doctor`")]
    Corrupt(String),
}
