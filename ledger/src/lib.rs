//! The ledger program as a library: tests start the same parts that the binary does.

pub mod cli;
pub mod cmd;
pub mod config;
pub mod database;
pub mod demo;
pub mod doctor;
pub mod embedded;
pub mod exit;
pub mod export;
pub mod import;
pub mod moment;
pub mod notify;
pub mod operations;
pub mod output;
pub mod progress;
pub mod sample;
pub mod seals;
