//! Placing: bundles that ordinary lines hold without saying so.

use super::{
    bundles::{adds_up, breakfast, figures, flagged, of, offer, outline, priced, sets},
    *,
};
use crate::{
    bundle::{BundleRules, DailyHours, Definition, Offer, tests as defined},
    ids::Sku,
    order::event::BundleSource,
};

/// As [`breakfast`], found in ordinary lines.
fn matching() -> Offer {
    let mut offer = breakfast();
    offer.definition.match_lines = true;
    offer
}

/// A bundle of one `A` and one of another product.
fn pair(id: &str, other: &str, price: &str, priority: i32) -> Offer {
    let price = baht(price);
    let components = vec![
        defined::component("A", 1, "45"),
        defined::component(other, 1, "39"),
    ];
    let definition = Definition {
        sku: Sku::new(id).unwrap(),
        match_lines: true,
        priority,
        ..defined::definition(components, BundleRules::FixedPrice { price })
    };
    offer(id, definition)
}

fn basket() -> Vec<LineInput> {
    vec![
        of(1, "A", "45", "1"),
        of(2, "B", "39", "1"),
        of(3, "C", "25", "1"),
    ]
}

#[track_caller]
fn placed(offers: Vec<Offer>, lines: Vec<LineInput>) -> Placed {
    let placed = nothing().with(offers).when(place(order_of(lines))).placed();
    adds_up(&placed);
    placed
}

/// Nothing is matched: the lines stay as they came.
#[track_caller]
fn ordinary(offers: Vec<Offer>, lines: Vec<LineInput>) {
    let placed = placed(offers, lines);
    assert_eq!(placed.bundles, []);
    assert!(placed.lines.iter().all(|l| l.bundle.is_none()));
}

#[test]
fn lines_that_hold_a_bundle_become_it() {
    let found = placed(vec![matching()], basket());
    assert_eq!(
        outline(&found),
        [
            "1 Ax1 BREAKFAST-1",
            "2 Bx1 BREAKFAST-1",
            "3 Cx1 BREAKFAST-1"
        ]
    );
    assert_eq!(
        figures(&found.lines, |l| l.discount),
        ["8.2568", "7.1560", "4.5872"]
    );
    assert_eq!(found.totals.order_total, baht("89"));
    let bundle = &found.bundles[0];
    assert_eq!((bundle.source, bundle.version), (BundleSource::Matched, 3));
    let submitted = |l: &crate::order::event::Line| l.bundle.as_ref().unwrap().submitted_line;
    assert!(found.lines.iter().all(|l| submitted(l) == l.line_number));
}

#[test]
fn what_is_left_of_a_line_keeps_its_number() {
    let mut lines = basket();
    lines[0].quantity = quantity("5");
    lines[1].quantity = quantity("2");
    lines[2].quantity = quantity("2");
    lines.push(of(4, "X", "10", "1"));
    let found = placed(vec![matching()], lines);
    let expected = [
        "1 Ax3",
        "2 Bx2 BREAKFAST-1",
        "3 Cx2 BREAKFAST-1",
        "4 Xx1",
        "5 Ax2 BREAKFAST-1",
    ];
    assert_eq!(outline(&found), expected);
    let (kept, cut) = (&found.lines[0], &found.lines[4]);
    assert_eq!((kept.gross, cut.gross), (baht("135"), baht("90")));
    assert_eq!(cut.bundle.as_ref().unwrap().submitted_line, 1);
    // 3 x 45 + 2 x 89 + 10.
    assert_eq!(found.totals.order_total, baht("323"));
}

#[test]
fn a_partial_match_is_ordinary_lines() {
    ordinary(vec![matching()], basket().into_iter().take(2).collect());
    let mut pairs = matching();
    pairs.definition.components[0].quantity = quantity("2");
    ordinary(vec![pairs.clone()], basket());
    let mut lines = basket();
    lines[0].quantity = quantity("2");
    assert_eq!(placed(vec![pairs], lines).bundles.len(), 1);
}

#[test]
fn only_definitions_that_say_so_match_and_only_where_they_are_offered() {
    ordinary(vec![breakfast()], basket());
    let mut retired = matching();
    retired.active = false;
    ordinary(vec![retired], basket());
    let mut elsewhere = matching();
    elsewhere.definition.stores = vec![crate::ids::StoreId::new("CFR001").unwrap()];
    ordinary(vec![elsewhere], basket());
    let mut at_night = matching();
    at_night.definition.schedule.hours = Some(DailyHours { from: 1320, to: 60 });
    ordinary(vec![at_night], basket());
}

#[test]
fn only_plain_lines_match() {
    let changes: [fn(&mut LineInput); 6] = [
        |l| l.is_gift = true,
        |l| l.promotion_id = Some("SPRING".into()),
        |l| l.discounts = vec![adjustment("MEMBER", "1")],
        |l| l.original_unit_price = Some(baht("50")),
        |l| l.is_weight_item = true,
        |l| l.is_tax_included = Some(false),
    ];
    for change in changes {
        let mut lines = basket();
        change(&mut lines[1]);
        ordinary(vec![matching()], lines);
    }
    let mut lines = basket();
    lines[1] = LineInput {
        sku: "B".into(),
        ..pack(2, "39", 1, 3)
    };
    ordinary(vec![matching()], lines);
}

#[test]
fn marketplaces_are_priced_already() {
    for (channel, found) in [("GRAB", 0), ("PMP", 0), ("WEB", 1), ("STORE", 1)] {
        let command = PlaceOrder {
            channel: channel.into(),
            ..order_of(basket())
        };
        let placed = nothing()
            .with(vec![matching()])
            .when(place(command))
            .placed();
        assert_eq!(placed.bundles.len(), found, "{channel}");
    }
}

#[test]
fn a_match_that_saves_nothing_is_none() {
    let fixed = |price: &str| {
        let mut offer = priced(BundleRules::FixedPrice { price: baht(price) });
        offer.definition.match_lines = true;
        offer
    };
    ordinary(vec![fixed("109")], basket());
    // The shelf is cheaper than the definition knows.
    let mut cheap = basket();
    cheap[0].unit_price = baht("24.99");
    ordinary(vec![fixed("89")], cheap.clone());
    cheap[0].unit_price = baht("26");
    let found = placed(vec![fixed("89")], cheap);
    let bundle = &found.bundles[0];
    assert_eq!(
        (bundle.individual_price, bundle.price),
        (baht("90"), baht("89"))
    );
    let mut component = matching();
    component.definition.pricing = BundleRules::ComponentDiscount {
        off: vec![baht("40")],
    };
    let mut cheap = basket();
    cheap[0].unit_price = baht("39");
    ordinary(vec![component.clone()], cheap);
    assert_eq!(
        placed(vec![component], basket()).totals.total_discount,
        baht("40")
    );
}

#[test]
fn the_highest_priority_goes_first_and_ties_to_the_smaller_id() {
    let two = || {
        vec![
            of(1, "A", "45", "1"),
            of(2, "B", "39", "1"),
            of(3, "C", "39", "1"),
        ]
    };
    for (offers, expected) in [
        (
            vec![pair("P1", "B", "80", 1), pair("P2", "C", "70", 2)],
            "P2-1",
        ),
        (
            vec![pair("P1", "B", "80", 2), pair("P2", "C", "70", 1)],
            "P1-1",
        ),
        (
            vec![pair("P2", "C", "70", 5), pair("P1", "B", "80", 5)],
            "P1-1",
        ),
    ] {
        let found = placed(offers, two());
        let refs: Vec<&str> = found.bundles.iter().map(|b| b.ref_id.as_str()).collect();
        assert_eq!(refs, [expected]);
    }
    let mut lines = two();
    lines[0].quantity = quantity("3");
    let found = placed(
        vec![pair("P1", "B", "80", 1), pair("P2", "C", "70", 2)],
        lines,
    );
    let expected = [
        "1 Ax1",
        "2 Bx1 P1-1",
        "3 Cx1 P2-1",
        "4 Ax1 P2-1",
        "5 Ax1 P1-1",
    ];
    assert_eq!(outline(&found), expected);
}

#[test]
fn a_line_used_up_by_two_bundles_gives_its_number_to_the_first() {
    let mut lines = basket();
    lines[0].quantity = quantity("2");
    lines[2].unit_price = baht("39");
    let found = placed(
        vec![pair("P1", "B", "80", 1), pair("P2", "C", "70", 2)],
        lines,
    );
    assert_eq!(
        outline(&found),
        ["1 Ax1 P2-1", "2 Bx1 P1-1", "3 Cx1 P2-1", "4 Ax1 P1-1"]
    );
}

#[test]
fn at_most_ten_of_one_bundle_named_ones_included() {
    let mut lines = basket();
    for line in &mut lines {
        line.quantity = quantity("12");
    }
    let found = placed(vec![matching()], lines.clone());
    assert_eq!(found.bundles[0].quantity, 10);
    assert_eq!(found.lines.iter().filter(|l| l.bundle.is_none()).count(), 3);
    lines.push(sets(4, "BREAKFAST-1", "7"));
    let found = placed(vec![matching()], lines);
    let counts: Vec<_> = found
        .bundles
        .iter()
        .map(|b| (b.ref_id.as_str(), b.quantity))
        .collect();
    assert_eq!(counts, [("BREAKFAST-1", 7), ("BREAKFAST-2", 3)]);
}

#[test]
fn a_component_may_come_from_several_lines() {
    let mut pairs = matching();
    pairs.definition.components[0].quantity = quantity("2");
    let mut lines = basket();
    lines[0].quantity = quantity("3");
    lines[1].quantity = quantity("2");
    lines[2].quantity = quantity("2");
    lines.push(of(4, "A", "35", "1"));
    let found = placed(vec![pairs.clone()], lines.clone());
    // One bundle with two of the dear, and one with one of each.
    let expected = [
        "1 Ax2 BREAKFAST-1",
        "2 Bx1 BREAKFAST-1",
        "3 Cx1 BREAKFAST-1",
        "4 Ax1 BREAKFAST-2",
        "5 Ax1 BREAKFAST-2",
        "6 Bx1 BREAKFAST-2",
        "7 Cx1 BREAKFAST-2",
    ];
    assert_eq!(outline(&found), expected);
    let individual: Vec<_> = found.bundles.iter().map(|b| b.individual_price).collect();
    assert_eq!(individual, [baht("154"), baht("144")]);
    assert_eq!(found.totals.order_total, baht("178"));
    // Off the component, shared by value over its lines.
    pairs.definition.pricing = BundleRules::ComponentDiscount {
        off: vec![baht("8")],
    };
    let found = placed(vec![pairs], lines);
    let of_a: Vec<_> = found
        .lines
        .iter()
        .filter(|l| l.sku.as_str() == "A")
        .collect();
    let off: Vec<String> = of_a.iter().map(|l| l.discount.to_string()).collect();
    assert_eq!(off, ["8.0000", "3.5000", "4.5000"]);
}

#[test]
fn a_match_that_would_need_too_many_lines_is_none() {
    let mut lines = basket();
    for line in &mut lines {
        line.quantity = quantity("3");
    }
    lines[2].line_number = 65_534;
    ordinary(vec![matching()], lines.clone());
    lines[2].line_number = 65_532;
    assert_eq!(placed(vec![matching()], lines).bundles[0].quantity, 3);
}

#[test]
fn named_lines_are_never_matched() {
    let mut named = matching();
    named.id = BundleId::new("NAMED").unwrap();
    named.definition.match_lines = false;
    let mut lines = basket();
    for line in &mut lines {
        *line = flagged("B1", line.clone());
        line.bundle.as_mut().unwrap().bundle_id = "NAMED".into();
    }
    let found = placed(vec![matching(), named], lines);
    assert_eq!(found.bundles.len(), 1);
    assert_eq!(found.bundles[0].source, BundleSource::Listed);
}

#[test]
fn the_total_a_caller_expects_is_the_one_with_the_bundle() {
    let order = |total: &str| PlaceOrder {
        expected_total: Some(baht(total)),
        ..order_of(basket())
    };
    let given = nothing().with(vec![matching()]);
    given.when(place(order("89"))).placed();
    given
        .when(place(order("109")))
        .is_refused(&[(Code::ErrTotalMismatch, "expectedTotal")]);
}
