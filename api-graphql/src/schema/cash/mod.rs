//! The cash ledger: where the money of orders paid on delivery is, and who owes it.

pub mod metrics;
pub mod outstanding;
pub mod posting;
pub mod query;

use async_graphql::{Enum, ID, SimpleObject};
use domain::cash::Account;
use projections::cash_ledger::{Balance, Balances, Grouping};

use super::scalars::{Decimal, Position};

/// Where money is, or who owes it. Debits are positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Account")]
pub enum CashAccount {
    /// What was sold: the other side of what customers owe. Its balance is negative.
    Sales,
    /// What customers owe for orders that are paid on delivery.
    Receivable,
    /// Cash in riders' hands.
    Rider,
    /// Cash that delivery partners have accounted for and owe the stores.
    Partner,
    /// Cash in the stores.
    Store,
    /// Cash in the bank.
    Deposited,
    /// Cash that is missing (positive) or too much (negative).
    Variance,
}

/// What balances are summed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Grouping")]
pub enum CashGrouping {
    /// By account alone.
    Total,
    /// By account and region.
    Region,
    /// By account and store.
    Store,
    /// By account and partner.
    Partner,
    /// By account, store and partner.
    Cell,
}

/// The balance of an account.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct CashBalance {
    /// The account.
    pub account: CashAccount,
    /// The store, where the balances are grouped so.
    pub store_id: Option<ID>,
    /// The region, where the balances are grouped so.
    pub region: Option<String>,
    /// The delivery partner, where the balances are grouped so; null also for money no partner has or had.
    pub partner_id: Option<String>,
    /// Debits less credits.
    pub amount: Decimal,
}

impl From<Balance> for CashBalance {
    fn from(b: Balance) -> Self {
        Self {
            account: b.account.into(),
            store_id: b.store_id.map(|id| ID::from(id.as_str())),
            region: b.region.map(|r| r.to_string()),
            partner_id: b.partner_id.map(|p| p.to_string()),
            amount: b.amount.into(),
        }
    }
}

/// Balances, all at one position of the log.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct CashBalances {
    /// The balances; those of zero are left out.
    pub balances: Vec<CashBalance>,
    /// The sum of all balances: zero at every position, unless narrowed to a partner or an account.
    pub total: Decimal,
    /// The position of the log at which they hold.
    pub position: Position,
}

impl From<Balances> for CashBalances {
    fn from(b: Balances) -> Self {
        Self {
            balances: b.rows.into_iter().map(CashBalance::from).collect(),
            total: b.total.into(),
            position: Position(b.position),
        }
    }
}
