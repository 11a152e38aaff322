//! How bundles sell, by store and Bangkok day.
//!
//! An order's bundles count on the day the order was placed, and follow what becomes of them: a bundle that is
//! cancelled, alone or with its order, brings no revenue and gives no savings; another product in a component's place
//! counts with its own price; what comes back is told apart from the revenue, not taken off it.

mod cells;
mod read;

pub(crate) use cells::{BasketDay, BundleDay, ComponentDay};
pub use cells::{Baskets, BundleSales, ComponentSales};
pub use read::{BundlePerformance, BundleRow, ComponentRow, explain, performance};
