//! Extra items, against what is known of their orders.

use super::*;
use crate::{
    ids::StoreId,
    order::{Collection, CollectionStatus, Reconciled, TakenIn},
};
use Resolution::{Agreed, PartnerPays, WrittenOff};

/// The partner reports 45.00 of order 9, and nothing is expected of it.
fn reported() -> Remittance {
    let facts = RemittanceFacts {
        orders: vec![(reference(9), order(9))],
        ..facts()
    };
    let mut remittance = Remittance::default();
    for command in [
        expect(&[(1, "393")]),
        report("R-1", &[(1, "393"), (9, "45")]),
    ] {
        for event in decide_with(&remittance, &command, &facts).unwrap() {
            remittance.apply(&event);
        }
    }
    remittance
}

fn known(store: &str, collection: Collection) -> RemittanceFacts {
    let extra = ExtraOrder {
        order_id: order(9),
        store_id: StoreId::new(store).unwrap(),
        collection,
    };
    RemittanceFacts {
        extras: vec![extra],
        ..facts()
    }
}

fn collected(status: CollectionStatus) -> Collection {
    Collection {
        status,
        amount: baht("45"),
        ..Collection::default()
    }
}

fn settled(accepted: &str) -> Collection {
    Collection {
        reconciled: Some(Reconciled {
            remittance_id: "GRAB:CFR029:2026-11-23".parse().unwrap(),
            outcome: Variance,
            accepted: baht(accepted),
            variance: Money::ZERO,
        }),
        ..collected(CollectionStatus::Reconciled)
    }
}

fn part(remittance: &str, accepted: &str) -> TakenIn {
    TakenIn {
        remittance_id: remittance.parse().unwrap(),
        accepted: baht(accepted),
    }
}

fn taken_in_by(remittance: &str) -> Collection {
    Collection {
        taken_in: Some(part(remittance, "45")),
        ..Collection::default()
    }
}

#[test]
fn cash_of_which_nobody_heard_may_be_accepted() {
    let remittance = reported();
    for collection in [
        Collection::default(),
        collected(CollectionStatus::Failed),
        settled("0"),
    ] {
        let facts = known("CFR029", collection);
        let accepted = resolve(9, "45", WrittenOff);
        let events = decide_with(&remittance, &accepted, &facts).unwrap();
        let mut remittance = remittance.clone();
        events.iter().for_each(|event| remittance.apply(event));
        assert!(decide_with(&remittance, &RemittanceCommand::Close, &facts).is_ok());
    }
}

#[test]
fn cash_that_somebody_else_accounts_for_is_not_accepted() {
    let remittance = reported();
    for facts in [
        known("CFR030", Collection::default()),
        known("CFR029", collected(CollectionStatus::Collected)),
        known("CFR029", settled("45")),
        known("CFR029", settled("5")),
        known("CFR029", taken_in_by("GRAB:CFR029:2026-11-23")),
    ] {
        let accepted = resolve(9, "45", WrittenOff);
        let refused = refused_with(&remittance, &accepted, &facts);
        assert_eq!(refused, invalid("accepted"));
        // Nothing can always be accepted, and then the remittance can be closed.
        for resolution in [PartnerPays, Agreed] {
            let mut remittance = remittance.clone();
            for command in [resolve(9, "0", resolution), RemittanceCommand::Close] {
                for event in decide_with(&remittance, &command, &facts).unwrap() {
                    remittance.apply(&event);
                }
            }
            assert_eq!(remittance.status, Closed);
        }
    }
    let facts = known("CFR029", settled("5"));
    let rest = resolve(9, "40", Agreed);
    assert!(decide_with(&remittance, &rest, &facts).is_ok());
    let more = resolve(9, "40.01", Agreed);
    assert_eq!(
        refused_with(&remittance, &more, &facts),
        invalid("accepted")
    );
}

#[test]
fn missing_cash_is_accepted_once() {
    let remittance = reported();
    let mut collection = settled("5");
    collection.taken_in = Some(part("GRAB:CFR029:2026-11-22", "30"));
    let facts = known("CFR029", collection.clone());
    let rest = resolve(9, "10", Agreed);
    assert!(decide_with(&remittance, &rest, &facts).is_ok());
    let more = resolve(9, "10.01", Agreed);
    let refused = refused_with(&remittance, &more, &facts);
    assert_eq!(refused, invalid("accepted"));
    let later = part("PMP:CFR029:2026-11-23", "10");
    collection.taken_in_later.push(later);
    let facts = known("CFR029", collection);
    let refused = refused_with(&remittance, &resolve(9, "0.01", Agreed), &facts);
    assert_eq!(refused, invalid("accepted"));
}

#[test]
fn an_order_keeps_a_bounded_number_of_parts() {
    let remittance = reported();
    let mut collection = settled("0");
    let one = part("GRAB:CFR029:2026-11-22", "0.01");
    collection.taken_in = Some(one.clone());
    for (parts, is_accepted) in [(19, true), (20, false)] {
        collection.taken_in_later = vec![one.clone(); parts - 1];
        let facts = known("CFR029", collection.clone());
        let accepted = decide_with(&remittance, &resolve(9, "1", Agreed), &facts);
        assert_eq!(accepted.is_ok(), is_accepted, "{parts} parts");
    }
}

#[test]
fn what_was_heard_of_since_is_resolved_anew() {
    let mut remittance = reported();
    run(&mut remittance, &resolve(9, "45", WrittenOff));
    let facts = known("CFR029", collected(CollectionStatus::Collected));
    let refusal = decide_with(&remittance, &RemittanceCommand::Close, &facts).unwrap_err();
    let problem = &refusal.problems[0];
    assert_eq!(problem.code, Code::ErrInvalidTransition);
    assert!(problem.message.contains(&reference(9)), "{refusal}");
    run(&mut remittance, &resolve(9, "0", Agreed));
    assert!(decide_with(&remittance, &RemittanceCommand::Close, &facts).is_ok());
}
