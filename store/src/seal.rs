//! Seals: the head of the chain, signed, for auditors to keep outside of the ledger.
//!
//! What is signed: the label `ledger-seal-1` preceded by its length in bytes as a 32-bit big-endian number, the log's
//! id (16-bit), the position, `recorded_at` and `sealed_at` in microseconds since 1970 (64-bit each), all big-endian,
//! and the 32 bytes of the chain hash at the position. The signature is Ed25519's; making and checking it is not done
//! here.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

use crate::error::StoreError;
use crate::record::{Hash, LogId, Position};

const LABEL: &[u8] = b"ledger-seal-1";
/// The most seals one read returns.
pub const MAX_SEALS: i64 = 1_000;
/// Held while a seal is made, so that of several processes one makes it.
const LOCK: &str = "SELECT pg_try_advisory_xact_lock(hashtextextended('ledger_seal', $1))";
const COLUMNS: &str =
    "log_id, position, hash, recorded_at, sealed_at, key_id, public_key, signature";

/// The head of a log at a moment: what a seal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealable {
    /// Which log.
    pub log_id: LogId,
    /// The last event's position.
    pub position: Position,
    /// Its chain hash.
    pub hash: Hash,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// When the seal is made, by the database's clock.
    pub sealed_at: DateTime<Utc>,
}

impl Sealable {
    /// The bytes that are signed.
    pub fn message(&self) -> Vec<u8> {
        let length = u32::try_from(LABEL.len()).unwrap_or(u32::MAX);
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend_from_slice(LABEL);
        bytes.extend_from_slice(&self.log_id.0.to_be_bytes());
        bytes.extend_from_slice(&self.position.0.to_be_bytes());
        bytes.extend_from_slice(&self.recorded_at.timestamp_micros().to_be_bytes());
        bytes.extend_from_slice(&self.sealed_at.timestamp_micros().to_be_bytes());
        bytes.extend_from_slice(&self.hash);
        bytes
    }
}

/// A signature and the key it was made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// A short name of the key.
    pub key_id: String,
    /// The public key: 32 bytes.
    pub public_key: Vec<u8>,
    /// The signature of [`Sealable::message`]: 64 bytes.
    pub signature: Vec<u8>,
}

/// A signed head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    /// What is sealed.
    pub head: Sealable,
    /// By whom.
    pub signed: Signature,
}

impl<'r> sqlx::FromRow<'r, sqlx::postgres::PgRow> for Seal {
    fn from_row(row: &'r sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
        use sqlx::Row;
        Ok(Self {
            head: Sealable {
                log_id: LogId(row.try_get(0)?),
                position: Position(row.try_get(1)?),
                hash: row.try_get(2)?,
                recorded_at: row.try_get(3)?,
                sealed_at: row.try_get(4)?,
            },
            signed: Signature {
                key_id: row.try_get(5)?,
                public_key: row.try_get(6)?,
                signature: row.try_get(7)?,
            },
        })
    }
}

/// Seals the head, unless another process is at it, the newest seal is younger than `every`, or nothing was appended
/// since. Answers the seal that was made.
///
/// # Errors
/// The database is unreachable, or it has no such log.
pub async fn seal(
    pool: &PgPool,
    log_id: LogId,
    every: Duration,
    sign: impl FnOnce(&[u8]) -> Signature + Send,
) -> Result<Option<Seal>, StoreError> {
    let mut tx = pool.begin().await?;
    let ours: bool = sqlx::query_scalar(LOCK)
        .bind(i64::from(log_id.0))
        .fetch_one(&mut *tx)
        .await?;
    let head = if ours {
        due(&mut tx, log_id, every).await?
    } else {
        None
    };
    let Some(head) = head else {
        // Not left to the drop, which rolls back some time later: until then nobody else could seal.
        tx.rollback().await?;
        return Ok(None);
    };
    let seal = Seal {
        head,
        signed: sign(&head.message()),
    };
    insert(&mut tx, &seal).await?;
    tx.commit().await?;
    Ok(Some(seal))
}

/// The head, if it is time to seal it.
async fn due(
    tx: &mut PgConnection,
    log_id: LogId,
    every: Duration,
) -> Result<Option<Sealable>, StoreError> {
    type Row = (i64, Hash, DateTime<Utc>, DateTime<Utc>, bool);
    let row: Option<Row> = sqlx::query_as(
        "SELECT h.position, h.hash, h.recorded_at, clock_timestamp(), \
                h.position > coalesce(s.position, 0) \
                AND coalesce(s.sealed_at <= clock_timestamp() - $2 * interval '1 millisecond', true) \
         FROM log_head h \
         LEFT JOIN LATERAL (SELECT position, sealed_at FROM seal WHERE log_id = $1 \
                            ORDER BY position DESC LIMIT 1) AS s ON true \
         WHERE h.log_id = $1",
    )
    .bind(log_id.0)
    .bind(i32::try_from(every.as_millis()).unwrap_or(i32::MAX))
    .fetch_optional(tx)
    .await?;
    let (position, hash, recorded_at, sealed_at, is_due) =
        row.ok_or(StoreError::NoSuchLog(log_id))?;
    Ok(is_due.then_some(Sealable {
        log_id,
        position: Position(position),
        hash,
        recorded_at,
        sealed_at,
    }))
}

async fn insert(tx: &mut PgConnection, seal: &Seal) -> Result<(), StoreError> {
    let Seal { head, signed } = seal;
    sqlx::query(&format!(
        "INSERT INTO seal ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
    ))
    .bind(head.log_id.0)
    .bind(head.position.0)
    .bind(head.hash)
    .bind(head.recorded_at)
    .bind(head.sealed_at)
    .bind(&signed.key_id)
    .bind(&signed.public_key)
    .bind(&signed.signature)
    .execute(tx)
    .await?;
    Ok(())
}

/// Seals in the order of the log: those behind a position, or the newest ones where `after` is `None`.
///
/// # Errors
/// The database is unreachable.
pub async fn page(
    pool: &PgPool,
    log_id: LogId,
    after: Option<Position>,
    limit: i64,
) -> Result<Vec<Seal>, StoreError> {
    let order = if after.is_some() { "ASC" } else { "DESC" };
    let mut seals: Vec<Seal> = sqlx::query_as(&format!(
        "SELECT {COLUMNS} FROM seal WHERE log_id = $1 AND position > $2 ORDER BY position {order} LIMIT $3"
    ))
    .bind(log_id.0)
    .bind(after.unwrap_or(Position::START).0)
    .bind(limit.clamp(1, MAX_SEALS))
    .fetch_all(pool)
    .await?;
    seals.sort_by_key(|seal| seal.head.position);
    Ok(seals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_never_changes_its_form() {
        let head = Sealable {
            log_id: LogId(1),
            position: Position(258),
            hash: [7; 32],
            recorded_at: DateTime::from_timestamp_micros(3).unwrap(),
            sealed_at: DateTime::from_timestamp_micros(4).unwrap(),
        };
        let mut expected = b"\0\0\0\x0dledger-seal-1\0\x01".to_vec();
        expected.extend_from_slice(&[0, 0, 0, 0, 0, 0, 1, 2]);
        expected.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 3]);
        expected.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 4]);
        expected.extend_from_slice(&[7; 32]);
        assert_eq!(head.message(), expected);
    }
}
