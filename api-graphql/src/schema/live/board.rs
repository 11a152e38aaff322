//! The store board.

use std::collections::BTreeMap;

use async_graphql::{Error, SimpleObject};
use domain::{
    entity::Entity,
    ids::{RegionId, StoreId},
    order::{Order, OrderStatus},
};
use projections::{Model, changes::Change, store_board};
use tokio::time::Instant;

use super::Watcher;
use crate::{
    limits::LIVE_BOARD_PAUSE,
    schema::{board::query::StoreCount, scalars::Position},
};

/// What of the board has changed.
#[derive(Debug, Clone, SimpleObject)]
pub struct StoreBoardUpdate {
    /// Whether this is the whole board: the first answer is.
    pub is_whole: bool,
    /// The counts that are others than before; 0 where there is no order any more.
    pub counts: Vec<StoreCount>,
    /// What is shown holds at least up to here.
    pub position: Position,
}

type Cell = (StoreId, RegionId, OrderStatus);

/// A board that is watched.
pub(super) struct BoardWatch {
    watcher: Watcher,
    stores: Option<Vec<StoreId>>,
    statuses: Option<Vec<OrderStatus>>,
    /// What was sent last; `None` before the first answer.
    sent: Option<BTreeMap<Cell, i64>>,
    sent_at: Instant,
}

impl BoardWatch {
    pub(super) fn new(
        watcher: Watcher,
        stores: Option<Vec<StoreId>>,
        statuses: Option<Vec<OrderStatus>>,
    ) -> Self {
        Self {
            watcher,
            stores,
            statuses,
            sent: None,
            sent_at: Instant::now(),
        }
    }

    /// The next counts that are others than those sent last.
    pub(super) async fn next(&mut self) -> Option<Result<StoreBoardUpdate, Error>> {
        loop {
            let position = if self.sent.is_some() {
                // A busy store changes with every order; nobody reads faster than this.
                tokio::time::sleep_until(self.sent_at + LIVE_BOARD_PAUSE).await;
                let (stores, allowed) = (&self.stores, &self.watcher.caller.actor.stores.clone());
                let is_mine = |change: &Change| {
                    let store = change
                        .store_id
                        .as_deref()
                        .and_then(|s| StoreId::new(s).ok());
                    change.aggregate_type == Order::TYPE
                        && store.is_none_or(|store| {
                            allowed.covers(&store)
                                && stores.as_ref().is_none_or(|only| only.contains(&store))
                        })
                };
                self.watcher.hears(is_mine).await?
            } else {
                self.watcher.newest()
            };
            match self.read(position).await {
                Ok(Some(update)) => return Some(Ok(update)),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    async fn read(&mut self, position: store::Position) -> Result<Option<StoreBoardUpdate>, Error> {
        let node = self.watcher.shown(Model::StoreBoard, position).await?;
        let actor = &self.watcher.caller.actor;
        let counts = node.board(&actor.stores, self.stores.as_deref()).await;
        let counts = counts.map_err(|error| self.watcher.access().read_failed(error))?;
        let now: BTreeMap<Cell, i64> = counts
            .into_iter()
            .filter(|c| {
                self.statuses
                    .as_ref()
                    .is_none_or(|only| only.contains(&c.status))
            })
            .map(|c| ((c.store_id, c.region, c.status), c.count))
            .collect();
        let is_whole = self.sent.is_none();
        let before = self.sent.replace(now.clone()).unwrap_or_default();
        self.sent_at = Instant::now();
        let gone = before.keys().filter(|cell| !now.contains_key(*cell));
        let gone: Vec<(Cell, i64)> = gone.map(|cell| (cell.clone(), 0)).collect();
        let other = now
            .into_iter()
            .filter(|(cell, count)| before.get(cell) != Some(count));
        let counts: Vec<StoreCount> = other.chain(gone).map(count).collect();
        let is_news = is_whole || !counts.is_empty();
        Ok(is_news.then_some(StoreBoardUpdate {
            is_whole,
            counts,
            position: Position(position),
        }))
    }
}

fn count(((store_id, region, status), count): (Cell, i64)) -> StoreCount {
    StoreCount::from(store_board::StoreCount {
        store_id,
        region,
        status,
        count,
    })
}
