//! The stores of the chain, folded from the log.

mod adopt;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::{
    ids::{RegionId, StoreId},
    order::facts::StoreFacts,
    store::Store,
};
use store::{Log, Position, StoreError};

use crate::directory::{Directory, MAX_AGE};

pub use adopt::adopt;

/// The stores of the chain. Cheap to clone.
#[derive(Clone)]
pub struct StoreDirectory(Arc<Directory<Store, ()>>);

impl StoreDirectory {
    /// A directory over the log; reads at the first question.
    pub fn new(log: Log) -> Self {
        Self(Arc::new(Directory::new(log, |_| ())))
    }

    /// What an order's decision sees of a store at a moment; `None` for one that nobody opened. A store that another
    /// process has just opened is found.
    pub async fn facts(
        &self,
        id: &StoreId,
        now: DateTime<Utc>,
    ) -> Result<Option<StoreFacts>, StoreError> {
        let mut known = self.0.known(MAX_AGE).await?;
        if !known.states.contains_key(id) && self.0.is_in_log(id).await? {
            known = self.0.known(Duration::ZERO).await?;
        }
        Ok(known.states.get(id).and_then(|store| store.facts(now)))
    }

    /// The stores of a region, as last read.
    pub fn in_region(&self, region: &RegionId) -> Vec<StoreId> {
        let (_, known) = self.0.remembered();
        let is_there = |store: &Store| store.profile.as_ref().is_some_and(|p| p.region == *region);
        let mut stores: Vec<StoreId> = known
            .states
            .iter()
            .filter(|(_, store)| is_there(store))
            .map(|(id, _)| id.clone())
            .collect();
        stores.sort_unstable();
        stores
    }

    /// Every store with its id, as of at most ten seconds ago.
    pub async fn all(&self) -> Result<Vec<(StoreId, Store)>, StoreError> {
        let known = self.0.known(MAX_AGE).await?;
        let mut stores: Vec<_> = known
            .states
            .iter()
            .map(|(id, store)| (id.clone(), store.clone()))
            .collect();
        stores.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(stores)
    }

    /// Reads what has happened meanwhile.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        self.0.known(Duration::ZERO).await.map(drop)
    }

    /// Notes that this process changed a store.
    pub(crate) fn changed(&self, at: Position) {
        self.0.changed(at);
    }
}
