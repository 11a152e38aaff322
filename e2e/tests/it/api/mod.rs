//! The API over real HTTP: a `ledger serve` in a process of its own on a database of its own.

mod allow_list;
mod bad_fields;
mod bad_requests;
mod bad_shapes;
mod caches;
mod clients;
mod commands;
mod dead_letters;
mod dry_run;
mod events;
mod feed;
mod feed_stream;
mod fuzz;
mod good;
mod lists;
mod operations;
mod past;
mod people;
mod quotas;
mod random;
mod returns;
mod roles;
mod stores;
pub(crate) mod support;
mod tokens;
mod walk;
mod whole_life;
