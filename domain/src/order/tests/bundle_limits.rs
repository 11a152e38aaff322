//! Placing: limits of orders with bundles.

use super::{
    bundles::{flagged, of, offer, priced},
    *,
};
use crate::{
    bundle::{BundleRules, Offer, tests as defined},
    ids::Sku,
    order::command::BundleInput,
};

#[test]
fn an_order_has_at_most_200_lines_once_expanded() {
    let components = (0..10).map(|n| defined::component(&format!("P{n}"), 1, "10"));
    let price = baht("50");
    let ten = defined::definition(components.collect(), BundleRules::FixedPrice { price });
    let mut eleven = ten.clone();
    eleven.components.push(defined::component("P10", 1, "10"));
    eleven.sku = Sku::new("SET11").unwrap();
    let offers = || -> Vec<Offer> {
        let tens = (0..20).map(|n| offer(&format!("TEN{n}"), ten.clone()));
        tens.chain([offer("ELEVEN", eleven.clone())]).collect()
    };
    let line_of = |n: i32, id: String, sku: &str| LineInput {
        bundle: Some(BundleInput {
            bundle_id: id,
            ref_id: format!("B{n}"),
        }),
        ..of(n, sku, "50", "1")
    };
    let lines: Vec<LineInput> = (1..=20)
        .map(|n| line_of(n, format!("TEN{}", n - 1), "SET"))
        .collect();
    let full = order_of(lines.clone());
    let placed = nothing().with(offers()).when(place(full)).placed();
    assert_eq!((placed.lines.len(), placed.bundles.len()), (200, 20));
    let mut over = lines.clone();
    over[19] = line_of(20, "ELEVEN".into(), "SET11");
    let then = nothing().with(offers()).when(place(order_of(over)));
    then.is_refused(&[(Code::ErrInvalidBundle, "lines")]);
    let mut high = lines;
    high[19].line_number = 65_336;
    let then = nothing().with(offers()).when(place(order_of(high.clone())));
    then.is_refused(&[(Code::ErrInvalidBundle, "lines")]);
    high[19].line_number = 65_335;
    let placed = nothing()
        .with(offers())
        .when(place(order_of(high)))
        .placed();
    assert_eq!(placed.lines.last().unwrap().line_number, 65_535);
}

#[test]
fn the_limits_of_the_sums_hold_over_bundles_too() {
    let gift = priced(BundleRules::FixedPrice { price: Money::ZERO });
    let free = flagged("B1", of(1, "SET", "0", "1"));
    let given = nothing().with(vec![gift]);
    given
        .when(place(order_of(vec![free.clone(), of(2, "X", "12", "1")])))
        .is_refused(&[(Code::MaxDiscountPercent, "")]);
    given
        .when(place(order_of(vec![free, of(2, "X", "13", "1")])))
        .placed();
}
