//! Pages of the log as `COPY` reads them out, in PostgreSQL's binary form: columns come as they are stored, and go
//! straight to where they belong.

use std::fmt::Write as _;

use chrono::DateTime;
use futures_util::TryStreamExt as _;
use sqlx::PgConnection;
use store::{Hash, LogId, Position, Recorded};
use uuid::Uuid;

use crate::copy::{EPOCH_SECONDS, HEADER};

/// Columns of a row.
const COLUMNS: i16 = 14;

/// The events after a position up to another one, in order; those of skipped types without their content.
pub(super) async fn page(
    conn: &mut PgConnection,
    log: LogId,
    (after, to): (Position, Position),
    skipped: &[&'static str],
) -> Result<Vec<Recorded>, sqlx::Error> {
    let mut is_skipped = String::from("false");
    for name in skipped {
        // The names are our own. Writing to a string does not fail.
        let _ = write!(is_skipped, " or aggregate_type = '{name}'");
    }
    let statement = format!(
        include_str!("sql/read.sql"),
        log = log.0,
        after = after.0,
        to = to.0,
        is_skipped = is_skipped,
    );
    let mut reading = Reading {
        page: Vec::with_capacity(usize::try_from(to.0 - after.0).unwrap_or_default()),
        ..Reading::default()
    };
    let mut rows = conn.copy_out_raw(&statement).await?;
    while let Some(bytes) = rows.try_next().await? {
        reading.take_in(&bytes)?;
    }
    Ok(reading.page)
}

/// What has been read so far.
#[derive(Default)]
struct Reading {
    page: Vec<Recorded>,
    /// What came of the next row. The server sends each row by itself, but does not promise to.
    rest: Vec<u8>,
    is_begun: bool,
}

impl Reading {
    fn take_in(&mut self, bytes: &[u8]) -> Result<(), sqlx::Error> {
        if self.rest.is_empty() {
            return self.rows(Row(bytes));
        }
        let mut joined = std::mem::take(&mut self.rest);
        joined.extend_from_slice(bytes);
        self.rows(Row(&joined))
    }

    fn rows(&mut self, mut bytes: Row<'_>) -> Result<(), sqlx::Error> {
        if !self.is_begun {
            let begin = bytes;
            match bytes.take(HEADER.len()) {
                None => {
                    self.rest = begin.0.to_vec();
                    return Ok(());
                }
                Some(header) if header == HEADER => self.is_begun = true,
                Some(_) => return Err(unreadable()),
            }
        }
        while !bytes.0.is_empty() {
            let row = bytes;
            match bytes.next()? {
                Next::Row(recorded) => self.page.push(recorded),
                Next::End => break,
                Next::Cut => {
                    self.rest = row.0.to_vec();
                    break;
                }
            }
        }
        Ok(())
    }
}

fn unreadable() -> sqlx::Error {
    sqlx::Error::Protocol("the log does not come as COPY writes it".into())
}

/// What is left of the bytes.
#[derive(Clone, Copy)]
struct Row<'a>(&'a [u8]);

/// What the bytes begin with.
enum Next {
    Row(Recorded),
    /// There is no more.
    End,
    /// A row whose end has not come yet.
    Cut,
}

impl<'a> Row<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }

    fn exactly<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn next(&mut self) -> Result<Next, sqlx::Error> {
        let Some(columns) = self.exactly().map(i16::from_be_bytes) else {
            return Ok(Next::Cut);
        };
        match columns {
            -1 => return Ok(Next::End),
            COLUMNS => {}
            _ => return Err(unreadable()),
        }
        let mut fields = [&[][..]; COLUMNS as usize];
        for field in &mut fields {
            let Some(length) = self.exactly().map(i32::from_be_bytes) else {
                return Ok(Next::Cut);
            };
            // Every column has a value.
            let length = usize::try_from(length).map_err(|_| unreadable())?;
            match self.take(length) {
                Some(bytes) => *field = bytes,
                None => return Ok(Next::Cut),
            }
        }
        recorded(fields).map(Next::Row).ok_or_else(unreadable)
    }
}

/// An event out of its columns, each of its own type.
fn recorded(fields: [&[u8]; COLUMNS as usize]) -> Option<Recorded> {
    let [
        position,
        event_id,
        aggregate_type,
        aggregate_id,
        sequence,
        event_type,
        event_version,
        payload,
        metadata,
        command_id,
        recorded_at,
        content_hash,
        prev_hash,
        hash,
    ] = fields;
    let bigint = |bytes: &[u8]| Some(i64::from_be_bytes(bytes.try_into().ok()?));
    let text = |bytes: &[u8]| Some(std::str::from_utf8(bytes).ok()?.to_owned());
    let uuid = |bytes: &[u8]| Uuid::from_slice(bytes).ok();
    let hash_of = |bytes: &[u8]| Hash::try_from(bytes).ok();
    let micros = bigint(recorded_at)?.checked_add(EPOCH_SECONDS.checked_mul(1_000_000)?)?;
    Some(Recorded {
        position: Position(bigint(position)?),
        event_id: uuid(event_id)?,
        aggregate_type: text(aggregate_type)?,
        aggregate_id: text(aggregate_id)?,
        sequence: bigint(sequence)?,
        event_type: text(event_type)?,
        event_version: text(event_version)?,
        payload: text(payload)?,
        metadata: text(metadata)?,
        command_id: uuid(command_id)?,
        recorded_at: DateTime::from_timestamp_micros(micros)?,
        content_hash: hash_of(content_hash)?,
        prev_hash: hash_of(prev_hash)?,
        hash: hash_of(hash)?,
    })
}

#[cfg(test)]
mod tests {
    use domain::order::Order;

    use super::*;
    use crate::testing::{ORDER, placed, recorded as event};

    /// An event as the server sends it.
    fn row(event: &Recorded) -> Vec<u8> {
        let micros = event.recorded_at.timestamp_micros() - EPOCH_SECONDS * 1_000_000;
        let (position, sequence) = (event.position.0.to_be_bytes(), event.sequence.to_be_bytes());
        let micros = micros.to_be_bytes();
        let fields: [&[u8]; COLUMNS as usize] = [
            &position,
            event.event_id.as_bytes(),
            event.aggregate_type.as_bytes(),
            event.aggregate_id.as_bytes(),
            &sequence,
            event.event_type.as_bytes(),
            event.event_version.as_bytes(),
            event.payload.as_bytes(),
            event.metadata.as_bytes(),
            event.command_id.as_bytes(),
            &micros,
            &event.content_hash,
            &event.prev_hash,
            &event.hash,
        ];
        let mut row = COLUMNS.to_be_bytes().to_vec();
        for field in fields {
            row.extend(i32::try_from(field.len()).unwrap().to_be_bytes());
            row.extend(field);
        }
        row
    }

    #[test]
    fn rows_are_read_wherever_the_stream_is_cut() {
        let events: Vec<Recorded> = (1..=3)
            .map(|n| event::<Order>(&ORDER, n, &placed()))
            .collect();
        let mut stream = HEADER.to_vec();
        stream.extend(events.iter().flat_map(row));
        stream.extend((-1_i16).to_be_bytes());
        for size in [1, 2, 7, 64, 1_000, stream.len()] {
            let mut reading = Reading::default();
            for chunk in stream.chunks(size) {
                reading.take_in(chunk).unwrap();
            }
            assert_eq!(reading.page, events, "{size} bytes at a time");
        }
    }

    #[test]
    fn another_stream_is_an_error() {
        assert!(Reading::default().take_in(&[b'x'; 40]).is_err());
        let columns = |n: i16| {
            let mut reading = Reading::default();
            reading.take_in(HEADER).unwrap();
            reading
                .take_in(&n.to_be_bytes())
                .map(|()| reading.page.len())
        };
        assert!(columns(13).is_err());
        assert_eq!(columns(-1).unwrap(), 0);
        let mut no_value = Reading::default();
        no_value.take_in(HEADER).unwrap();
        no_value.take_in(&COLUMNS.to_be_bytes()).unwrap();
        assert!(no_value.take_in(&(-1_i32).to_be_bytes()).is_err());
    }
}
