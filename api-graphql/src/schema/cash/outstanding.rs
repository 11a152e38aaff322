//! Cash that is still out: with customers or with riders.

use async_graphql::{Enum, ID, SimpleObject};
use projections::cash_ledger::{CashOrder, Outstanding};

use crate::schema::{
    connection::connection,
    order::collection::CollectionStatus,
    scalars::{DateTime, Decimal},
};

/// Whose cash is still out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Outstanding")]
pub enum OutstandingKind {
    /// Customers owe it.
    Receivable,
    /// Riders have it.
    Rider,
    /// Either.
    Any,
}

/// An order whose cash is still out.
#[derive(Debug, Clone, SimpleObject)]
pub struct OutstandingOrder {
    /// The order.
    pub order_id: ID,
    /// Its number.
    pub number: String,
    /// The store.
    pub store_id: ID,
    /// The store's region.
    pub region: String,
    /// The delivery partner, once known.
    pub partner_id: Option<String>,
    /// Where its cash stands.
    pub status: CollectionStatus,
    /// What the customer owes.
    pub receivable: Decimal,
    /// What the rider has.
    pub rider: Decimal,
    /// Since when something is outstanding.
    pub since: Option<DateTime>,
    /// When the customer got the goods.
    pub delivered_at: Option<DateTime>,
    /// When the rider got the cash.
    pub collected_at: Option<DateTime>,
    /// When it was last said that no cash came.
    pub failed_at: Option<DateTime>,
    /// The cash collected less the cash due then.
    pub discrepancy: Decimal,
}

impl From<CashOrder> for OutstandingOrder {
    fn from(o: CashOrder) -> Self {
        Self {
            order_id: ID::from(o.order_id.0),
            number: o.number.to_string(),
            store_id: ID::from(o.store_id.as_str()),
            region: o.region.to_string(),
            partner_id: o.partner_id.map(|id| id.to_string()),
            status: o.status.into(),
            receivable: o.receivable.into(),
            rider: o.rider.into(),
            since: o.since.map(DateTime),
            delivered_at: o.delivered_at.map(DateTime),
            collected_at: o.collected_at.map(DateTime),
            failed_at: o.failed_at.map(DateTime),
            discrepancy: o.discrepancy.into(),
        }
    }
}

connection! {
    /// A page of orders whose cash is still out, the longest outstanding first.
    OutstandingConnection of
    /// An order and its cursor.
    OutstandingEdge { OutstandingOrder } from CashOrder
}
