//! The write side: an order command becomes events in the log and a receipt.
//!
//! [`CommandBus::execute`] authorises, loads the order, lets `domain` decide and appends. Decisions are pure
//! (`domain::order::decide`); this crate gathers what they need ([`facts`], [`stores`], [`numbers`]), seals
//! personal data ([`personal`]), and keeps the promises a caller relies on: one effect per command id, a typed
//! answer inside the deadline, and a receipt that a read may wait for.

pub mod aggregate;
pub mod bus;
pub mod error;
pub mod facts;
pub mod load;
pub mod numbers;
pub mod personal;
pub mod record;
pub mod request;
pub mod snapshot;
pub mod stores;

pub use bus::{BusOptions, CommandBus};
pub use error::CommandError;
pub use load::LoadedOrder;
pub use request::{Outcome, Receipt, Request, Target};
