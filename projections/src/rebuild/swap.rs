//! New tables come into use, and old ones come back.

use sqlx::{Connection, PgConnection, PgPool};
use store::{LogId, Position};
use tokio::time::sleep;

use super::{
    LOCK_WAIT, RebuildError, Shadow,
    catch_up::{self, CatchUp, NEAR},
    free, kept_schema, new_schema, only_one, run,
};
use crate::Model;

/// Attempts to get hold of the tables.
const ATTEMPTS: u32 = 100;
/// Pause after an attempt: queries that waited meanwhile go on.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(300);
/// Attempts to come near enough to the end of the log.
pub(super) const CATCH_UPS: u32 = 20;

/// What one attempt came to.
enum Attempt {
    Done(Position),
    /// Somebody reads the tables.
    InUse,
    /// The runner has gone on too far meanwhile: catch up to there first.
    Behind(Position),
}

/// Puts the new tables in use. Answers the position at which they are.
pub(super) async fn exchange(
    catch_up: &CatchUp,
    shadow: &mut Shadow,
) -> Result<Position, RebuildError> {
    let (mut in_use, mut behind) = (0, 0);
    // Ends: every turn but the last counts against one of the two bounds.
    loop {
        let outcome = match attempt(catch_up, shadow).await {
            // The server's own upkeep may hold the new tables, or those that are kept.
            Err(RebuildError::Database(error)) if is_lock_wait(&error) => Attempt::InUse,
            outcome => outcome?,
        };
        match outcome {
            Attempt::Done(at) => return Ok(at),
            Attempt::InUse if in_use == ATTEMPTS => {
                return Err(RebuildError::InUse {
                    model: shadow.model,
                    attempts: ATTEMPTS,
                });
            }
            Attempt::InUse => {
                in_use += 1;
                sleep(PAUSE).await;
            }
            Attempt::Behind(_) if behind == CATCH_UPS => {
                return Err(RebuildError::TooSlow(shadow.model));
            }
            Attempt::Behind(to) => {
                behind += 1;
                catch_up.up_to(shadow, to).await?;
            }
        }
    }
}

async fn attempt(catch_up: &CatchUp, shadow: &mut Shadow) -> Result<Attempt, RebuildError> {
    let (model, log) = (shadow.model, shadow.log);
    let mut at = shadow.at;
    let mut tx = shadow.connection.begin().await?;
    let live = lock_checkpoint(&mut tx, log, model).await?;
    match live {
        Some(live) if live.0 - at.0 > NEAR => {
            tx.rollback().await?;
            return Ok(Attempt::Behind(live));
        }
        Some(live) if live > at => {
            let page = catch_up.page(at, live.0 - at.0, &[]).await?;
            let schema = new_schema(model);
            run(
                &mut tx,
                &format!("set local search_path = {schema}, public"),
            )
            .await?;
            at = catch_up::apply(&mut tx, model, log, at, &page).await?;
            run(&mut tx, "set local search_path = public").await?;
        }
        _ => {}
    }
    if !lock_tables(&mut tx, model).await? {
        tx.rollback().await?;
        return Ok(Attempt::InUse);
    }
    let (new, kept) = (new_schema(model), kept_schema(model));
    run(
        &mut tx,
        &format!("drop schema if exists {kept} cascade; create schema {kept}"),
    )
    .await?;
    move_tables(&mut tx, model, "public", &kept).await?;
    move_tables(&mut tx, model, &new, "public").await?;
    run(&mut tx, &format!("drop schema {new}")).await?;
    keep_position(&mut tx, log, model, live.unwrap_or(Position::START)).await?;
    if live != Some(at) {
        move_checkpoint(&mut tx, log, model, at).await?;
    }
    tx.commit().await?;
    shadow.at = at;
    Ok(Attempt::Done(at))
}

/// Puts the tables in use that were before the last rebuild, and keeps the present ones in their place. The runner
/// brings them up to date from where they were left.
///
/// # Errors
/// [`RebuildError::NothingKept`], [`RebuildError::Busy`], [`RebuildError::InUse`], or the database did not answer.
pub async fn rollback(owner: &PgPool, log: LogId, model: Model) -> Result<Position, RebuildError> {
    let mut connection = owner.acquire().await?;
    only_one(&mut connection, model).await?;
    let mut outcome = Err(RebuildError::InUse {
        model,
        attempts: ATTEMPTS,
    });
    for _ in 0..ATTEMPTS {
        match back(&mut connection, log, model).await {
            Ok(Some(at)) => {
                outcome = Ok(at);
                break;
            }
            Ok(None) => sleep(PAUSE).await,
            Err(RebuildError::Database(error)) if is_lock_wait(&error) => sleep(PAUSE).await,
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    free(&mut connection, model).await?;
    outcome
}

/// One attempt; `None` where somebody reads the tables.
async fn back(
    connection: &mut PgConnection,
    log: LogId,
    model: Model,
) -> Result<Option<Position>, RebuildError> {
    let mut tx = connection.begin().await?;
    let live = lock_checkpoint(&mut tx, log, model).await?;
    let kept_at = kept_position(&mut tx, log, model).await?;
    let (Some(live), Some(kept_at)) = (live, kept_at) else {
        return Err(RebuildError::NothingKept(model));
    };
    if !lock_tables(&mut tx, model).await? {
        tx.rollback().await?;
        return Ok(None);
    }
    let (between, kept) = (new_schema(model), kept_schema(model));
    run(
        &mut tx,
        &format!("drop schema if exists {between} cascade; create schema {between}"),
    )
    .await?;
    move_tables(&mut tx, model, "public", &between).await?;
    move_tables(&mut tx, model, &kept, "public").await?;
    move_tables(&mut tx, model, &between, &kept).await?;
    run(&mut tx, &format!("drop schema {between}")).await?;
    keep_position(&mut tx, log, model, live).await?;
    move_checkpoint(&mut tx, log, model, kept_at).await?;
    tx.commit().await?;
    Ok(Some(kept_at))
}

/// Throws away the tables that were in use before the last rebuild.
///
/// # Errors
/// [`RebuildError::NothingKept`], or the database did not answer.
pub async fn discard(owner: &PgPool, log: LogId, model: Model) -> Result<(), RebuildError> {
    let mut tx = owner.begin().await?;
    run(&mut tx, "set local client_min_messages = warning").await?;
    if kept_position(&mut tx, log, model).await?.is_none() {
        return Err(RebuildError::NothingKept(model));
    }
    run(
        &mut tx,
        &format!("drop schema if exists {} cascade", kept_schema(model)),
    )
    .await?;
    sqlx::query("delete from projection_retired where log_id = $1 and name = $2")
        .bind(log.0)
        .bind(model.name())
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// Holds the checkpoint's row until the end of the transaction: the runner waits. `None` where the model never ran.
pub(super) async fn lock_checkpoint(
    conn: &mut PgConnection,
    log: LogId,
    model: Model,
) -> Result<Option<Position>, sqlx::Error> {
    let position: Option<i64> = sqlx::query_scalar(
        "select position from projection_checkpoint where log_id = $1 and name = $2 for update",
    )
    .bind(log.0)
    .bind(model.checkpoint())
    .fetch_optional(conn)
    .await?;
    Ok(position.map(Position))
}

/// Takes the tables in use for this transaction alone; `false` where somebody holds one for longer than [`LOCK_WAIT`].
async fn lock_tables(conn: &mut PgConnection, model: Model) -> Result<bool, sqlx::Error> {
    let tables: Vec<String> = model
        .tables()
        .iter()
        .map(|table| format!("public.{}", table.name))
        .collect();
    let wait = LOCK_WAIT.as_millis();
    let lock = format!(
        "set local lock_timeout = {wait}; lock table {} in access exclusive mode",
        tables.join(", ")
    );
    match run(conn, &lock).await {
        Ok(()) => Ok(true),
        Err(error) if is_lock_wait(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a statement waited in vain for a lock.
fn is_lock_wait(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().as_deref() == Some("55P03"))
}

async fn move_tables(
    conn: &mut PgConnection,
    model: Model,
    from: &str,
    to: &str,
) -> Result<(), sqlx::Error> {
    for table in model.tables() {
        run(
            conn,
            &format!("alter table {from}.{} set schema {to}", table.name),
        )
        .await?;
    }
    Ok(())
}

/// Sets the checkpoint, and takes it from whoever holds it: they must look where it stands.
async fn move_checkpoint(
    conn: &mut PgConnection,
    log: LogId,
    model: Model,
    to: Position,
) -> Result<(), sqlx::Error> {
    sqlx::query(include_str!("sql/move_checkpoint.sql"))
        .bind(log.0)
        .bind(model.checkpoint())
        .bind(to.0)
        .execute(&mut *conn)
        .await?;
    sqlx::query("delete from projection_failure where log_id = $1 and name = $2")
        .bind(log.0)
        .bind(model.checkpoint())
        .execute(conn)
        .await?;
    Ok(())
}

async fn keep_position(
    conn: &mut PgConnection,
    log: LogId,
    model: Model,
    at: Position,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into projection_retired (log_id, name, position) values ($1, $2, $3) \
         on conflict (log_id, name) do update set position = excluded.position, at = clock_timestamp()",
    )
    .bind(log.0)
    .bind(model.name())
    .bind(at.0)
    .execute(conn)
    .await?;
    Ok(())
}

async fn kept_position(
    conn: &mut PgConnection,
    log: LogId,
    model: Model,
) -> Result<Option<Position>, sqlx::Error> {
    let position: Option<i64> = sqlx::query_scalar(
        "select position from projection_retired where log_id = $1 and name = $2 for update",
    )
    .bind(log.0)
    .bind(model.name())
    .fetch_optional(conn)
    .await?;
    Ok(position.map(Position))
}
