//! The blind index of phone numbers: which streams hold a contact with a number, found by a keyed hash of it.
//!
//! A row is written by the append that brings the contact ([`SubjectKey::phone`](crate::SubjectKey)), or added later by
//! [`add`]; it is removed with its subject's key ([`crate::keys::forget`]).

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::error::StoreError;
use crate::record::{LogId, PhoneHash};

/// The most rows of one [`add`].
pub const MAX_ROWS: usize = 1024;

/// By which number a stream is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneRow {
    /// The stream.
    pub id: Uuid,
    /// The number's keyed hash.
    pub hash: PhoneHash,
    /// The name of the key that the contact is sealed with.
    pub subject: String,
}

/// Which of these streams are in the index.
///
/// # Errors
/// The database is unreachable.
pub async fn known(pool: &PgPool, log_id: LogId, ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let known = sqlx::query_scalar(
        "SELECT order_id FROM phone_index WHERE log_id = $1 AND order_id = ANY ($2)",
    )
    .bind(log_id.0)
    .bind(ids)
    .fetch_all(pool)
    .await?;
    Ok(known)
}

/// Adds the rows that are missing, of subjects that still have their key; how many. At most [`MAX_ROWS`].
///
/// # Errors
/// Too many rows, or the database is unreachable.
pub async fn add(
    connection: &mut PgConnection,
    log_id: LogId,
    rows: &[PhoneRow],
) -> Result<i64, StoreError> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let hashes: Vec<&[u8]> = rows.iter().map(|row| row.hash.0.as_slice()).collect();
    let subjects: Vec<&str> = rows.iter().map(|row| row.subject.as_str()).collect();
    let added = sqlx::query_scalar("SELECT ledger_index_phones($1, $2, $3, $4)")
        .bind(log_id.0)
        .bind(ids)
        .bind(hashes)
        .bind(subjects)
        .fetch_one(connection)
        .await?;
    Ok(added)
}
