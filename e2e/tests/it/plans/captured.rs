//! How PostgreSQL answered the statements of a program: it tells each plan as a notice, which the program logs.

use std::collections::BTreeSet;

use e2e::Database;
use serde_json::Value;

/// What the program must log for that.
pub(super) const LOG_LEVEL: &str = "warn,sqlx::postgres::notice=info";

/// Makes PostgreSQL tell the plan of every statement on this database.
pub(super) async fn tell(database: &Database) {
    let pool = database.superuser_pool().await;
    for (setting, value) in [
        ("session_preload_libraries", "auto_explain"),
        ("auto_explain.log_min_duration", "0"),
        ("auto_explain.log_level", "notice"),
        // What a function runs is planned by itself.
        ("auto_explain.log_nested_statements", "on"),
        // One plan whatever the machine: it would depend on when a helper starts.
        ("max_parallel_workers_per_gather", "0"),
    ] {
        let sql = format!("alter database {} set {setting} = '{value}'", database.name);
        sqlx::raw_sql(&sql).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

/// A statement's plan.
pub(super) struct Plan {
    /// The statement.
    pub(super) statement: String,
    /// Its nodes that read a table, without what the planner believes of them.
    pub(super) scans: BTreeSet<String>,
    /// As it was told.
    pub(super) told: String,
}

/// The plans in a piece of a program's log.
pub(super) fn plans(log: &str) -> Vec<Plan> {
    let told = log.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        Some(line["message"].as_str()?.to_owned())
    });
    told.filter_map(plan).collect()
}

fn plan(told: String) -> Option<Plan> {
    let (_, rest) = told.split_once("plan:\nQuery Text: ")?;
    let lines: Vec<&str> = rest.lines().collect();
    let first = lines.iter().position(|line| line.contains("  (cost="))?;
    let scan = |line: &&str| {
        let node = line.split("  (cost=").next()?;
        let node = node.trim().trim_start_matches("->").trim();
        (line.contains("  (cost=") && node.contains("Scan")).then(|| without_alias(node))
    };
    Some(Plan {
        statement: lines[..first].join(" "),
        scans: lines[first..].iter().filter_map(scan).collect(),
        told,
    })
}

/// `Index Scan using a on b c`: the alias says nothing, and partitions have numbers.
fn without_alias(node: &str) -> String {
    let Some((how, table)) = node.split_once(" on ") else {
        return node.to_owned();
    };
    let table = table.split(' ').next().unwrap_or(table);
    // The first partition is the one that is full.
    let table = if table == "events_p0000000000000001" {
        "events"
    } else {
        table
    };
    let how = how.split("_p0").next().unwrap_or(how);
    format!("{how} on {table}")
}

#[test]
fn a_plan_is_read_out_of_a_line() {
    let told = "duration: 0.1 ms  plan:\nQuery Text: select a\n from b x\nLimit  (cost=0.4..8 rows=1 width=4)\n  \
                ->  Index Scan using b_pk on b x  (cost=0.4..8 rows=1 width=4)\n        Index Cond: (a = 1)\n  \
                ->  Seq Scan on events_p0000000000000001 e  (cost=0.0..1 rows=1 width=4)";
    let line = serde_json::json!({ "message": told }).to_string();
    let plans = plans(&format!("no plan\n{line}\n"));
    assert_eq!(plans.len(), 1);
    assert_eq!(plans[0].statement, "select a  from b x");
    let scans: Vec<&str> = plans[0].scans.iter().map(String::as_str).collect();
    assert_eq!(scans, ["Index Scan using b_pk on b", "Seq Scan on events"]);
}
