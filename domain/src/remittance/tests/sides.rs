//! What is expected, and what is reported.

use super::*;

fn types(events: &[RemittanceEvent]) -> Vec<&str> {
    use crate::entity::Event;
    events.iter().map(Event::event_type).collect()
}

#[test]
fn either_side_comes_first_and_the_second_compares() {
    let [expect, report] = the_day();
    let mut remittance = Remittance::default();
    assert!(!remittance.exists());
    assert_eq!(
        types(&run(&mut remittance, &expect)),
        ["remittance.expected"]
    );
    assert_eq!(
        (remittance.status, remittance.is_compared()),
        (Awaiting, false)
    );
    assert_eq!(
        types(&run(&mut remittance, &report)),
        ["remittance.reported", "remittance.compared"]
    );
    assert_eq!(
        (remittance.status, remittance.is_compared()),
        (Differing, true)
    );

    let mut remittance = Remittance::default();
    assert_eq!(
        types(&run(&mut remittance, &report)),
        ["remittance.reported"]
    );
    assert_eq!(
        (remittance.status, remittance.is_compared()),
        (Awaiting, false)
    );
    assert!(remittance.exists());
    assert_eq!(remittance.store_id().unwrap().as_str(), "CFR029");
    assert_eq!(remittance.region(), Some(&region()));
    assert_eq!(
        types(&run(&mut remittance, &expect)),
        ["remittance.expected", "remittance.compared"]
    );
}

#[test]
fn repeats_change_nothing() {
    let [expect, report] = the_day();
    let mut remittance = after(&[expect.clone(), report.clone()]);
    assert_eq!(run(&mut remittance, &expect), []);
    assert_eq!(run(&mut remittance, &super::expect(&[(2, "328")])), []);
    assert_eq!(run(&mut remittance, &super::expect(&[])), []);
    // The same report again, whatever the order of its items.
    assert_eq!(run(&mut remittance, &report), []);
    let turned = super::report(" R-1 ", &[(2, "327.50"), (1, "393")]);
    assert_eq!(run(&mut remittance, &turned), []);
}

#[test]
fn a_report_is_of_a_day_that_is_neither_to_come_nor_long_over() {
    let on = |day: &str| {
        let facts = RemittanceFacts {
            id: format!("GRAB:CFR029:{day}").parse().unwrap(),
            ..facts()
        };
        let none = Remittance::default();
        decide_with(&none, &report("R-1", &[(1, "393")]), &facts).map(|events| events.len())
    };
    for day in ["2026-11-24", "2026-11-23", "2025-10-20"] {
        assert_eq!(on(day), Ok(1), "{day}");
    }
    for day in ["2026-11-25", "9999-12-31", "2025-10-19", "0001-01-01"] {
        let refusal = on(day).unwrap_err();
        assert_eq!(refusal.problems[0].path, "businessDay", "{day}");
        assert_eq!(refusal.problems.len(), 1);
    }
    // In Bangkok the day begins at 17:00 UTC of the day before.
    let facts = RemittanceFacts {
        id: "GRAB:CFR029:2026-11-25".parse().unwrap(),
        now: "2026-11-24T17:00:00Z".parse().unwrap(),
        ..facts()
    };
    let none = Remittance::default();
    assert!(decide_with(&none, &report("R-1", &[]), &facts).is_ok());
}

#[test]
fn a_known_id_never_stands_for_another_report() {
    let [expect, report] = the_day();
    let mut remittance = after(&[expect, report]);
    run(&mut remittance, &super::report("R-2", &[(1, "393")]));
    let others: [&[(u128, &str)]; 5] = [
        &[],
        &[(1, "393")],
        &[(1, "393"), (2, "327.49")],
        &[(1, "393"), (2, "327.50"), (3, "89")],
        &[(1, "393"), (2, "327.50"), (2, "327.50")],
    ];
    for items in others {
        let other = super::report("R-1", items);
        assert_eq!(refused(&remittance, &other), invalid("reportId"));
    }
    // Each report is known by its own content, before and after the closing.
    let first = || super::report("R-1", &[(1, "393"), (2, "327.50")]);
    assert_eq!(run(&mut remittance, &first()), []);
    let RemittanceCommand::Report {
        report_id, items, ..
    } = first()
    else {
        unreachable!()
    };
    let total = Some(baht("1"));
    let summed = RemittanceCommand::Report {
        report_id,
        items,
        total,
    };
    assert_eq!(refused(&remittance, &summed), inaccurate("total"));
    for (number, accepted) in [(2, "0"), (3, "0")] {
        run(
            &mut remittance,
            &resolve(number, accepted, Resolution::WrittenOff),
        );
    }
    run(&mut remittance, &RemittanceCommand::Close);
    assert_eq!(remittance.status, Closed);
    assert_eq!(run(&mut remittance, &first()), []);
    assert_eq!(
        refused(&remittance, &super::report("R-1", &[])),
        invalid("reportId")
    );
}

#[test]
fn later_items_join_and_corrected_ones_replace() {
    let mut remittance = after(&the_day());
    let events = run(
        &mut remittance,
        &expect(&[(1, "393"), (2, "327.50"), (4, "45")]),
    );
    let RemittanceEvent::Expected { items, .. } = &events[0] else {
        panic!("{events:?}");
    };
    assert_eq!(items, &[expected(2, "327.50"), expected(4, "45")]);
    assert_eq!(
        outcomes(&remittance),
        [
            row(Matched, "393.00", "393.00", "0.00"),
            row(Matched, "327.50", "327.50", "0.00"),
            row(Missing, "89.00", "0.00", "-89.00"),
            row(Missing, "45.00", "0.00", "-45.00"),
        ]
    );
    assert_eq!(remittance.expected.len(), 4);
    // Named twice in one command: the last counts.
    run(&mut remittance, &expect(&[(5, "1"), (5, "2")]));
    assert_eq!(remittance.expected[4], expected(5, "2"));
    assert_eq!(remittance.expected.len(), 5);
}

#[test]
fn nothing_expected_opens_what_was_reported_only() {
    let mut remittance = Remittance::default();
    assert_eq!(run(&mut remittance, &expect(&[])), []);
    run(&mut remittance, &report("R-1", &[(1, "20")]));
    run(&mut remittance, &expect(&[]));
    assert_eq!(
        outcomes(&remittance),
        [row(Extra, "0.00", "20.00", "20.00")]
    );
}

#[test]
fn a_report_of_nothing_makes_everything_missing() {
    let [expect, _] = the_day();
    let remittance = after(&[expect, report("R-1", &[])]);
    let missing: Vec<ItemOutcome> = remittance.comparisons.iter().map(|i| i.outcome).collect();
    assert_eq!(missing, [Missing, Missing, Missing]);
    assert_eq!(remittance.summary.open, 3);
    assert_eq!(remittance.summary.variance, baht("-810"));
}

#[test]
fn a_later_report_replaces_and_unchanged_items_keep_what_was_said() {
    let mut remittance = after(&the_day());
    run(&mut remittance, &dispute(1, "the rider says 390"));
    run(
        &mut remittance,
        &resolve(2, "327.50", Resolution::WrittenOff),
    );
    run(&mut remittance, &resolve(3, "89", Resolution::PartnerPays));
    run(
        &mut remittance,
        &report("R-2", &[(1, "393"), (2, "327.50"), (3, "80")]),
    );
    let said: Vec<_> = remittance
        .comparisons
        .iter()
        .map(|item| (item.dispute.is_some(), item.resolved.is_some()))
        .collect();
    assert_eq!(said, [(true, false), (false, true), (false, false)]);
    // 393 as reported, 327.50 as resolved, 80 as reported.
    assert_eq!(remittance.summary.accepted, baht("800.50"));
    assert_eq!(remittance.summary.open, 2);
    run(&mut remittance, &resolve(3, "89", Resolution::PartnerPays));
    assert_eq!(remittance.summary.accepted, baht("809.50"));
    // A corrected amount is another item as well, even where the two sides agree on it then.
    run(&mut remittance, &expect(&[(3, "80")]));
    assert_eq!(remittance.comparisons[2].outcome, Matched);
    assert_eq!(remittance.comparisons[2].resolved, None);
    assert_eq!(remittance.summary.accepted, baht("800.50"));
}

#[test]
fn a_reports_own_total_must_be_that_of_its_items() {
    let with_total = |total: &str| {
        let RemittanceCommand::Report {
            report_id, items, ..
        } = report("R-1", &[(1, "393"), (2, "327.50")])
        else {
            unreachable!()
        };
        RemittanceCommand::Report {
            report_id,
            items,
            total: Some(baht(total)),
        }
    };
    let remittance = Remittance::default();
    for total in ["720.50", "720.51", "720.49"] {
        assert!(decide(&remittance, &with_total(total)).is_ok(), "{total}");
    }
    for total in ["720.5101", "720.4899", "0", "-720.50"] {
        assert_eq!(
            refused(&remittance, &with_total(total)),
            inaccurate("total"),
            "{total}"
        );
    }
}

#[test]
fn what_a_report_must_not_hold() {
    let none = Remittance::default();
    let item = |reference: &str, amount| ReportedItemInput {
        reference: reference.into(),
        amount: baht(amount),
    };
    let of = |items: Vec<ReportedItemInput>| RemittanceCommand::Report {
        report_id: "R-1".into(),
        items,
        total: None,
    };
    for (items, path) in [
        (vec![item("A", "-0.01")], "items[0].amount"),
        (vec![item("A", "1000000000.01")], "items[0].amount"),
        (vec![item(" ", "1")], "items[0].reference"),
        (vec![item(&"x".repeat(51), "1")], "items[0].reference"),
        (vec![item("A", "1"), item(" A ", "1")], "items[1].reference"),
    ] {
        assert_eq!(refused(&none, &of(items)), invalid(path));
    }
    assert_eq!(
        refused(&none, &of(vec![item("A", "1.005")])),
        inaccurate("items[0].amount")
    );
    let most = vec![item("A", "1000000000"), item("B", "0")];
    assert!(decide(&none, &of(most)).is_ok());
    for (id, path) in [("", "reportId"), ("x".repeat(51).as_str(), "reportId")] {
        assert_eq!(refused(&none, &report(id, &[])), invalid(path));
    }
    // One order under two names.
    let facts = RemittanceFacts {
        orders: vec![("A".into(), order(1)), ("B".into(), order(1))],
        ..facts()
    };
    let twice = of(vec![item("A", "1"), item("B", "1")]);
    assert_eq!(
        refused_with(&none, &twice, &facts),
        invalid("items[1].reference")
    );
}

#[test]
fn every_problem_at_once_up_to_a_bound() {
    let bad = ReportedItemInput {
        reference: String::new(),
        amount: baht("-1"),
    };
    let command = RemittanceCommand::Report {
        report_id: String::new(),
        items: vec![bad; MAX_ITEMS],
        total: None,
    };
    let problems = refused(&Remittance::default(), &command);
    assert!((20..25).contains(&problems.len()), "{}", problems.len());
    assert_eq!(problems[0].1, "reportId");
}

#[test]
fn a_report_needs_a_store_that_somebody_knows() {
    let unknown = RemittanceFacts {
        region: None,
        ..facts()
    };
    let command = report("R-1", &[(1, "393")]);
    assert_eq!(
        refused_with(&Remittance::default(), &command, &unknown),
        [(Code::ErrInvalidLocation, "storeId".to_owned())]
    );
    // The expected items brought the region.
    let opened = after(&[expect(&[(1, "393")])]);
    assert!(decide_with(&opened, &command, &unknown).is_ok());
}

#[test]
fn the_first_region_stays() {
    let mut remittance = after(&[report("R-1", &[(1, "393")])]);
    let RemittanceCommand::Expect { items, .. } = expect(&[(1, "393")]) else {
        unreachable!()
    };
    let region = RegionId::new("BKK-WEST").unwrap();
    run(
        &mut remittance,
        &RemittanceCommand::Expect { region, items },
    );
    assert_eq!(remittance.region(), Some(&super::region()));
}

#[test]
fn what_must_not_be_expected() {
    let none = Remittance::default();
    for amount in ["0", "-1", "1000000000.01"] {
        assert_eq!(
            refused(&none, &expect(&[(1, "1"), (2, amount)])),
            invalid("items[1].amount")
        );
    }
    let region = region();
    let with = |change: fn(&mut ExpectedItem)| {
        let mut items = vec![expected(1, "1"), expected(2, "2")];
        change(&mut items[1]);
        let region = region.clone();
        RemittanceCommand::Expect { region, items }
    };
    for (change, path) in [
        (
            (|item| item.reference = String::new()) as fn(&mut ExpectedItem),
            "items[1].reference",
        ),
        (|item| item.reference = reference(1), "items[1].reference"),
        (
            |item| item.rider_id = Some("x".repeat(51)),
            "items[1].riderId",
        ),
    ] {
        assert_eq!(refused(&none, &with(change)), invalid(path));
    }
    assert!(decide(&none, &with(|item| item.rider_id = None)).is_ok());
    let known = after(&[expect(&[(1, "1")])]);
    let clash = with(|item| item.reference = reference(1));
    assert_eq!(refused(&known, &clash), invalid("items[1].reference"));
}

#[test]
fn both_sides_are_bounded() {
    let numbers = |count: usize| (1..=count as u128).map(|number| (number, "1"));
    let most: Vec<_> = numbers(MAX_ITEMS).collect();
    let more: Vec<_> = numbers(MAX_ITEMS + 1).collect();
    let remittance = after(&[expect(&most), report("R-1", &most)]);
    assert_eq!(remittance.summary.matched, 1_000);
    assert_eq!(
        refused(&remittance, &expect(&[(2_000, "1")])),
        invalid("items")
    );
    // A correction is no further item.
    assert!(decide(&remittance, &expect(&[(1, "2")])).is_ok());
    assert_eq!(
        refused(&Remittance::default(), &expect(&more)),
        invalid("items")
    );
    assert_eq!(
        refused(&Remittance::default(), &report("R-1", &more)),
        invalid("items")
    );
    let mut remittance = Remittance::default();
    for number in 0..100 {
        run(&mut remittance, &report(&format!("R-{number}"), &[]));
    }
    assert_eq!(refused(&remittance, &report("R-100", &[])), impossible());
    assert_eq!(run(&mut remittance, &report("R-99", &[])), []);
}

#[test]
fn a_closed_remittance_takes_neither_side() {
    let [expect, _] = the_day();
    let matching = report("R-1", &[(1, "393"), (2, "328"), (3, "89")]);
    let mut remittance = after(&[expect.clone(), matching.clone(), RemittanceCommand::Close]);
    assert_eq!(remittance.status, Closed);
    for command in [
        super::expect(&[(4, "45")]),
        super::expect(&[(1, "394")]),
        report("R-2", &[]),
    ] {
        assert_eq!(refused(&remittance, &command), impossible());
    }
    // Repeats are harmless even then.
    for command in [expect, super::expect(&[]), matching] {
        assert_eq!(run(&mut remittance, &command), []);
    }
}
