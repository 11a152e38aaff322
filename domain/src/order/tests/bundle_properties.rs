//! What holds for any basket under any definitions.

use std::collections::{BTreeMap, HashSet};

use super::{
    bundles::{adds_up, offer},
    *,
};
use crate::{
    bundle::{BundleRules, Component, Definition, Offer, tests as defined},
    ids::Sku,
    money::{Rate, SCALE},
    order::command::BundleInput,
    random::{Rng, for_all},
};

/// Runs of each property.
const CASES: u64 = 200;
/// Products that baskets and bundles draw from.
const PRODUCTS: usize = 6;

fn sku(product: usize) -> String {
    format!("P{product}")
}

fn wild(rng: &mut Rng) -> i64 {
    match rng.below(6) {
        0 => rng.next().cast_signed(),
        1 => rng.between(1, 1_999_999),
        _ => *rng.pick(&[0, -1, i64::MIN, i64::MAX]),
    }
}

fn rules(rng: &mut Rng, units: fn(&mut Rng) -> i64) -> BundleRules {
    let money = |rng: &mut Rng| Money::from_units(units(rng));
    match rng.below(4) {
        0 => BundleRules::FixedPrice { price: money(rng) },
        1 => BundleRules::Percent {
            off: Rate::from_units(rng.between(1, 9_000)),
        },
        2 => BundleRules::ComponentDiscount {
            off: rng.list(0, 2, money),
        },
        _ => BundleRules::BuyXGetY {
            free: vec![u16::try_from(rng.below(3)).unwrap()],
        },
    }
}

/// A definition of up to three products whose figures may make no sense at all.
fn any_offer(rng: &mut Rng) -> Offer {
    let components = rng.list(0, 3, |rng| Component {
        quantity: Quantity::from_units(wild(rng)),
        unit_price: Money::from_units(wild(rng)),
        ..defined::component(&sku(rng.index(PRODUCTS)), 1, "1")
    });
    let n = i32::try_from(rng.below(3)).unwrap();
    let definition = Definition {
        match_lines: n > 0,
        priority: n,
        ..defined::definition(components, rules(rng, wild))
    };
    offer(&format!("SET{n}"), definition)
}

/// A definition that somebody could make.
fn good_offer(rng: &mut Rng, n: i32) -> Offer {
    let first = rng.index(PRODUCTS - 2);
    let component = |at| Component {
        unit_price: Money::from_units(rng.between(100_000, 899_999)),
        ..defined::component(&sku(first + at), rng.between(1, 3), "1")
    };
    let components = (0..3).map(component).collect();
    let cheap = |rng: &mut Rng| rng.between(1, 99_999);
    let definition = Definition {
        sku: Sku::new(format!("SET{n}")).unwrap(),
        match_lines: true,
        priority: i32::try_from(rng.between(-1, 1)).unwrap(),
        ..defined::definition(components, rules(rng, cheap))
    };
    offer(&format!("SET{n}"), definition)
}

fn any_lines(rng: &mut Rng) -> Vec<LineInput> {
    let mut number = 0;
    rng.list(1, 19, |rng| {
        number += 1;
        let product = rng.index(PRODUCTS + 1);
        LineInput {
            sku: if product == PRODUCTS {
                "SET".into()
            } else {
                sku(product)
            },
            unit_price: Money::from_units(rng.between(100_000, 899_999)),
            quantity: Quantity::from_units(rng.between(1, 39) * SCALE),
            bundle: rng.permille(200).then(|| BundleInput {
                bundle_id: format!("SET{}", product % 3),
                ref_id: format!("B{}", number / 3),
            }),
            ..line(number, "1", "1")
        }
    })
}

fn no_limit(offers: Vec<Offer>) -> Scenario {
    let limit = Money::from_units(crate::money::MAX_UNITS);
    nothing().with(offers).given(|facts| {
        let store = facts.store.as_mut().unwrap();
        store.cod_limit = Some(limit);
    })
}

/// What was ordered of each product.
fn ordered(lines: &[LineInput]) -> BTreeMap<String, i64> {
    let mut pieces = BTreeMap::new();
    for line in lines {
        *pieces.entry(line.sku.clone()).or_default() += line.quantity.units();
    }
    pieces
}

fn total(lines: &[LineInput]) -> i64 {
    let of_line = |l: &LineInput| l.unit_price.units() * (l.quantity.units() / SCALE);
    lines.iter().map(of_line).sum()
}

fn placed_of(given: &Scenario, command: PlaceOrder) -> Option<Placed> {
    match given.decide(&place(command)).ok()?.pop() {
        Some(OrderEvent::Placed(placed)) => Some(*placed),
        other => panic!("not placed: {other:?}"),
    }
}

#[test]
fn no_definition_makes_placing_panic() {
    for_all(CASES, |rng| {
        let offers = rng.list(0, 3, any_offer);
        let command = PlaceOrder {
            channel: (*rng.pick(&["GRAB", "WEB"])).into(),
            ..order_of(any_lines(rng))
        };
        if let Some(placed) = placed_of(&no_limit(offers), command) {
            adds_up(&placed);
        }
    });
}

#[test]
fn matching_loses_and_adds_nothing() {
    for_all(CASES, |rng| {
        let (one, two) = (good_offer(rng, 1), good_offer(rng, 2));
        let mut lines = any_lines(rng);
        lines.iter_mut().for_each(|line| line.bundle = None);
        let given = no_limit(vec![one.clone(), two.clone()]);
        let Some(placed) = placed_of(&given, order_of(lines.clone())) else {
            // Bundles that cost next to nothing take the order below a limit.
            return;
        };
        adds_up(&placed);
        let mut pieces = BTreeMap::new();
        for line in &placed.lines {
            *pieces.entry(line.sku.to_string()).or_default() += line.quantity.units();
        }
        assert_eq!(pieces, ordered(&lines));
        let gross: i64 = placed.lines.iter().map(|l| l.gross.units()).sum();
        assert_eq!(gross, total(&lines));
        let saved: i64 = placed.bundles.iter().map(|b| b.savings.units()).sum();
        assert_eq!(placed.totals.sub_total.units(), gross - saved);
        assert!(placed.bundles.iter().all(|b| b.savings.is_positive()));
        let numbers: HashSet<u16> = placed.lines.iter().map(|l| l.line_number).collect();
        assert_eq!(numbers.len(), placed.lines.len());
        for id in [&one.id, &two.id] {
            let of_one = placed.bundles.iter().filter(|b| b.bundle_id == *id);
            assert!(of_one.map(|b| b.quantity).sum::<i32>() <= 10);
        }
    });
}
