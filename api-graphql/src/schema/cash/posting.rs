//! The entries of the cash ledger.

use async_graphql::{ID, SimpleObject};
use projections::cash_ledger::PostingRow;

use super::CashAccount;
use crate::schema::{
    connection::connection,
    scalars::{DateTime, Decimal, Position},
};

/// One side of a posting. The entries of one position add up to zero.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct CashPosting {
    /// The event's place in the log.
    pub position: Position,
    /// The entry's number within its event, from 1.
    pub line: i32,
    /// The event that moved the money, such as order.cash_collected.
    pub event_type: String,
    /// The account.
    pub account: CashAccount,
    /// Debit above zero, credit below.
    pub amount: Decimal,
    /// The order it is about; null for cash of a remittance as a whole.
    pub order_id: Option<ID>,
    /// The remittance it is about, where it is; null for one that the caller may not see.
    pub remittance_id: Option<ID>,
    /// The store.
    pub store_id: ID,
    /// The store's region.
    pub region: String,
    /// The delivery partner, where one has or had the cash.
    pub partner_id: Option<String>,
    /// When the event was recorded.
    pub recorded_at: DateTime,
}

impl From<PostingRow> for CashPosting {
    fn from(p: PostingRow) -> Self {
        Self {
            position: Position(p.position),
            line: p.line,
            event_type: p.event_type,
            account: p.account.into(),
            amount: p.amount.into(),
            order_id: p.order_id.map(|id| ID::from(id.0)),
            remittance_id: p.remittance_id.map(|id| ID::from(id.to_string())),
            store_id: ID::from(p.store_id.as_str()),
            region: p.region.to_string(),
            partner_id: p.partner_id.map(|id| id.to_string()),
            recorded_at: DateTime(p.recorded_at),
        }
    }
}

connection! {
    /// A page of postings, oldest first.
    CashPostingConnection of
    /// An entry and its cursor.
    CashPostingEdge { CashPosting } from PostingRow
}
