//! What holds for any input at all: nothing panics, and what is shared is shared to the last unit.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    actor::Role,
    cash::OrderCash,
    ids::OrderId,
    money::{MAX_UNITS, Money, Quantity, Rate},
    order::{
        Order, OrderCommand, OrderEvent,
        command::{
            Address, AdjustmentInput, BundleInput, Contact, LineInput, PackInput, PlaceOrder, Slot,
        },
        decide,
    },
    pricing::{self, Fee, Item},
};

use crate::{
    day::{self, Depth},
    rng::Rng,
    storage::Schemas,
    tally::Tally,
    world::{World, actor, noon},
};

/// Runs of each property. Together they stay well below the crate's test budget.
const CASES: u64 = 500;

/// Any number at all, the extremes and the usual ones above the average.
fn units(rng: &mut Rng) -> i64 {
    match rng.weighted(&[4, 2, 1, 1]) {
        0 => rng.below(2_000_000),
        1 => rng.below(500) * 10_000,
        2 => rng.next().cast_signed(),
        _ => *rng.pick(&[i64::MIN, i64::MAX, -1, 0, 1, MAX_UNITS]),
    }
}

fn money(rng: &mut Rng) -> Money {
    Money::from_units(units(rng))
}

fn text(rng: &mut Rng) -> String {
    match rng.weighted(&[3, 1, 1, 2]) {
        0 => rng
            .list(0, 12, |rng| char::from(*rng.pick(b"aZ09@.+ -")))
            .into_iter()
            .collect(),
        1 => {
            let any = |rng: &mut Rng| u32::try_from(rng.below(0x11_0000)).unwrap();
            rng.list(0, 4, |rng| char::from_u32(any(rng)).unwrap_or('?'))
                .into_iter()
                .collect()
        }
        2 => "ก".repeat(rng.index(600)),
        _ => {
            let texts = [
                "",
                "-",
                "undefined",
                "\u{0}",
                "น้ำปลา",
                "🍜",
                "CFR029",
                "WEB",
                "SET-1",
            ];
            (*rng.pick(&texts)).to_owned()
        }
    }
}

fn time(rng: &mut Rng) -> DateTime<Utc> {
    match rng.weighted(&[8, 1, 1]) {
        0 => noon() + TimeDelta::minutes(rng.between(-10_000, 10_000)),
        1 => DateTime::<Utc>::MIN_UTC,
        _ => DateTime::<Utc>::MAX_UTC,
    }
}

fn adjustment(rng: &mut Rng) -> AdjustmentInput {
    AdjustmentInput {
        kind: text(rng),
        amount: money(rng),
        informational: rng.permille(500),
        tax_rate: rng.maybe(|rng| Rate::from_units(units(rng))),
        is_tax_included: rng.maybe(|rng| rng.permille(500)),
    }
}

fn int(rng: &mut Rng) -> i32 {
    let small = i32::try_from(rng.between(-1, 30)).unwrap();
    *rng.pick(&[small, small, small, i32::MIN, i32::MAX])
}

fn line(rng: &mut Rng) -> LineInput {
    LineInput {
        line_number: int(rng),
        sku: text(rng),
        quantity: Quantity::from_units(units(rng)),
        uom: rng.maybe(text),
        unit_price: money(rng),
        original_unit_price: rng.maybe(money),
        discounts: rng.list(0, 4, adjustment),
        tax_rate: rng.maybe(|rng| Rate::from_units(units(rng))),
        is_tax_included: rng.maybe(|rng| rng.permille(500)),
        is_weight_item: rng.permille(500),
        pack: rng.maybe(|rng| PackInput {
            unit_price: money(rng),
            ordered: int(rng),
            units_per_pack: int(rng),
        }),
        bundle: rng.maybe(|rng| BundleInput {
            bundle_id: text(rng),
            ref_id: text(rng),
        }),
        name_th: rng.maybe(text),
        name_en: rng.maybe(text),
        is_gift: rng.permille(500),
        promotion_id: rng.maybe(text),
    }
}

fn contact(rng: &mut Rng) -> Contact {
    Contact {
        name: rng.maybe(text),
        phone: rng.maybe(text),
        email: rng.maybe(text),
        address: rng.maybe(|rng| Address {
            line1: text(rng),
            line2: rng.maybe(text),
            line3: rng.maybe(text),
            city: rng.maybe(text),
            state: rng.maybe(text),
            postal_code: rng.maybe(text),
            country: rng.maybe(text),
        }),
    }
}

fn anything(rng: &mut Rng) -> PlaceOrder {
    PlaceOrder {
        number: rng.maybe(text),
        channel: text(rng),
        order_type: rng.maybe(text),
        alternate_order_id: rng.maybe(text),
        cust_ref: rng.maybe(text),
        store_id: text(rng),
        is_force_allocation: rng.maybe(|rng| rng.permille(500)),
        customer_id: rng.maybe(text),
        t1_membership_id: rng.maybe(text),
        t1_number: rng.maybe(text),
        contact: rng.maybe(contact),
        lines: rng.list(0, 23, line),
        order_discounts: rng.list(0, 4, adjustment),
        fees: rng.list(0, 4, adjustment),
        payment_method: rng.maybe(text),
        expected_total: rng.maybe(money),
        requested_slot: rng.maybe(|rng| Slot {
            from: time(rng),
            to: time(rng),
        }),
        promised_at: rng.maybe(time),
        captured_at: rng.maybe(time),
        allow_substitution: rng.permille(500),
    }
}

#[test]
fn no_order_makes_placing_panic() {
    let world = World::new(&mut Rng::new(1));
    for seed in 0..CASES {
        let mut rng = Rng::new(seed);
        let mut facts = world.facts(time(&mut rng));
        if rng.permille(500) {
            facts.sealed = None;
        }
        let command = OrderCommand::Place(Box::new(anything(&mut rng)));
        match decide(&Order::default(), &command, &actor(Role::Ops), &facts) {
            Ok(events) => assert_eq!(events.len(), 1, "seed {seed}"),
            Err(refusal) => assert!(!refusal.problems.is_empty(), "seed {seed}"),
        }
    }
}

#[test]
fn a_command_survives_its_json() {
    let mut survived = 0;
    for seed in 0..CASES {
        let command = OrderCommand::Place(Box::new(anything(&mut Rng::new(seed))));
        let text = serde_json::to_string(&command).unwrap();
        // Decimals beyond DECIMAL(18,4) can be built in Rust but not sent.
        if let Ok(back) = serde_json::from_str::<OrderCommand>(&text) {
            assert_eq!(back, command, "seed {seed}");
            survived += 1;
        }
    }
    assert!(survived > 0);
}

#[test]
fn no_figures_make_pricing_panic() {
    for seed in 0..CASES {
        let rng = &mut Rng::new(seed);
        let items = rng.list(0, 6, |rng| Item {
            original_unit_price: money(rng),
            quantity: Quantity::from_units(units(rng)),
            discount: money(rng),
            tax_rate: Rate::from_units(units(rng)),
            is_tax_included: rng.permille(500),
        });
        let fees = rng.list(0, 3, |rng| Fee {
            amount: money(rng),
            tax_rate: Rate::from_units(units(rng)),
            is_tax_included: rng.permille(500),
            informational: rng.permille(500),
        });
        let discount = money(rng);
        if let Ok(sums) = pricing::price(&items, discount, &fees) {
            let shares = sums.items.iter().map(|s| s.order_discount_share.units());
            assert_eq!(shares.sum::<i64>(), discount.units(), "seed {seed}");
        }
    }
}

#[test]
fn an_amount_is_shared_to_the_last_unit() {
    for seed in 0..CASES {
        let rng = &mut Rng::new(seed);
        // Few units each, so that the remainder is more than a value can bear.
        let most = *rng.pick(&[3, 100, 10_000, MAX_UNITS / 20]);
        let mut values = rng.list(0, 20, |rng| Money::from_units(rng.below(most)));
        values.push(Money::from_units(rng.below(most)));
        let sum: i64 = values.iter().map(|v| v.units()).sum();
        let total = rng.between(0, sum);
        let shares = pricing::share(Money::from_units(total), &values).unwrap();
        let shared: i64 = shares.iter().map(|s| s.units()).sum();
        assert_eq!(shared, total, "seed {seed}");
        for (share, value) in shares.iter().zip(&values) {
            assert!(!share.is_negative() && share <= value, "seed {seed}");
        }
    }
}

/// Events of different orders on one order, in any order: the fold neither fails nor panics, and
/// the books balance, because a reader must never stop at what was once decided.
#[test]
fn any_events_make_an_order_and_balanced_books() {
    let world = World::new(&mut Rng::new(0));
    let (mut tally, mut schemas) = (Tally::default(), Schemas::default());
    let mut events: Vec<OrderEvent> = Vec::new();
    for seed in 0..60 {
        let mut day = day::Day::new(&world, seed * 8);
        day.live(Depth::Light, &mut tally, &mut schemas).unwrap();
        events.extend(day.order_events());
    }
    for seed in 0..CASES {
        let rng = &mut Rng::new(seed);
        let (mut order, mut cash) = (Order::default(), OrderCash::default());
        for _ in 0..30 {
            let event = rng.pick(&events);
            order.apply(event);
            let posting = cash.post(OrderId(uuid::Uuid::nil()), event);
            let sum: i64 = posting.entries().iter().map(|e| e.amount.units()).sum();
            assert_eq!(sum, 0, "seed {seed}");
        }
        assert!(order.min_line_status() <= order.max_line_status());
        if order.exists() {
            let text = serde_json::to_string(&order).unwrap();
            let read: Order = serde_json::from_str(&text).unwrap();
            assert_eq!(read, order, "seed {seed}");
        }
    }
}
