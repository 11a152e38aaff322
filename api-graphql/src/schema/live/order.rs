//! One order.

use async_graphql::Error;
use domain::{entity::Entity, ids::OrderId, order::Order as Aggregate};
use projections::{Model, changes::Change, order_view::OrderRow, whose::Thing};

use store::Position;

use super::Watcher;
use crate::schema::order::Order;

/// An order that is watched.
pub(super) struct OrderWatch {
    watcher: Watcher,
    id: OrderId,
    /// The stream's id, as changes name it.
    name: String,
    /// The version that was sent last.
    version: i64,
    /// What was read already and not sent yet.
    first: Option<OrderRow>,
}

impl OrderWatch {
    pub(super) fn new(watcher: Watcher, id: OrderId, version: i64) -> Self {
        Self {
            watcher,
            id,
            name: id.to_string(),
            version,
            first: None,
        }
    }

    /// The order as it stands, to check who may see it; sent first.
    pub(super) async fn first(&mut self) -> Result<Option<&OrderRow>, Error> {
        let newest = self.watcher.newest();
        self.first = self.read(newest).await?;
        if self.first.is_none() {
            let node = self.watcher.shown(Model::OrderView, newest).await?;
            let access = self.watcher.access();
            access.missed(node.as_ref(), Thing::Order(self.id)).await?;
        }
        Ok(self.first.as_ref())
    }

    /// The next version there is.
    pub(super) async fn next(&mut self) -> Option<Result<Order, Error>> {
        loop {
            let row = match self.first.take() {
                Some(row) => Ok(Some(row)),
                None => {
                    let name = &self.name;
                    let is_mine =
                        |c: &Change| c.aggregate_type == Aggregate::TYPE && c.aggregate_id == *name;
                    let position = self.watcher.hears(is_mine).await?;
                    self.read(position).await
                }
            };
            match row {
                Ok(Some(row)) if row.version > self.version => {
                    self.version = row.version;
                    return Some(Ok(Order::from(row)));
                }
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    async fn read(&self, position: Position) -> Result<Option<OrderRow>, Error> {
        let node = self.watcher.shown(Model::OrderView, position).await?;
        let row = node.order(self.id).await;
        row.map_err(|error| self.watcher.access().read_failed(error))
    }
}
