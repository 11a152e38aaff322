//! What one event moves.

use super::Account;
use crate::{
    ids::{OrderId, PartnerId},
    money::Money,
};

/// One side of a posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The account.
    pub account: Account,
    /// Debit above zero, credit below; never zero.
    pub amount: Money,
    /// The order it is about; `None` for cash of a remittance as a whole, and for a reported order that nobody knows.
    pub order_id: Option<OrderId>,
    /// The delivery partner, on accounts that are kept by partner ([`Account::is_by_partner`]), where it is known.
    pub partner_id: Option<PartnerId>,
}

/// What one event moves: its entries add up to zero. Empty for an event that moves nothing.
///
/// Imbalance cannot be written down: [`Posting::transfer`] is the only way to make entries, and what it takes from one
/// account it puts into another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Posting {
    entries: Vec<Entry>,
}

/// What entries are about.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub order_id: Option<OrderId>,
    pub partner_id: Option<&'a PartnerId>,
}

impl Posting {
    /// The entries: none of zero, one per account and order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether nothing moves.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes `amount` out of `from` and puts it into `into`; a negative amount goes the other way. Moves about the
    /// same order, one after the other, add up in one entry per account.
    ///
    /// A move that would take an entry beyond DECIMAL(18,4) is left out, both sides of it: a million times a million
    /// THB is no cash, and the books balance without it.
    pub(super) fn transfer(
        &mut self,
        from: Account,
        into: Account,
        amount: Money,
        about: About<'_>,
    ) {
        let source = self.amount(from, about).checked_sub(amount);
        let target = self.amount(into, about).checked_add(amount);
        if let (Some(source), Some(target)) = (source, target)
            && from != into
        {
            self.set(from, source, about);
            self.set(into, target, about);
        }
    }

    fn amount(&self, account: Account, about: About<'_>) -> Money {
        self.find(account, about)
            .and_then(|index| self.entries.get(index))
            .map_or(Money::ZERO, |entry| entry.amount)
    }

    fn set(&mut self, account: Account, amount: Money, about: About<'_>) {
        match self.find(account, about) {
            Some(index) if amount.is_zero() => {
                self.entries.remove(index);
            }
            Some(index) => self.entries[index].amount = amount,
            None if amount.is_zero() => {}
            None => self.entries.push(Entry {
                account,
                amount,
                order_id: about.order_id,
                partner_id: about
                    .partner_id
                    .filter(|_| account.is_by_partner())
                    .cloned(),
            }),
        }
    }

    /// Looks back as far as the entries are about the same order: as many as there are accounts, at most.
    fn find(&self, account: Account, about: About<'_>) -> Option<usize> {
        self.entries
            .iter()
            .enumerate()
            .rev()
            .take_while(|(_, entry)| entry.order_id == about.order_id)
            .find(|(_, entry)| entry.account == account)
            .map(|(index, _)| index)
    }
}
