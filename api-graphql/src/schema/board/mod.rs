//! The store board, and how far the read models are.

pub mod query;
