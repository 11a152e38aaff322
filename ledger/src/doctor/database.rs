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
const CONNECTIONS: &str = "connections";
const LAG: &str = "read models, processes";

/// What the server takes less what it keeps for superusers and, from PostgreSQL 16 on, for others; or what the database or
/// the role may have, where that is less.
const CONNECTION_LIMIT: &str = "select least(
    current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint
        - coalesce(current_setting('reserved_connections', true)::bigint, 0),
    (select datconnlimit from pg_database where datname = current_database() and datconnlimit >= 0),
    (select rolconnlimit from pg_roles where rolname = session_user and rolconnlimit >= 0))";

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
    let mut findings = vec![reached(&pool).await, connections(config, &pool).await];
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

/// Whether the server has the connections that a process may take. How many processes there are is not known here.
async fn connections(config: &Config, pool: &PgPool) -> Finding {
    let asked = sqlx::query_scalar(CONNECTION_LIMIT).fetch_one(pool).await;
    match asked {
        Ok(room) => fitting(config.most_connections().into(), room),
        Err(error) => Finding::failure(CONNECTIONS, error.to_string()),
    }
}

fn fitting(most: i64, room: i64) -> Finding {
    let takes = format!("a process takes up to {most}, three times database_pool_max");
    let has = format!("the server has {room} for its role");
    match room.checked_div(most).unwrap_or_default() {
        ..=0 => Finding::warning(
            CONNECTIONS,
            format!(
                "{takes}, and {has}: lower database_pool_max or raise the server's max_connections"
            ),
        ),
        processes => Finding::ok(
            CONNECTIONS,
            format!("{takes}; {has}: enough for {processes}"),
        ),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_too_small_for_one_process_is_told_of() {
        for (room, status, words) in [
            (95, Status::Warning, "has 95 for its role: lower"),
            (96, Status::Ok, "enough for 1"),
            (300, Status::Ok, "enough for 3"),
            (-1, Status::Warning, "takes up to 96"),
        ] {
            let found = fitting(96, room);
            assert_eq!(found.status, status, "{found:?}");
            assert!(found.detail.contains(words), "{found:?}");
        }
    }
}
