//! The regions and their stores, from the reference table, kept in memory.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use domain::ids::{RegionId, StoreId};
use store::{Log, StoreError, stores};

use super::RegionStores;

/// How often the table is read again: a store that moves is seen within this time, and within
/// [`super::REMEMBER_FOR`] more by tokens in use.
const REFRESH_EVERY: Duration = Duration::from_secs(30);

type Table = HashMap<RegionId, Vec<StoreId>>;

/// The reference table's regions.
pub struct RegionTable(RwLock<Table>);

impl RegionTable {
    /// Reads the table and keeps it fresh for as long as somebody holds the answer.
    ///
    /// # Errors
    /// When the table cannot be read the first time; later the last state stays in use.
    pub async fn load(log: Log) -> Result<Arc<Self>, StoreError> {
        let table = Arc::new(Self(RwLock::new(read(&log).await?)));
        let weak = Arc::downgrade(&table);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(REFRESH_EVERY).await;
                let Some(table) = weak.upgrade() else { return };
                match read(&log).await {
                    Ok(fresh) => *table.0.write().unwrap_or_else(PoisonError::into_inner) = fresh,
                    Err(error) => {
                        tracing::warn!(%error, "the stores cannot be read; the last ones stay in use")
                    }
                }
            }
        });
        Ok(table)
    }
}

impl RegionStores for RegionTable {
    fn stores_of(&self, region: &RegionId) -> Vec<StoreId> {
        let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
        table.get(region).cloned().unwrap_or_default()
    }
}

/// Rows whose ids are not ours are passed over: no token can name them.
async fn read(log: &Log) -> Result<Table, StoreError> {
    let mut table = Table::new();
    for record in stores::all(log.pool()).await? {
        if let (Ok(region), Ok(store)) =
            (RegionId::new(record.region), StoreId::new(record.store_id))
        {
            table.entry(region).or_default().push(store);
        }
    }
    Ok(table)
}
