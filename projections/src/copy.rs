//! Rows into a table by `COPY`, in PostgreSQL's binary form: no statement to bind, no array to take apart, no text to
//! read on the server. For tables that are being filled; the ordinary writers speak SQL.

use std::ops::Range;

use chrono::{DateTime, Utc};
use domain::money::Money;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::model::ApplyError;

/// How the stream begins: the signature, no flags, no extension.
pub(crate) const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What stands where a row would begin.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
/// What a field without a value has for its length.
const NULL: [u8; 4] = (-1_i32).to_be_bytes();
/// Bytes that are handed over at once. For each statement the server makes room for as many; room for much more would come
/// from the operating system each time.
const CHUNK: usize = 1 << 15;
/// PostgreSQL's moments are microseconds since 2000-01-01, in seconds since 1970.
pub(crate) const EPOCH_SECONDS: i64 = 946_684_800;
/// The sign of a negative `numeric`.
const NEGATIVE: u16 = 0x4000;
/// Digits behind the point of an amount, which is one digit to the base 10,000.
const SCALE: u16 = 4;
/// The base of the digits of a `numeric`.
const BASE: u64 = 10_000;

/// Writes rows into the table that the connection's search path finds, in one statement. Each is made when it is its turn:
/// the server takes in one chunk while the next one is made, and no more than a chunk is in memory.
pub(crate) async fn copy<T>(
    conn: &mut PgConnection,
    mut made: Rows,
    rows: &[T],
    make: impl Fn(&mut Rows, &T) -> Result<(), ApplyError>,
) -> Result<(), ApplyError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut copy = conn.copy_in_raw(&made.statement()).await?;
    for row in rows {
        make(&mut made, row)?;
        if made.bytes.len() >= CHUNK {
            copy.send(made.bytes.as_slice()).await?;
            made.bytes.clear();
        }
    }
    made.bytes.extend_from_slice(&TRAILER);
    copy.send(made.bytes.as_slice()).await?;
    copy.finish().await?;
    Ok(())
}

/// Rows of one table, in memory until they are written.
pub(crate) struct Rows {
    table: &'static str,
    columns: &'static [&'static str],
    bytes: Vec<u8>,
}

impl Rows {
    /// No rows yet. Every row has these columns, in this order.
    pub(crate) fn of(table: &'static str, columns: &'static [&'static str]) -> Self {
        Self {
            table,
            columns,
            bytes: HEADER.to_vec(),
        }
    }

    /// Begins a row: its fields follow.
    pub(crate) fn row(&mut self) -> &mut Self {
        let columns = i16::try_from(self.columns.len()).unwrap_or(i16::MAX);
        self.bytes.extend_from_slice(&columns.to_be_bytes());
        self
    }

    pub(crate) fn uuid(&mut self, value: Uuid) -> &mut Self {
        self.field(value.as_bytes())
    }

    pub(crate) fn text(&mut self, value: &str) -> &mut Self {
        self.field(value.as_bytes())
    }

    pub(crate) fn smallint(&mut self, value: i16) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub(crate) fn integer(&mut self, value: i32) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub(crate) fn bigint(&mut self, value: i64) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    pub(crate) fn boolean(&mut self, value: bool) -> &mut Self {
        self.field(&[value.into()])
    }

    /// A moment, as exact as the database has it.
    pub(crate) fn moment(&mut self, value: DateTime<Utc>) -> &mut Self {
        let epoch = DateTime::from_timestamp(EPOCH_SECONDS, 0).unwrap_or_default();
        let micros = value.signed_duration_since(epoch).num_microseconds();
        self.bigint(micros.unwrap_or_default())
    }

    /// A `numeric` with four digits behind the point.
    pub(crate) fn amount(&mut self, value: Money) -> &mut Self {
        let (digits, weight) = digits(value.units().unsigned_abs());
        let count = i16::try_from(digits.len()).unwrap_or(i16::MAX);
        let sign = if value.units() < 0 { NEGATIVE } else { 0 };
        let begun = self.begin();
        self.bytes.extend_from_slice(&count.to_be_bytes());
        self.bytes.extend_from_slice(&weight.to_be_bytes());
        self.bytes.extend_from_slice(&sign.to_be_bytes());
        self.bytes.extend_from_slice(&SCALE.to_be_bytes());
        for digit in digits {
            self.bytes.extend_from_slice(&digit.to_be_bytes());
        }
        self.end(begun)
    }

    /// A `json`, written where it goes.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<&mut Self, ApplyError> {
        let begun = self.begin();
        serde_json::to_writer(&mut self.bytes, value).map_err(ApplyError::Encode)?;
        Ok(self.end(begun))
    }

    /// A value that may be absent.
    pub(crate) fn option<T>(
        &mut self,
        value: Option<T>,
        write: impl FnOnce(&mut Self, T) -> &mut Self,
    ) -> &mut Self {
        match value {
            Some(value) => write(self, value),
            None => {
                self.bytes.extend_from_slice(&NULL);
                self
            }
        }
    }

    fn field(&mut self, value: &[u8]) -> &mut Self {
        let begun = self.begin();
        self.bytes.extend_from_slice(value);
        self.end(begun)
    }

    /// Leaves room for a field's length.
    fn begin(&mut self) -> Range<usize> {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&NULL);
        at..self.bytes.len()
    }

    fn end(&mut self, length: Range<usize>) -> &mut Self {
        let bytes = self.bytes.len().saturating_sub(length.end);
        // No value comes near 2 GB: the log takes none of a megabyte.
        let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
        if let Some(room) = self.bytes.get_mut(length) {
            room.copy_from_slice(&bytes.to_be_bytes());
        }
        self
    }

    fn statement(&self) -> String {
        let columns = self.columns.join(", ");
        format!("copy {} ({columns}) from stdin (format binary)", self.table)
    }

    /// Writes the rows into the table that the connection's search path finds.
    pub(crate) async fn write(mut self, conn: &mut PgConnection) -> Result<(), ApplyError> {
        if self.bytes.len() == HEADER.len() {
            return Ok(());
        }
        self.bytes.extend_from_slice(&TRAILER);
        let mut copy = conn.copy_in_raw(&self.statement()).await?;
        for chunk in self.bytes.chunks(CHUNK) {
            copy.send(chunk).await?;
        }
        copy.finish().await?;
        Ok(())
    }
}

/// The digits of an amount to the base 10,000 without zeros on either side, and the power of the first one.
fn digits(units: u64) -> (Vec<i16>, i16) {
    let mut digits = Vec::new();
    let mut rest = units;
    // Ends: a `u64` has five such digits.
    while rest > 0 {
        digits.push(i16::try_from(rest % BASE).unwrap_or_default());
        rest /= BASE;
    }
    // The last one stands behind the point.
    let weight = i16::try_from(digits.len()).unwrap_or_default() - 2;
    digits.reverse();
    while digits.last() == Some(&0) {
        digits.pop();
    }
    if digits.is_empty() {
        return (digits, 0);
    }
    (digits, weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The amount that the fields of a `numeric` say.
    fn value(bytes: &[u8]) -> i128 {
        let word = |n: usize| i16::from_be_bytes(bytes[2 * n..2 * n + 2].try_into().unwrap());
        let (count, weight, sign) = (word(0), word(1), word(2));
        let sum: i128 = (0..count)
            .map(|n| {
                i128::from(word(4 + usize::try_from(n).unwrap()))
                    * 10_000_i128.pow(u32::try_from(weight - n + 1).unwrap())
            })
            .sum();
        if sign == 0 { sum } else { -sum }
    }

    #[test]
    fn amounts_are_digits_to_the_base_10_000() {
        for units in [
            0,
            1,
            -1,
            9_999,
            10_000,
            -10_000,
            10_001,
            99_990_000,
            100_000_000,
            -123_456_789,
            i64::MAX,
            i64::MIN + 1,
        ] {
            let mut rows = Rows::of("t", &["a"]);
            rows.row().amount(Money::from_units(units));
            let field = &rows.bytes[HEADER.len() + 2..];
            let length = i32::from_be_bytes(field[..4].try_into().unwrap());
            assert_eq!(usize::try_from(length).unwrap(), field.len() - 4);
            assert_eq!(value(&field[4..]), i128::from(units));
        }
        assert_eq!(digits(123_450_000), (vec![1, 2_345], 1));
        assert_eq!(digits(5), (vec![5], -1));
        assert_eq!(digits(0), (vec![], 0));
    }
}
