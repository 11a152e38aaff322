//! Processes that are killed, stopped and frozen under load: what was acknowledged stays, once.

mod callers;
mod disk;
mod faults;
mod frozen;
mod history;
mod ledger;
mod planted;
mod released;
mod rounds;
mod steps;
mod stop;

pub(crate) use ledger::Ledger;
