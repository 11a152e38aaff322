//! A database with the sample's stores, and the program that imports into it.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use e2e::{Database, fresh_database, ledger_command};
use ledger::{
    import::{LineResult, Outcome},
    sample::stores::STORES,
};
use sqlx::PgPool;
use tempfile::TempDir;

/// The sample that ships with the program.
pub(super) const SAMPLE: &str = include_str!("../../../../ledger/samples/orders-2000.ndjson");

pub(super) struct World {
    pub(super) database: Database,
    pub(super) pool: PgPool,
    pub(super) dir: TempDir,
}

pub(super) async fn world() -> World {
    let database = fresh_database().await;
    let pool = database.superuser_pool().await;
    let stores = STORES.iter().map(|s| (s.id, s.profile().unwrap()));
    e2e::stores::open_in(&database.pool().await, stores).await;
    let dir = tempfile::tempdir().unwrap();
    World {
        database,
        pool,
        dir,
    }
}

impl World {
    /// A file with this content.
    pub(super) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// `ledger import FILE`, with the results in a file where one is given.
    pub(super) fn import(&self, file: &Path, results: Option<&Path>) -> Command {
        let file = file.to_str().unwrap();
        let mut command = ledger_command(Some(&self.database), self.dir.path(), &["import", file]);
        if let Some(results) = results {
            command.arg("--results").arg(results);
        }
        command
    }

    /// The position of the last event before the import's: the stores were opened first.
    pub(super) fn stores_end() -> i64 {
        STORES.len() as i64
    }

    /// Positions without a gap after the stores', and one placed event an order.
    pub(super) async fn assert_each_once(&self, orders: i64) {
        let counts: (i64, i64, i64, i64) = sqlx::query_as(
            "select count(*), max(position), count(distinct aggregate_id), \
             count(distinct payload->>'number') from events where aggregate_type = 'order'",
        )
        .fetch_one(&self.pool)
        .await
        .unwrap();
        let last = Self::stores_end() + orders;
        assert_eq!(counts, (orders, last, orders, orders));
    }

    /// Events of orders.
    pub(super) async fn events(&self) -> i64 {
        let count = "select count(*) from events where aggregate_type = 'order'";
        sqlx::query_scalar(count)
            .fetch_one(&self.pool)
            .await
            .unwrap()
    }
}

/// The sample's first lines.
pub(super) fn sample(lines: usize) -> String {
    SAMPLE.split_inclusive('\n').take(lines).collect()
}

pub(super) fn results(text: &str) -> Vec<LineResult> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    text.lines().map(parse).collect()
}

/// One result a line, in the input's order.
pub(super) fn assert_in_order(results: &[LineResult], lines: u64) {
    let numbers: Vec<u64> = results.iter().map(|result| result.line).collect();
    assert_eq!(numbers, (1..=lines).collect::<Vec<_>>());
}

pub(super) fn outcomes(results: &[LineResult]) -> Vec<Outcome> {
    results.iter().map(|result| result.outcome).collect()
}

/// The results on standard output; the exit code must be as said.
pub(super) fn printed(output: &Output, exit: i32) -> Vec<LineResult> {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{errors}");
    results(std::str::from_utf8(&output.stdout).unwrap())
}
