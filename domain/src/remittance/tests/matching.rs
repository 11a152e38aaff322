//! How the two sides compare.

use super::*;

#[test]
fn the_documented_day() {
    for commands in [the_day(), {
        let [a, b] = the_day();
        [b, a]
    }] {
        let remittance = after(&commands);
        assert_eq!(
            outcomes(&remittance),
            [
                row(Matched, "393.00", "393.00", "0.00"),
                row(Variance, "328.00", "327.50", "-0.50"),
                row(Missing, "89.00", "0.00", "-89.00"),
            ]
        );
        assert_eq!(
            remittance.summary,
            Summary {
                expected: baht("810"),
                reported: baht("720.50"),
                variance: baht("-89.50"),
                accepted: baht("720.50"),
                matched: 1,
                differing: 1,
                missing: 1,
                extra: 0,
                open: 2,
            }
        );
        assert_eq!(remittance.status, Differing);
    }
}

#[test]
fn a_satang_is_forgiven_and_kept() {
    for (reported, outcome, variance) in [
        ("393", Matched, "0.00"),
        ("393.01", Matched, "0.01"),
        ("392.99", Matched, "-0.01"),
        ("393.02", Variance, "0.02"),
        ("392.98", Variance, "-0.02"),
        ("0", Variance, "-393.00"),
    ] {
        let remittance = after(&[expect(&[(1, "393")]), report("R-1", &[(1, reported)])]);
        let item = &outcomes(&remittance)[0];
        assert_eq!((item.0, item.3.as_str()), (outcome, variance), "{reported}");
        assert_eq!(remittance.summary.accepted, baht(reported));
    }
    // Of amounts that are not whole satang, the tolerance is exact as well.
    for (expected, outcome) in [("392.9900", Matched), ("392.9899", Variance)] {
        let remittance = after(&[expect(&[(1, expected)]), report("R-1", &[(1, "393")])]);
        assert_eq!(outcomes(&remittance)[0].0, outcome, "{expected}");
    }
}

#[test]
fn all_four_outcomes_in_the_order_of_the_references() {
    let remittance = after(&[
        expect(&[(4, "40"), (2, "20"), (3, "30")]),
        report("R-1", &[(5, "50"), (3, "29"), (1, "10"), (2, "20")]),
    ]);
    assert_eq!(
        outcomes(&remittance),
        [
            row(Extra, "0.00", "10.00", "10.00"),
            row(Matched, "20.00", "20.00", "0.00"),
            row(Variance, "30.00", "29.00", "-1.00"),
            row(Missing, "40.00", "0.00", "-40.00"),
            row(Extra, "0.00", "50.00", "50.00"),
        ]
    );
    let extra = &remittance.comparisons[0];
    assert_eq!((extra.order_id, extra.rider_id.as_ref()), (None, None));
    let Summary {
        matched,
        differing,
        missing,
        extra,
        open,
        ..
    } = remittance.summary;
    assert_eq!((matched, differing, missing, extra, open), (1, 1, 1, 2, 4));
}

#[test]
fn a_partner_may_name_orders_by_ids_of_its_own() {
    let facts = RemittanceFacts {
        orders: vec![("GF-77".into(), order(1)), ("GF-99".into(), order(9))],
        ..facts()
    };
    let item = |reference: &str, amount| ReportedItemInput {
        reference: reference.into(),
        amount: baht(amount),
    };
    let report = RemittanceCommand::Report {
        report_id: "R-1".into(),
        items: vec![
            item(" GF-77 ", "393"),
            item("GF-99", "10"),
            item("GF-00", "5"),
        ],
        total: None,
    };
    let mut remittance = after(&[]);
    for event in decide_with(&remittance, &report, &facts).unwrap() {
        remittance.apply(&event);
    }
    // The order was known when the report came: it is not asked for again.
    run(&mut remittance, &expect(&[(1, "393")]));
    let items: Vec<_> = remittance
        .comparisons
        .iter()
        .map(|item| (item.reference.as_str(), item.outcome, item.order_id))
        .collect();
    assert_eq!(
        items,
        [
            ("GF-00", Extra, None),
            ("GF-99", Extra, Some(order(9))),
            (reference(1).as_str(), Matched, Some(order(1))),
        ]
    );
}

#[test]
fn an_item_is_claimed_once() {
    // Nobody knew the number when the report came, but the partner's own id.
    let facts = RemittanceFacts {
        orders: vec![("GF-77".into(), order(1))],
        ..facts()
    };
    let item = |reference: String, amount| ReportedItemInput {
        reference,
        amount: baht(amount),
    };
    let items = vec![item("GF-77".into(), "100"), item(reference(1), "293")];
    let report = RemittanceCommand::Report {
        report_id: "R-1".into(),
        items,
        total: None,
    };
    let mut remittance = after(&[expect(&[(1, "393")])]);
    for event in decide_with(&remittance, &report, &facts).unwrap() {
        remittance.apply(&event);
    }
    assert_eq!(
        outcomes(&remittance),
        [
            row(Extra, "0.00", "100.00", "100.00"),
            row(Variance, "393.00", "293.00", "-100.00"),
        ]
    );
}

#[test]
fn sub_totals_of_the_riders() {
    let [expect, report] = the_day();
    let mut remittance = after(&[expect, report]);
    run(
        &mut remittance,
        &super::report("R-2", &[(1, "393"), (2, "327.50"), (8, "20")]),
    );
    run(&mut remittance, &resolve(3, "89", Resolution::PartnerPays));
    let total = |rider_id: Option<&str>, items, open, amounts: [&str; 4]| {
        let [expected, reported, variance, accepted] = amounts.map(baht);
        RiderTotal {
            rider_id: rider_id.map(Into::into),
            items,
            open,
            expected,
            reported,
            variance,
            accepted,
        }
    };
    assert_eq!(
        by_rider(&remittance.comparisons),
        [
            total(None, 1, 1, ["0", "20", "20", "20"]),
            total(Some("RIDER-0"), 1, 1, ["328", "327.50", "-0.50", "327.50"]),
            total(Some("RIDER-1"), 2, 0, ["482", "393", "-89", "482"]),
        ]
    );
    assert_eq!(by_rider(&[]), []);
}

#[test]
fn what_was_said_holds_for_the_same_item_only() {
    // Which order the partner's own id names, what is expected of order 1, what is reported of it.
    let sides = |own: Option<u128>, amount: &str, reported: Option<&str>| {
        let orders = own.map(|number| ("GF-77".to_owned(), order(number)));
        let facts = RemittanceFacts {
            orders: orders.into_iter().collect(),
            ..facts()
        };
        let item = |reference: String, amount: &str| ReportedItemInput {
            reference,
            amount: baht(amount),
        };
        let mut items = vec![item("GF-77".into(), "10")];
        items.extend(reported.map(|amount| item(reference(1), amount)));
        (facts, expect(&[(1, amount)]), items)
    };
    let before = (Some(7), "393", Some("300"));
    for (after, kept) in [
        (before, [true, true]),
        ((Some(8), "393", Some("300")), [false, true]),
        ((None, "393", Some("300")), [false, true]),
        ((Some(7), "394", Some("300")), [true, false]),
        ((Some(7), "393", Some("301")), [true, false]),
        ((Some(7), "393", Some("393")), [true, false]),
        ((Some(7), "393", None), [true, false]),
    ] {
        let mut remittance = Remittance::default();
        for (report_id, (own, amount, reported)) in [("R-1", before), ("R-2", after)] {
            let (facts, expect, items) = sides(own, amount, reported);
            let report = RemittanceCommand::Report {
                report_id: report_id.into(),
                items,
                total: None,
            };
            for command in [expect, report] {
                for event in decide_with(&remittance, &command, &facts).unwrap() {
                    remittance.apply(&event);
                }
            }
            if report_id == "R-1" {
                for reference in ["GF-77".to_owned(), reference(1)] {
                    let reason = "why".to_owned();
                    let command = RemittanceCommand::Dispute { reference, reason };
                    run(&mut remittance, &command);
                }
            }
        }
        let disputed = remittance.comparisons.iter().map(|i| i.dispute.is_some());
        assert_eq!(disputed.collect::<Vec<_>>(), kept, "{after:?}");
    }
}

#[test]
fn nothing_reported_is_not_the_same_as_a_report_of_nothing() {
    let mut remittance = after(&[expect(&[(1, "393")]), report("R-1", &[])]);
    run(&mut remittance, &dispute(1, "why"));
    run(&mut remittance, &report("R-2", &[(1, "0")]));
    assert_eq!(
        outcomes(&remittance),
        [row(Variance, "393.00", "0.00", "-393.00")]
    );
    assert_eq!(remittance.comparisons[0].dispute, None);
}
