//! Cash from the sale to the bank.

use super::*;
use crate::{
    actor::{Actor, Role, StoreScope},
    entity::Entity,
    ids::RegionId,
    remittance::{
        ExpectedItem, Remittance, RemittanceCommand, RemittanceFacts, ReportedItemInput, Resolution,
    },
};

/// A small ledger: some orders, one remittance, and the sum of all that was posted.
#[derive(Default)]
pub(super) struct Books {
    orders: Vec<OrderCash>,
    pub(super) remittance: Remittance,
    pub(super) totals: Balances,
}

impl Books {
    pub(super) fn order(&mut self, number: usize, event: &OrderEvent) {
        if self.orders.len() <= number {
            self.orders.resize(number + 1, OrderCash::default());
        }
        let id = order(number.try_into().unwrap());
        let posting = self.orders[number].post(id, event);
        self.add(&posting);
        assert_eq!(self.orders[number].balances().sum(), Money::ZERO);
    }

    /// Decides, applies and posts.
    pub(super) fn remittance(&mut self, command: &RemittanceCommand) {
        let facts = RemittanceFacts {
            id: remittance_id(),
            now: now(),
            region: Some(RegionId::new("BKK-EAST").unwrap()),
            orders: Vec::new(),
            extras: Vec::new(),
        };
        let actor = Actor {
            id: "someone".into(),
            role: Role::Admin,
            stores: StoreScope::All,
        };
        let events = self.remittance.decide(command, &actor, &facts).unwrap();
        for event in events {
            self.remittance.apply(&event);
            let posting = RemittanceCash::post(&remittance_id(), &event);
            self.add(&posting);
        }
    }

    /// Every position: the accounts add up to zero, of each order and in all.
    fn add(&mut self, posting: &Posting) {
        assert_eq!(sum(posting), 0);
        self.totals = self.totals.checked_add(posting).unwrap();
        assert_eq!(self.totals.sum(), Money::ZERO);
        let mut per_order: Vec<(Option<OrderId>, i128)> = Vec::new();
        for entry in posting.entries() {
            let units = i128::from(entry.amount.units());
            match per_order.iter_mut().find(|(id, _)| *id == entry.order_id) {
                Some((_, sum)) => *sum += units,
                None => per_order.push((entry.order_id, units)),
            }
        }
        assert!(per_order.iter().all(|(_, sum)| *sum == 0), "{per_order:?}");
    }
}

pub(super) fn expected(number: usize, amount: Money, rider: &str) -> ExpectedItem {
    ExpectedItem {
        order_id: order(number.try_into().unwrap()),
        reference: reference(number),
        amount,
        rider_id: Some(rider.into()),
        collected_at: now(),
    }
}

pub(super) fn reference(number: usize) -> String {
    format!("QC-2026-11-24-{number:06}")
}

fn expect(items: Vec<ExpectedItem>) -> RemittanceCommand {
    let region = RegionId::new("BKK-EAST").unwrap();
    RemittanceCommand::Expect { region, items }
}

fn report(items: &[(usize, &str)]) -> RemittanceCommand {
    let items = items.iter().map(|(number, amount)| ReportedItemInput {
        reference: reference(*number),
        amount: baht(amount),
    });
    RemittanceCommand::Report {
        report_id: "R-1".into(),
        items: items.collect(),
        total: None,
    }
}

fn hand_over(books: &mut Books, amount: &str) {
    let (amount, reference) = (baht(amount), None);
    books.remittance(&RemittanceCommand::Receive {
        amount,
        reference: reference.clone(),
    });
    books.remittance(&RemittanceCommand::Deposit { amount, reference });
}

#[test]
fn the_straight_way_ends_in_the_bank() {
    let mut books = Books::default();
    for (number, amount) in [(0, "393"), (1, "328"), (2, "324.92")] {
        books.order(number, &paid(baht(amount)));
        books.order(number, &collected(baht(amount)));
    }
    assert_eq!(text(books.totals.iter()), "SALES -1045.92, RIDER 1045.92");
    let items = [(0, "393"), (1, "328"), (2, "324.92")];
    let all = items.map(|(number, amount)| expected(number, baht(amount), "R-1"));
    books.remittance(&expect(all.to_vec()));
    books.remittance(&report(&items));
    assert_eq!(text(books.totals.iter()), "SALES -1045.92, RIDER 1045.92");
    books.remittance(&RemittanceCommand::Close);
    assert_eq!(text(books.totals.iter()), "SALES -1045.92, PARTNER 1045.92");
    for (number, amount) in items {
        books.order(
            number,
            &reconciled(ItemOutcome::Matched, baht(amount), baht(amount)),
        );
    }
    hand_over(&mut books, "1000");
    assert_eq!(
        text(books.totals.iter()),
        "SALES -1045.92, PARTNER 45.92, DEPOSITED 1000.00"
    );
    hand_over(&mut books, "45.92");
    assert_eq!(
        text(books.totals.iter()),
        "SALES -1045.92, DEPOSITED 1045.92"
    );
}

#[test]
fn what_is_lost_on_the_way_is_the_variance() {
    let mut books = Books::default();
    for (number, amount) in [(0, "393"), (1, "328"), (2, "89")] {
        books.order(number, &paid(baht(amount)));
        books.order(number, &collected(baht(amount)));
    }
    // Sold and cancelled: it leaves no trace.
    books.order(3, &paid(baht("50")));
    books.order(3, &cancelled());
    let items = [(0, "393"), (1, "328"), (2, "89")];
    let all = items.map(|(number, amount)| expected(number, baht(amount), "R-1"));
    books.remittance(&expect(all.to_vec()));
    books.remittance(&report(&[(0, "393"), (1, "327.50"), (9, "20")]));
    for (number, accepted, resolution) in [
        (1, "327.50", Resolution::WrittenOff),
        (2, "89", Resolution::PartnerPays),
        (9, "15", Resolution::Agreed),
    ] {
        books.remittance(&RemittanceCommand::Resolve {
            reference: reference(number),
            accepted: baht(accepted),
            resolution,
            reason: "talked about it".into(),
        });
    }
    books.remittance(&RemittanceCommand::Close);
    // 0.50 written off, 15 of which nobody knows whose they are.
    assert_eq!(
        text(books.totals.iter()),
        "SALES -810.00, PARTNER 824.50, VARIANCE -14.50"
    );
    hand_over(&mut books, "824.50");
    assert_eq!(
        text(books.totals.iter()),
        "SALES -810.00, DEPOSITED 824.50, VARIANCE -14.50"
    );
}

#[test]
fn goods_that_come_back_shrink_the_sale() {
    let mut books = Books::default();
    books.order(0, &paid(baht("393")));
    books.order(0, &collected(baht("393")));
    books.remittance(&expect(vec![expected(0, baht("393"), "R-1")]));
    books.remittance(&report(&[(0, "393")]));
    books.remittance(&RemittanceCommand::Close);
    hand_over(&mut books, "393");
    books.order(0, &returned(ReturnCause::Customer, baht("65"), Money::ZERO));
    books.order(0, &refunded(baht("65")));
    // The store paid it from cash that is not this remittance's.
    assert_eq!(
        text(books.totals.iter()),
        "SALES -328.00, STORE -65.00, DEPOSITED 393.00"
    );
}
