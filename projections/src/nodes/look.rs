//! What a server says of itself: who it is, and how far.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use store::LogId;

use crate::Model;

/// Which server and database, and since when it runs.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(super) struct Identity {
    pub(super) in_recovery: bool,
    /// When the server was started: another time, another run of it.
    pub(super) started: DateTime<Utc>,
    /// Drawn when the system was made; a streaming replica has its primary's.
    pub(super) system: i64,
    /// The database within the system; a streaming replica has its primary's.
    pub(super) database: i64,
}

impl Identity {
    pub(super) async fn of(conn: &mut PgConnection) -> Result<Self, sqlx::Error> {
        sqlx::query_as(include_str!("sql/identity.sql"))
            .fetch_one(conn)
            .await
    }
}

/// How far a server is, in positions of the log.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(super) struct Mark {
    pub(super) in_recovery: bool,
    /// The log's last event.
    pub(super) head: i64,
    /// Its hash, which stands for all of the log up to there.
    pub(super) hash: Vec<u8>,
    /// The read models' checkpoints, in the order of [`Model::ALL`].
    pub(super) checkpoints: Vec<i64>,
    /// The hash of the event at the position asked for; `None` where there is no such event.
    pub(super) hash_there: Option<Vec<u8>>,
}

impl Mark {
    /// How far the server is, with the hash of the event at `there`.
    pub(super) async fn of(
        conn: &mut PgConnection,
        log: LogId,
        there: i64,
    ) -> Result<Self, sqlx::Error> {
        let names: Vec<&str> = Model::ALL.iter().map(|model| model.checkpoint()).collect();
        sqlx::query_as(include_str!("sql/mark.sql"))
            .bind(log.0)
            .bind(names)
            .bind(there)
            .fetch_one(conn)
            .await
    }

    /// Whether everything that another server shows is shown here too.
    pub(super) fn reaches(&self, other: &Self) -> bool {
        self.head >= other.head
            && self
                .checkpoints
                .iter()
                .zip(&other.checkpoints)
                .all(|(own, other)| own >= other)
    }

    /// Events by which the model furthest behind, or the log itself, is behind another server's.
    pub(super) fn behind(&self, other: &Self) -> i64 {
        let models = self.checkpoints.iter().zip(&other.checkpoints);
        let models = models.map(|(own, other)| other - own);
        models
            .chain([other.head - self.head])
            .max()
            .unwrap_or_default()
            .max(0)
    }

    /// How far a model is.
    pub(super) fn of_model(&self, model: Model) -> i64 {
        let index = Model::ALL.iter().position(|known| *known == model);
        let checkpoint = index.and_then(|index| self.checkpoints.get(index));
        checkpoint.copied().unwrap_or_default()
    }
}
