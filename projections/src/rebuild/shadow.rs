//! A model's tables a second time, in a schema of their own: same columns, names, constraints, indexes, triggers,
//! settings, policies and rights as those in use, read from the catalogue. Nobody has to write a table down twice, and
//! an index that a migration adds tomorrow is there too.

use sqlx::{Connection as _, PgConnection, Postgres, pool::PoolConnection};

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
    run(conn, CHECK_CLIENT).await
}

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

/// What is made of some of the tables faster once the rows are there, and what the planner has to know of them.
pub(super) async fn finish(
    conn: &mut PgConnection,
    model: Model,
    tables: Vec<&Table>,
) -> Result<(), sqlx::Error> {
    let schema = new_schema(model);
    for table in tables {
        for query in [
            include_str!("sql/keys.sql"),
            include_str!("sql/indexes.sql"),
        ] {
            let made: Vec<String> = sqlx::query_scalar(query)
                .bind(table.name)
                .bind(&schema)
                .fetch_all(&mut *conn)
                .await?;
            // Each by itself: the planner passes over a new index as long as a transaction runs that is older than it.
            for statement in made {
                at_once(conn, &[statement]).await?;
            }
        }
        at_once(conn, &[format!("analyze {schema}.{}", table.name)]).await?;
    }
    Ok(())
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
