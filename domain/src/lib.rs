//! The words, decisions and sums of a delivery order.
//!
//! Pure: no clock, no IO, no async, no randomness. Everything a decision needs that is not in the
//! order's own history arrives in [`order::Facts`]; everything it answers is a list of
//! [`order::OrderEvent`]s or a [`order::Refusal`] that names every broken rule at once.

pub mod actor;
pub mod ids;
pub mod money;
pub mod order;
pub mod pricing;
