//! Placing: bundles that lines name, and what they cost.

use super::*;
use crate::{
    bundle::{BundleId, BundleRules, Definition, Offer, ReturnPolicy, tests as defined},
    money::{Rate, SCALE},
    order::{
        command::BundleInput,
        event::{BundleSource, Line, OrderedBundle},
    },
};

/// Version 3 of it, offered.
pub(super) fn offer(id: &str, definition: Definition) -> Offer {
    Offer {
        id: BundleId::new(id).unwrap(),
        version: 3,
        active: true,
        definition,
    }
}

/// The bundle that V4 sells: `SET` for 89, of `A` 45, `B` 39 and `C` 25.
pub(super) fn breakfast() -> Offer {
    offer("BREAKFAST", defined::breakfast())
}

/// As [`breakfast`], at another price.
pub(super) fn priced(pricing: BundleRules) -> Offer {
    let mut offer = breakfast();
    offer.definition.pricing = pricing;
    offer
}

/// An ordinary line.
pub(super) fn of(line_number: i32, sku: &str, unit_price: &str, pieces: &str) -> LineInput {
    LineInput {
        sku: sku.into(),
        ..line(line_number, unit_price, pieces)
    }
}

/// A line of the bundle `BREAKFAST`.
pub(super) fn flagged(ref_id: &str, line: LineInput) -> LineInput {
    let bundle = BundleInput {
        bundle_id: "BREAKFAST".into(),
        ref_id: ref_id.into(),
    };
    LineInput {
        bundle: Some(bundle),
        ..line
    }
}

/// So many of it in one line, at the bundle's price.
pub(super) fn sets(line_number: i32, ref_id: &str, count: &str) -> LineInput {
    flagged(ref_id, of(line_number, "SET", "89", count))
}

/// So many of it, one line for each component.
pub(super) fn listed(ref_id: &str, count: &str) -> Vec<LineInput> {
    [(1, "A", "45"), (2, "B", "39"), (3, "C", "25")]
        .map(|(n, sku, price)| flagged(ref_id, of(n, sku, price, count)))
        .to_vec()
}

pub(super) fn placed_with(offer: Offer, command: PlaceOrder) -> Placed {
    nothing().with(vec![offer]).when(place(command)).placed()
}

pub(super) fn figures(lines: &[Line], figure: fn(&Line) -> Money) -> Vec<String> {
    lines.iter().map(|l| figure(l).to_string()).collect()
}

/// Line number, SKU and quantity of each line.
pub(super) fn outline(placed: &Placed) -> Vec<String> {
    let lines = placed.lines.iter();
    lines
        .map(|l| {
            let mark = l.bundle.as_ref().map_or("", |b| b.ref_id.as_str());
            let pieces = l.quantity.units() / SCALE;
            format!("{} {}x{pieces} {mark}", l.line_number, l.sku)
                .trim_end()
                .to_owned()
        })
        .collect()
}

/// The lines of a bundle carry exactly what it saves, and nothing else.
#[track_caller]
pub(super) fn adds_up(placed: &Placed) {
    for bundle in &placed.bundles {
        let own = || {
            let is_own = |l: &&Line| l.bundle.as_ref().is_some_and(|b| b.ref_id == bundle.ref_id);
            placed.lines.iter().filter(is_own)
        };
        let saved: i64 = own().map(|l| l.discount.units()).sum();
        assert_eq!(saved, bundle.savings.units());
        let one = bundle.individual_price.units() - bundle.price.units();
        assert_eq!(saved, one * i64::from(bundle.quantity));
        assert_eq!(own().count(), usize::from(bundle.components));
        for line in own() {
            let part = line.bundle.as_ref().unwrap();
            let pieces = part.per_bundle.units() * i64::from(bundle.quantity);
            assert_eq!(pieces, line.quantity.units());
            let kinds: Vec<&str> = line.discounts.iter().map(|d| d.kind.as_str()).collect();
            let expected: &[&str] = if line.discount.is_zero() {
                &[]
            } else {
                &["BUNDLE"]
            };
            assert_eq!(kinds, expected);
        }
    }
}

#[test]
fn v4_one_bundle_however_it_is_named() {
    let whole = vec![sets(1, "B1", "1")];
    for (lines, source, numbers) in [
        (whole, BundleSource::Expanded, [2, 3, 4]),
        (listed("B1", "1"), BundleSource::Listed, [1, 2, 3]),
    ] {
        let placed = placed_with(breakfast(), order_of(lines));
        let lines = &placed.lines;
        assert_eq!(
            figures(lines, |l| l.discount),
            ["8.2568", "7.1560", "4.5872"]
        );
        assert_eq!(figures(lines, |l| l.net), ["36.7432", "31.8440", "20.4128"]);
        assert_eq!(
            figures(lines, |l| l.tax_contained),
            ["2.4038", "2.0833", "1.3354"]
        );
        let totals = placed.totals;
        assert_eq!(totals.informational_taxes, baht("5.8225"));
        assert_eq!(
            (totals.order_total, totals.total_discount),
            (baht("89"), baht("20"))
        );
        let got: Vec<u16> = lines.iter().map(|l| l.line_number).collect();
        assert_eq!(got, numbers);
        assert_eq!(placed.bundles[0].source, source);
        adds_up(&placed);
    }
}

#[test]
fn v4_two_bundles() {
    for lines in [vec![sets(1, "B1", "2")], listed("B1", "2")] {
        let placed = placed_with(breakfast(), order_of(lines));
        let discounts = figures(&placed.lines, |l| l.discount);
        assert_eq!(discounts, ["16.5138", "14.3119", "9.1743"]);
        assert_eq!(placed.totals.order_total, baht("178"));
        assert_eq!(placed.bundles[0].quantity, 2);
        adds_up(&placed);
    }
}

#[test]
fn v5_the_residual_goes_to_the_lowest_line_number() {
    let components = ["A", "B", "C"].map(|sku| defined::component(sku, 1, "30"));
    let price = baht("80");
    let pricing = BundleRules::FixedPrice { price };
    let thirties = || {
        offer(
            "BREAKFAST",
            defined::definition(components.to_vec(), pricing.clone()),
        )
    };
    let whole = vec![flagged("B1", of(1, "SET", "80", "1"))];
    // Listed against the definition's order: the lowest number is still the first.
    let backwards = [(1, "C"), (2, "A"), (3, "B")];
    let listed = backwards.map(|(n, sku)| flagged("B1", of(n, sku, "30", "1")));
    for lines in [whole, listed.to_vec()] {
        let placed = placed_with(thirties(), order_of(lines));
        let discounts = figures(&placed.lines, |l| l.discount);
        assert_eq!(discounts, ["3.3334", "3.3333", "3.3333"]);
        assert_eq!(placed.totals.order_total, baht("80"));
    }
}

#[test]
fn v9_a_bundle_pieces_weighed_goods_and_shipping() {
    let command = PlaceOrder {
        fees: vec![adjustment("SHIPPING", "40")],
        expected_total: Some(baht("324.92")),
        ..order_of(vec![
            sets(1, "B1", "1"),
            of(2, "NOODLES", "28.50", "2"),
            weighed(3, "189", "0.735"),
        ])
    };
    let placed = placed_with(breakfast(), command);
    let totals = placed.totals;
    assert_eq!(totals.sub_total, baht("284.9150"));
    assert_eq!(totals.total_charge, baht("324.9150"));
    assert_eq!(totals.order_total, baht("324.9150"));
    assert_eq!(totals.cash_due, baht("324.92"));
    assert_eq!(totals.total_discount, baht("20"));
    assert_eq!(totals.informational_taxes, baht("21.2562"));
    let expected = [
        "2 NOODLESx2",
        "3 8850000000003x0",
        "4 Ax1 B1",
        "5 Bx1 B1",
        "6 Cx1 B1",
    ];
    assert_eq!(outline(&placed), expected);
}

#[test]
fn the_snapshot_says_how_it_was_sold() {
    let mut set = breakfast();
    set.definition.returns = ReturnPolicy::Components;
    set.definition.components[1].substitutable = true;
    set.definition.components[1].max_rise = Some(Rate::from_units(1_000));
    set.definition.components[2].tax_rate = Some(Rate::ZERO);
    let placed = placed_with(set, order_of(vec![sets(7, " B1 ", "2")]));
    let expected = OrderedBundle {
        ref_id: "B1".into(),
        bundle_id: BundleId::new("BREAKFAST").unwrap(),
        version: 3,
        source: BundleSource::Expanded,
        kind: BundleKind::MealDeal,
        name_th: None,
        name_en: Some("Set".into()),
        quantity: 2,
        price: baht("89"),
        individual_price: baht("109"),
        savings: baht("40"),
        returns: ReturnPolicy::Components,
        components: 3,
    };
    assert_eq!(placed.bundles, [expected]);
    let parts: Vec<_> = placed
        .lines
        .iter()
        .map(|l| l.bundle.clone().unwrap())
        .collect();
    assert!(
        parts
            .iter()
            .all(|p| p.submitted_line == 7 && p.per_bundle == quantity("1"))
    );
    let may_rise: Vec<_> = parts
        .iter()
        .map(|p| (p.substitutable, p.max_rise.units()))
        .collect();
    assert_eq!(may_rise, [(false, 2_000), (true, 1_000), (false, 2_000)]);
    let rates: Vec<i64> = placed.lines.iter().map(|l| l.tax_rate.units()).collect();
    assert_eq!(rates, [700, 700, 0]);
    let names: Vec<_> = placed
        .lines
        .iter()
        .map(|l| l.name_en.clone().unwrap())
        .collect();
    assert_eq!(names, ["Product A", "Product B", "Product C"]);
    let order = nothing()
        .with(vec![breakfast()])
        .and(place(order_of(listed("B1", "1"))))
        .order;
    assert_eq!(order.bundle_status("B1"), Some(OrderStatus::Open));
}

#[test]
fn every_pricing_model() {
    let rate = |text: &str| text.parse::<Rate>().unwrap();
    for (pricing, price, count, discounts) in [
        // 109 x 15% = 16.35 a bundle, shared by value.
        (
            BundleRules::Percent { off: rate("0.15") },
            "92.65",
            "2",
            ["13.5000", "11.7000", "7.5000"],
        ),
        // 109 x 0.3333 = 36.3297 a bundle, rounded once a bundle.
        (
            BundleRules::Percent {
                off: rate("0.3333"),
            },
            "72.6703",
            "3",
            ["44.9955", "38.9961", "24.9975"],
        ),
        (
            BundleRules::ComponentDiscount {
                off: vec![baht("5"), baht("4.50")],
            },
            "99.5",
            "2",
            ["10.0000", "9.0000", "0.0000"],
        ),
        (
            BundleRules::BuyXGetY { free: vec![2] },
            "84",
            "2",
            ["0.0000", "0.0000", "50.0000"],
        ),
        (
            BundleRules::FixedPrice { price: baht("109") },
            "109",
            "1",
            ["0.0000", "0.0000", "0.0000"],
        ),
    ] {
        let whole = vec![flagged("B1", of(1, "SET", price, count))];
        for lines in [whole, listed("B1", count)] {
            let placed = placed_with(priced(pricing.clone()), order_of(lines));
            assert_eq!(
                figures(&placed.lines, |l| l.discount),
                discounts,
                "{pricing:?}"
            );
            assert_eq!(placed.bundles[0].price, baht(price));
            adds_up(&placed);
        }
    }
}

#[test]
fn components_of_several_pieces() {
    let mut set = breakfast();
    set.definition.components[0].quantity = quantity("2");
    let whole = vec![sets(1, "B1", "3")];
    let mut apart = listed("B1", "3");
    apart[0].quantity = quantity("6");
    for lines in [whole, apart] {
        let placed = placed_with(set.clone(), order_of(lines));
        assert_eq!(placed.lines[0].quantity, quantity("6"));
        assert_eq!(placed.bundles[0].individual_price, baht("154"));
        assert_eq!(placed.totals.order_total, baht("267"));
        adds_up(&placed);
    }
}

#[test]
fn what_is_said_of_a_whole_bundle_holds_for_its_components() {
    let mut whole = sets(1, "B1", "1");
    whole.promotion_id = Some("SPRING".into());
    whole.uom = Some("SET".into());
    whole.original_unit_price = Some(baht("109"));
    let placed = placed_with(breakfast(), order_of(vec![whole]));
    for line in &placed.lines {
        assert_eq!(line.promotion_id.as_deref(), Some("SPRING"));
        assert_eq!(
            (&line.uom, line.unit_price),
            (&None, line.original_unit_price)
        );
    }
    let mut apart = listed("B1", "1");
    apart[0].uom = Some("EA".into());
    apart[0].name_en = Some("Toast".into());
    apart[0].original_unit_price = Some(baht("45"));
    let placed = placed_with(breakfast(), order_of(apart));
    assert_eq!(placed.lines[0].uom.as_deref(), Some("EA"));
    assert_eq!(placed.lines[0].name_en.as_deref(), Some("Toast"));
    assert_eq!(placed.lines[1].name_en.as_deref(), Some("Product B"));
}

#[test]
fn bundles_beside_each_other() {
    let mut lines = vec![sets(10, "B1", "1"), sets(20, "B2", "2")];
    for (number, mut line) in [30, 31, 32].into_iter().zip(listed("B3", "1")) {
        line.line_number = number;
        lines.push(line);
    }
    let placed = placed_with(breakfast(), order_of(lines));
    let expected = [
        "30 Ax1 B3",
        "31 Bx1 B3",
        "32 Cx1 B3",
        "33 Ax1 B1",
        "34 Bx1 B1",
        "35 Cx1 B1",
        "36 Ax2 B2",
        "37 Bx2 B2",
        "38 Cx2 B2",
    ];
    assert_eq!(outline(&placed), expected);
    let refs: Vec<&str> = placed.bundles.iter().map(|b| b.ref_id.as_str()).collect();
    assert_eq!(refs, ["B1", "B2", "B3"]);
    assert_eq!(placed.totals.order_total, baht("356"));
    adds_up(&placed);
}
