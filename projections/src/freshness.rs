//! How far the read models are, and waiting until one has seen a position.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgExecutor};
use store::{LogId, Position};
use tokio::{sync::watch, time::Instant};

use crate::{Model, ReadDb, ReadError};

/// The longest wait: a caller that asks for more gets this.
pub const MAX_WAIT: Duration = Duration::from_secs(5);
/// How often a checkpoint that another process moves is looked at.
const POLL_EVERY: Duration = Duration::from_millis(10);

/// Whether a read model has seen a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It has: a read that follows shows that position or a later one.
    Fresh,
    /// It had not when the wait was over; worth a retry.
    Stale {
        /// How far it was.
        at: Position,
    },
}

/// Waits for checkpoints. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Freshness {
    db: ReadDb,
    log: LogId,
    /// What the runner of this process publishes; empty when it runs elsewhere.
    live: HashMap<Model, watch::Receiver<Option<Position>>>,
}

impl Freshness {
    /// Looks at the checkpoints in the database: for a process without a runner.
    pub fn polling(db: ReadDb, log: LogId) -> Self {
        Self {
            db,
            log,
            live: HashMap::new(),
        }
    }

    /// Hears from the runner of this process where it owns a model, and looks at the database where
    /// another process does. See [`crate::Runner::freshness`].
    pub(crate) const fn live(
        db: ReadDb,
        log: LogId,
        live: HashMap<Model, watch::Receiver<Option<Position>>>,
    ) -> Self {
        Self { db, log, live }
    }

    /// Waits until the model has seen `position`, at most `max_wait` (and [`MAX_WAIT`]).
    pub async fn wait(
        &self,
        model: Model,
        position: Position,
        max_wait: Duration,
    ) -> Result<Reached, ReadError> {
        let deadline = Instant::now() + max_wait.min(MAX_WAIT);
        let mut live = self.live.get(&model).cloned();
        loop {
            let known = live.as_mut().and_then(|live| *live.borrow_and_update());
            let at = match known {
                Some(at) => at,
                None => self.checkpoint(model).await?,
            };
            if at >= position {
                return Ok(Reached::Fresh);
            }
            let now = Instant::now();
            if now >= deadline {
                return Ok(Reached::Stale { at });
            }
            // A model this process owns moves only by its own hand; another's must be looked at.
            let until = if known.is_some() {
                deadline
            } else {
                deadline.min(now + POLL_EVERY)
            };
            match &mut live {
                // Woken or timed out: either way the loop looks again.
                Some(receiver) => {
                    let woken = tokio::time::timeout_at(until, receiver.changed()).await;
                    if matches!(woken, Ok(Err(_))) {
                        // The runner is gone.
                        live = None;
                    }
                }
                None => tokio::time::sleep_until(until).await,
            }
        }
    }

    async fn checkpoint(&self, model: Model) -> Result<Position, ReadError> {
        let position: Option<i64> = sqlx::query_scalar(
            "select position from projection_checkpoint where log_id = $1 and name = $2",
        )
        .bind(self.log.0)
        .bind(model.checkpoint())
        .fetch_optional(&mut *self.db.of_no_store().await?)
        .await?;
        Ok(Position(position.unwrap_or(0)))
    }
}

/// The last event that all of these models have applied, as a node has them: a read that follows there shows that one
/// or later ones.
///
/// # Errors
/// The database did not answer.
pub async fn seen(db: &ReadDb, log: LogId, models: &[Model]) -> Result<Position, ReadError> {
    let names: Vec<&str> = models.iter().map(|model| model.checkpoint()).collect();
    let wanted = i64::try_from(names.len()).unwrap_or(i64::MAX);
    let (positions, least): (i64, Option<i64>) = sqlx::query_as(
        "select count(*), min(position) from projection_checkpoint where log_id = $1 and name = any($2)",
    )
    .bind(log.0)
    .bind(names)
    .fetch_one(&mut *db.of_no_store().await?)
    .await?;
    // A model without a checkpoint has applied nothing.
    let known = least.filter(|_| positions == wanted);
    Ok(known.map_or(Position::START, Position))
}

/// How far one read model is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStatus {
    /// The model.
    pub model: Model,
    /// The last event it has applied.
    pub position: Position,
    /// The log's last event.
    pub head: Position,
    /// For how long the oldest event it has not applied has been in the log, in milliseconds; 0 when
    /// there is none.
    pub lag_millis: i64,
    /// Why it stands still, when it does.
    pub failed: Option<Failure>,
}

/// The event at which a projection stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where the event stands.
    pub position: Position,
    /// What is wrong with it, and so what to mend.
    pub reason: String,
    /// When it was last tried.
    pub failed_at: DateTime<Utc>,
}

impl ModelStatus {
    /// Events in the log that the model has not applied.
    pub const fn lag_events(&self) -> i64 {
        self.head.0 - self.position.0
    }
}

#[derive(FromRow)]
struct StatusRow {
    name: String,
    position: i64,
    head: i64,
    lag_millis: i64,
    failed_position: Option<i64>,
    failed_reason: Option<String>,
    failed_at: Option<DateTime<Utc>>,
}

/// How far every read model is, from one snapshot of the database.
pub async fn status(db: &ReadDb, log: LogId) -> Result<Vec<ModelStatus>, ReadError> {
    status_in(&mut *db.of_no_store().await?, log).await
}

/// The same by any connection that may read the checkpoints.
pub(crate) async fn status_in(
    database: impl PgExecutor<'_>,
    log: LogId,
) -> Result<Vec<ModelStatus>, ReadError> {
    let names: Vec<&str> = Model::ALL.iter().map(|m| m.checkpoint()).collect();
    let rows: Vec<StatusRow> = sqlx::query_as(include_str!("sql/status.sql"))
        .bind(log.0)
        .bind(names)
        .fetch_all(database)
        .await?;
    Ok(rows.into_iter().filter_map(ModelStatus::from_row).collect())
}

impl ModelStatus {
    fn from_row(row: StatusRow) -> Option<Self> {
        let model = Model::ALL
            .into_iter()
            .find(|m| m.checkpoint() == row.name)?;
        let failed = match (row.failed_position, row.failed_reason, row.failed_at) {
            (Some(position), Some(reason), Some(failed_at)) => Some(Failure {
                position: Position(position),
                reason,
                failed_at,
            }),
            _ => None,
        };
        Some(Self {
            model,
            position: Position(row.position),
            head: Position(row.head),
            lag_millis: row.lag_millis,
            failed,
        })
    }
}
