//! The API over real HTTP: a `ledger serve` in a process of its own on a database of its own.

mod bad_fields;
mod bad_requests;
mod bad_shapes;
mod commands;
mod lists;
mod operations;
mod random;
mod stores;
mod support;
mod tokens;
mod walk;
