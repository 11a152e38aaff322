//! Disputes, resolutions, closing.

use super::*;
use Resolution::{Agreed, PartnerPays, WrittenOff};

#[test]
fn nothing_is_settled_before_both_sides_are_there() {
    let [expect, report] = the_day();
    let commands = [
        dispute(1, "why"),
        resolve(1, "393", PartnerPays),
        RemittanceCommand::Close,
    ];
    for remittance in [Remittance::default(), after(&[expect]), after(&[report])] {
        for command in &commands {
            assert_eq!(refused(&remittance, command), impossible());
        }
    }
}

#[test]
fn any_item_can_be_disputed() {
    for number in 1..=3 {
        let mut remittance = after(&the_day());
        let events = run(
            &mut remittance,
            &dispute(number, " the rider says otherwise "),
        );
        let item = remittance.item(&reference(number)).unwrap();
        assert_eq!(item.dispute.as_deref(), Some("the rider says otherwise"));
        assert!(item.is_open());
        assert_eq!(events.len(), 1);
        // Same again: nothing. Another reason: another dispute.
        assert_eq!(
            run(
                &mut remittance,
                &dispute(number, "the rider says otherwise")
            ),
            []
        );
        assert_eq!(run(&mut remittance, &dispute(number, "more")).len(), 1);
    }
    let mut matched = after(&[expect(&[(1, "393")]), report("R-1", &[(1, "393")])]);
    assert_eq!(matched.status, RemittanceStatus::Matched);
    run(&mut matched, &dispute(1, "counted again"));
    assert_eq!((matched.status, matched.summary.open), (Differing, 1));
}

#[test]
fn a_dispute_opens_what_was_resolved() {
    let mut remittance = after(&the_day());
    run(&mut remittance, &dispute(2, "why"));
    run(&mut remittance, &resolve(2, "328", PartnerPays));
    assert_eq!(
        (remittance.summary.open, remittance.summary.accepted),
        (1, baht("721"))
    );
    run(&mut remittance, &dispute(2, "why"));
    assert_eq!(
        (remittance.summary.open, remittance.summary.accepted),
        (2, baht("720.50"))
    );
    assert_eq!(remittance.item(&reference(2)).unwrap().resolved, None);
}

#[test]
fn what_a_dispute_must_say() {
    let remittance = after(&the_day());
    assert_eq!(
        refused(&remittance, &dispute(9, "why")),
        invalid("reference")
    );
    assert_eq!(refused(&remittance, &dispute(1, " ")), invalid("reason"));
    assert_eq!(
        refused(&remittance, &dispute(1, &"x".repeat(501))),
        invalid("reason")
    );
    assert_eq!(
        refused(&remittance, &dispute(9, "")),
        [invalid("reference"), invalid("reason")].concat()
    );
}

#[test]
fn what_each_resolution_accepts() {
    // Item 2: 328 expected, 327.50 reported. Item 3: 89 and none. Item 4: none and 20.
    let [expect, _] = the_day();
    let report = report("R-1", &[(1, "393"), (2, "327.50"), (4, "20")]);
    let remittance = after(&[expect, report]);
    for (number, resolution, right, wrong) in [
        (2, PartnerPays, &["328"][..], &["327.50", "0", "-328"][..]),
        (2, WrittenOff, &["327.50"], &["328", "327.51"]),
        (
            2,
            Agreed,
            &["0", "100", "327.75", "328"],
            &["328.01", "-0.01"],
        ),
        (3, PartnerPays, &["89"], &["0"]),
        (3, WrittenOff, &["0"], &["89"]),
        (3, Agreed, &["0", "44.50", "89"], &["89.01"]),
        (4, PartnerPays, &["0"], &["20"]),
        (4, WrittenOff, &["20"], &["0"]),
        (4, Agreed, &["0", "5", "20"], &["20.01"]),
    ] {
        for accepted in right {
            let mut remittance = remittance.clone();
            run(&mut remittance, &resolve(number, accepted, resolution));
            let item = remittance.item(&reference(number)).unwrap();
            assert_eq!(item.accepted(), baht(accepted));
            assert!(!item.is_open());
            assert_eq!(remittance.summary.open, 2);
        }
        for accepted in wrong {
            let command = resolve(number, accepted, resolution);
            assert_eq!(
                refused(&remittance, &command),
                invalid("accepted"),
                "{command:?}"
            );
        }
    }
}

#[test]
fn what_is_agreed_on_is_cash() {
    let remittance = after(&the_day());
    let command = resolve(2, "327.755", Agreed);
    assert_eq!(refused(&remittance, &command), inaccurate("accepted"));
}

#[test]
fn what_a_resolution_must_say() {
    let remittance = after(&the_day());
    assert_eq!(
        refused(&remittance, &resolve(9, "1", Agreed)),
        invalid("reference")
    );
    // Both sides agree, and nobody disputes it.
    assert_eq!(
        refused(&remittance, &resolve(1, "393", PartnerPays)),
        invalid("reference")
    );
    let RemittanceCommand::Resolve {
        reference,
        accepted,
        resolution,
        ..
    } = resolve(2, "328", PartnerPays)
    else {
        unreachable!()
    };
    let silent = RemittanceCommand::Resolve {
        reference,
        accepted,
        resolution,
        reason: "-".into(),
    };
    assert_eq!(refused(&remittance, &silent), invalid("reason"));
}

#[test]
fn a_disputed_match_is_resolved_like_any_other() {
    let mut remittance = after(&the_day());
    run(&mut remittance, &dispute(1, "counted again"));
    run(&mut remittance, &resolve(1, "390", Agreed));
    assert_eq!(remittance.summary.accepted, baht("717.50"));
    assert_eq!(remittance.summary.open, 2);
    assert_eq!(run(&mut remittance, &resolve(1, "390", Agreed)), []);
    // Second thoughts.
    assert_eq!(run(&mut remittance, &resolve(1, "391", Agreed)).len(), 1);
    assert_eq!(remittance.summary.accepted, baht("718.50"));
}

#[test]
fn closing_settles_every_item() {
    let mut remittance = after(&the_day());
    assert_eq!(
        refused(&remittance, &RemittanceCommand::Close),
        impossible()
    );
    run(&mut remittance, &resolve(2, "327.50", WrittenOff));
    assert_eq!(
        refused(&remittance, &RemittanceCommand::Close),
        impossible()
    );
    run(&mut remittance, &resolve(3, "89", PartnerPays));
    assert_eq!(remittance.status, RemittanceStatus::Matched);
    let events = run(&mut remittance, &RemittanceCommand::Close);
    let [RemittanceEvent::Closed { items, summary }] = &events[..] else {
        panic!("{events:?}");
    };
    let items: Vec<_> = items
        .iter()
        .map(|i| (i.order_id.unwrap(), i.outcome, i.expected, i.accepted))
        .collect();
    assert_eq!(
        items,
        [
            (order(1), Matched, baht("393"), baht("393")),
            (order(2), Variance, baht("328"), baht("327.50")),
            (order(3), Missing, baht("89"), baht("89")),
        ]
    );
    assert_eq!(summary.accepted, baht("809.50"));
    assert_eq!(remittance.owed(), baht("809.50"));
    assert_eq!(remittance.status, Closed);

    assert_eq!(run(&mut remittance, &RemittanceCommand::Close), []);
    for command in [dispute(1, "why"), resolve(2, "328", PartnerPays)] {
        assert_eq!(refused(&remittance, &command), impossible());
    }
}

#[test]
fn a_day_of_nothing_can_be_closed() {
    let mut remittance = after(&[report("R-1", &[]), expect(&[])]);
    assert_eq!(remittance.status, RemittanceStatus::Matched);
    run(&mut remittance, &RemittanceCommand::Close);
    assert_eq!(remittance.owed(), Money::ZERO);
    assert_eq!(refused(&remittance, &receive("1")), invalid("amount"));
}
