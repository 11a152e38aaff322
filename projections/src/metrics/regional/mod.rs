//! How orders flow, by region, store and Bangkok hour or day.
//!
//! An order counts in the hour in which it first reached each status (as its sender said, else as the ledger heard of
//! it; a status that was stepped over is reached with the one after it), with its value and its cash due in the hour of
//! its placing, whatever becomes of them later; an exception counts in the hour it happened in. Hours and days are two
//! tables with the same contributions: a season of days is then as quick to read as a day of hours.

mod cells;
mod read;

pub use cells::Flow;
pub(crate) use cells::{DayKey, FlowDay, FlowHour};
pub use read::{FlowBeside, FlowBy, FlowRow, beside, explain, flow};
