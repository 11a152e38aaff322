//! What holds for any basket under any definitions.

use std::collections::{BTreeMap, HashSet};

use proptest::{collection::vec, prelude::*};

use super::{
    bundles::{adds_up, offer},
    *,
};
use crate::{
    bundle::{BundleRules, Component, Definition, Offer, tests as defined},
    ids::Sku,
    money::{Rate, SCALE},
    order::command::BundleInput,
};

/// Runs of each property.
const CASES: u32 = 200;
/// Products that baskets and bundles draw from.
const PRODUCTS: usize = 6;

fn sku(product: usize) -> String {
    format!("P{product}")
}

fn wild() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(0),
        Just(-1),
        Just(i64::MIN),
        Just(i64::MAX),
        1..2_000_000i64,
        any::<i64>()
    ]
}

fn rules(units: impl Strategy<Value = i64> + Clone) -> impl Strategy<Value = BundleRules> {
    let money = units.prop_map(Money::from_units);
    prop_oneof![
        money
            .clone()
            .prop_map(|price| BundleRules::FixedPrice { price }),
        (1..=9_000i64).prop_map(|off| BundleRules::Percent {
            off: Rate::from_units(off)
        }),
        vec(money, 0..3).prop_map(|off| BundleRules::ComponentDiscount { off }),
        vec(0..3u16, 1..2).prop_map(|free| BundleRules::BuyXGetY { free }),
    ]
}

/// A definition of two or three products whose figures may make no sense at all.
fn any_offer() -> impl Strategy<Value = Offer> {
    let component = (0..PRODUCTS, wild(), wild());
    (vec(component, 0..4), rules(wild().boxed()), 0..3i32).prop_map(|(parts, pricing, n)| {
        let components = parts
            .into_iter()
            .map(|(product, quantity, price)| Component {
                quantity: Quantity::from_units(quantity),
                unit_price: Money::from_units(price),
                ..defined::component(&sku(product), 1, "1")
            });
        let definition = Definition {
            match_lines: n > 0,
            priority: n,
            ..defined::definition(components.collect(), pricing)
        };
        offer(&format!("SET{n}"), definition)
    })
}

/// A definition that somebody could make.
fn good_offer(n: i32) -> impl Strategy<Value = Offer> {
    let pieces = vec(1..4i64, 3);
    let prices = vec(100_000..900_000i64, 3);
    let cheap = (1..100_000i64).boxed();
    (0..PRODUCTS - 2, pieces, prices, rules(cheap), -1..2i32).prop_map(
        move |(first, pieces, prices, pricing, priority)| {
            let parts = pieces.into_iter().zip(prices).enumerate();
            let components = parts.map(|(at, (pieces, price))| Component {
                unit_price: Money::from_units(price),
                ..defined::component(&sku(first + at), pieces, "1")
            });
            let definition = Definition {
                sku: Sku::new(format!("SET{n}")).unwrap(),
                match_lines: true,
                priority,
                ..defined::definition(components.collect(), pricing)
            };
            offer(&format!("SET{n}"), definition)
        },
    )
}

prop_compose! {
    fn any_lines()(
        lines in vec((0..PRODUCTS + 1, 1..40i64, 100_000..900_000i64, 0..5usize), 1..20),
    ) -> Vec<LineInput> {
        let numbered = lines.into_iter().zip(1..);
        numbered.map(|((product, pieces, price, flag), number)| LineInput {
            sku: if product == PRODUCTS { "SET".into() } else { sku(product) },
            unit_price: Money::from_units(price),
            quantity: Quantity::from_units(pieces * SCALE),
            bundle: (flag == 4).then(|| BundleInput {
                bundle_id: format!("SET{}", product % 3),
                ref_id: format!("B{}", number / 3),
            }),
            ..line(number, "1", "1")
        }).collect()
    }
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

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_definition_makes_placing_panic(
        offers in vec(any_offer(), 0..4), lines in any_lines(), at_grab: bool,
    ) {
        let command = PlaceOrder {
            channel: if at_grab { "GRAB" } else { "WEB" }.into(),
            ..order_of(lines)
        };
        if let Ok(mut events) = no_limit(offers).decide(&place(command)) {
            let Some(OrderEvent::Placed(placed)) = events.pop() else { return Ok(()) };
            adds_up(&placed);
        }
    }

    #[test]
    fn matching_loses_and_adds_nothing(
        one in good_offer(1), two in good_offer(2), mut lines in any_lines(),
    ) {
        for line in &mut lines {
            line.bundle = None;
        }
        let total = |lines: &[LineInput]| -> i64 {
            lines.iter().map(|l| l.unit_price.units() * (l.quantity.units() / SCALE)).sum()
        };
        let given = no_limit(vec![one.clone(), two.clone()]);
        let Ok(mut events) = given.decide(&place(order_of(lines.clone()))) else {
            // Bundles that cost next to nothing take the order below a limit.
            return Ok(());
        };
        let Some(OrderEvent::Placed(placed)) = events.pop() else { return Ok(()) };
        adds_up(&placed);
        let mut pieces = BTreeMap::new();
        for line in &placed.lines {
            *pieces.entry(line.sku.to_string()).or_default() += line.quantity.units();
        }
        prop_assert_eq!(pieces, ordered(&lines));
        let gross: i64 = placed.lines.iter().map(|l| l.gross.units()).sum();
        prop_assert_eq!(gross, total(&lines));
        let saved: i64 = placed.bundles.iter().map(|b| b.savings.units()).sum();
        prop_assert_eq!(placed.totals.sub_total.units(), gross - saved);
        prop_assert!(placed.bundles.iter().all(|b| b.savings.is_positive()));
        let numbers: HashSet<u16> = placed.lines.iter().map(|l| l.line_number).collect();
        prop_assert_eq!(numbers.len(), placed.lines.len());
        for id in [&one.id, &two.id] {
            let of_one = placed.bundles.iter().filter(|b| b.bundle_id == *id);
            prop_assert!(of_one.map(|b| b.quantity).sum::<i32>() <= 10);
        }
    }
}
