//! The store board: how many orders stand in each status, by store and region.

mod apply;
mod read;
mod standing;

pub(crate) use apply::{Filling, apply, load};
pub use read::{StoreCount, board};
pub(crate) use standing::{Cell, Standing};
