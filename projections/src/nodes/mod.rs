//! Which node answers a read: a field's reads all use the one that was chosen for it, where the wait for the position it
//! must show was done as well.

use std::time::Duration;

use store::Position;
use tokio::time::Instant;

use crate::{Freshness, Model, Reached, ReadDb, ReadError};

/// What a read must show at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtLeast {
    /// The position of a receipt, or of anything else that the caller has seen.
    pub position: Position,
    /// How long to wait for it, all models and nodes together.
    pub wait: Duration,
}

/// Why no node answers.
#[derive(Debug, thiserror::Error)]
pub enum NoNode {
    /// None had reached the position when the wait was over; worth a retry.
    #[error("the read model {} is at {} only", model.name(), at.0)]
    Stale {
        /// The model that was waited for.
        model: Model,
        /// How far it was on the primary.
        at: Position,
    },
    /// The checkpoint could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The nodes that queries may use. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Nodes {
    primary: ReadDb,
    freshness: Freshness,
}

/// The node that answers a field.
#[derive(Debug)]
pub struct Chosen {
    db: ReadDb,
}

impl Nodes {
    /// Everything is read from the primary; `freshness` waits for its checkpoints.
    pub const fn primary_only(primary: ReadDb, freshness: Freshness) -> Self {
        Self { primary, freshness }
    }

    /// The primary, for reads that no other node may answer.
    pub const fn primary(&self) -> &ReadDb {
        &self.primary
    }

    /// Chooses the node for reads of `models`, and waits there until they show what is demanded.
    ///
    /// # Errors
    /// That they do not, or cannot be asked.
    pub async fn choose(
        &self,
        models: &[Model],
        at_least: Option<AtLeast>,
    ) -> Result<Chosen, NoNode> {
        if let Some(AtLeast { position, wait }) = at_least {
            let deadline = Instant::now() + wait;
            for &model in models {
                let left = deadline.saturating_duration_since(Instant::now());
                if let Reached::Stale { at } = self.freshness.wait(model, position, left).await? {
                    return Err(NoNode::Stale { model, at });
                }
            }
        }
        Ok(Chosen {
            db: self.primary.clone(),
        })
    }
}

impl Chosen {
    /// Reads from the node.
    ///
    /// # Errors
    /// As the read.
    pub async fn read<T, F, Fut>(&self, read: F) -> Result<T, ReadError>
    where
        F: Fn(ReadDb) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, ReadError>> + Send,
    {
        read(self.db.clone()).await
    }
}
