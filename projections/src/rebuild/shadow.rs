//! A model's tables a second time, in a schema of their own: same columns, names, constraints, indexes, triggers,
//! settings, policies and rights as those in use, read from the catalogue. Nobody has to write a table down twice, and
//! an index that a migration adds tomorrow is there too.

use std::collections::VecDeque;

use sqlx::{Connection as _, PgConnection, Postgres, pool::PoolConnection};
use tokio::sync::Mutex;

use super::{new_schema, run};
use crate::{Model, model::Table};

/// What is long is compressed by lz4, which costs a fraction of what pglz does, where the server was built with it.
const COMPRESSION: &str = "do $$ begin set default_toast_compression = 'lz4'; \
                           exception when invalid_parameter_value then null; end $$";

/// Makes the tables anew and empty, with the keys that filling them needs: those of tables whose rows are looked up.
pub(super) async fn create(conn: &mut PgConnection, model: Model) -> Result<(), sqlx::Error> {
    let schema = new_schema(model);
    let made = [
        // What an earlier rebuild left when it was killed.
        format!("drop schema if exists {schema} cascade"),
        format!("create schema {schema}"),
        format!("grant usage on schema {schema} to ledger_app"),
    ];
    at_once(conn, &made).await?;
    for table in model.tables() {
        // Written where the tables in use are the ones that are meant, and run where the new ones are: what a policy says
        // of another table of the model it says of the new one.
        let mut made: Vec<String> = sqlx::query_scalar(include_str!("sql/table.sql"))
            .bind(table.name)
            .bind(&schema)
            .bind(!table.is_added_to)
            .fetch_all(&mut *conn)
            .await?;
        made.insert(0, format!("set local search_path = {schema}, public"));
        at_once(conn, &made).await?;
    }
    Ok(())
}

/// Has a server see within a moment that a connection was given up, in whatever long statement, where it can.
const CHECK_CLIENT: &str = "do $$ begin set client_connection_check_interval = '1s'; \
                            exception when invalid_parameter_value or undefined_object then null; end $$";

/// Readies a connection that a rebuild gives settings and locks of its own, and in the middle of something gives up: nobody
/// else may have it afterwards.
pub(super) async fn ready(conn: &mut PoolConnection<Postgres>) -> Result<(), sqlx::Error> {
    conn.close_on_drop();
    run(conn, CHECK_CLIENT).await?;
    run(conn, &format!("set {FEW_WORKERS}")).await
}

/// From which size on a table's indexes are made, and its rows are compared, by several processes of the server: starting
/// one costs as much as all of that does for a table of the size from which on it usually starts them.
pub(super) const FEW_WORKERS: &str = "min_parallel_table_scan_size = '128MB'";

/// Has a connection find the new tables, and wait for no disk: a crash throws them away. Until [`leave`], or until it is
/// closed.
pub(super) async fn enter(conn: &mut PgConnection, model: Model) -> Result<(), sqlx::Error> {
    let schema = new_schema(model);
    let enter = format!("set search_path = {schema}, public; set synchronous_commit = off");
    run(conn, &enter).await?;
    run(conn, COMPRESSION).await
}

/// Has a connection find the tables in use.
pub(super) async fn leave(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    run(conn, "reset search_path; reset synchronous_commit").await
}

/// Of how many values of a column the planner is told before the tables are in use, in place of the server's setting, and
/// how large the sample for that is: a fifth of the usual. [`analyse`] tells it the rest when all models are in use.
const FIRST_STATISTICS: &str = "20";

/// What is made of the tables faster once the rows are there, by one connection or by two at once, and what the planner
/// has to know of them.
pub(super) async fn finish(
    conn: &mut PgConnection,
    second: Option<PoolConnection<Postgres>>,
    model: Model,
) -> Result<(), sqlx::Error> {
    let mut indexes = VecDeque::new();
    for table in model.tables() {
        let keys = written(conn, include_str!("sql/keys.sql"), model, table).await?;
        // They lock the table: nobody else could do anything meanwhile.
        for key in keys {
            at_once(conn, &[key]).await?;
        }
        indexes.extend(written(conn, include_str!("sql/indexes.sql"), model, table).await?);
    }
    let indexes = Mutex::new(indexes);
    match second {
        Some(mut second) => tokio::try_join!(
            make_indexes(conn, &indexes),
            make_indexes(&mut second, &indexes)
        )
        .map(drop)?,
        None => make_indexes(conn, &indexes).await?,
    }
    let few = format!("set local default_statistics_target = {FIRST_STATISTICS}");
    let tables = table_names(model, &new_schema(model));
    at_once(conn, &[few, format!("analyze {tables}")]).await
}

/// The statements that a query writes for one of the new tables.
async fn written(
    conn: &mut PgConnection,
    query: &str,
    model: Model,
    table: &Table,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(query)
        .bind(table.name)
        .bind(new_schema(model))
        .fetch_all(conn)
        .await
}

/// Makes indexes until there are no more to make. Each by itself: the planner passes over a new index as long as a
/// transaction runs that is older than it.
async fn make_indexes(
    conn: &mut PgConnection,
    indexes: &Mutex<VecDeque<String>>,
) -> Result<(), sqlx::Error> {
    loop {
        let next = indexes.lock().await.pop_front();
        let Some(index) = next else { return Ok(()) };
        at_once(conn, &[index]).await?;
    }
}

/// Tells the planner all that it usually knows of tables, which are in use.
pub(super) async fn analyse(conn: &mut PgConnection, model: Model) -> Result<(), sqlx::Error> {
    run(conn, &format!("analyze {}", table_names(model, "public"))).await
}

fn table_names(model: Model, schema: &str) -> String {
    let names = model.tables().iter();
    let names: Vec<String> = names.map(|t| format!("{schema}.{}", t.name)).collect();
    names.join(", ")
}

/// Runs statements in one transaction that no disk is waited for: the exchange is the one that must last.
async fn at_once(conn: &mut PgConnection, statements: &[String]) -> Result<(), sqlx::Error> {
    if statements.is_empty() {
        return Ok(());
    }
    let mut tx = conn.begin().await?;
    run(&mut tx, "set local synchronous_commit = off").await?;
    for statement in statements {
        run(&mut tx, statement).await?;
    }
    tx.commit().await
}

/// Throws the tables away.
pub(super) async fn remove(conn: &mut PgConnection, model: Model) -> Result<(), sqlx::Error> {
    let schema = new_schema(model);
    run(conn, &format!("drop schema if exists {schema} cascade")).await
}
