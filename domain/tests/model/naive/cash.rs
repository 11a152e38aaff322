//! Where the money of orders and remittances is: not by postings, but at any moment from what is
//! known then.

use domain::cash::Account;
use rust_decimal::Decimal;

/// What is known of the money of one order.
#[derive(Debug, Clone, Default)]
pub struct OrderMoney {
    /// What it is sold for, once paid for on paper.
    pub sold: Option<Decimal>,
    /// The sale was undone with nothing collected.
    pub is_undone: bool,
    /// What the customer owed when the rider took the cash, and what the rider has by the last word.
    pub collected: Option<(Decimal, Decimal)>,
    /// Waived before and after the cash came.
    pub waived_before: Decimal,
    pub waived_after: Decimal,
    /// What returns promise back, and what was given back.
    pub promised: Decimal,
    pub refunded: Decimal,
    /// What the closed remittance expected and accepted of it.
    pub settled: Option<(Decimal, Decimal)>,
    /// The order heard of the closing.
    pub is_reconciled: bool,
}

/// What is known of the money of one remittance beyond its orders.
#[derive(Debug, Clone, Default)]
pub struct RemittanceMoney {
    /// Accepted of items that nobody expected.
    pub extra: Decimal,
    pub received: Decimal,
    pub deposited: Decimal,
}

/// The balances, in the order of [`Account::ALL`].
pub type Balances = [Decimal; 7];

pub fn place(account: Account) -> usize {
    Account::ALL.iter().position(|a| *a == account).unwrap()
}

pub fn balances(orders: &[OrderMoney], remittance: &RemittanceMoney) -> Balances {
    let mut balances = Balances::default();
    for order in orders {
        for (sum, amount) in balances.iter_mut().zip(of_order(order)) {
            *sum += amount;
        }
    }
    let mut add = |account, amount: Decimal| balances[place(account)] += amount;
    let RemittanceMoney {
        extra,
        received,
        deposited,
    } = remittance;
    add(Account::Partner, extra - received);
    add(Account::Variance, -extra);
    add(Account::Store, received - deposited);
    add(Account::Deposited, *deposited);
    balances
}

/// What the order's own events moved: without what its remittance moved on.
pub fn own(order: &OrderMoney) -> Balances {
    let (expected, accepted) = order.settled.unwrap_or_default();
    let mut balances = of_order(order);
    let mut add = |account, amount| balances[place(account)] += amount;
    add(Account::Rider, expected);
    add(Account::Partner, -accepted);
    add(Account::Variance, accepted - expected);
    balances
}

fn of_order(order: &OrderMoney) -> Balances {
    let sold = order
        .sold
        .filter(|_| !order.is_undone)
        .map_or(Decimal::ZERO, |sold| {
            sold - order.waived_before - order.waived_after
        });
    let receivable = if order.collected.is_some() {
        Decimal::ZERO
    } else {
        sold
    };
    // What is given back makes the sale smaller, unless nothing was sold or promised.
    let from_sale = order.refunded.min(order.promised).min(sold);
    let (claim, cash) = order.collected.unwrap_or_default();
    let missing = claim - cash - order.waived_after + order.refunded - from_sale;
    let (expected, accepted) = order.settled.unwrap_or_default();
    let late = if order.is_reconciled {
        cash - expected
    } else {
        Decimal::ZERO
    };
    let mut balances = Balances::default();
    let mut set = |account, amount| balances[place(account)] = amount;
    set(Account::Sales, from_sale - sold);
    set(Account::Receivable, receivable);
    set(Account::Rider, cash - expected - late);
    set(Account::Partner, accepted);
    set(Account::Store, -order.refunded);
    set(Account::Variance, missing + late + expected - accepted);
    balances
}
