//! The write side: a command on an order, a bundle, a store, a remittance or a message becomes events in the log
//! and a receipt.
//!
//! [`CommandBus::execute`] authorises, loads the entity, lets `domain` decide and appends. Decisions are pure
//! ([`domain::entity::Entity`]); this crate gathers what they need ([`kind`], [`facts`], [`stores`], [`bundles`],
//! [`catalogue`], [`numbers`]), seals personal data ([`personal`]), and keeps the promises a caller relies on: one
//! effect per command id, a typed answer inside the deadline, and a receipt that a read may wait for.

pub mod aggregate;
pub mod bundles;
pub mod bus;
pub mod catalogue;
pub mod derived;
mod directory;
pub mod error;
pub mod facts;
pub mod intake;
pub mod kind;
pub mod load;
pub mod numbers;
pub mod personal;
pub mod process;
pub mod record;
pub mod request;
pub mod snapshot;
pub mod steps;
pub mod stores;

pub use bus::{BusOptions, CommandBus};
pub use error::CommandError;
pub use kind::Kind;
pub use load::Loaded;
pub use request::{Outcome, Receipt, Rehearsal, Request, Target};
