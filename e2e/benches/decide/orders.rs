//! What is decided: full orders at a store with a hundred bundles and a catalogue.

use std::{collections::HashMap, sync::Arc};

use domain::{
    actor::{Actor, Role, StoreScope},
    bundle::{
        BundleKind, BundleRules, Component, Definition, Offer, ReturnPolicy, Role as Part, Schedule,
    },
    ids::{RegionId, Sku},
    money::{Money, Quantity, Rate, SCALE},
    order::{
        OrderCommand,
        command::{AdjustmentInput, BundleInput, LineInput, PackInput, PlaceOrder},
        facts::{Facts, Product, Products, StoreFacts},
    },
};

/// Bundles that are defined, and products of each.
const DEFINITIONS: i64 = 100;
const COMPONENTS: i64 = 3;
/// Lines of an order: the most that one may have.
const LINES: i32 = 20;

/// A store, what it offers, and who places orders there.
pub(crate) struct Shop {
    pub(crate) actor: Actor,
    pub(crate) facts: Facts,
}

pub(crate) fn shop() -> Shop {
    let offers = (0..DEFINITIONS).map(offer).collect();
    let products = (0..DEFINITIONS * COMPONENTS).chain([900, 901, 902]);
    let products: HashMap<Sku, Product> = products.map(product).collect();
    let store = StoreFacts {
        region: RegionId::new("BKK-EAST").unwrap(),
        active: true,
        cod_limit: Some(baht(5_000)),
        auto_release: true,
    };
    let now = "2026-03-14T05:00:00Z".parse().unwrap();
    Shop {
        actor: Actor {
            id: "channel".into(),
            role: Role::Channel,
            stores: StoreScope::All,
        },
        facts: Facts {
            number: Some("QC-2026-03-14-000001".parse().unwrap()),
            bundles: Arc::new(offers),
            products: Products::Known(products),
            ..Facts::new(now, Some(store))
        },
    }
}

fn baht(amount: i64) -> Money {
    Money::from_units(amount * SCALE)
}

fn pieces(count: i64) -> Quantity {
    Quantity::from_units(count * SCALE)
}

fn sku(index: i64) -> Sku {
    Sku::new(format!("88500000{index:05}")).unwrap()
}

/// 19 to 68 THB.
fn price(index: i64) -> Money {
    baht(19 + index * 7 % 50)
}

fn product(index: i64) -> (Sku, Product) {
    let product = Product {
        name_th: Some(format!("สินค้า {index}")),
        name_en: Some(format!("Product {index}")),
        short_description: Some("As the catalogue says".into()),
        image_url: Some(format!("https://images.example/{index}.jpg")),
        list_price: Some(price(index)),
    };
    (sku(index), product)
}

/// The bundle of three products of its own: every pricing model in turn.
fn offer(index: i64) -> Offer {
    let components: Vec<Component> = (0..COMPONENTS)
        .map(|place| index * COMPONENTS + place)
        .map(|product| Component {
            sku: sku(product),
            name_th: None,
            name_en: Some(format!("Product {product}")),
            quantity: pieces(1),
            unit_price: price(product),
            role: Part::Main,
            tax_rate: None,
            substitutable: true,
            max_rise: None,
        })
        .collect();
    let sum: i64 = components.iter().map(|c| c.unit_price.units()).sum();
    let pricing = match index % 4 {
        0 => BundleRules::FixedPrice {
            price: Money::from_units(sum / 10 * 8),
        },
        1 => BundleRules::Percent {
            off: Rate::from_units(1_500),
        },
        2 => BundleRules::ComponentDiscount { off: vec![baht(5)] },
        _ => BundleRules::BuyXGetY { free: vec![2] },
    };
    Offer {
        id: format!("SET-{index}").parse().unwrap(),
        version: 1,
        active: true,
        definition: Definition {
            sku: Sku::new(format!("SET{index}")).unwrap(),
            name_th: None,
            name_en: Some(format!("Set {index}")),
            kind: BundleKind::MealDeal,
            components,
            pricing,
            schedule: Schedule::default(),
            stores: Vec::new(),
            priority: 0,
            match_lines: true,
            returns: ReturnPolicy::Whole,
        },
    }
}

fn line(line_number: i32, index: i64) -> LineInput {
    LineInput {
        line_number,
        sku: sku(index).as_str().into(),
        quantity: pieces(2),
        unit_price: price(index),
        ..LineInput::default()
    }
}

/// What both orders have: packs, weighed goods, a line discount, one on the order, and shipping.
fn order(mut lines: Vec<LineInput>) -> OrderCommand {
    let mut next = 1 + i32::try_from(lines.len()).unwrap();
    let mut add = |line: LineInput| {
        let line_number = next;
        next += 1;
        lines.push(LineInput {
            line_number,
            ..line
        });
    };
    let unit_price = Money::from_units(price(900).units() * 3);
    add(LineInput {
        unit_price,
        pack: Some(PackInput {
            unit_price,
            ordered: 2,
            units_per_pack: 3,
        }),
        ..line(0, 900)
    });
    add(LineInput {
        quantity: Quantity::from_units(7_350),
        is_weight_item: true,
        ..line(0, 901)
    });
    add(LineInput {
        discounts: vec![adjustment("PROMOTION", 11)],
        ..line(0, 902)
    });
    // Of every bundle from the tenth on only one product, so that all of them are looked at and none fits.
    for index in 0.. {
        if lines.len() >= usize::try_from(LINES).unwrap() {
            break;
        }
        let line_number = 1 + i32::try_from(lines.len()).unwrap();
        lines.push(line(line_number, (10 + index) * COMPONENTS));
    }
    OrderCommand::Place(Box::new(PlaceOrder {
        channel: "WEB".into(),
        store_id: "CFR029".into(),
        is_force_allocation: Some(true),
        customer_id: Some("C-1".into()),
        lines,
        order_discounts: vec![adjustment("MEMBER", 15)],
        fees: vec![adjustment("SHIPPING", 40)],
        ..PlaceOrder::default()
    }))
}

fn adjustment(kind: &str, amount: i64) -> AdjustmentInput {
    AdjustmentInput {
        kind: kind.into(),
        amount: baht(amount),
        ..AdjustmentInput::default()
    }
}

/// One bundle under its own SKU, two in ordinary lines.
pub(crate) fn bundled(shop: &Shop) -> OrderCommand {
    let named = shop.facts.bundles.first().unwrap();
    let mut lines = vec![LineInput {
        line_number: 1,
        sku: named.definition.sku.as_str().into(),
        quantity: pieces(2),
        unit_price: named.price().unwrap(),
        bundle: Some(BundleInput {
            bundle_id: named.id.as_str().into(),
            ref_id: "B1".into(),
        }),
        ..LineInput::default()
    }];
    for (line_number, product) in (2..).zip(COMPONENTS..COMPONENTS * 3) {
        lines.push(line(line_number, product));
    }
    order(lines)
}

/// The same shop, and no bundle in the order.
pub(crate) fn plain(_shop: &Shop) -> OrderCommand {
    let single = (1..)
        .zip(3..10)
        .map(|(number, bundle)| line(number, bundle * COMPONENTS));
    order(single.collect())
}
