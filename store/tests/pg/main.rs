//! The log against a real PostgreSQL. Set `LEDGER_TEST_DATABASE_URL` to a superuser's URL; without
//! it these tests pass without doing anything.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod append;
mod beside;
mod damage;
mod db;
mod race;
mod rules;
