//! Lists, page by page, as Relay has them.

use async_graphql::{Error, SimpleObject};
use projections::paging::{Edge, Page, Window};

use super::access::{invalid, page_size};
use crate::limits::{DEFAULT_PAGE, MAX_PAGE};

/// Where a page begins and ends, and whether there is more.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct PageInfo {
    /// More items follow. Read backward: whether a `before` was given.
    pub has_next_page: bool,
    /// Items precede. Read forward: whether an `after` was given.
    pub has_previous_page: bool,
    /// Cursor of the first item.
    pub start_cursor: Option<String>,
    /// Cursor of the last item.
    pub end_cursor: Option<String>,
}

impl<R> From<&Page<R>> for PageInfo {
    fn from(page: &Page<R>) -> Self {
        let cursor = |edge: Option<&Edge<R>>| edge.map(|e| e.cursor.clone());
        Self {
            has_next_page: page.has_next,
            has_previous_page: page.has_previous,
            start_cursor: cursor(page.edges.first()),
            end_cursor: cursor(page.edges.last()),
        }
    }
}

/// The items of a page when nobody says.
pub(crate) fn default_page() -> i32 {
    i32::try_from(DEFAULT_PAGE.min(MAX_PAGE)).unwrap_or(1)
}

/// `first`/`after` or `last`/`before`, as Relay has them.
///
/// # Errors
/// INVALID_INPUT when both directions are asked for, or a size is out of bounds.
pub(crate) fn window(
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> Result<Window, Error> {
    match (first, last) {
        (Some(_), Some(_)) => Err(invalid(
            "last",
            "cannot stand beside `first`; ask for one direction",
        )),
        (_, Some(last)) => match after {
            Some(_) => Err(invalid("after", "cannot stand beside `last`; use `before`")),
            None => Ok(Window::Backward {
                last: page_size("last", last)?,
                before,
            }),
        },
        (first, None) => match before {
            Some(_) => Err(invalid("before", "cannot stand beside `first`; use `last`")),
            None => forward(first.unwrap_or_else(default_page), after),
        },
    }
}

/// `first`/`after` alone, for lists that are read forward only.
///
/// # Errors
/// INVALID_INPUT when the size is out of bounds.
pub(crate) fn forward(first: i32, after: Option<String>) -> Result<Window, Error> {
    let first = page_size("first", first)?;
    Ok(Window::Forward { first, after })
}

/// Declares the connection over a GraphQL type and what its nodes are made of. Its fields are resolved one after the other,
/// as those of all objects that are `serial`: they wait for nothing, and a queue of futures for each of many objects costs
/// more than what they answer. Nodes that are asked for twice are read one after the other, those of the list all at once.
macro_rules! connection {
    ($(#[$doc:meta])* $connection:ident of $(#[$edge_doc:meta])* $edge:ident { $node:ty } from $row:ty) => {
        $(#[$doc])*
        #[derive(async_graphql::SimpleObject)]
        #[graphql(serial)]
        pub struct $connection {
            /// The items with their cursors.
            pub edges: Vec<$edge>,
            /// Where the page begins and ends.
            pub page_info: $crate::schema::connection::PageInfo,
        }

        $(#[$edge_doc])*
        #[derive(async_graphql::SimpleObject)]
        #[graphql(serial)]
        pub struct $edge {
            /// For `after` and `before`.
            pub cursor: String,
            /// The item.
            pub node: $node,
        }

        impl From<projections::paging::Page<$row>> for $connection {
            fn from(page: projections::paging::Page<$row>) -> Self {
                let page_info = (&page).into();
                let edge = |e: projections::paging::Edge<$row>| $edge {
                    cursor: e.cursor,
                    node: <$node>::from(e.row),
                };
                Self {
                    edges: page.edges.into_iter().map(edge).collect(),
                    page_info,
                }
            }
        }
    };
}
pub(crate) use connection;
