//! The store board: how many orders stand in each status, by store and region.

mod apply;
mod read;

pub(crate) use apply::apply;
pub use read::{StoreCount, board};

/// Where an order counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub(crate) store_id: String,
    pub(crate) region: String,
    pub(crate) status: i16,
}
