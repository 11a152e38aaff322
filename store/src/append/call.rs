//! One call of `ledger_append`: the batch as arrays, the answer as rows.

use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::Queued;
use crate::error::AppendError;
use crate::record::{Append, Hash, LogId, Position, Receipt};

const SQL: &str = "SELECT outcome, version, first_position, last_position, event_ids, holder, \
     holder_command, claim_scope, claim_value, lock_wait_micros \
     FROM ledger_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";

/// As [`SQL`], and in the same transaction indexes the phone numbers of what is appended. A statement of its own, so that
/// a batch without any costs what it always did.
const SQL_INDEXED: &str = "WITH answered AS MATERIALIZED ( \
       SELECT * FROM ledger_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) \
         WITH ORDINALITY AS a(outcome, version, first_position, last_position, event_ids, holder, \
                              holder_command, claim_scope, claim_value, lock_wait_micros, n)), \
     indexed AS ( \
       INSERT INTO phone_index (log_id, order_id, hash, subject) \
       SELECT $1, t.id::uuid, t.hash, t.subject \
         FROM unnest($5::text[], $9::text[], $19::bytea[]) WITH ORDINALITY AS t(id, subject, hash, n) \
         JOIN answered USING (n) WHERE answered.outcome = 'appended' AND t.hash IS NOT NULL \
       ON CONFLICT DO NOTHING) \
     SELECT outcome, version, first_position, last_position, event_ids, holder, \
     holder_command, claim_scope, claim_value, lock_wait_micros FROM answered ORDER BY n";

/// What the function says about one command.
#[derive(sqlx::FromRow)]
pub(super) struct Answer {
    outcome: String,
    version: Option<i64>,
    first_position: Option<i64>,
    last_position: Option<i64>,
    event_ids: Option<Vec<Uuid>>,
    holder: Option<String>,
    holder_command: Option<Uuid>,
    claim_scope: Option<String>,
    claim_value: Option<String>,
    /// Microseconds the call waited for the head of the log.
    pub(super) lock_wait_micros: i64,
}

/// The arguments, one entry per command, event or claim.
#[derive(Default)]
struct Columns<'a> {
    command_ids: Vec<Uuid>,
    request_hashes: Vec<Hash>,
    aggregate_types: Vec<&'a str>,
    aggregate_ids: Vec<&'a str>,
    expected: Vec<i64>,
    event_counts: Vec<i32>,
    claim_counts: Vec<i32>,
    subjects: Vec<Option<&'a str>>,
    wrapped_keys: Vec<Option<&'a [u8]>>,
    phones: Vec<Option<&'a [u8]>>,
    event_ids: Vec<Uuid>,
    event_types: Vec<&'a str>,
    event_versions: Vec<&'a str>,
    payloads: Vec<&'a str>,
    metadata: Vec<&'a str>,
    content_hashes: Vec<u8>,
    claim_scopes: Vec<&'a str>,
    claim_values: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn add(&mut self, append: &'a Append, content_hashes: &[u8]) {
        self.command_ids.push(append.command_id);
        self.request_hashes.push(append.request_hash);
        self.aggregate_types.push(&append.stream.aggregate_type);
        self.aggregate_ids.push(&append.stream.aggregate_id);
        self.expected.push(append.expected_version);
        self.event_counts.push(count(append.events.len()));
        self.claim_counts.push(count(append.claims.len()));
        let key = append.subject_key.as_ref();
        self.subjects.push(key.map(|k| k.subject.as_str()));
        self.wrapped_keys.push(key.map(|k| k.wrapped.as_slice()));
        let phone = key.and_then(|k| k.phone.as_ref());
        self.phones.push(phone.map(|hash| hash.0.as_slice()));
        for event in &append.events {
            self.event_ids.push(event.event_id);
            self.event_types.push(&event.event_type);
            self.event_versions.push(&event.event_version);
            self.payloads.push(&event.payload);
            self.metadata.push(&event.metadata);
        }
        self.content_hashes.extend_from_slice(content_hashes);
        for claim in &append.claims {
            self.claim_scopes.push(&claim.scope);
            self.claim_values.push(&claim.value);
        }
    }
}

/// Counts are bounded by the limits of one append, far below `i32::MAX`.
fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// Sends the batch as one autocommit statement. Answers come in the order of the commands.
pub(super) async fn append(
    connection: &mut PgConnection,
    log_id: LogId,
    batch: &[(Append, Queued)],
) -> Result<Vec<Answer>, sqlx::Error> {
    let mut columns = Columns::default();
    for (append, queued) in batch {
        columns.add(append, &queued.content_hashes);
    }
    let has_phones = columns.phones.iter().any(Option::is_some);
    let query = sqlx::query_as(if has_phones { SQL_INDEXED } else { SQL })
        .bind(log_id.0)
        .bind(columns.command_ids)
        .bind(columns.request_hashes)
        .bind(columns.aggregate_types)
        .bind(columns.aggregate_ids)
        .bind(columns.expected)
        .bind(columns.event_counts)
        .bind(columns.claim_counts)
        .bind(columns.subjects)
        .bind(columns.wrapped_keys)
        .bind(columns.event_ids)
        .bind(columns.event_types)
        .bind(columns.event_versions)
        .bind(columns.payloads)
        .bind(columns.metadata)
        .bind(columns.content_hashes)
        .bind(columns.claim_scopes)
        .bind(columns.claim_values);
    let query = if has_phones {
        query.bind(columns.phones)
    } else {
        query
    };
    query.fetch_all(connection).await
}

impl Answer {
    /// The last position this command took, if it was appended just now.
    pub(super) fn appended_to(&self) -> Option<i64> {
        self.last_position.filter(|_| self.outcome == "appended")
    }

    /// The answer for the command it is about.
    pub(super) fn into_result(mut self, append: &Append) -> Result<Receipt, AppendError> {
        match self.outcome.as_str() {
            "appended" => {
                let ids = append.events.iter().map(|e| e.event_id).collect();
                self.receipt(append.command_id, append.stream.aggregate_id.clone(), ids)
            }
            "replayed" => {
                let holder = required(self.holder.take(), "aggregate id")?;
                let ids = required(self.event_ids.take(), "event ids")?;
                let mut receipt = self.receipt(append.command_id, holder, ids)?;
                receipt.replayed = true;
                Ok(receipt)
            }
            "reused" => Err(AppendError::CommandReused),
            "conflict" => Err(AppendError::VersionConflict {
                expected: append.expected_version,
                actual: required(self.version, "version")?,
            }),
            "claimed" => Err(self.claim_taken()?),
            "key_exists" => Err(AppendError::SubjectKeyExists(
                append
                    .subject_key
                    .as_ref()
                    .map_or_else(String::new, |k| k.subject.clone()),
            )),
            other => Err(AppendError::Corrupt(format!("outcome {other}"))),
        }
    }

    fn claim_taken(mut self) -> Result<AppendError, AppendError> {
        let holder = required(self.holder.take(), "holder")?;
        let holder_receipt = match (self.holder_command, self.event_ids.take()) {
            (Some(command), Some(ids)) => {
                let mut receipt = self.receipt(command, holder.clone(), ids)?;
                receipt.replayed = true;
                Some(Box::new(receipt))
            }
            _ => None,
        };
        Ok(AppendError::ClaimTaken {
            scope: required(self.claim_scope, "scope")?,
            value: required(self.claim_value, "value")?,
            holder,
            holder_receipt,
        })
    }

    fn receipt(
        &self,
        command_id: Uuid,
        aggregate_id: String,
        event_ids: Vec<Uuid>,
    ) -> Result<Receipt, AppendError> {
        Ok(Receipt {
            command_id,
            aggregate_id,
            version: required(self.version, "version")?,
            first_position: Position(required(self.first_position, "first position")?),
            last_position: Position(required(self.last_position, "last position")?),
            event_ids,
            replayed: false,
        })
    }
}

fn required<T>(value: Option<T>, what: &str) -> Result<T, AppendError> {
    value.ok_or_else(|| AppendError::Corrupt(format!("no {what}")))
}
