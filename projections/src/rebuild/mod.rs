//! Filling read models anew, while the old rows go on answering.
//!
//! **Blue/green.** The tables are made a second time in a schema of their own ([`shadow`]), filled from the log, and
//! compared with those in use while both stand at one position ([`compare`]). Then one transaction exchanges them
//! ([`swap`]): a query sees the old table or the new one, never none. What was exchanged is kept for a [`rollback`].
//!
//! **Beside the runner.** The runner goes on writing the tables in use. The exchange takes the checkpoint's row first,
//! as the runner does, so the runner stands still for the last few events, and goes on with the new tables where it
//! stopped: they are at its position.
//!
//! **Rights.** The service may not make tables: a rebuild connects as their owner, as migrations do.

mod catch_up;
mod compare;
mod fill;
mod read;
mod shadow;
mod swap;

use std::time::Duration;

use sqlx::{Executor as _, PgConnection, PgPool, Postgres, pool::PoolConnection};
use store::{LogId, Position, StoreError};

use crate::{Model, model::ApplyError};

use self::catch_up::CatchUp;
pub use compare::TableDifference;
pub use swap::{discard, rollback};

/// Connections that a rebuild holds for each of its models: the one that fills the tables.
pub const CONNECTIONS_PER_MODEL: u32 = 1;
/// Connections besides those of the models: two that read the log, and later compare; one that asks for its end; two that
/// write rows of tables to which is only added, and make indexes.
pub const MORE_CONNECTIONS: u32 = 5;

/// What a rebuild is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Compare the tables in use with new ones, and throw the new ones away.
    CompareOnly,
    /// Put the new tables in use, whatever the comparison says: that is what a rebuild is for.
    Exchange,
}

/// What a rebuild may have in memory while it reads the log, however long that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Events of one page. A few pages are under way at a time, about 2 KB an event.
    pub page_events: i64,
    /// Orders that each model holds between two pages; the others' rows are written, and read again when there is more
    /// of them. About 5 KB an order in [`Model::OrderView`], less in the other models.
    pub held_orders: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_events: 2_000,
            held_orders: 40_000,
        }
    }
}

/// How far a rebuild is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Events are applied, up to this position of this many.
    Filling(Position, Position),
    /// What is held is written and indexes are made, of all models that are not ready yet, if there are any.
    Indexing,
    /// The tables are compared.
    Comparing(Model),
    /// The tables are exchanged.
    Exchanging(Model),
    /// No more models come into use, and the planner is told all of this one's new tables.
    Analysing(Model),
}

/// What a rebuild of one model came to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rebuilt {
    /// The model's name.
    pub model: &'static str,
    /// The log's position at which old and new rows were compared; `None` where they were not, because the tables in use
    /// are behind the log.
    pub compared_at: Option<Position>,
    /// Tables whose rows differed, as they were before the exchange.
    pub differences: Vec<TableDifference>,
    /// The position at which the new tables came into use; `None` where they were only compared.
    pub exchanged_at: Option<Position>,
}

/// Why a rebuild ended without an exchange, the model's tables in use as they were; or after it (`Analysing`).
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The database did not answer, or refused.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The log could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event cannot be applied.
    #[error("{model}: {reason}")]
    Apply {
        /// The model.
        model: Model,
        /// What is wrong, without any content.
        reason: String,
    },
    /// The program itself broke off.
    #[error("the rebuild{} broke off: {reason}", model.map(|m| format!(" of {m}")).unwrap_or_default())]
    Broken {
        /// The model.
        model: Option<Model>,
        /// Where.
        reason: String,
    },
    /// Another rebuild of the model is under way.
    #[error("{0} is being rebuilt by somebody else: wait until that is over")]
    Busy(Model),
    /// Long queries hold the tables.
    #[error(
        "{model} is ready, but its tables were in use at each of {attempts} attempts to exchange them: look for a query that \
         runs for minutes, and rebuild again"
    )]
    InUse {
        /// The model.
        model: Model,
        /// How often it was tried.
        attempts: u32,
    },
    /// The log grows faster than the new tables.
    #[error("{0} does not catch up with the log: rebuild it when less is written")]
    TooSlow(Model),
    /// The models are in use, but the planner knows little of their tables.
    #[error(
        "the planner could not be told all of the new tables, which are in use: {0}; have the database's owner run \
         ANALYZE if queries are slow"
    )]
    Analysing(sqlx::Error),
    /// There is nothing to go back to.
    #[error("no earlier tables of {0} are kept")]
    NothingKept(Model),
}

/// A rebuild in which not every model came into use, or of whose tables the planner could not be told all.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct Unfinished {
    /// The models that were done with. What was exchanged stays exchanged.
    pub done: Vec<Rebuilt>,
    /// Why the first of the others was not, or the planner not told.
    pub error: RebuildError,
}

impl RebuildError {
    fn apply(model: Model, error: ApplyError) -> Self {
        match error {
            ApplyError::Database(error) if !is_refusal(&error) => Self::Database(error),
            error => Self::Apply {
                model,
                reason: error.reason(),
            },
        }
    }
}

const fn is_refusal(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(_))
}

/// Makes these models' tables anew from the log. `owner` connects as the tables' owner and needs
/// [`CONNECTIONS_PER_MODEL`] connections a model and [`MORE_CONNECTIONS`]; `told` hears how far it is.
///
/// # Errors
/// [`RebuildError`], with the models that were exchanged all the same. What was begun of the others is thrown away at the
/// next rebuild.
pub async fn rebuild(
    owner: &PgPool,
    log: LogId,
    models: &[Model],
    mode: Mode,
    told: impl FnMut(Stage),
) -> Result<Vec<Rebuilt>, Unfinished> {
    rebuild_within(owner, log, models, mode, Limits::default(), told).await
}

/// As [`rebuild`], with limits of its own.
///
/// # Errors
/// As [`rebuild`].
pub async fn rebuild_within(
    owner: &PgPool,
    log: LogId,
    models: &[Model],
    mode: Mode,
    limits: Limits,
    mut told: impl FnMut(Stage),
) -> Result<Vec<Rebuilt>, Unfinished> {
    let mut done = Vec::with_capacity(models.len());
    let wanted = (models, mode, limits);
    let outcome = each(owner, log, wanted, &mut told, &mut done).await;
    // As they were asked for, not as they got ready.
    done.sort_by_key(|rebuilt| {
        models
            .iter()
            .position(|model| model.name() == rebuilt.model)
    });
    match outcome {
        Ok(()) => Ok(done),
        Err(error) => Err(Unfinished { done, error }),
    }
}

/// Fills all of them together, and puts them in use one after the other, each when it is ready.
async fn each(
    owner: &PgPool,
    log: LogId,
    (models, mode, limits): (&[Model], Mode, Limits),
    told: &mut impl FnMut(Stage),
    done: &mut Vec<Rebuilt>,
) -> Result<(), RebuildError> {
    let mut shadows = Vec::with_capacity(models.len());
    for model in models.iter().copied() {
        let mut connection = owner.acquire().await?;
        shadow::ready(&mut connection).await?;
        only_one(&mut connection, model).await?;
        shadows.push(Shadow {
            model,
            log,
            at: Position::START,
            connection,
        });
    }
    let mut filled = fill::fill(owner, log, shadows, limits, told).await?;
    let catch_up = CatchUp::new(owner.clone(), log);
    let (mut failed, mut exchanged) = (None, Vec::new());
    told(Stage::Indexing);
    // The failure of one keeps no other from coming into use.
    while let Some(ready) = filled.next().await {
        let used = match ready {
            Ok(mut shadow) => {
                let used = put_in_use(owner, &catch_up, &mut shadow, mode, told).await;
                // Else the lock goes with the connection, a moment later.
                let _ = free(&mut shadow.connection, shadow.model).await;
                if matches!(&used, Ok(used) if used.exchanged_at.is_some()) {
                    exchanged.push(shadow.model);
                }
                used
            }
            Err(error) => Err(error),
        };
        match used {
            Ok(rebuilt) => done.push(rebuilt),
            Err(error) => failed = failed.or(Some(error)),
        }
        told(Stage::Indexing);
    }
    let analysed = analyse(owner, &exchanged, told).await;
    failed.map_or(analysed, Err)
}

/// Tells the planner all of the tables that came into use: what it knows already is enough to begin with. One that fails
/// keeps no other from it.
async fn analyse(
    owner: &PgPool,
    exchanged: &[Model],
    told: &mut impl FnMut(Stage),
) -> Result<(), RebuildError> {
    if exchanged.is_empty() {
        return Ok(());
    }
    let connection = owner.acquire().await;
    let mut connection = connection.map_err(RebuildError::Analysing)?;
    let mut outcome = Ok(());
    for model in exchanged.iter().copied() {
        told(Stage::Analysing(model));
        let analysed = shadow::analyse(&mut connection, model).await;
        outcome = outcome.and(analysed.map_err(RebuildError::Analysing));
    }
    outcome
}

/// Compares a model's new tables with those in use, and exchanges them.
async fn put_in_use(
    owner: &PgPool,
    catch_up: &CatchUp,
    shadow: &mut Shadow,
    mode: Mode,
    told: &mut impl FnMut(Stage),
) -> Result<Rebuilt, RebuildError> {
    told(Stage::Comparing(shadow.model));
    let (compared_at, differences) = compare::compare(owner, catch_up, shadow).await?;
    let exchanged_at = match mode {
        Mode::CompareOnly => {
            shadow::remove(&mut shadow.connection, shadow.model).await?;
            None
        }
        Mode::Exchange => {
            told(Stage::Exchanging(shadow.model));
            Some(swap::exchange(catch_up, shadow).await?)
        }
    };
    Ok(Rebuilt {
        model: shadow.model.name(),
        compared_at,
        differences,
        exchanged_at,
    })
}

/// A model's new tables on their way, with the connection that fills them.
pub(crate) struct Shadow {
    model: Model,
    log: LogId,
    /// The last position they have applied.
    at: Position,
    connection: PoolConnection<Postgres>,
}

/// Takes the right to rebuild a model, for as long as the connection lives or until [`free`].
async fn only_one(connection: &mut PgConnection, model: Model) -> Result<(), RebuildError> {
    // What is dropped with a schema, or was not there to be dropped, is no news.
    sqlx::query("set client_min_messages = warning")
        .execute(&mut *connection)
        .await?;
    let taken: bool =
        sqlx::query_scalar("select pg_try_advisory_lock(hashtextextended('rebuild:' || $1, 0))")
            .bind(model.name())
            .fetch_one(connection)
            .await?;
    if taken {
        Ok(())
    } else {
        Err(RebuildError::Busy(model))
    }
}

async fn free(connection: &mut PgConnection, model: Model) -> Result<(), sqlx::Error> {
    sqlx::query("select pg_advisory_unlock(hashtextextended('rebuild:' || $1, 0))")
        .bind(model.name())
        .execute(connection)
        .await?;
    Ok(())
}

/// Runs statements of our own making, without parameters.
async fn run(conn: &mut PgConnection, statements: &str) -> Result<(), sqlx::Error> {
    conn.execute(statements).await?;
    Ok(())
}

/// The schema of a model's new tables.
fn new_schema(model: Model) -> String {
    format!("rebuild_{}", model.name())
}

/// The schema of the tables that a model had before.
fn kept_schema(model: Model) -> String {
    format!("retired_{}", model.name())
}

/// How long an exchange waits for a table before it lets everybody go on and tries again. Shorter than the server's
/// deadlock time-out: where a reader and the exchange wait for each other, the exchange gives way.
const LOCK_WAIT: Duration = Duration::from_millis(200);

/// Empties a model and puts its checkpoint back to the start, in one transaction. The runner, which
/// loses its hold by this, takes the model again and fills it.
///
/// Until it is filled, queries show less than they should: their position says so.
///
/// # Errors
/// The database did not answer; nothing was changed.
pub async fn reset(pool: &PgPool, log: LogId, model: Model) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    // The checkpoint first, as the runner does.
    sqlx::query(include_str!("../sql/reset_checkpoint.sql"))
        .bind(log.0)
        .bind(model.checkpoint())
        .execute(&mut *tx)
        .await?;
    let tables: Vec<&str> = model.tables().iter().map(|table| table.name).collect();
    sqlx::query(&format!("truncate {}", tables.join(", ")))
        .execute(&mut *tx)
        .await?;
    sqlx::query("delete from projection_failure where log_id = $1 and name = $2")
        .bind(log.0)
        .bind(model.checkpoint())
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}
