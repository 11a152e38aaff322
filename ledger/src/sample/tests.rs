//! The shape of the sample orders: counts over a fixed seed, so that nothing here is random.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use domain::{
    actor::{Actor, StoreScope},
    entity::Command,
    money::{Money, SCALE},
    order::{Order, OrderCommand, OrderStatus, command::PlaceOrder, decide},
};

use super::{stores::STORES, *};
use crate::import::line::Line;

const COUNT: usize = 2_000;
const SAMPLE: &str = include_str!("../../samples/orders-2000.ndjson");

fn sample() -> &'static [Life] {
    static LIVES: LazyLock<Vec<Life>> = LazyLock::new(|| {
        let options = Options {
            back_orders: true,
            ..file_options()
        };
        lives(&options)
            .take(COUNT)
            .collect::<Result<_, _>>()
            .unwrap()
    });
    &LIVES
}

fn placed(life: &Life) -> &PlaceOrder {
    match &life.steps[0].command {
        OrderCommand::Place(place) => place,
        other => panic!("{other:?}"),
    }
}

/// How many per mille of the lives are so.
fn per_mille(lives: &[Life], is_so: impl Fn(&Life) -> bool) -> usize {
    lives.iter().filter(|l| is_so(l)).count() * 1_000 / lives.len()
}

#[test]
fn every_end_is_reached_as_often_as_planned() {
    let lives = sample();
    let mut ends: BTreeMap<u16, usize> = BTreeMap::new();
    for life in lives {
        assert_eq!(life.order.status, life.end);
        *ends.entry(life.end.code()).or_default() += 1;
    }
    let expected = [
        (1000, 40),
        (1500, 40),
        (2000, 40),
        (3000, 60),
        (3500, 80),
        (3600, 60),
        (3700, 80),
        (7000, 80),
        (7100, 80),
        (7200, 100),
        (7300, 120),
        (7500, 1_200),
        (9000, 20),
    ];
    assert_eq!(ends.into_iter().collect::<Vec<_>>(), expected);
    let without = lives_of(&Options::new(3));
    assert!(without.iter().all(|l| l.end != OrderStatus::BackOrdered));
}

fn lives_of(options: &Options) -> Vec<Life> {
    lives(options).take(100).collect::<Result<_, _>>().unwrap()
}

#[test]
fn channels_customers_and_stores_have_their_shares() {
    let lives = sample();
    let share = |name: &str| per_mille(lives, |l| placed(l).channel == name);
    assert!((570..=630).contains(&share("GRAB")), "{}", share("GRAB"));
    assert!((270..=330).contains(&share("WEB")), "{}", share("WEB"));
    assert!((80..=120).contains(&share("STORE")), "{}", share("STORE"));
    let unknown = per_mille(lives, |l| placed(l).customer_id.is_none());
    assert!((570..=630).contains(&unknown), "{unknown}");
    let mut stores: BTreeMap<&str, usize> = BTreeMap::new();
    for life in lives.iter().filter(|l| l.end != OrderStatus::BackOrdered) {
        *stores.entry(life.store.id).or_default() += 1;
    }
    assert_eq!(stores.len(), STORES.len());
    assert!(stores["CFR001"] > 2 * stores["CFR025"], "{stores:?}");
}

#[test]
fn baskets_have_the_sizes_and_the_worth_of_real_ones() {
    let lives = sample();
    for (low, high, expected) in [
        (1, 1, 180),
        (2, 2, 240),
        (3, 3, 220),
        (4, 6, 240),
        (7, 12, 100),
        (13, 20, 20),
    ] {
        let share = per_mille(lives, |l| (low..=high).contains(&placed(l).lines.len()));
        assert!(
            share.abs_diff(expected) <= 30,
            "{low} to {high} lines: {share}"
        );
    }
    let mut totals: Vec<Money> = lives.iter().map(|l| l.order.totals.sub_total).collect();
    totals.sort_unstable();
    let at = |per_mille: usize| totals[COUNT * per_mille / 1_000].units() / SCALE;
    assert!((200..=235).contains(&at(500)), "median {}", at(500));
    assert!((90..=125).contains(&at(100)), "first decile {}", at(100));
    assert!((400..=480).contains(&at(900)), "last decile {}", at(900));
    let mean = totals.iter().map(|t| t.units()).sum::<i64>() / SCALE / 2_000;
    assert!((235..=275).contains(&mean), "mean {mean}");
    assert!(totals[0].units() >= 10 * SCALE && totals[COUNT - 1].units() <= 5_000 * SCALE);
}

#[test]
fn packs_weighed_goods_discounts_and_fees_appear() {
    let lives = sample();
    let packs = per_mille(lives, |l| {
        placed(l).lines.iter().any(|line| line.pack.is_some())
    });
    assert!((65..=95).contains(&packs), "{packs}");
    let lines: Vec<_> = lives.iter().flat_map(|l| &placed(l).lines).collect();
    let weighed = lines.iter().filter(|l| l.is_weight_item).count() * 1_000 / lines.len();
    assert!((40..=60).contains(&weighed), "{weighed}");
    assert!(lines.iter().any(|l| l.original_unit_price.is_some()));
    assert!(lives.iter().any(|l| !placed(l).order_discounts.is_empty()));
    assert!(lives.iter().any(|l| l.order.totals.fees.is_positive()));
    assert!(
        lives
            .iter()
            .any(|l| l.order.totals.cash_rounding != Money::ZERO)
    );
}

#[test]
fn people_are_made_up() {
    for life in sample() {
        let contact = placed(life).contact.as_ref().unwrap();
        assert!(contact.phone.as_ref().unwrap().starts_with("+66 00 "));
        assert!(
            contact
                .email
                .as_ref()
                .is_none_or(|e| e.ends_with("@example.com"))
        );
    }
}

#[test]
fn a_seed_names_its_orders_and_ids_are_unique() {
    let steps = |seed: u64| -> Vec<_> {
        let lives = lives_of(&Options::new(seed));
        lives
            .into_iter()
            .flat_map(|l| l.steps)
            .map(|s| (s.command_id.0, s.command))
            .collect()
    };
    assert_eq!(steps(1), steps(1));
    let ids: BTreeSet<_> = steps(1)
        .into_iter()
        .chain(steps(2))
        .map(|(id, _)| id)
        .collect();
    assert_eq!(ids.len(), steps(1).len() + steps(2).len());
    let mut references = BTreeSet::new();
    let lives = sample();
    assert!(
        lives
            .iter()
            .flat_map(|l| &l.order.refs)
            .all(|r| references.insert(r.reference.clone()))
    );
}

#[test]
fn slots_appear_when_asked_for_and_lie_ahead() {
    let now = "2026-03-01T10:30:00Z".parse().unwrap();
    let lives = lives_of(&Options {
        slots_after: Some(now),
        ..Options::new(5)
    });
    let slots: Vec<_> = lives
        .iter()
        .filter_map(|l| placed(l).requested_slot)
        .collect();
    assert!(slots.len() > 15 && slots.iter().all(|s| s.from > now));
    assert!(
        lives_of(&Options::new(5))
            .iter()
            .all(|l| placed(l).requested_slot.is_none())
    );
}

#[test]
fn every_role_may_do_what_its_steps_ask() {
    for step in sample().iter().flat_map(|l| &l.steps) {
        assert!(step.role.may(step.command.action()), "{:?}", step);
    }
}

/// The file that ships is what its seed gives, and the domain accepts each of its orders.
#[test]
fn the_sample_file_is_up_to_date() {
    let mut made = Vec::new();
    write(&mut made, &file_options(), FILE_ORDERS, Content::Orders).unwrap();
    let made = String::from_utf8(made).unwrap();
    assert_eq!(SAMPLE.lines().count(), FILE_ORDERS);
    for (line, (shipped, made)) in SAMPLE.lines().zip(made.lines()).enumerate() {
        let read = |text: &str| Line::parse(text.as_bytes()).unwrap();
        assert_eq!(
            read(shipped),
            read(made),
            "line {}: see samples/README.md",
            line + 1
        );
    }
}

#[test]
fn a_file_of_whole_lives_can_be_imported_line_by_line() {
    let mut out = Vec::new();
    write(&mut out, &file_options(), 20, Content::Lives).unwrap();
    let mut orders: BTreeMap<String, Order> = BTreeMap::new();
    for text in String::from_utf8(out).unwrap().lines() {
        let line = Line::parse(text.as_bytes()).unwrap();
        let order = orders.entry(line.number().unwrap().to_owned()).or_default();
        let actor = Actor {
            id: "test".into(),
            role: domain::actor::Role::Ops,
            stores: StoreScope::All,
        };
        let mut facts = facts(&STORES[0]);
        facts.number = None;
        for event in decide(order, &line.command, &actor, &facts).unwrap() {
            order.apply(&event);
        }
    }
    assert_eq!(orders.len(), 20);
}

/// Writes the file that ships: `cargo test -p ledger write_the_sample_file -- --ignored`.
#[test]
#[ignore = "writes samples/orders-2000.ndjson"]
fn write_the_sample_file() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/orders-2000.ndjson");
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    write(&mut out, &file_options(), FILE_ORDERS, Content::Orders).unwrap();
}
