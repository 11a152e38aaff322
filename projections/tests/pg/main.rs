//! The read models against a real PostgreSQL, named by `LEDGER_TEST_DATABASE_URL`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod pages;
mod plans;
mod runner;
mod support;
