//! Orders as channels send them, in the mix of the fact sheet's traffic model, and spoilt ones.

use domain::{
    bundle::{Offer, Offered},
    money::{Money, Quantity, Rate, SCALE},
    order::command::{AdjustmentInput, BundleInput, LineInput, PackInput, PlaceOrder},
};

use crate::{
    rng::Rng,
    world::{Product, World, baht, noon, pieces},
};

/// How an order is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// As on a usual day: three or four lines, one bundle in five orders.
    Usual,
    /// As on no day: everything often, and together.
    Dense,
}

impl Mix {
    /// One chance for each mix.
    const fn chance(self, usual: i64, dense: i64) -> i64 {
        match self {
            Self::Usual => usual,
            Self::Dense => dense,
        }
    }
}

/// An order that keeps to the rules, unless its sums do not.
pub fn order(rng: &mut Rng, world: &World, mix: Mix) -> PlaceOrder {
    let channel = ["GRAB", "WEB", "STORE", "PMP"][rng.weighted(&[55, 30, 10, 5])];
    let is_own = matches!(channel, "WEB" | "STORE");
    let mut lines = Vec::new();
    let wanted = line_count(rng);
    if rng.permille(mix.chance(230, 600)) {
        for _ in 0..rng.between(1, mix.chance(1, 3)) {
            bundle(rng, world, is_own, &mut lines);
        }
    }
    while lines.len() < wanted {
        lines.push(line(rng, world, mix));
    }
    lines.truncate(20);
    keep_whole_bundles(world, &mut lines);
    number(rng, &mut lines);
    let order_discounts = order_discounts(rng, mix, &lines);
    PlaceOrder {
        channel: channel.into(),
        store_id: world.store.as_str().into(),
        is_force_allocation: Some(true),
        customer_id: rng.permille(400).then(|| "C-1".into()),
        lines,
        order_discounts,
        fees: fees(rng, mix),
        allow_substitution: !rng.permille(100),
        ..PlaceOrder::default()
    }
}

/// 1: 18%, 2: 24, 3: 22, 4-6: 24, 7-12: 10, 13-20: 2.
fn line_count(rng: &mut Rng) -> usize {
    let (from, to) =
        [(1, 1), (2, 2), (3, 3), (4, 6), (7, 12), (13, 20)][rng.weighted(&[18, 24, 22, 24, 10, 2])];
    usize::try_from(rng.between(from, to)).unwrap()
}

fn line(rng: &mut Rng, world: &World, mix: Mix) -> LineInput {
    let mut product = rng.pick(&world.products).clone();
    if rng.permille(mix.chance(10, 150)) {
        // To the last place of an amount, as marketplaces compute them.
        product.price = Money::from_units(product.price.units() + rng.between(1, 9_999));
    }
    let mut line = if rng.permille(mix.chance(50, 150)) {
        weighed(rng, &product)
    } else if rng.permille(mix.chance(80, 150)) {
        pack(rng, &product)
    } else {
        LineInput {
            quantity: pieces(rng.between(1, 3)),
            ..plain(&product)
        }
    };
    if rng.permille(mix.chance(100, 350)) {
        discount(rng, &mut line);
    }
    if rng.permille(mix.chance(10, 100)) {
        line.tax_rate = Some(Rate::from_units(*rng.pick(&[0, 700, 1_000, 2_500])));
    }
    if rng.permille(mix.chance(5, 100)) {
        line.is_tax_included = Some(false);
    }
    if rng.permille(mix.chance(5, 40)) {
        line.is_gift = true;
        line.unit_price = Money::ZERO;
        line.original_unit_price = None;
        line.pack = None;
        line.discounts.clear();
    }
    line
}

fn plain(product: &Product) -> LineInput {
    LineInput {
        sku: product.sku.clone(),
        quantity: pieces(1),
        unit_price: product.price,
        ..LineInput::default()
    }
}

fn weighed(rng: &mut Rng, product: &Product) -> LineInput {
    LineInput {
        quantity: Quantity::from_units(rng.between(500, 30_000)),
        is_weight_item: true,
        ..plain(product)
    }
}

fn pack(rng: &mut Rng, product: &Product) -> LineInput {
    let units_per_pack = *rng.pick(&[2, 3, 6]);
    let ordered = i32::try_from(rng.between(1, 3)).unwrap();
    let unit_price = Money::from_units(product.price.units() * i64::from(units_per_pack));
    LineInput {
        quantity: pieces(i64::from(ordered)),
        unit_price,
        pack: Some(PackInput {
            unit_price,
            ordered,
            units_per_pack,
        }),
        ..plain(product)
    }
}

/// Off a line: stated, stated in two parts, or as a price below the original one. Up to half of it.
fn discount(rng: &mut Rng, line: &mut LineInput) {
    let price = line.unit_price.units();
    let gross = price / 100 * (line.quantity.units() / 100);
    let promotion = |amount, informational| AdjustmentInput {
        kind: "PROMOTION".into(),
        amount: Money::from_units(amount),
        informational,
        ..AdjustmentInput::default()
    };
    match rng.below(4) {
        0 => line.discounts = vec![promotion(rng.between(0, gross / 2), false)],
        1 => {
            let off = rng.between(1, (gross / 4).max(1)).min(gross);
            let rest = rng.between(0, (gross - off) / 2);
            line.discounts = vec![promotion(off, false), promotion(rest, false)];
        }
        2 => line.discounts = vec![promotion(rng.between(1, 500_000), true)],
        _ if line.pack.is_none() => {
            line.original_unit_price =
                Some(Money::from_units(price + rng.between(1, price.max(1))));
            if rng.permille(500) {
                line.discounts = vec![promotion(rng.between(1, 500_000), true)];
            }
        }
        _ => {}
    }
}

/// A bundle: under its own SKU, by its components, or as lines that say nothing of it.
fn bundle(rng: &mut Rng, world: &World, is_own: bool, lines: &mut Vec<LineInput>) {
    let offer = rng.pick(&world.offers);
    let is_offered = offer.offered(&world.store, noon()) == Offered::Yes;
    // Up to, and beyond, the most that an order may hold of one.
    let most = *rng.pick(&[3, 3, 3, 3, 3, 3, 3, 13]);
    let count = rng.between(1, most);
    let way = if is_offered { rng.below(3) } else { 2 };
    let flag = BundleInput {
        bundle_id: offer.id.as_str().into(),
        ref_id: format!("B{}", lines.len() + 1),
    };
    match way {
        0 => lines.push(whole(rng, offer, is_own, count.min(10), flag)),
        1 => lines.extend(listed(rng, offer, is_own, count.min(10), &flag)),
        _ => {
            for component in &offer.definition.components {
                let product = Product {
                    sku: component.sku.as_str().into(),
                    price: component.unit_price,
                };
                let needed = component.quantity.units() / SCALE * count;
                // Sometimes a piece more or less, sometimes in two lines.
                let needed = (needed + *rng.pick(&[0, 0, 0, 0, 1, -1])).max(1);
                let first = rng.between(1, needed);
                for part in [first, needed - first].into_iter().filter(|part| *part > 0) {
                    lines.push(LineInput {
                        quantity: pieces(part),
                        ..plain(&product)
                    });
                }
            }
        }
    }
}

fn whole(rng: &mut Rng, offer: &Offer, is_own: bool, count: i64, flag: BundleInput) -> LineInput {
    let apart = offer.individual_price().unwrap();
    let price = offer.price().unwrap();
    LineInput {
        sku: offer.definition.sku.as_str().into(),
        quantity: pieces(count),
        unit_price: if !is_own && rng.permille(300) {
            Money::from_units(rng.between(0, apart.units()))
        } else {
            price
        },
        original_unit_price: rng.permille(500).then_some(apart),
        bundle: Some(flag),
        ..LineInput::default()
    }
}

fn listed(
    rng: &mut Rng,
    offer: &Offer,
    is_own: bool,
    count: i64,
    flag: &BundleInput,
) -> Vec<LineInput> {
    let mut lines: Vec<LineInput> = offer
        .definition
        .components
        .iter()
        .map(|component| LineInput {
            sku: component.sku.as_str().into(),
            quantity: pieces(component.quantity.units() / SCALE * count),
            unit_price: if is_own {
                component.unit_price
            } else {
                Money::from_units(rng.between(0, component.unit_price.units()))
            },
            original_unit_price: (!is_own).then_some(component.unit_price),
            bundle: Some(flag.clone()),
            ..LineInput::default()
        })
        .collect();
    rng.shuffle(&mut lines);
    lines
}

/// Takes out flagged lines whose bundle was cut off by the limit of lines, and too many of one bundle.
fn keep_whole_bundles(world: &World, lines: &mut Vec<LineInput>) {
    let mut kept: Vec<LineInput> = Vec::new();
    let mut counts: Vec<(String, i64)> = Vec::new();
    for line in lines.iter() {
        let Some(flag) = &line.bundle else {
            kept.push(line.clone());
            continue;
        };
        let offer = world
            .offers
            .iter()
            .find(|o| o.id.as_str() == flag.bundle_id)
            .unwrap();
        let components = &offer.definition.components;
        let first = lines
            .iter()
            .find(|l| l.bundle.as_ref() == Some(flag))
            .unwrap();
        let is_first = std::ptr::eq(first, line);
        let parts = lines
            .iter()
            .filter(|l| l.bundle.as_ref() == Some(flag))
            .count();
        let is_whole = line.sku == offer.definition.sku.as_str();
        let component = components.iter().find(|c| c.sku.as_str() == line.sku);
        let count = component.map_or(line.quantity.units() / SCALE, |c| {
            line.quantity.units() / c.quantity.units()
        });
        if is_first {
            let before: i64 = counts
                .iter()
                .filter(|c| c.0 == flag.bundle_id)
                .map(|c| c.1)
                .sum();
            let fits = before + count <= 10 && (is_whole || parts == components.len());
            if fits {
                counts.push((flag.bundle_id.clone(), count));
                kept.push(line.clone());
            }
        } else if kept.iter().any(|l| l.bundle.as_ref() == Some(flag)) {
            kept.push(line.clone());
        }
    }
    if kept.is_empty() {
        kept.push(plain(&world.products[5]));
    }
    *lines = kept;
}

/// Numbers from 1 on, or any that are different.
fn number(rng: &mut Rng, lines: &mut [LineInput]) {
    let is_odd = rng.permille(150);
    let mut at = 0;
    for line in lines.iter_mut() {
        at += if is_odd {
            i32::try_from(rng.between(1, 9)).unwrap()
        } else {
            1
        };
        line.line_number = at;
    }
    if is_odd {
        let mut numbers: Vec<i32> = lines.iter().map(|l| l.line_number).collect();
        rng.shuffle(&mut numbers);
        for (line, number) in lines.iter_mut().zip(numbers) {
            line.line_number = number;
        }
    }
}

fn order_discounts(rng: &mut Rng, mix: Mix, lines: &[LineInput]) -> Vec<AdjustmentInput> {
    let goods: i64 = lines
        .iter()
        .map(|l| l.unit_price.units() / 100 * (l.quantity.units() / 100))
        .sum();
    let mut discounts = Vec::new();
    while discounts.len() < 3 && rng.permille(mix.chance(100, 350)) {
        discounts.push(AdjustmentInput {
            kind: "MEMBER".into(),
            amount: Money::from_units(rng.between(0, goods / 8)),
            informational: rng.permille(200),
            ..AdjustmentInput::default()
        });
    }
    discounts
}

fn fees(rng: &mut Rng, mix: Mix) -> Vec<AdjustmentInput> {
    let mut fees = Vec::new();
    while fees.len() < 3 && rng.permille(mix.chance(300, 500)) {
        fees.push(AdjustmentInput {
            kind: "SHIPPING".into(),
            amount: if rng.permille(100) {
                Money::from_units(rng.between(0, 500_000))
            } else {
                baht(rng.between(1, 12) * 500)
            },
            informational: rng.permille(mix.chance(50, 200)),
            tax_rate: rng
                .permille(mix.chance(20, 150))
                .then(|| Rate::from_units(*rng.pick(&[0, 700, 1_000]))),
            is_tax_included: rng.permille(mix.chance(20, 200)).then(|| rng.permille(500)),
        });
    }
    fees
}

/// Breaks a rule, and says which code must be among the reasons.
pub fn spoil(rng: &mut Rng, order: &mut PlaceOrder) -> &'static str {
    let count = order.lines.len();
    let at = rng.index(count);
    let line = &mut order.lines[at];
    let is_plain = line.pack.is_none() && line.bundle.is_none();
    match rng.below(13) {
        0 => order.lines.clear(),
        1 => line.quantity = Quantity::ZERO,
        2 => line.quantity = Quantity::from_units(-line.quantity.units()),
        3 if is_plain => line.unit_price = Money::from_units(-1),
        4 if is_plain => {
            line.original_unit_price = Some(Money::from_units(line.unit_price.units() - 1))
        }
        5 => line.line_number = 0,
        6 if count > 1 => order.lines[0].line_number = order.lines[1].line_number,
        7 => line.sku.clear(),
        8 if is_plain => {
            line.discounts = vec![AdjustmentInput {
                kind: "TOO MUCH".into(),
                amount: Money::from_units(1_000_000_000_000),
                ..AdjustmentInput::default()
            }];
        }
        9 => {
            line.bundle = Some(BundleInput {
                bundle_id: "NOBODY-KNOWS".into(),
                ref_id: "X".into(),
            });
            return "ERR_INVALID_BUNDLE_SKU";
        }
        10 => {
            order.store_id = "nowhere".into();
            return "ERR_INVALID_LOCATION";
        }
        11 => {
            order.channel = "FAX".into();
            return "VAL_001";
        }
        _ => {
            order.is_force_allocation = *rng.pick(&[None, Some(false)]);
            return "ERR_FORCE_ALLOCATION_REQUIRED";
        }
    }
    "ERR_INVALID_LINE_ITEM"
}
