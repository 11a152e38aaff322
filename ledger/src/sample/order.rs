//! One order as a channel sends it.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use domain::{
    money::{Money, SCALE},
    order::command::{AdjustmentInput, LineInput, PlaceOrder, Slot},
};

use super::{Options, basket, people, rng::Rng, stores::Store};

/// Streams of numbers: what is drawn for a customer does not depend on the order.
const CUSTOMER: u64 = 0xC;
const BUNDLES: u64 = 0xE;
/// Customers the channels know.
const CUSTOMERS: u64 = 4_000;
/// Orders that ask for a slot, in 1,000.
const WITH_SLOT: u64 = 300;
/// Hours that the first slot to choose from lies ahead, and the last one.
const SLOT_HOURS: (i64, i64) = (1, 6);
/// Orders with a coupon, in 1,000, among those worth [`COUPON_FROM`] or more.
const WITH_COUPON: u64 = 80;
const COUPON_FROM: Money = Money::from_units(200 * SCALE);
/// Customers of the loyalty programme, in 1,000 of those a channel knows.
const MEMBERS: u64 = 250;
/// Letters of a marketplace's ids.
const ID_LETTERS: [char; 32] = [
    'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'U',
    'V', 'W', 'X', 'Y', 'Z', '2', '3', '4', '5', '6', '7', '8', '9',
];

/// A sales channel and its habits.
struct Channel {
    name: &'static str,
    order_type: &'static str,
    /// Orders that name a customer, in 1,000.
    known_customers: u64,
}

/// Six in ten orders come by Grab, three by the web, one is taken in a store.
const CHANNELS: [(u64, Channel); 3] = [
    (
        600,
        Channel {
            name: "GRAB",
            order_type: "MKP-HD-STD",
            known_customers: 200,
        },
    ),
    (
        900,
        Channel {
            name: "WEB",
            order_type: "WEB-HD-STD",
            known_customers: 800,
        },
    ),
    (
        1_000,
        Channel {
            name: "STORE",
            order_type: "STORE-HD-STD",
            known_customers: 400,
        },
    ),
];

/// The order at a place in the sequence.
pub(super) fn place(rng: &mut Rng, options: &Options, index: u64, store: &Store) -> PlaceOrder {
    let draw = rng.below(1_000);
    let channel = CHANNELS
        .iter()
        .find(|(share, _)| draw < *share)
        .map_or(&CHANNELS[0].1, |(_, channel)| channel);
    let mut lines = basket::lines(rng);
    if options.whole {
        // A stream of their own: the rest of the order is the same with and without.
        let mut rng = Rng::new(options.seed, &[BUNDLES, index]);
        basket::add_bundle(&mut rng, &mut lines, channel.name);
    }
    let goods: Money = Money::from_units(lines.iter().map(worth).sum());
    let customer = rng
        .chance(channel.known_customers)
        .then(|| rng.below(CUSTOMERS));
    let mut person = customer.map_or_else(
        || rng.clone(),
        |number| Rng::new(options.seed, &[CUSTOMER, number]),
    );
    let contact = people::contact(&mut person, &store.region);
    let member = customer.filter(|_| person.chance(MEMBERS));
    let from_grab = channel.name == "GRAB";
    PlaceOrder {
        number: options
            .numbers_on
            .map(|day| format!("QC-{}-{:06}", day.format("%Y-%m-%d"), index + 1)),
        channel: channel.name.to_owned(),
        order_type: Some(channel.order_type.to_owned()),
        alternate_order_id: from_grab.then(|| marketplace_id(rng, index)),
        store_id: store.id.to_owned(),
        is_force_allocation: Some(true),
        customer_id: customer.map(|number| format!("CUST-{number:06}")),
        t1_membership_id: member.map(|number| format!("T1-{number:08}")),
        contact: Some(contact),
        lines,
        order_discounts: coupon(rng, goods),
        fees: shipping(rng, channel.name, goods),
        payment_method: Some("COD".to_owned()),
        requested_slot: options
            .slots_after
            .filter(|_| rng.chance(WITH_SLOT))
            .and_then(|now| slot(rng, now)),
        allow_substitution: rng.chance(400),
        ..PlaceOrder::default()
    }
}

fn worth(line: &LineInput) -> i64 {
    line.unit_price.units() / SCALE * line.quantity.units()
}

/// Nine digits and 14 characters, as marketplaces have them; unique by the order's place in the sequence.
fn marketplace_id(rng: &mut Rng, index: u64) -> String {
    let letters: String = (0..14).map(|_| *rng.pick(&ID_LETTERS)).collect();
    format!("{:03}{:06}-{letters}", rng.below(1_000), index % 1_000_000)
}

fn coupon(rng: &mut Rng, goods: Money) -> Vec<AdjustmentInput> {
    if goods < COUPON_FROM || !rng.chance(WITH_COUPON) {
        return Vec::new();
    }
    let amount = *rng.pick(&[10, 15, 20, 30]);
    vec![adjustment("COUPON", amount, false)]
}

/// A marketplace keeps its delivery fee to itself and only tells it; the web shop delivers free from 300 THB.
fn shipping(rng: &mut Rng, channel: &str, goods: Money) -> Vec<AdjustmentInput> {
    let amount = *rng.pick(&[20, 25, 30, 40]);
    match channel {
        "GRAB" => vec![adjustment("SHIPPING", amount, true)],
        "WEB" if goods < Money::from_units(300 * SCALE) => {
            vec![adjustment("SHIPPING", amount, false)]
        }
        _ => Vec::new(),
    }
}

fn adjustment(kind: &str, thb: i64, informational: bool) -> AdjustmentInput {
    AdjustmentInput {
        kind: kind.to_owned(),
        amount: Money::from_units(thb * SCALE),
        informational,
        ..AdjustmentInput::default()
    }
}

/// One hour, on the hour.
fn slot(rng: &mut Rng, now: DateTime<Utc>) -> Option<Slot> {
    let hour = now.duration_trunc(TimeDelta::hours(1)).ok()?;
    let from = hour + TimeDelta::hours(rng.between(SLOT_HOURS.0, SLOT_HOURS.1));
    Some(Slot {
        from,
        to: from + TimeDelta::hours(1),
    })
}
