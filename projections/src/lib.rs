//! The read side: read models filled from the log, and the queries over them.
//!
//! A projection owns its tables and moves its checkpoint in the same transaction as its rows, so every
//! event counts exactly once ([`runner`]). What a model holds is a pure fold of the log; [`check`]
//! proves it. [`nodes`] knows which server answers a read, and where a model is waited for until it has
//! seen a position ([`freshness`]).

mod copy;
mod decode;
mod lives;
mod ownership;
mod read_db;
#[cfg(test)]
mod testing;
mod words;

pub mod as_of;
pub mod cache;
pub mod cash_ledger;
pub mod changes;
pub mod check;
pub mod document;
pub mod freshness;
pub mod metrics;
pub mod model;
pub mod nodes;
pub mod order_view;
pub mod paging;
pub mod rebuild;
pub mod replay;
pub mod runner;
pub mod store_board;
pub mod whose;

pub use decode::Poison;
pub use freshness::{Freshness, Reached};
pub use model::Model;
pub use nodes::Nodes;
pub use read_db::{ReadDb, ReadError};
pub use runner::Runner;
