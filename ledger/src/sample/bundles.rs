//! What the sample chain sells together.

use domain::{
    bundle::{
        BundleId, BundleKind, BundleRules, Component, DailyHours, Definition, ReturnPolicy, Role,
        Schedule,
    },
    ids::{InvalidId, Sku},
    money::{Money, Quantity, Rate, SCALE},
};

use super::catalogue::{PRODUCTS, sku};

/// A bundle by the names of its products, with what differs between bundles.
struct Sample {
    id: &'static str,
    sku: &'static str,
    name_th: &'static str,
    name_en: &'static str,
    kind: BundleKind,
    /// Names in English and pieces.
    products: &'static [(&'static str, i64)],
    rules: Rules,
    match_lines: bool,
    /// Bangkok hours in which it is offered.
    hours: Option<(u16, u16)>,
}

enum Rules {
    Price(i64),
    PercentOff(i64),
    LastFree,
    OffFirst(i64),
}

const SAMPLES: [Sample; 4] = [
    Sample {
        id: "MORNING-SET",
        sku: "8859980000017",
        name_th: "ชุดอาหารเช้า",
        name_en: "Morning set",
        kind: BundleKind::BreakfastCombo,
        products: &[
            ("Ham and cheese sandwich", 1),
            ("Iced americano 16 oz", 1),
            ("Boiled egg", 1),
        ],
        rules: Rules::Price(75),
        match_lines: true,
        hours: None,
    },
    Sample {
        id: "SNACK-PACK",
        sku: "8859980000024",
        name_th: "ชุดขนมสุดคุ้ม",
        name_en: "Snack pack",
        kind: BundleKind::SnackPack,
        products: &[
            ("Potato chips original 48 g", 2),
            ("Cola 1 l", 1),
            ("Salted peanuts 90 g", 1),
        ],
        rules: Rules::PercentOff(1_500),
        match_lines: true,
        hours: None,
    },
    Sample {
        id: "RICE-MEAL",
        sku: "8859980000031",
        name_th: "ข้าวกะเพราแถมน้ำ",
        name_en: "Basil pork meal, water free",
        kind: BundleKind::MealDeal,
        products: &[("Basil pork with rice", 1), ("Drinking water 600 ml", 1)],
        rules: Rules::LastFree,
        match_lines: false,
        hours: None,
    },
    Sample {
        id: "SONGKRAN-CARE",
        sku: "8859980000048",
        name_th: "ชุดอาบน้ำสงกรานต์",
        name_en: "Songkran care set",
        kind: BundleKind::SeasonalPromo,
        products: &[
            ("Shampoo 450 ml", 1),
            ("Liquid soap 200 ml", 1),
            ("Toothpaste 160 g", 1),
        ],
        rules: Rules::OffFirst(30),
        match_lines: false,
        hours: Some((600, 1_320)),
    },
];

/// The bundles that are offered at any hour: what sample orders hold.
pub(super) const ANY_HOUR: usize = 3;

/// The definitions, in the order of their place.
///
/// # Errors
/// An id of the sample has the wrong form.
pub fn definitions() -> Result<Vec<(BundleId, Definition)>, InvalidId> {
    SAMPLES.iter().map(definition).collect()
}

fn definition(sample: &Sample) -> Result<(BundleId, Definition), InvalidId> {
    let components = sample
        .products
        .iter()
        .map(|(name, pieces)| component(name, *pieces))
        .collect::<Result<Vec<_>, _>>()?;
    let free = u16::try_from(components.len().saturating_sub(1)).unwrap_or_default();
    let pricing = match sample.rules {
        Rules::Price(thb) => BundleRules::FixedPrice { price: baht(thb) },
        Rules::PercentOff(rate) => BundleRules::Percent {
            off: Rate::from_units(rate),
        },
        Rules::LastFree => BundleRules::BuyXGetY { free: vec![free] },
        Rules::OffFirst(thb) => BundleRules::ComponentDiscount {
            off: vec![baht(thb)],
        },
    };
    let hours = sample.hours.map(|(from, to)| DailyHours { from, to });
    let definition = Definition {
        sku: Sku::new(sample.sku)?,
        name_th: Some(sample.name_th.to_owned()),
        name_en: Some(sample.name_en.to_owned()),
        kind: sample.kind,
        components,
        pricing,
        schedule: Schedule {
            hours,
            ..Schedule::default()
        },
        stores: Vec::new(),
        priority: 10,
        match_lines: sample.match_lines,
        returns: ReturnPolicy::Whole,
    };
    Ok((BundleId::new(sample.id)?, definition))
}

fn component(name: &str, pieces: i64) -> Result<Component, InvalidId> {
    let index = PRODUCTS
        .iter()
        .position(|p| p.name_en == name)
        .unwrap_or_default();
    let product = &PRODUCTS[index];
    Ok(Component {
        sku: Sku::new(sku(index))?,
        name_th: Some(product.name_th.to_owned()),
        name_en: Some(product.name_en.to_owned()),
        quantity: Quantity::from_units(pieces * SCALE),
        unit_price: product.price(),
        role: if product.price < 20 {
            Role::AddOn
        } else {
            Role::Main
        },
        tax_rate: (!product.taxed).then_some(Rate::ZERO),
        substitutable: true,
        max_rise: None,
    })
}

const fn baht(thb: i64) -> Money {
    Money::from_units(thb * SCALE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_of_a_bundle_is_sold_apart_too() {
        for sample in &SAMPLES {
            for (name, _) in sample.products {
                assert!(PRODUCTS.iter().any(|p| p.name_en == *name), "{name}");
            }
        }
        assert_eq!(definitions().unwrap().len(), SAMPLES.len());
        assert!(SAMPLES.iter().take(ANY_HOUR).all(|s| s.hours.is_none()));
    }
}
