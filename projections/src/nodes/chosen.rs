//! The reads of one field, on the node that was chosen for it.

use std::sync::atomic::{AtomicBool, Ordering};

use domain::actor::StoreScope;
use metrics::counter;
use observability::names;
use store::Position;
use tokio::time::Instant;

use super::{
    Reason,
    failure::{blames_node, is_full},
    replica::{InUse, Standing},
};
use crate::{Freshness, Model, Reached, ReadDb, ReadError};

/// What was demanded of the field's node.
#[derive(Debug)]
pub(super) struct Demand {
    pub(super) models: Vec<Model>,
    pub(super) position: Position,
    pub(super) until: Instant,
}

/// The node that answers a field, with the rows of the caller's stores. What fails on a replica is read once more, on
/// the primary; the rest of the field then stays there.
#[derive(Debug)]
pub struct Chosen {
    scope: StoreScope,
    primary: ReadDb,
    freshness: Freshness,
    demand: Option<Demand>,
    replica: Option<InUse>,
    /// A read failed on the replica.
    is_given_up: AtomicBool,
}

impl Chosen {
    pub(super) const fn new(
        scope: StoreScope,
        primary: ReadDb,
        freshness: Freshness,
        demand: Option<Demand>,
        replica: Option<InUse>,
    ) -> Self {
        Self {
            scope,
            primary,
            freshness,
            demand,
            replica,
            is_given_up: AtomicBool::new(false),
        }
    }

    /// The name of the node that the next read goes to.
    pub fn node(&self) -> &str {
        match self.replica() {
            Some(used) => &used.replica.name,
            None => super::PRIMARY,
        }
    }

    /// The stores whose rows are shown.
    pub const fn scope(&self) -> &StoreScope {
        &self.scope
    }

    fn replica(&self) -> Option<&InUse> {
        let is_given_up = self.is_given_up.load(Ordering::Relaxed);
        self.replica.as_ref().filter(|_| !is_given_up)
    }

    /// Reads from the node.
    ///
    /// # Errors
    /// As the read.
    pub async fn read<T, F, Fut>(&self, read: F) -> Result<T, ReadError>
    where
        F: Fn(ReadDb) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, ReadError>> + Send,
        T: Send,
    {
        let Some(used) = self.replica() else {
            return read(self.primary.within(&self.scope)).await;
        };
        let error = match read_there(used, &self.scope, &read).await {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => None,
            // Whoever fills the replica is answered by the replica: the primary is kept for commands.
            Err(ReadError::Database(error))
                if is_full(&error) && used.replica.standing() == Standing::Ready =>
            {
                return Err(ReadError::Database(error));
            }
            Err(error @ (ReadError::Database(_) | ReadError::Corrupt(_))) => Some(error),
            // The caller's mistake is the same on every node.
            Err(error) => return Err(error),
        };
        if error.as_ref().is_none_or(blames_node) {
            used.replica.failed();
        }
        self.is_given_up.store(true, Ordering::Relaxed);
        let why = error.as_ref().map(ToString::to_string);
        tracing::warn!(
            replica = %used.replica.name,
            why = why.as_deref().unwrap_or("the replica was lost"),
            "a read failed on a replica and is done again on the primary"
        );
        counter!(names::READS_TOTAL, "node" => super::PRIMARY, "reason" => Reason::Again.as_str())
            .increment(1);
        if !self.primary_shows().await? {
            let lost = || ReadError::from(sqlx::Error::PoolClosed);
            return Err(error.unwrap_or_else(lost));
        }
        read(self.primary.within(&self.scope)).await
    }

    /// Whether the primary shows what was demanded: it was asked of the replica only.
    async fn primary_shows(&self) -> Result<bool, ReadError> {
        let Some(demand) = &self.demand else {
            return Ok(true);
        };
        let reached = wait(
            &self.freshness,
            &demand.models,
            demand.position,
            demand.until,
        );
        Ok(reached.await?.is_none())
    }
}

/// Waits on the primary until all models show a position; else which one does not, and how far it is.
pub(super) async fn wait(
    freshness: &Freshness,
    models: &[Model],
    position: Position,
    until: Instant,
) -> Result<Option<(Model, Position)>, ReadError> {
    for &model in models {
        let left = until.saturating_duration_since(Instant::now());
        if let Reached::Stale { at } = freshness.wait(model, position, left).await? {
            return Ok(Some((model, at)));
        }
    }
    Ok(None)
}

/// An answer of the replica; `None` when the replica was lost meanwhile, or has become something else: then what it said
/// does not count.
async fn read_there<T, F, Fut>(
    used: &InUse,
    scope: &StoreScope,
    read: &F,
) -> Result<Option<T>, ReadError>
where
    F: Fn(ReadDb) -> Fut + Send + Sync,
    Fut: Future<Output = Result<T, ReadError>> + Send,
    T: Send,
{
    let reading = async {
        let answer = read(used.replica.db.within(scope)).await?;
        // Who does not say what it is, is not it.
        let is_same = used.replica.is_still(used.started).await;
        Ok(is_same.unwrap_or(false).then_some(answer))
    };
    tokio::select! {
        biased;
        answer = reading => answer,
        () = used.replica.lost() => Ok(None),
    }
}
