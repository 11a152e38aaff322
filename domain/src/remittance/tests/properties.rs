//! What holds for any commands and any events.

use super::*;
use crate::{
    decode::decode,
    entity::Event,
    random::{Rng, for_all},
};

/// Runs of each property.
const CASES: u64 = 200;

fn money(rng: &mut Rng) -> Money {
    Money::from_units(match rng.weighted(&[8, 1, 1, 1]) {
        0 => rng.below(20_000) * 100,
        1 => rng.below(2_000_000),
        2 => rng.next().cast_signed(),
        _ => *rng.pick(&[i64::MIN, i64::MAX, -1, 0, 1]),
    })
}

fn text(rng: &mut Rng) -> String {
    match rng.weighted(&[8, 1, 1]) {
        0 => rng
            .list(1, 2, |rng| *rng.pick(&['a', 'b', 'c']))
            .iter()
            .collect(),
        1 => (*rng.pick(&["", " ", "-", "a\u{0}", "🍜"])).to_owned(),
        _ => "x".repeat(rng.index(600)),
    }
}

fn number(rng: &mut Rng) -> u128 {
    u128::from(rng.next() % 6)
}

fn name(rng: &mut Rng) -> String {
    match rng.weighted(&[8, 1]) {
        0 => reference(number(rng)),
        _ => text(rng),
    }
}

fn expected_item(rng: &mut Rng) -> ExpectedItem {
    let number_of_order = number(rng);
    let named = if rng.permille(50) {
        number(rng)
    } else {
        number_of_order
    };
    ExpectedItem {
        order_id: order(number_of_order),
        reference: reference(named),
        amount: money(rng),
        rider_id: rng.maybe(text),
        collected_at: now(),
    }
}

fn reported_item(rng: &mut Rng) -> ReportedItemInput {
    ReportedItemInput {
        reference: name(rng),
        amount: money(rng),
    }
}

fn resolution(rng: &mut Rng) -> Resolution {
    use Resolution::{Agreed, PartnerPays, WrittenOff};
    *rng.pick(&[PartnerPays, WrittenOff, Agreed])
}

fn command(rng: &mut Rng) -> RemittanceCommand {
    use RemittanceCommand as C;
    match rng.weighted(&[3, 3, 1, 2, 1, 1, 1]) {
        0 => C::Expect {
            region: region(),
            items: rng.list(0, 4, expected_item),
        },
        1 => C::Report {
            report_id: text(rng),
            items: rng.list(0, 4, reported_item),
            total: rng.permille(100).then(|| money(rng)),
        },
        2 => C::Dispute {
            reference: name(rng),
            reason: text(rng),
        },
        3 => C::Resolve {
            reference: name(rng),
            accepted: money(rng),
            resolution: resolution(rng),
            reason: text(rng),
        },
        4 => C::Close,
        5 => C::Receive {
            amount: money(rng),
            reference: rng.maybe(text),
        },
        _ => C::Deposit {
            amount: money(rng),
            reference: rng.maybe(text),
        },
    }
}

/// What somebody does who wants it settled: the open items are resolved as the partner or the store says, and all
/// of it is closed and handed over.
fn settle(remittance: &Remittance, way: bool) -> Vec<RemittanceCommand> {
    let open = remittance.comparisons.iter().filter(|item| item.is_open());
    let mut commands: Vec<RemittanceCommand> = open
        .map(|item| RemittanceCommand::Resolve {
            reference: item.reference.clone(),
            accepted: if way { item.expected } else { item.reported },
            resolution: if way {
                Resolution::PartnerPays
            } else {
                Resolution::WrittenOff
            },
            reason: "settled".into(),
        })
        .collect();
    commands.push(RemittanceCommand::Close);
    commands
}

fn check_state(remittance: &Remittance) {
    let Summary {
        expected,
        reported,
        variance,
        accepted,
        open,
        ..
    } = remittance.summary;
    let items = &remittance.comparisons;
    let sum = |of: fn(&Comparison) -> Money| items.iter().map(|i| of(i).units()).sum::<i64>();
    assert_eq!(expected.units(), sum(|i| i.expected));
    assert_eq!(reported.units(), sum(|i| i.reported));
    assert_eq!(variance.units(), sum(|i| i.variance));
    assert_eq!(accepted.units(), sum(Comparison::accepted));
    assert_eq!(open as usize, items.iter().filter(|i| i.is_open()).count());
    assert!(
        items
            .windows(2)
            .all(|two| two[0].reference < two[1].reference)
    );
    if remittance.is_compared() {
        let all: i64 = remittance.expected.iter().map(|i| i.amount.units()).sum();
        assert_eq!(expected.units(), all);
        let all = remittance.reported.iter().flatten();
        assert_eq!(reported.units(), all.map(|i| i.amount.units()).sum::<i64>());
    }
    assert!(!remittance.owed().is_negative() || remittance.status != Closed);
    assert!(!remittance.held().is_negative());
    let of_riders = by_rider(items);
    let items: u32 = of_riders.iter().map(|rider| rider.items).sum();
    assert_eq!(items as usize, remittance.comparisons.len());
    let riders: i64 = of_riders.iter().map(|rider| rider.accepted.units()).sum();
    assert_eq!(riders, accepted.units());
}

fn run_all(
    remittance: &mut Remittance,
    commands: &[RemittanceCommand],
    log: &mut Vec<RemittanceEvent>,
) {
    for command in commands {
        let was_closed = remittance.status == Closed;
        let Ok(events) = decide(remittance, command) else {
            continue;
        };
        for event in events {
            remittance.apply(&event);
            let json = serde_json::to_string(&event).unwrap();
            let read: RemittanceEvent = decode(event.event_type(), event.version(), &json).unwrap();
            assert_eq!(&read, &event);
            log.push(event);
        }
        check_state(remittance);
        assert!(
            !was_closed || remittance.status == Closed,
            "closed is final"
        );
        // But for cash, whose repeats the command's id tells, what was done is done.
        if !matches!(
            command,
            RemittanceCommand::Receive { .. } | RemittanceCommand::Deposit { .. }
        ) {
            assert_eq!(decide(remittance, command), Ok(Vec::new()), "{:?}", command);
        }
    }
}

#[test]
fn a_remittance_stays_sound_whatever_is_asked_of_it() {
    for_all(CASES, |rng| {
        let (mut remittance, mut log) = (Remittance::default(), Vec::new());
        run_all(&mut remittance, &rng.list(0, 19, command), &mut log);
        let settled = settle(&remittance, rng.permille(500));
        run_all(&mut remittance, &settled, &mut log);
        assert_eq!(remittance.status == Closed, remittance.is_compared());
        run_all(&mut remittance, &rng.list(0, 5, command), &mut log);
        // The stored events alone tell the same.
        let mut replayed = Remittance::default();
        log.iter().for_each(|event| replayed.apply(event));
        assert_eq!(replayed, remittance);
        let json = serde_json::to_string(&remittance).unwrap();
        let read: Remittance = serde_json::from_str(&json).unwrap();
        assert_eq!(read, remittance);
    });
}

#[test]
fn the_order_of_the_items_does_not_matter() {
    for_all(CASES, |rng| {
        let satang = |n: i64| Money::from_units(n * 100);
        let mut numbers = 0u128..;
        let mut items = rng.list(1, 7, |rng| ExpectedItem {
            amount: satang(rng.between(1, 499)),
            ..expected(numbers.next().unwrap(), "1")
        });
        let mut reported = Vec::new();
        for item in &items {
            let amount = satang(rng.below(500));
            let reference = item.reference.clone();
            reported.extend(rng.maybe(|_| ReportedItemInput { reference, amount }));
        }
        let run = |items: &[ExpectedItem], reported: &[ReportedItemInput]| {
            after(&[
                RemittanceCommand::Expect {
                    region: region(),
                    items: items.to_vec(),
                },
                RemittanceCommand::Report {
                    report_id: "R-1".into(),
                    items: reported.to_vec(),
                    total: None,
                },
            ])
        };
        let straight = run(&items, &reported);
        let by = rng.index(items.len());
        items.rotate_left(by);
        reported.reverse();
        assert_eq!(run(&items, &reported).comparisons, straight.comparisons);
    });
}

/// The fold takes any events, in any order, from any remittance.
#[test]
fn any_events_can_be_applied() {
    for_all(CASES, |rng| {
        let mut log = Vec::new();
        for _ in 0..2 {
            run_all(
                &mut Remittance::default(),
                &rng.list(0, 14, command),
                &mut log,
            );
        }
        let mut remittance = Remittance::default();
        if !log.is_empty() {
            rng.list(0, 19, |rng| remittance.apply(rng.pick(&log)));
        }
        let _ = (
            remittance.owed(),
            remittance.held(),
            remittance.is_compared(),
        );
    });
}
