//! Sample orders: a seeded, endless supply of realistic order lives.
//!
//! Their shape follows what the chain sees: most baskets are small, most orders come from a marketplace, some
//! goods are weighed, some come in packs, few orders are cancelled. A seed names the same orders, with the same
//! command ids, on every machine and for good: sending them again changes nothing.

mod basket;
pub mod bundles;
pub mod catalogue;
mod exceptions;
mod file;
mod life;
mod live;
mod order;
mod people;
pub(crate) mod rng;
pub mod stores;
#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDate, Utc};

pub use file::{Content, FILE_ORDERS, FILE_SEED, WriteError, file_options, write};
pub use life::{Life, SampleError, Step, facts};

/// Which orders to make.
#[derive(Debug, Clone)]
pub struct Options {
    /// Names the orders. Two seeds have no command id in common.
    pub seed: u64,
    /// Gives the orders numbers of this day, counted from 1; without it the ledger assigns numbers.
    pub numbers_on: Option<NaiveDate>,
    /// Lets some orders ask for a delivery slot after this time. Such orders go stale.
    pub slots_after: Option<DateTime<Utc>>,
    /// Lets two orders in a hundred end back-ordered: they are for the store of [`BACK_ORDER_STORE`] and want it
    /// to be inactive when they are allocated.
    pub back_orders: bool,
    /// Lets orders hold bundles, and lets them meet with all that may happen after they were placed: shorts, other
    /// products, failed deliveries, cash, returns. They want the bundles of [`bundles::definitions`] to be defined.
    pub whole: bool,
}

impl Options {
    /// Orders without numbers, slots and back-orders.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            numbers_on: None,
            slots_after: None,
            back_orders: false,
            whole: false,
        }
    }
}

/// The store that is inactive for a while where [`Options::back_orders`] asks for it.
pub const BACK_ORDER_STORE: &str = "CFR020";

/// The lives of the orders that the options name, from the first on, without end.
pub fn lives(options: &Options) -> impl Iterator<Item = Result<Life, SampleError>> {
    let options = options.clone();
    (0..).map(move |index| life::life(&options, index))
}
