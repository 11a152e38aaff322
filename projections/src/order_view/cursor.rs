//! Page cursors: a place in one sort order, as opaque text.
//!
//! A cursor holds the sort it belongs to, the sort key and the order id. It names a place, not a row:
//! it stays good when rows appear before or after it, or when its own row moves away.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::money::MAX_UNITS;
use uuid::Uuid;

use super::OrderSort;
use crate::paging::CursorError;

/// Bytes of a cursor: format, sort, key, order id.
const BYTES: usize = 1 + 1 + 8 + 16;
/// Characters of [`BYTES`] in base64 without padding.
const CHARS: usize = (BYTES * 4).div_ceil(3);
/// The format's version.
const FORMAT: u8 = 1;
/// The last microsecond of the year 9999: the largest time key. Forged keys beyond it would reach the
/// database as a time it cannot hold.
const MAX_MICROS: i64 = 253_402_300_799_999_999;

/// A place between two rows of one sort order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) sort: OrderSort,
    /// Microseconds since 1970 for times, units of 1/10,000 for money.
    pub(super) key: i64,
    pub(super) id: Uuid,
}

impl Cursor {
    pub(super) fn encode(self) -> String {
        let mut bytes = [0; BYTES];
        bytes[0] = FORMAT;
        bytes[1] = self.sort.tag();
        bytes[2..10].copy_from_slice(&self.key.to_be_bytes());
        bytes[10..].copy_from_slice(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor for a page sorted by `asked`.
    pub(super) fn decode(text: &str, asked: OrderSort) -> Result<Self, CursorError> {
        // Checked before decoding, so that a huge text costs nothing.
        if text.len() != CHARS {
            return Err(CursorError::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| CursorError::Malformed)?;
        let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| CursorError::Malformed)?;
        let [format, tag, rest @ ..] = bytes;
        let (key, id) = rest
            .split_first_chunk::<8>()
            .ok_or(CursorError::Malformed)?;
        let id = Uuid::from_slice(id).map_err(|_| CursorError::Malformed)?;
        let key = i64::from_be_bytes(*key);
        let sort = OrderSort::from_tag(tag).ok_or(CursorError::Malformed)?;
        let key_fits = match sort {
            OrderSort::TotalDesc => key.unsigned_abs() <= MAX_UNITS.unsigned_abs(),
            _ => (0..=MAX_MICROS).contains(&key),
        };
        if format != FORMAT || !key_fits {
            return Err(CursorError::Malformed);
        }
        if sort != asked {
            return Err(CursorError::OtherSort {
                cursor: sort,
                asked,
            });
        }
        Ok(Self { sort, key, id })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorts() -> impl Strategy<Value = OrderSort> {
        prop::sample::select(OrderSort::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn a_cursor_survives_its_text(sort in sorts(), key in 0..=MAX_MICROS, id: u128) {
            let cursor = Cursor { sort, key, id: Uuid::from_u128(id) };
            prop_assert_eq!(Cursor::decode(&cursor.encode(), sort), Ok(cursor));
        }

        #[test]
        fn a_cursor_of_another_sort_is_told_apart(a in sorts(), b in sorts(), key in 0..=MAX_MICROS) {
            prop_assume!(a != b);
            let text = Cursor { sort: a, key, id: Uuid::nil() }.encode();
            prop_assert_eq!(Cursor::decode(&text, b), Err(CursorError::OtherSort { cursor: a, asked: b }));
        }

        #[test]
        fn any_text_is_a_cursor_or_an_error(text in ".*", sort in sorts()) {
            if let Ok(cursor) = Cursor::decode(&text, sort) {
                prop_assert_eq!(cursor.encode(), text);
            }
        }

        #[test]
        fn any_bytes_are_a_cursor_or_an_error(bytes: [u8; BYTES], sort in sorts()) {
            let _ = Cursor::decode(&URL_SAFE_NO_PAD.encode(bytes), sort);
        }
    }

    #[test]
    fn times_the_database_cannot_hold_are_refused() {
        for key in [-1, MAX_MICROS + 1, i64::MIN, i64::MAX] {
            let text = Cursor {
                sort: OrderSort::NewestFirst,
                key,
                id: Uuid::nil(),
            }
            .encode();
            assert_eq!(
                Cursor::decode(&text, OrderSort::NewestFirst),
                Err(CursorError::Malformed)
            );
        }
    }
}
