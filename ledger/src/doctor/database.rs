//! Checks of the database and what is in it.

use commands::process;
use projections::Model;
use projections::nodes::{self, NodeStatus, Standing};
use sqlx::PgPool;
use store::verify::{Options, verify};
use store::{LogId, Position, checkpoint};

use super::{Finding, Status};
use crate::config::Config;
use crate::database::Database;
use crate::progress::Progress;

const REACH: &str = "database";
const SCHEMA: &str = "schema";
const CHAIN: &str = "log";
const REPLICA: &str = "read replica";
const READERS: &str = "readers of queries";
const LAG: &str = "read models, processes";

/// A read model this far behind the log is worth a look.
const LAG_WARNING: i64 = 1_000;

/// Looks at the database. An embedded one is looked at only while a ledger runs it: the doctor
/// starts nothing.
pub async fn check(config: &Config) -> Vec<Finding> {
    let (pool, readers) = match Database::running(config) {
        Ok(Some(database)) => (database.app_pool().await, database.reading_pools(config)),
        Ok(None) => {
            let why = "the embedded database is not running; start the ledger to have it checked";
            return vec![Finding::new(REACH, Status::Skipped, why)];
        }
        Err(failure) => return vec![Finding::failure(REACH, failure.to_string())],
    };
    let pool = match pool {
        Ok(pool) => pool,
        Err(failure) => return vec![Finding::failure(REACH, failure.to_string())],
    };
    let mut findings = vec![reached(&pool).await];
    let schema = schema(&pool).await;
    let is_current = schema.status == Status::Ok;
    findings.push(schema);
    if is_current {
        findings.push(chain(&pool).await);
        findings.push(lag(&pool).await);
        findings.push(match Database::check_readers(&readers).await {
            Ok(()) => Finding::ok(READERS, "see what their callers may see"),
            Err(failure) => Finding::failure(READERS, failure.to_string()),
        });
        findings.extend(replicas(config, &pool).await);
    }
    findings
}

async fn replicas(config: &Config, pool: &PgPool) -> Vec<Finding> {
    let pools = match Database::replica_pools(config) {
        Ok(pools) => pools,
        Err(failure) => return vec![Finding::failure(REPLICA, failure.to_string())],
    };
    let found = nodes::examine(pool, pools, LogId::DEFAULT, config.replica_max_lag.0).await;
    let finding = |node: NodeStatus| {
        let status = match node.standing {
            Standing::Ready => Status::Ok,
            Standing::Promoted | Standing::Foreign => Status::Failure,
            _ => Status::Warning,
        };
        let detail = format!(
            "{} is {}: {}",
            node.name,
            node.standing.as_str(),
            node.detail
        );
        Finding::new(REPLICA, status, detail)
    };
    found.into_iter().map(finding).collect()
}

async fn reached(pool: &PgPool) -> Finding {
    match sqlx::query_scalar::<_, String>("SHOW server_version")
        .fetch_one(pool)
        .await
    {
        Ok(version) => Finding::ok(REACH, format!("PostgreSQL {version} answers")),
        Err(error) => Finding::failure(REACH, error.to_string()),
    }
}

async fn schema(pool: &PgPool) -> Finding {
    match store::migrate::pending(pool).await {
        Ok(missing) if missing.is_empty() => Finding::ok(SCHEMA, "up to date"),
        Ok(missing) => Finding::failure(
            SCHEMA,
            format!(
                "{} migrations are missing: run `ledger migrate`",
                missing.len()
            ),
        ),
        Err(error) => Finding::failure(SCHEMA, error.to_string()),
    }
}

async fn chain(pool: &PgPool) -> Finding {
    let progress = Progress::start("verifying the log", Some(0));
    let report = verify(
        pool,
        LogId::DEFAULT,
        &Options::default(),
        |reached, head| {
            progress.expect_total(u64::try_from(head.0).unwrap_or_default());
            progress.reach(u64::try_from(reached.0).unwrap_or_default());
        },
    )
    .await;
    match report {
        Ok(report) if report.is_sound() => Finding::ok(
            CHAIN,
            format!("{} events, unbroken to {}", report.events, report.head),
        ),
        Ok(report) => Finding::failure(
            CHAIN,
            format!(
                "{} findings: run `ledger verify` and restore from a backup",
                u64::try_from(report.findings.len())
                    .unwrap_or(u64::MAX)
                    .saturating_add(report.more_findings)
            ),
        ),
        Err(error) => Finding::failure(CHAIN, error.to_string()),
    }
}

async fn lag(pool: &PgPool) -> Finding {
    let head: Result<i64, _> =
        sqlx::query_scalar("SELECT position FROM log_head WHERE log_id = $1")
            .bind(LogId::DEFAULT.0)
            .fetch_one(pool)
            .await;
    let head = match head {
        Ok(head) => head,
        Err(error) => return Finding::failure(LAG, error.to_string()),
    };
    match checkpoint::all(pool, LogId::DEFAULT).await {
        Ok(models) => {
            let ours = |name: &str| {
                process::NAMES.contains(&name) || Model::ALL.iter().any(|m| m.checkpoint() == name)
            };
            let slowest = models
                .iter()
                // Others are of an earlier release, and stand still for ever.
                .filter(|model| ours(&model.name))
                .map(|model| {
                    (
                        head.saturating_sub(model.position.0).max(Position::START.0),
                        model,
                    )
                })
                .max_by_key(|(behind, _)| *behind);
            match slowest {
                None => Finding::ok(LAG, "none has run yet"),
                Some((behind, model)) if behind > LAG_WARNING => Finding::warning(
                    LAG,
                    format!(
                        "{} is {behind} events behind the log: is a ledger running?",
                        model.name
                    ),
                ),
                Some((behind, _)) => Finding::ok(LAG, format!("at most {behind} events behind")),
            }
        }
        Err(error) => Finding::failure(LAG, error.to_string()),
    }
}
