//! What a definition must keep to, and what a bundle costs.

use super::*;
use crate::money::Rate;

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

/// The definition is refused for this field, and only for it.
#[track_caller]
fn invalid(field: &str, change: impl FnOnce(&mut Definition)) {
    let mut definition = breakfast();
    change(&mut definition);
    let path = format!("definition.{field}");
    let expected = [(Code::ErrInvalidBundle, path.as_str())];
    refused(&Bundle::default(), &define(definition.clone()), &expected);
    let defined = given(&[define(breakfast())]);
    refused(&defined, &revise(definition), &expected);
}

#[track_caller]
fn valid(change: impl FnOnce(&mut Definition)) {
    let mut definition = breakfast();
    change(&mut definition);
    let events = decided(&Bundle::default(), &define(definition)).unwrap();
    assert_eq!(events.len(), 1);
}

fn components(count: usize) -> Vec<Component> {
    (0..count)
        .map(|n| component(&format!("P{n}"), 1, "45"))
        .collect()
}

#[test]
fn names() {
    invalid("nameTh", |d| d.name_en = None);
    invalid("nameTh", |d| d.name_en = Some("-".into()));
    invalid("nameEn", |d| {
        d.name_th = Some("ชุด".into());
        d.name_en = Some("x".repeat(201));
    });
    invalid("components[1].nameTh", |d| {
        d.components[1].name_th = Some("a\u{0}".into())
    });
    valid(|d| (d.name_th, d.name_en) = (Some("ก".repeat(200)), None));
    valid(|d| d.components[1].name_en = None);
}

#[test]
fn components_2_to_20_each_a_product_of_its_own() {
    let sku = |text: &str| Sku::new(text).unwrap();
    for count in [0, 1] {
        let few = components(count);
        let definition = definition(few, BundleRules::FixedPrice { price: Money::ZERO });
        let expected = [(Code::ErrInvalidBundle, "definition.components")];
        refused(&Bundle::default(), &define(definition), &expected);
    }
    invalid("components", |d| d.components = components(21));
    valid(|d| d.components = components(20));
    valid(|d| d.components = components(2));
    invalid("components[2].sku", |d| d.components[2].sku = sku("A"));
    invalid("components[1].sku", |d| d.components[1].sku = sku("SET"));
}

#[test]
fn the_fields_of_a_component() {
    let quantity = |text: &str| text.parse::<Quantity>().unwrap();
    for text in ["0", "-1", "0.5", "1.5", "101"] {
        invalid("components[0].quantity", |d| {
            d.components[0].quantity = quantity(text);
            d.pricing = BundleRules::BuyXGetY { free: vec![2] };
        });
    }
    valid(|d| d.components[0].quantity = quantity("100"));
    invalid("components[2].unitPrice", |d| {
        d.components[2].unit_price = baht("-0.0001");
        d.components[1].unit_price = baht("100");
    });
    valid(|d| {
        d.components[2].unit_price = Money::ZERO;
        d.components[1].unit_price = baht("100");
    });
    for text in ["-0.0001", "1.0001"] {
        invalid("components[0].taxRate", |d| {
            d.components[0].tax_rate = Some(rate(text))
        });
    }
    for text in ["-0.0001", "0.2001"] {
        invalid("components[0].maxRise", |d| {
            d.components[0].max_rise = Some(rate(text))
        });
    }
    valid(|d| {
        d.components[0].tax_rate = Some(Rate::ZERO);
        d.components[0].max_rise = Some(rate("0.2"));
    });
    invalid("components", |d| {
        d.components[0].unit_price = baht("99999999999999")
    });
    invalid("components", |d| {
        d.components[0].unit_price = baht("99999999999999");
        d.components[0].quantity = quantity("2");
    });
}

#[test]
fn the_price_lies_between_nothing_and_the_components() {
    let fixed = |text: &str| BundleRules::FixedPrice { price: baht(text) };
    for text in ["-0.0001", "109.0001"] {
        invalid("pricing.price", |d| d.pricing = fixed(text));
    }
    for text in ["0", "109"] {
        valid(|d| d.pricing = fixed(text));
    }
    for text in ["-0.1", "0", "0.9001", "1"] {
        invalid("pricing.off", |d| {
            d.pricing = BundleRules::Percent { off: rate(text) }
        });
    }
    for text in ["0.0001", "0.9"] {
        valid(|d| d.pricing = BundleRules::Percent { off: rate(text) });
    }
}

#[test]
fn discounts_of_components() {
    let off = |texts: &[&str]| {
        let off = texts.iter().map(|t| baht(t)).collect();
        BundleRules::ComponentDiscount { off }
    };
    for (field, texts) in [
        ("pricing.off", vec!["1", "1", "1", "1"]),
        ("pricing.off[0]", vec!["45.0001"]),
        ("pricing.off[2]", vec!["45", "0", "-1"]),
    ] {
        invalid(field, |d| d.pricing = off(&texts));
    }
    valid(|d| d.pricing = off(&["45", "0", "25"]));
    let free = |free: &[u16]| BundleRules::BuyXGetY {
        free: free.to_vec(),
    };
    for wrong in [vec![], vec![0, 0], vec![0, 1, 2], vec![3]] {
        invalid("pricing.free", |d| d.pricing = free(&wrong));
    }
    valid(|d| d.pricing = free(&[2, 0]));
}

#[test]
fn stores_and_priority() {
    let store = |n: usize| StoreId::new(format!("CFR{n:03}")).unwrap();
    invalid("stores", |d| d.stores = (0..201).map(store).collect());
    invalid("stores", |d| d.stores = vec![store(1), store(1)]);
    valid(|d| d.stores = (0..200).map(store).collect());
    for wrong in [i32::MIN, -1_001, 1_001, i32::MAX] {
        invalid("priority", |d| d.priority = wrong);
    }
    valid(|d| d.priority = -1_000);
    valid(|d| d.priority = 1_000);
}

#[test]
fn the_schedule() {
    let at = |text: &str| Some(text.parse().unwrap());
    let (noon, one) = (at("2026-03-14T12:00:00Z"), at("2026-03-14T13:00:00Z"));
    invalid("schedule.until", |d| {
        (d.schedule.from, d.schedule.until) = (noon, noon)
    });
    invalid("schedule.until", |d| {
        (d.schedule.from, d.schedule.until) = (one, noon)
    });
    valid(|d| (d.schedule.from, d.schedule.until) = (noon, one));
    invalid("schedule.from", |d| {
        d.schedule.from = at("1999-12-31T23:59:59Z")
    });
    invalid("schedule.until", |d| {
        d.schedule.until = at("2200-01-01T00:00:00Z")
    });
    for days in [vec![0], vec![8], vec![1, 1]] {
        invalid("schedule.weekdays", |d| d.schedule.weekdays = days);
    }
    valid(|d| d.schedule.weekdays = vec![7, 6, 5, 4, 3, 2, 1]);
    for (from, to) in [(1440, 0), (0, 1440), (600, 600)] {
        invalid("schedule.hours", |d| {
            d.schedule.hours = Some(DailyHours { from, to })
        });
    }
    for (from, to) in [(0, 1439), (1439, 0)] {
        valid(|d| d.schedule.hours = Some(DailyHours { from, to }));
    }
}

#[test]
fn every_fault_is_reported_at_once() {
    let mut wrong = breakfast();
    wrong.name_en = None;
    wrong.components[0].quantity = Quantity::ZERO;
    wrong.components[1].sku = Sku::new("SET").unwrap();
    wrong.pricing = BundleRules::FixedPrice { price: baht("-1") };
    wrong.schedule.weekdays = vec![9];
    wrong.priority = 5_000;
    let expected = [
        (Code::ErrInvalidBundle, "definition.components[0].quantity"),
        (Code::ErrInvalidBundle, "definition.components[1].sku"),
        (Code::ErrInvalidBundle, "definition.nameTh"),
        (Code::ErrInvalidBundle, "definition.pricing.price"),
        (Code::ErrInvalidBundle, "definition.schedule.weekdays"),
        (Code::ErrInvalidBundle, "definition.priority"),
    ];
    refused(&Bundle::default(), &define(wrong), &expected);
}

#[test]
fn what_a_bundle_costs() {
    let price = |pricing| definition(breakfast().components, pricing).price();
    for (pricing, expected) in [
        (BundleRules::FixedPrice { price: baht("89") }, "89"),
        (BundleRules::Percent { off: rate("0.15") }, "92.65"),
        // 109 x 0.3333 = 36.3297.
        (
            BundleRules::Percent {
                off: rate("0.3333"),
            },
            "72.6703",
        ),
        (
            BundleRules::ComponentDiscount {
                off: vec![baht("5"), baht("4")],
            },
            "100",
        ),
        (BundleRules::BuyXGetY { free: vec![2] }, "84"),
    ] {
        assert_eq!(price(pricing), Some(baht(expected)), "{expected}");
    }
    let set = Offer {
        id: BundleId::new("SET").unwrap(),
        version: 1,
        active: true,
        definition: breakfast(),
    };
    assert_eq!(set.individual_price(), Some(baht("109")));
    assert_eq!(set.price(), Some(baht("89")));
    let impossible = [
        BundleRules::FixedPrice { price: baht("110") },
        BundleRules::Percent { off: rate("1.01") },
        BundleRules::ComponentDiscount {
            off: vec![baht("46")],
        },
        BundleRules::ComponentDiscount {
            off: vec![Money::ZERO; 4],
        },
        BundleRules::BuyXGetY { free: vec![3] },
    ];
    for pricing in impossible {
        assert_eq!(price(pricing), None);
    }
}
