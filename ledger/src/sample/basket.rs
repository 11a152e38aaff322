//! What lies in a basket: how many lines, worth how much, and which products make up that worth.

use domain::{
    bundle::Offer,
    money::{Money, Quantity, Rate, SCALE},
    order::command::{BundleInput, LineInput, PackInput},
};

use super::{
    bundles::{self, ANY_HOUR},
    catalogue::{PRODUCTS, Product, Sale, sku},
    rng::Rng,
};

/// Orders with a pack line, in 1,000.
const PACK_ORDERS: u64 = 80;
/// Orders with a bundle, in 1,000.
const BUNDLE_ORDERS: u64 = 200;
/// Baskets worth more hold none, in units of 1/10,000 THB: the order must stay below the limit of cash on delivery.
const BUNDLE_UP_TO: i64 = 4_500 * SCALE;
/// Most lines of an order.
const MAX_LINES: usize = 20;
/// Weighed lines, in 1,000.
const WEIGHED_LINES: u64 = 50;
/// Lines whose price is reduced, in 1,000.
const PROMOTED_LINES: u64 = 120;
/// Orders whose worth goes with their number of lines, in 1,000; the others' is independent of it.
const WORTH_GOES_WITH_LINES: u64 = 600;
/// Products looked at for each line; the one that comes closest to the line's share is taken.
const CANDIDATES: usize = 8;
/// Most pieces of one product.
const MAX_PIECES: i64 = 12;
/// Most packs of one product.
const MAX_PACKS: i64 = 4;
/// Weighed goods are weighed to 5 g, from 150 g to 3 kg.
const GRAMS: (i64, i64, i64) = (5, 150, 3_000);
/// Quantity units in a gram.
const UNITS_PER_GRAM: i64 = SCALE / 1_000;

/// Lines per order: up to this share (in 100,000) of all orders have so many.
const LINES: [(u64, i64, i64); 6] = [
    (18_000, 1, 1),
    (42_000, 2, 2),
    (64_000, 3, 3),
    (88_000, 4, 6),
    (98_000, 7, 12),
    (100_000, 13, 20),
];

/// Worth of the goods in 0.01 THB: quantiles (in 100,000) of a log-normal distribution of median 215 THB and
/// sigma 0.55, cut at 10 and 4,950 so that a fee still fits under the limit of 5,000. A table, because
/// logarithms differ between machines.
const WORTH: [(u64, i64); 21] = [
    (0, 1_000),
    (100, 3_929),
    (500, 5_214),
    (1_000, 5_981),
    (2_500, 7_316),
    (5_000, 8_701),
    (10_000, 10_625),
    (20_000, 13_533),
    (30_000, 16_113),
    (40_000, 18_704),
    (50_000, 21_500),
    (60_000, 24_715),
    (70_000, 28_688),
    (80_000, 34_156),
    (90_000, 43_509),
    (95_000, 53_129),
    (97_500, 63_183),
    (99_000, 77_288),
    (99_500, 88_656),
    (99_900, 117_646),
    (100_000, 495_000),
];

/// One basket.
pub(super) fn lines(rng: &mut Rng) -> Vec<LineInput> {
    let rank = rng.below(100_000);
    let count = line_count(rng, rank);
    let worth = worth(if rng.chance(WORTH_GOES_WITH_LINES) {
        rank
    } else {
        rng.below(100_000)
    });
    let mut shares: Vec<i64> = (0..count).map(|_| rng.between(50, 150)).collect();
    let has_pack = rng.chance(PACK_ORDERS);
    let mut left = Money::from_units(worth * SCALE / 100);
    let mut taken = Vec::new();
    let mut lines = Vec::new();
    while let Some(share) = shares.pop() {
        let all: i64 = share + shares.iter().sum::<i64>();
        let target = left.units() / all * share;
        let sale = match lines.len() {
            0 if has_pack => Kind::Pack,
            _ if rng.chance(WEIGHED_LINES) => Kind::Weighed,
            _ => Kind::Each,
        };
        let Some((index, quantity)) = choose(rng, sale, target, &taken) else {
            continue;
        };
        taken.push(index);
        let product = &PRODUCTS[index];
        left = Money::from_units(left.units() - extend(product, quantity));
        lines.push(line(rng, lines.len(), index, quantity));
    }
    lines
}

/// Adds a bundle to some baskets: named by its own article number, or, where nobody flags it, as its components.
pub(super) fn add_bundle(rng: &mut Rng, lines: &mut Vec<LineInput>, channel: &str) {
    let (wanted, at, as_components) = (
        rng.chance(BUNDLE_ORDERS),
        rng.index(ANY_HOUR),
        rng.chance(500),
    );
    let worth: i64 = lines
        .iter()
        .map(|l| l.unit_price.units() / SCALE * l.quantity.units())
        .sum();
    let bundle = bundles::definitions()
        .ok()
        .and_then(|all| all.into_iter().nth(at));
    let Some((id, definition)) = bundle.filter(|_| wanted && worth < BUNDLE_UP_TO) else {
        return;
    };
    let next = |lines: &Vec<LineInput>| i32::try_from(lines.len() + 1).unwrap_or(i32::MAX);
    if as_components && definition.match_lines && channel != "GRAB" {
        if lines.len() + definition.components.len() > MAX_LINES {
            return;
        }
        for component in &definition.components {
            lines.push(LineInput {
                line_number: next(lines),
                sku: component.sku.to_string(),
                quantity: component.quantity,
                unit_price: component.unit_price,
                tax_rate: component.tax_rate,
                name_th: component.name_th.clone(),
                name_en: component.name_en.clone(),
                ..LineInput::default()
            });
        }
    } else if lines.len() < MAX_LINES {
        let offer = Offer {
            id: id.clone(),
            version: 1,
            active: true,
            definition,
        };
        let Some(unit_price) = offer.price() else {
            return;
        };
        lines.push(LineInput {
            line_number: next(lines),
            sku: offer.definition.sku.to_string(),
            quantity: Quantity::from_units(SCALE),
            unit_price,
            bundle: Some(BundleInput {
                bundle_id: id.to_string(),
                ref_id: "B1".into(),
            }),
            name_th: offer.definition.name_th.clone(),
            name_en: offer.definition.name_en.clone(),
            ..LineInput::default()
        });
    }
}

fn line_count(rng: &mut Rng, rank: u64) -> i64 {
    let class = LINES.iter().find(|(share, ..)| rank < *share);
    class.map_or(1, |(_, low, high)| rng.between(*low, *high))
}

/// The worth at a rank of 100,000, linear between the table's points.
fn worth(rank: u64) -> i64 {
    let at = |x: u64| i64::try_from(x).unwrap_or_default();
    let between = WORTH.windows(2).find(|pair| rank < pair[1].0);
    between.map_or(0, |pair| {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        y0 + (y1 - y0) * at(rank - x0) / at(x1 - x0)
    })
}

/// What kind of line is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Each,
    Weighed,
    Pack,
}

impl Kind {
    const fn of(sale: Sale) -> Self {
        match sale {
            Sale::Each => Self::Each,
            Sale::Weighed => Self::Weighed,
            Sale::Pack(_) => Self::Pack,
        }
    }
}

/// The best of a few products that are not in the basket yet, and how much of it.
fn choose(rng: &mut Rng, kind: Kind, target: i64, taken: &[usize]) -> Option<(usize, Quantity)> {
    let free: Vec<usize> = (0..PRODUCTS.len())
        .filter(|i| Kind::of(PRODUCTS[*i].sale) == kind && !taken.contains(i))
        .collect();
    let mut best: Option<(i64, usize, Quantity)> = None;
    for _ in 0..CANDIDATES.min(free.len()) {
        let index = free[rng.index(free.len())];
        let quantity = quantity(&PRODUCTS[index], target);
        let miss = (extend(&PRODUCTS[index], quantity) - target).abs();
        if best.is_none_or(|(least, ..)| miss < least) {
            best = Some((miss, index, quantity));
        }
    }
    best.map(|(_, index, quantity)| (index, quantity))
}

/// How much of a product comes closest to a worth.
fn quantity(product: &Product, target: i64) -> Quantity {
    let price = product.price().units();
    let nearest = |per: i64| (target + per / 2).div_euclid(per);
    let units = match product.sale {
        Sale::Each => nearest(price).clamp(1, MAX_PIECES) * SCALE,
        Sale::Pack(_) => nearest(price).clamp(1, MAX_PACKS) * SCALE,
        Sale::Weighed => {
            let (step, least, most) = GRAMS;
            (nearest(price * step / 1_000) * step).clamp(least, most) * UNITS_PER_GRAM
        }
    };
    Quantity::from_units(units)
}

/// Price times quantity in units of 1/10,000 THB; exact enough to fill a basket.
fn extend(product: &Product, quantity: Quantity) -> i64 {
    product.price * quantity.units()
}

fn line(rng: &mut Rng, at: usize, index: usize, quantity: Quantity) -> LineInput {
    let product = &PRODUCTS[index];
    let ordered = i32::try_from(quantity.units() / SCALE).unwrap_or(1);
    let pack = match product.sale {
        Sale::Pack(units_per_pack) => Some(PackInput {
            unit_price: product.price(),
            ordered,
            units_per_pack,
        }),
        _ => None,
    };
    let promoted = product.sale == Sale::Each && rng.chance(PROMOTED_LINES);
    let percent = rng.between(5, 25);
    let original = product.price + (product.price * percent / 100).max(1);
    LineInput {
        line_number: i32::try_from(at + 1).unwrap_or(i32::MAX),
        sku: sku(index),
        quantity,
        uom: Some(product.uom().to_owned()),
        unit_price: product.price(),
        original_unit_price: promoted.then_some(Money::from_units(original * SCALE)),
        tax_rate: (!product.taxed).then_some(Rate::ZERO),
        is_weight_item: product.sale == Sale::Weighed,
        pack,
        name_th: Some(product.name_th.to_owned()),
        name_en: Some(product.name_en.to_owned()),
        promotion_id: promoted.then(|| format!("PROMO-{percent:02}")),
        ..LineInput::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn worth_follows_the_table() {
        assert_eq!(worth(0), 1_000);
        assert_eq!(worth(50_000), 21_500);
        assert_eq!(worth(55_000), (21_500 + 24_715) / 2);
        assert!(worth(99_999) < 495_000);
    }

    #[test]
    fn quantities_come_closest() {
        let at = |name: &str, thb: i64| {
            let product = PRODUCTS.iter().find(|p| p.name_en == name).unwrap();
            quantity(product, thb * SCALE).to_string()
        };
        assert_eq!(at("Drinking water 600 ml", 34), "3.0000");
        assert_eq!(at("Drinking water 600 ml", 2), "1.0000");
        assert_eq!(at("Drinking water 600 ml", 900), "12.0000");
        assert_eq!(at("Pork tenderloin", 189), "1.0000");
        assert_eq!(at("Pork tenderloin", -5), "0.1500");
        assert_eq!(at("Toilet paper, pack of 4", 310), "2.0000");
    }
}
