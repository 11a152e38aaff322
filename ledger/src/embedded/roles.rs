//! Roles and database of the ledger, made by the bootstrap superuser.

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Executor};

use super::EmbeddedError;
use super::settings::{APP_ROLE, DATABASE, OWNER_ROLE};

/// Makes what is missing. Cheap when nothing is, and repairs a first start that was cut off.
///
/// # Errors
/// When the server refuses a step.
pub(super) async fn ensure(superuser: PgConnectOptions) -> Result<(), EmbeddedError> {
    let mut connection = superuser
        .disable_statement_logging()
        .connect()
        .await
        .map_err(failed("let the ledger in over its socket"))?;
    role(&mut connection, OWNER_ROLE, "LOGIN CREATEROLE").await?;
    role(&mut connection, APP_ROLE, "LOGIN").await?;

    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(DATABASE)
            .fetch_one(&mut connection)
            .await
            .map_err(failed("list its databases"))?;
    if !exists {
        let text = format!("CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE}");
        run(&mut connection, &text, "create the database").await?;
    }
    let text = format!(
        "REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;
         GRANT CONNECT ON DATABASE {DATABASE} TO {APP_ROLE}"
    );
    run(&mut connection, &text, "limit who may connect").await?;
    connection
        .close()
        .await
        .map_err(failed("end the set-up session"))
}

async fn role(
    connection: &mut PgConnection,
    name: &str,
    attributes: &str,
) -> Result<(), EmbeddedError> {
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)")
            .bind(name)
            .fetch_one(&mut *connection)
            .await
            .map_err(failed("list its roles"))?;
    if exists {
        return Ok(());
    }
    let text = format!("CREATE ROLE {name} {attributes}");
    run(connection, &text, "create a role").await
}

async fn run(
    connection: &mut PgConnection,
    text: &str,
    doing: &'static str,
) -> Result<(), EmbeddedError> {
    connection
        .execute(sqlx::raw_sql(text))
        .await
        .map(drop)
        .map_err(failed(doing))
}

fn failed(doing: &'static str) -> impl Fn(sqlx::Error) -> EmbeddedError {
    move |source| EmbeddedError::Bootstrap { doing, source }
}
