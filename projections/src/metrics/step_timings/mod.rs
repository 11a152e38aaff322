//! How long the steps of the workflow and the stages of an order take, by store and Bangkok day.
//!
//! A **step** is what the program does: its time stands, in microseconds, in the metadata of the event it led to, and
//! counts on the day of the decision. A **stage** is what an order goes through from one status to another, in
//! milliseconds; it counts on the day it began, once it has ended.
//!
//! Durations are kept as counts by bucket ([`bucket`](super::clock::bucket)): any quantile of any stores and days together
//! follows from them, at most a quarter too high, and never needs the single measurements.

mod cells;
mod read;

pub use cells::{LONGEST_MICROS, LONGEST_MILLIS, Stage, StageTime, Step, StepTime};
pub(crate) use cells::{StageDay, StepDay};
pub use read::{Durations, Timing, TimingBy, Timings, explain, stages, timings};
