//! Pages of a list: windows, rows with their places, and cursors as opaque text.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use serde::{Deserialize, Serialize};

use crate::{ReadError, read_db::check_page_size};

/// The most rows of one page.
pub const MAX_PAGE: i64 = 100;

/// Bytes before a cursor's id: format, list, key.
const HEAD: usize = 1 + 1 + 8;
/// The longest id in a cursor, in bytes: a remittance, and a reference of 50 characters in it.
const MAX_ID: usize = 64 + 1 + 4 * 50;
/// Characters of the longest cursor in base64 without padding.
const MAX_CHARS: usize = ((HEAD + MAX_ID) * 4).div_ceil(3);
/// The format's version. 1 is the order list's own.
const FORMAT: u8 = 2;

/// The part of a list to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Window {
    /// The first rows, or the first after a cursor.
    Forward {
        /// How many rows.
        first: i64,
        /// The cursor to start after.
        after: Option<String>,
    },
    /// The last rows, or the last before a cursor; in the list's own order.
    Backward {
        /// How many rows.
        last: i64,
        /// The cursor to end before.
        before: Option<String>,
    },
}

/// A row and its place in the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edge<R> {
    /// Where the row stands, for `after` and `before`.
    pub cursor: String,
    /// The row.
    pub row: R,
}

/// One page of a list, in the list's order whichever way it was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page<R> {
    /// The rows.
    pub edges: Vec<Edge<R>>,
    /// More rows follow. Read backward: a cursor was given, so the rows it was taken from follow.
    pub has_next: bool,
    /// Rows precede. Read forward: a cursor was given, so the rows it was taken from precede.
    pub has_previous: bool,
}

impl<R> Default for Page<R> {
    fn default() -> Self {
        Self {
            edges: Vec::new(),
            has_next: false,
            has_previous: false,
        }
    }
}

/// A window, checked, with its cursor decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts<C> {
    pub(crate) size: i64,
    pub(crate) cursor: Option<C>,
    pub(crate) backward: bool,
}

impl<C> Parts<C> {
    pub(crate) fn of(
        window: &Window,
        decode: impl FnOnce(&str) -> Result<C, CursorError>,
    ) -> Result<Self, ReadError> {
        let (size, cursor, backward) = match window {
            Window::Forward { first, after } => (*first, after, false),
            Window::Backward { last, before } => (*last, before, true),
        };
        Ok(Self {
            size: check_page_size(size, MAX_PAGE)?,
            cursor: cursor.as_deref().map(decode).transpose()?,
            backward,
        })
    }

    /// Rows to ask for: one more than wanted tells whether there are more.
    pub(crate) const fn limit(&self) -> i64 {
        self.size + 1
    }

    /// ` > ` or ` < `, and ` asc` or ` desc`, for a list that rises or falls when read forward.
    pub(crate) const fn direction(&self, descends: bool) -> (&'static str, &'static str) {
        if descends != self.backward {
            (" < ", " desc")
        } else {
            (" > ", " asc")
        }
    }

    /// The page from the rows as they were read: up to [`Self::limit`], in the direction of reading.
    pub(crate) fn page<R>(&self, mut rows: Vec<R>, cursor: impl Fn(&R) -> String) -> Page<R> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        if self.backward {
            rows.reverse();
        }
        let edges = rows
            .into_iter()
            .map(|row| Edge {
                cursor: cursor(&row),
                row,
            })
            .collect();
        let beyond = self.cursor.is_some();
        let (has_next, has_previous) = if self.backward {
            (beyond, more)
        } else {
            (more, beyond)
        };
        Page {
            edges,
            has_next,
            has_previous,
        }
    }
}

/// Why a cursor cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// Not a cursor this service gave out.
    #[error("not a cursor of this list; take one from a page's edges or pageInfo")]
    Malformed,
    /// A cursor of another sort order.
    #[error(
        "the cursor belongs to the sort {cursor}, the request asks for {asked}; start without a cursor"
    )]
    OtherSort {
        /// The sort the cursor was made for.
        cursor: crate::order_view::OrderSort,
        /// The sort of the request.
        asked: crate::order_view::OrderSort,
    },
}

/// A place in a list that is sorted by a number and then by an id. It names a place, not a row: it
/// stays good when rows appear before or after it, or when its own row moves away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What the list is sorted by first.
    pub key: i64,
    /// What it is sorted by then; with the list's own name in front where there are many of its kind.
    pub id: String,
}

impl Place {
    /// As text, for the list of this tag.
    pub fn encode(&self, list: u8) -> String {
        let mut bytes = vec![FORMAT, list];
        bytes.extend(self.key.to_be_bytes());
        bytes.extend(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of the list of this tag.
    ///
    /// # Errors
    /// That it is none.
    pub fn decode(text: &str, list: u8) -> Result<Self, CursorError> {
        // Checked before decoding, so that a huge text costs nothing.
        if text.len() > MAX_CHARS {
            return Err(CursorError::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| CursorError::Malformed)?;
        let (head, id) = bytes
            .split_first_chunk::<HEAD>()
            .ok_or(CursorError::Malformed)?;
        let [format, tag, key @ ..] = *head;
        let id = std::str::from_utf8(id).map_err(|_| CursorError::Malformed)?;
        // PostgreSQL's text cannot hold NUL.
        if format != FORMAT || tag != list || id.contains('\0') {
            return Err(CursorError::Malformed);
        }
        Ok(Self {
            key: i64::from_be_bytes(key),
            id: id.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_survives_its_text(key: i64, id in "[ -~]{0,64}", list: u8) {
            let place = Place { key, id };
            prop_assert_eq!(Place::decode(&place.encode(list), list), Ok(place.clone()));
            prop_assert_eq!(
                Place::decode(&place.encode(list), list.wrapping_add(1)),
                Err(CursorError::Malformed)
            );
        }

        #[test]
        fn any_text_is_a_place_or_an_error(text in ".*") {
            if let Ok(place) = Place::decode(&text, b'S') {
                prop_assert_eq!(place.encode(b'S'), text);
            }
        }

        #[test]
        fn any_bytes_are_a_place_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..90)) {
            let mut bytes = bytes;
            bytes.splice(0..0, [FORMAT, b'S']);
            let _ = Place::decode(&URL_SAFE_NO_PAD.encode(bytes), b'S');
        }

        #[test]
        fn pages_say_whether_more_rows_are_there(rows in 0..7usize, size in 1..6i64, cursor: bool, backward: bool) {
            let parts = Parts { size, cursor: cursor.then_some(()), backward };
            let read: Vec<usize> = (0..rows.min(usize::try_from(parts.limit()).unwrap())).collect();
            let page = parts.page(read, usize::to_string);
            let more = rows > usize::try_from(size).unwrap();
            let (next, previous) = if backward { (cursor, more) } else { (more, cursor) };
            prop_assert_eq!((page.has_next, page.has_previous), (next, previous));
            let mut shown: Vec<usize> = page.edges.iter().map(|e| e.row).collect();
            if backward {
                shown.reverse();
            }
            prop_assert_eq!(shown, (0..rows.min(usize::try_from(size).unwrap())).collect::<Vec<_>>());
        }
    }
}
