//! Sample orders as a file that `ledger import` reads.

use std::io::Write;

use chrono::NaiveDate;

use super::{Options, SampleError, lives};
use crate::import::line::{Line, OrderKey};

/// Seed of the sample file that ships with the ledger.
pub const FILE_SEED: u64 = 2_026;
/// Orders in the sample file that ships with the ledger.
pub const FILE_ORDERS: usize = 2_000;

/// What goes into a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The commands that place the orders.
    Orders,
    /// Every command of the orders' lives; wants [`Options::numbers_on`], by which they name their order.
    Lives,
}

/// Why a sample file was not written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A sample order is wrong.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The file cannot be written.
    #[error("cannot write the sample orders: {0}; check the disk and the directory's rights")]
    Io(#[from] std::io::Error),
}

/// The options of the sample file: its orders bring numbers, and nothing in it goes stale.
pub const fn file_options() -> Options {
    Options {
        numbers_on: NaiveDate::from_ymd_opt(2026, 1, 15),
        ..Options::new(FILE_SEED)
    }
}

/// Writes the first `orders` sample orders, one command a line.
pub fn write(
    out: &mut impl Write,
    options: &Options,
    orders: usize,
    content: Content,
) -> Result<(), WriteError> {
    for life in lives(options).take(orders) {
        let life = life?;
        let number = life.order.number.to_string();
        let count = if content == Content::Orders {
            1
        } else {
            life.steps.len()
        };
        for (at, step) in life.steps.into_iter().take(count).enumerate() {
            let order = (at > 0).then(|| OrderKey::Number(number.clone()));
            let line = Line {
                command_id: step.command_id,
                order,
                expected_version: None,
                command: step.command,
            };
            let text = line.to_json().map_err(std::io::Error::from)?;
            writeln!(out, "{text}")?;
        }
    }
    Ok(out.flush()?)
}
