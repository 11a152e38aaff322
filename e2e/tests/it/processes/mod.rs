//! What the ledger does by itself: several programs over one log, and a clock that the tests move.

mod day_end;
mod extra;
mod faults;
mod settling;
mod support;
mod timers;
mod workflow;
