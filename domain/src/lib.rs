//! The words, decisions and sums of a delivery order.
//!
//! Pure: no clock, no IO, no async, no randomness. Everything a decision needs that is not in the
//! order's own history arrives in [`order::Facts`]; everything it answers is a list of
//! [`order::OrderEvent`]s or a [`order::Refusal`] that names every broken rule at once.

pub mod actor;
pub mod bundle;
pub mod calendar;
pub mod cash;
#[cfg(test)]
mod contract;
pub mod decode;
pub mod entity;
pub mod ids;
pub mod intake;
pub mod money;
pub mod order;
pub mod phone;
pub mod pricing;
pub mod probe;
#[cfg(test)]
#[path = "../tests/model/rng.rs"]
mod random;
pub mod refusal;
pub mod remittance;
#[cfg(feature = "schema")]
mod schema;
pub mod store;
pub mod validate;
