//! The one integration-test program: real PostgreSQL, real processes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout
)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod api;
mod cli;
mod commands;
mod crash;
mod import;
mod layers;
mod network;
mod plans;
mod processes;
mod projections;
mod pure;
mod replicas;
mod start;
mod store;
mod tidy;
