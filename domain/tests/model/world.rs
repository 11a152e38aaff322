//! A small chain: products, bundles that sell some of them together, and a store.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    actor::{Actor, Role, StoreScope},
    bundle::{
        Bundle, BundleCommand, BundleEvent, BundleKind, BundleRules, Component, DailyHours,
        Definition, Offer, ReturnPolicy, Role as Part, Schedule,
    },
    entity::Entity,
    ids::{RegionId, Sku, StoreId},
    money::{Money, Quantity, Rate, SCALE},
    order::{
        event::Sealed,
        facts::{Facts, StoreFacts},
    },
};

use crate::rng::Rng;

/// What units cost, in satang: most of a store's shelf.
const PRICES: [i64; 24] = [
    900, 1_200, 1_500, 1_900, 2_500, 2_850, 3_000, 3_500, 3_900, 4_200, 4_500, 4_900, 5_500, 5_900,
    6_500, 7_900, 8_900, 9_900, 12_900, 15_900, 19_900, 25_900, 34_900, 59_999,
];
const PRODUCTS: usize = 60;
const BUNDLES: i64 = 24;
pub const STORE: &str = "CFR029";

/// A product and its price.
#[derive(Debug, Clone)]
pub struct Product {
    pub sku: String,
    pub price: Money,
}

#[derive(Debug)]
pub struct World {
    pub products: Vec<Product>,
    pub offers: Arc<Vec<Offer>>,
    pub store: StoreId,
}

pub fn baht(satang: i64) -> Money {
    Money::from_units(satang * (SCALE / 100))
}

pub fn pieces(count: i64) -> Quantity {
    Quantity::from_units(count * SCALE)
}

pub fn noon() -> DateTime<Utc> {
    "2026-03-14T05:00:00Z".parse().unwrap()
}

pub fn actor(role: Role) -> Actor {
    Actor {
        id: "someone".into(),
        role,
        stores: StoreScope::All,
    }
}

impl World {
    pub fn new(rng: &mut Rng) -> Self {
        let products: Vec<Product> = (0..PRODUCTS)
            .map(|index| Product {
                sku: format!("88500000{index:05}"),
                price: baht(PRICES[index % PRICES.len()]),
            })
            .collect();
        let offers = (0..BUNDLES).map(|index| offer(rng, &products, index));
        Self {
            offers: Arc::new(offers.collect()),
            products,
            store: STORE.parse().unwrap(),
        }
    }

    /// What the shell would gather at `now`.
    pub fn facts(&self, now: DateTime<Utc>) -> Facts {
        let store = StoreFacts {
            region: RegionId::new("BKK-EAST").unwrap(),
            active: true,
            cod_limit: Some(baht(500_000)),
            auto_release: true,
        };
        Facts {
            number: Some("QC-2026-03-14-000001".parse().unwrap()),
            sealed: Some(Sealed {
                subject: "order:1".into(),
                sealed: "c2VhbGVk".into(),
            }),
            bundles: Arc::clone(&self.offers),
            ..Facts::new(now, Some(store))
        }
    }
}

/// A bundle that somebody defined, by the rules for definitions.
fn offer(rng: &mut Rng, products: &[Product], index: i64) -> Offer {
    let definition = definition(rng, products, index);
    let define = BundleCommand::Define { definition };
    let events = Bundle::default()
        .decide(&define, &actor(Role::Ops), &())
        .expect("a valid definition");
    let [BundleEvent::Defined { definition }] = &events[..] else {
        panic!("not defined: {events:?}");
    };
    Offer {
        id: format!("SET-{index}").parse().unwrap(),
        version: u32::try_from(rng.between(1, 9)).unwrap(),
        active: !rng.permille(40),
        definition: definition.clone(),
    }
}

fn definition(rng: &mut Rng, products: &[Product], index: i64) -> Definition {
    let mut places: Vec<usize> = (0..products.len()).collect();
    rng.shuffle(&mut places);
    let count = rng.between(2, 4);
    let components: Vec<Component> = places
        .iter()
        .take(usize::try_from(count).unwrap())
        .map(|place| component(rng, &products[*place]))
        .collect();
    let pricing = pricing(rng, &components);
    Definition {
        sku: Sku::new(format!("SET{index}")).unwrap(),
        name_th: None,
        name_en: Some(format!("Set {index}")),
        kind: *rng.pick(&[BundleKind::BreakfastCombo, BundleKind::SeasonalPromo]),
        components,
        pricing,
        schedule: schedule(rng),
        stores: if rng.permille(100) {
            vec![rng.pick(&[STORE, "CFR001"]).parse().unwrap()]
        } else {
            Vec::new()
        },
        priority: i32::try_from(rng.between(-2, 2)).unwrap(),
        match_lines: rng.permille(600),
        returns: *rng.pick(&[ReturnPolicy::Whole, ReturnPolicy::Components]),
    }
}

fn schedule(rng: &mut Rng) -> Schedule {
    let mut schedule = Schedule::default();
    match rng.below(8) {
        0 => schedule.from = Some(noon() + TimeDelta::days(rng.between(-9, 1))),
        1 => schedule.until = Some(noon() + TimeDelta::days(rng.between(-1, 9))),
        // The 14th is a Saturday, and it is noon in Bangkok.
        2 => schedule.weekdays = vec![u8::try_from(rng.between(5, 6)).unwrap()],
        3 => schedule.hours = Some(DailyHours { from: 660, to: 840 }),
        _ => {}
    }
    schedule
}

fn component(rng: &mut Rng, product: &Product) -> Component {
    Component {
        sku: Sku::new(product.sku.clone()).unwrap(),
        name_th: None,
        name_en: None,
        quantity: pieces(*rng.pick(&[1, 1, 1, 1, 2, 3])),
        unit_price: product.price,
        role: *rng.pick(&[Part::Main, Part::AddOn]),
        tax_rate: rng.permille(100).then_some(Rate::ZERO),
        substitutable: rng.permille(500),
        max_rise: rng.permille(300).then(|| Rate::from_units(1_000)),
    }
}

fn pricing(rng: &mut Rng, components: &[Component]) -> BundleRules {
    let worth = |c: &Component| c.unit_price.units() / SCALE * (c.quantity.units());
    let all: i64 = components.iter().map(worth).sum();
    match rng.below(4) {
        0 => BundleRules::FixedPrice {
            price: Money::from_units(all * rng.between(60, 100) / 100),
        },
        1 => BundleRules::Percent {
            off: Rate::from_units(rng.between(1, 4_000)),
        },
        2 => BundleRules::ComponentDiscount {
            off: components
                .iter()
                .take(usize::try_from(rng.between(0, 4)).unwrap())
                .map(|c| Money::from_units(worth(c) * rng.between(0, 60) / 100))
                .collect(),
        },
        _ => BundleRules::BuyXGetY {
            free: vec![u16::try_from(rng.index(components.len())).unwrap()],
        },
    }
}
