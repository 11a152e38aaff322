//! A model's tables a second time, in a schema of their own: same columns, names, constraints, indexes, triggers,
//! settings, policies and rights as those in use, read from the catalogue. Nobody has to write a table down twice, and
//! an index that a migration adds tomorrow is there too.

use sqlx::{Connection as _, PgConnection};

use super::{new_schema, run};
use crate::Model;

/// What is long is compressed by lz4, which costs a fraction of what pglz does, where the server was built with it.
const COMPRESSION: &str = "do $$ begin set default_toast_compression = 'lz4'; \
                           exception when invalid_parameter_value then null; end $$";

/// Makes the tables anew and empty, with the keys that filling them needs: those of tables whose rows are looked up.
pub(super) async fn create(conn: &mut PgConnection, model: Model) -> Result<(), sqlx::Error> {
    let schema = new_schema(model);
    run(conn, COMPRESSION).await?;
    // What an earlier rebuild left when it was killed.
    run(conn, &format!("drop schema if exists {schema} cascade")).await?;
    run(conn, &format!("create schema {schema}")).await?;
    run(
        conn,
        &format!("grant usage on schema {schema} to ledger_app"),
    )
    .await?;
    for table in model.tables() {
        let made: Vec<String> = sqlx::query_scalar(include_str!("sql/table.sql"))
            .bind(table.name)
            .bind(&schema)
            .bind(!table.is_added_to)
            .fetch_all(&mut *conn)
            .await?;
        // Written where the tables in use are the ones that are meant, and run where the new ones are: what a policy says
        // of another table of the model it says of the new one.
        let mut tx = conn.begin().await?;
        run(
            &mut tx,
            &format!("set local search_path = {schema}, public"),
        )
        .await?;
        each(&mut tx, made).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// What is made faster once the rows are there, and what the planner has to know of them. In one transaction that no disk
/// is waited for: the exchange is the one that must last.
pub(super) async fn finish(conn: &mut PgConnection, model: Model) -> Result<(), sqlx::Error> {
    let schema = new_schema(model);
    let mut tx = conn.begin().await?;
    run(&mut tx, "set local synchronous_commit = off").await?;
    for table in model.tables() {
        for query in [
            include_str!("sql/keys.sql"),
            include_str!("sql/indexes.sql"),
        ] {
            let made: Vec<String> = sqlx::query_scalar(query)
                .bind(table.name)
                .bind(&schema)
                .fetch_all(&mut *tx)
                .await?;
            each(&mut tx, made).await?;
        }
        run(&mut tx, &format!("analyze {schema}.{}", table.name)).await?;
    }
    tx.commit().await
}

/// Throws the tables away.
pub(super) async fn remove(conn: &mut PgConnection, model: Model) -> Result<(), sqlx::Error> {
    let schema = new_schema(model);
    run(conn, &format!("drop schema if exists {schema} cascade")).await
}

/// Runs the statements that a query on the catalogue has written.
async fn each(conn: &mut PgConnection, statements: Vec<String>) -> Result<(), sqlx::Error> {
    for statement in statements {
        run(conn, &statement).await?;
    }
    Ok(())
}
