//! What is known of the stores, held in memory and refreshed from the reference table.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use domain::{
    ids::{RegionId, StoreId},
    money::{Money, SCALE},
    order::facts::StoreFacts,
};
use store::{Log, StoreError, stores};

/// A change of a store is seen everywhere within this time.
const MAX_AGE: Duration = Duration::from_secs(10);
/// A store nobody knows is looked up again at most this often.
const MISS_INTERVAL: Duration = Duration::from_secs(1);

/// Zones where cash on delivery is offered.
const COD_ZONES: [&str; 2] = ["BKK", "METRO"];
/// The most cash an order may be paid with where a store has no limit of its own: 5,000 THB.
const COD_LIMIT: Money = Money::from_units(5_000 * SCALE);

/// The stores, by id.
pub type Known = Arc<HashMap<StoreId, StoreFacts>>;

/// The stores of the chain.
#[derive(Clone)]
pub struct StoreDirectory {
    log: Log,
    known: Arc<RwLock<(Option<Instant>, Known)>>,
}

impl StoreDirectory {
    /// A directory over the log's reference table; reads it at the first question.
    pub fn new(log: Log) -> Self {
        Self {
            log,
            known: Arc::default(),
        }
    }

    /// What is known of a store.
    pub async fn get(&self, id: &StoreId) -> Result<Option<StoreFacts>, StoreError> {
        let (read_at, known) = self.remembered();
        let found = known.get(id);
        let limit = if found.is_some() {
            MAX_AGE
        } else {
            MISS_INTERVAL
        };
        if read_at.is_some_and(|at| at.elapsed() < limit) {
            return Ok(found.cloned());
        }
        Ok(self.refresh().await?.get(id).cloned())
    }

    /// The stores of a region, as last read.
    pub fn in_region(&self, region: &RegionId) -> Vec<StoreId> {
        let (_, known) = self.remembered();
        known
            .iter()
            .filter(|(_, facts)| facts.region == *region)
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Reads the table now.
    pub async fn refresh(&self) -> Result<Known, StoreError> {
        let fresh = self.read().await?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) =
            (Some(Instant::now()), fresh.clone());
        Ok(fresh)
    }

    fn remembered(&self) -> (Option<Instant>, Known) {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn read(&self) -> Result<Known, StoreError> {
        let mut known = HashMap::new();
        for record in stores::all(self.log.pool()).await? {
            let corrupt =
                |what: String| StoreError::Corrupt(format!("store {}: {what}", record.store_id));
            let id = StoreId::new(record.store_id.clone()).map_err(|e| corrupt(e.to_string()))?;
            let region =
                RegionId::new(record.region.clone()).map_err(|e| corrupt(e.to_string()))?;
            let cod_limit = match &record.cod_limit {
                Some(limit) => Some(
                    limit
                        .parse()
                        .map_err(|_| corrupt(format!("bad COD limit {limit}")))?,
                ),
                None => COD_ZONES
                    .contains(&record.zone.as_str())
                    .then_some(COD_LIMIT),
            };
            known.insert(
                id,
                StoreFacts {
                    region,
                    active: record.active,
                    cod_limit,
                },
            );
        }
        Ok(Arc::new(known))
    }
}
