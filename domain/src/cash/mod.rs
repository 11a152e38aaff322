//! The double-entry cash ledger: every event that moves money is a posting that balances, so that the sum over all
//! accounts is zero at every position of the log.
//!
//! Debits are positive, credits negative. Nothing here is stored as an event: postings follow from events alone. They
//! are exact, to 1/10,000 THB, and know no tolerance: what a comparison forgives is still booked, as a variance.
//!
//! The cash of an order wanders: `Sales` -> `Receivable` (paid: owed by the customer) -> `Rider` (collected) ->
//! `Partner` (remittance closed) -> `Store` (cash received) -> `Deposited` (banked). At the end `Deposited` holds what
//! was sold and every account between is empty. What is lost on the way stays in `Variance`.

mod balances;
mod order;
mod posting;
mod remittance;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use balances::Balances;
pub use order::OrderCash;
pub use posting::{Entry, Posting};
pub use remittance::RemittanceCash;

/// Where money is, or who owes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Account {
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

impl Account {
    /// Every account, from the sale to the bank.
    pub const ALL: &'static [Self] = &[
        Self::Sales,
        Self::Receivable,
        Self::Rider,
        Self::Partner,
        Self::Store,
        Self::Deposited,
        Self::Variance,
    ];

    /// The account's name in tables and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sales => "SALES",
            Self::Receivable => "RECEIVABLE",
            Self::Rider => "RIDER",
            Self::Partner => "PARTNER",
            Self::Store => "STORE",
            Self::Deposited => "DEPOSITED",
            Self::Variance => "VARIANCE",
        }
    }

    /// Whether its entries name the delivery partner: those accounts add up to what each partner has, owes or lost.
    /// What customers owe and what the stores hold is no partner's.
    pub const fn is_by_partner(self) -> bool {
        matches!(self, Self::Rider | Self::Partner | Self::Variance)
    }
}
