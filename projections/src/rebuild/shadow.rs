//! A model's tables a second time, in a schema of their own: same columns, names, constraints, indexes, triggers,
//! settings, policies and rights as those in use, read from the catalogue. Nobody has to write a table down twice, and
//! an index that a migration adds tomorrow is there too.

use sqlx::PgConnection;

use super::{new_schema, run};
use crate::Model;

/// Makes the tables anew and empty, with the keys that filling them needs.
pub(super) async fn create(conn: &mut PgConnection, model: Model) -> Result<(), sqlx::Error> {
    let schema = new_schema(model);
    // What an earlier rebuild left when it was killed.
    run(conn, &format!("drop schema if exists {schema} cascade")).await?;
    run(conn, &format!("create schema {schema}")).await?;
    run(
        conn,
        &format!("grant usage on schema {schema} to ledger_app"),
    )
    .await?;
    for table in model.tables() {
        statements(conn, include_str!("sql/table.sql"), table.name, &schema).await?;
    }
    Ok(())
}

/// What is made faster once the rows are there, and what the planner has to know of them.
pub(super) async fn finish(conn: &mut PgConnection, model: Model) -> Result<(), sqlx::Error> {
    let schema = new_schema(model);
    for table in model.tables() {
        statements(conn, include_str!("sql/indexes.sql"), table.name, &schema).await?;
        run(conn, &format!("analyze {schema}.{}", table.name)).await?;
    }
    Ok(())
}

/// Throws the tables away.
pub(super) async fn remove(conn: &mut PgConnection, model: Model) -> Result<(), sqlx::Error> {
    let schema = new_schema(model);
    run(conn, &format!("drop schema if exists {schema} cascade")).await
}

/// Runs the statements that a query on the catalogue writes for a table.
async fn statements(
    conn: &mut PgConnection,
    query: &'static str,
    table: &str,
    schema: &str,
) -> Result<(), sqlx::Error> {
    let statements: Vec<String> = sqlx::query_scalar(query)
        .bind(table)
        .bind(schema)
        .fetch_all(&mut *conn)
        .await?;
    for statement in statements {
        run(conn, &statement).await?;
    }
    Ok(())
}
