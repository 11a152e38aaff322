//! What the accounts hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Account, Posting};
use crate::money::Money;

/// What each account holds; an account that is not named holds nothing.
///
/// Only whole postings come in, so the accounts always add up to zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Balances(BTreeMap<Account, Money>);

impl Balances {
    /// What an account holds.
    pub fn of(&self, account: Account) -> Money {
        self.0.get(&account).copied().unwrap_or_default()
    }

    /// The accounts that hold something, from the sale to the bank.
    pub fn iter(&self) -> impl Iterator<Item = (Account, Money)> + '_ {
        self.0.iter().map(|(account, amount)| (*account, *amount))
    }

    /// The sum over all accounts: zero. It cannot overflow: there are seven accounts, and seven times the largest
    /// amount of DECIMAL(18,4) fits.
    pub fn sum(&self) -> Money {
        let units = self.0.values().map(|amount| amount.units());
        Money::from_units(units.fold(0, i64::saturating_add))
    }

    /// The balances after a posting, or `None` where an account would leave DECIMAL(18,4).
    pub fn checked_add(&self, posting: &Posting) -> Option<Self> {
        let mut after = self.clone();
        for entry in posting.entries() {
            let amount = after.of(entry.account).checked_add(entry.amount)?;
            if amount.is_zero() {
                after.0.remove(&entry.account);
            } else {
                after.0.insert(entry.account, amount);
            }
        }
        Some(after)
    }
}
