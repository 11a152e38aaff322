//! Bundles that tests define.

use domain::{
    bundle::{BundleKind, BundleRules, Component, Definition, ReturnPolicy, Role, Schedule},
    ids::Sku,
};

/// The two products of [`crate::orders::place`] for a price of their own: 45.00 + 2 x 62.00 = 169.00 otherwise.
pub fn definition(price: &str) -> Definition {
    let component = |sku: &str, quantity: &str, unit_price: &str| Component {
        sku: Sku::new(sku).unwrap(),
        name_th: None,
        name_en: Some(format!("Product {sku}")),
        quantity: quantity.parse().unwrap(),
        unit_price: unit_price.parse().unwrap(),
        role: Role::Main,
        tax_rate: None,
        substitutable: false,
        max_rise: None,
    };
    Definition {
        sku: Sku::new("8850999000001").unwrap(),
        name_th: None,
        name_en: Some("Lunch set".into()),
        kind: BundleKind::MealDeal,
        components: vec![
            component("8850999220017", "1", "45.00"),
            component("8850999320021", "2", "62.00"),
        ],
        pricing: BundleRules::FixedPrice {
            price: price.parse().unwrap(),
        },
        schedule: Schedule::default(),
        stores: Vec::new(),
        priority: 0,
        match_lines: true,
        returns: ReturnPolicy::Whole,
    }
}
