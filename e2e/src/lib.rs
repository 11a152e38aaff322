//! The world the integration tests live in: one private PostgreSQL for the whole test program, a migrated database
//! per test, and the `ledger` program in processes of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

mod api;
pub mod bench;
pub mod bundles;
mod client;
mod cluster;
mod database;
pub mod orders;
pub mod processes;
mod program;
mod redis;
pub mod servers;
pub mod stores;
mod tls;

pub use api::{Api, Frame, Response, Stream};
pub use client::{Answer, Client, Target};
pub use cluster::{Cluster, cluster, reachable_directory};
pub use database::{Database, MASTER_KEY, STORE_EVENTS, fresh_database, new_database};
pub use program::{Program, ProgramOptions, binary, free_port, ledger_command};
pub use redis::Redis;
pub use tls::{Certificate, Trust};

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// The longest a test waits for something to become true.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `check` answers, and fails the test when it does not in time.
pub async fn eventually<T, F, Fut>(what: &str, mut check: F) -> T
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let started = Instant::now();
    loop {
        if let Some(answer) = check().await {
            return answer;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "not within {PATIENCE:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
