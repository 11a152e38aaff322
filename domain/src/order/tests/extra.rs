//! Cash that a partner handed over before anybody said that it was collected.

use super::{collection::at_the_door, *};
use crate::{
    order::{
        CollectionStatus,
        command::{CorrectCollection, ReconcileCash},
    },
    remittance::ItemOutcome::{self, Extra, Matched, Variance},
};
use OrderStatus as S;

fn told(remittance: &str, accepted: &str) -> OrderCommand {
    OrderCommand::ReconcileCash(ReconcileCash {
        remittance_id: remittance.parse().unwrap(),
        outcome: Extra,
        expected: Money::ZERO,
        accepted: baht(accepted),
    })
}

const FIRST: &str = "GRAB:CFR029:2026-03-14";
const SECOND: &str = "GRAB:CFR029:2026-03-15";

fn reconciled(outcome: ItemOutcome, accepted: &str) -> OrderEvent {
    OrderEvent::CashReconciled {
        remittance_id: FIRST.parse().unwrap(),
        outcome,
        expected: Money::ZERO,
        accepted: baht(accepted),
        variance: baht(accepted),
    }
}

#[test]
fn an_order_remembers_what_was_taken_in_for_it() {
    for status in [S::Released, S::OutForDelivery, S::Delivered] {
        let given = at_the_door(status);
        given
            .when(told(FIRST, "100"))
            .happens(reconciled(Extra, "100"));
        let before = given.order.collection.status;
        let given = given.and(told(FIRST, "100"));
        assert_eq!(given.order.collection.status, before);
        assert_eq!(given.order.cod_due(), baht("100"));
        given.when(told(FIRST, "100")).nothing_happens();
    }
    at_the_door(S::Delivered)
        .when(told(FIRST, "0"))
        .nothing_happens();
}

#[test]
fn a_cancelled_order_remembers_it_as_well() {
    let given = at_the_door(S::Cancelled).and(told(FIRST, "100"));
    assert_eq!(given.order.status, S::Cancelled);
    assert_eq!(given.order.collection.accepted(), baht("100"));
    given.when(told(FIRST, "100")).nothing_happens();
}

#[test]
fn cash_that_was_taken_in_is_reconciled_as_soon_as_it_is_heard_of() {
    for (accepted, outcome) in [("100", Matched), ("100.01", Matched), ("120", Variance)] {
        let given = at_the_door(S::Delivered).and(told(FIRST, accepted));
        let events = given.when(collect("100")).events();
        let [OrderEvent::CashCollected(_), settled] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(settled, &reconciled(outcome, accepted));
        let given = given.and(collect("100"));
        let collection = &given.order.collection;
        assert_eq!(collection.status, CollectionStatus::Reconciled);
        assert_eq!(collection.handed_over(), baht(accepted));
        given.when(collect("100")).nothing_happens();
        given.when(told(FIRST, accepted)).nothing_happens();
    }
}

#[test]
fn the_rest_is_still_expected() {
    let given = at_the_door(S::Delivered).and(told(FIRST, "60"));
    assert_eq!(given.when(collect("100")).events().len(), 1);
    let given = given.and(collect("100"));
    let collection = &given.order.collection;
    assert_eq!(collection.status, CollectionStatus::Collected);
    assert_eq!(collection.handed_over(), baht("60"));
    let correct = |amount: &str| {
        OrderCommand::CorrectCollection(CorrectCollection {
            amount: baht(amount),
            reason: "counted again".into(),
        })
    };
    assert_eq!(given.when(correct("60.01")).events().len(), 1);
    given
        .when(correct("60"))
        .is_refused(&[(Code::Validation, "amount")]);
}

#[test]
fn another_partners_cash_is_none_of_it() {
    let given = at_the_door(S::Delivered).and(told("PMP:CFR029:2026-03-14", "100"));
    assert_eq!(given.when(collect("100")).events().len(), 1);
    let given = given.and(collect("100"));
    assert_eq!(given.order.collection.handed_over(), Money::ZERO);
    let collected = at_the_door(S::Delivered).and(collect("100"));
    let theirs = told("PMP:CFR029:2026-03-14", "100");
    let collection = collected.and(theirs).order.collection;
    assert_eq!(collection.status, CollectionStatus::Collected);
    assert_eq!(collection.handed_over(), Money::ZERO);
    assert_eq!(collection.accepted(), baht("100"));
}

#[test]
fn cash_that_was_heard_of_meanwhile_is_reconciled_at_once() {
    let given = at_the_door(S::Delivered).and(collect("100"));
    given
        .when(told(FIRST, "100"))
        .happens(reconciled(Matched, "100"));
    given
        .when(told(FIRST, "60"))
        .happens(reconciled(Extra, "60"));
    let settled = given.and(told(FIRST, "100"));
    assert_eq!(
        settled.order.collection.status,
        CollectionStatus::Reconciled
    );
    assert_eq!(settled.order.collection.accepted(), baht("100"));
    settled.when(told(FIRST, "100")).nothing_happens();
}

#[test]
fn what_was_missing_and_came_later_is_remembered() {
    let closed = |remittance: &str, expected: &str, accepted: &str| {
        OrderCommand::ReconcileCash(ReconcileCash {
            remittance_id: remittance.parse().unwrap(),
            outcome: Variance,
            expected: baht(expected),
            accepted: baht(accepted),
        })
    };
    // Of 100 that were collected 20 came before and 40 with the day's remittance.
    let given = at_the_door(S::Delivered)
        .and(told(FIRST, "20"))
        .and(collect("100"))
        .and(closed(SECOND, "80", "40"));
    assert_eq!(given.order.collection.accepted(), baht("60"));
    let third = "GRAB:CFR029:2026-03-16";
    let given = given.and(told(third, "30"));
    let collection = &given.order.collection;
    assert_eq!(collection.status, CollectionStatus::Reconciled);
    assert_eq!(collection.accepted(), baht("90"));
    given.when(told(third, "30")).nothing_happens();
}

#[test]
fn the_last_part_settles_what_was_collected() {
    let given = at_the_door(S::Delivered)
        .and(told(FIRST, "60"))
        .and(collect("100"))
        .and(told(SECOND, "40"));
    let collection = &given.order.collection;
    assert_eq!(collection.status, CollectionStatus::Reconciled);
    assert_eq!(collection.accepted(), baht("100"));
    let settled = collection.reconciled.as_ref().unwrap();
    assert_eq!(settled.outcome, Matched);
    assert_eq!(settled.remittance_id, SECOND.parse().unwrap());
}
