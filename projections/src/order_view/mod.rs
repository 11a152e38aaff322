//! The order view: one row per order to list, filter and sort by, with the order's whole state beside it;
//! the partner references; and how the history of each order is read, which is the log's own.
//!
//! A row equals the fold of its order's events by construction: [`apply`] loads the state, applies
//! events with `Order::apply` and writes the state back, together with the columns derived from it.

mod apply;
mod cursor;
mod detail;
mod filter;
mod fold;
mod history;
mod read;
mod refs;
mod rows;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use domain::{ids::OrderId, order::Order};
use serde::{Deserialize, Serialize};
use store::Position;

pub use crate::paging::{CursorError, MAX_PAGE, Window};

pub(crate) use apply::{Filling, apply};
pub(crate) use detail::occurred_at;
pub use filter::{OrderFilter, OrderSort, PageRequest};
pub(crate) use fold::{Change, code as status_code, status as status_of};
pub use history::{
    HistoryActor, HistoryEntry, HistoryPage, HistoryWindow, MAX_HISTORY_EVENTS, MAX_HISTORY_PAGE,
    explain_histories, histories,
};
pub use read::{Edge, MAX_IDS, Page, by_id, by_ids, by_number, by_ref, explain, page};
pub(crate) use refs::references;
pub(crate) use rows::Derived;

/// One order as the view knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderRow {
    /// The order.
    pub id: OrderId,
    /// Its version: the number of its events so far.
    pub version: i64,
    /// The log position of its last event.
    pub position: Position,
    /// Its whole state. Rows that are kept and shown at once share it.
    pub order: Arc<Order>,
    /// When its first event was recorded.
    pub placed_at: DateTime<Utc>,
    /// When its last event was recorded.
    pub updated_at: DateTime<Utc>,
}
