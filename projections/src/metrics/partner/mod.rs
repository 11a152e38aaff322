//! How delivery partners perform, by store and Bangkok day.
//!
//! The figures of a day are about the orders handed over on it, whatever day the later events come on: so a rate never
//! mixes two days' orders, and what is delivered or collected late still counts for the day it belongs to. An order's
//! partner is who collected the cash, else who carries it; when that changes, all that the order counts for moves.

mod cells;
mod read;

pub use cells::Partner;
pub(crate) use cells::PartnerDay;
pub use read::{PartnerBy, PartnerRow, explain, performance};
