//! What holds for any commands and any events.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;
use crate::{decode::decode, entity::Event};

/// Runs of each property.
const CASES: u32 = 200;

fn money() -> impl Strategy<Value = Money> {
    prop_oneof![
        8 => (0..20_000i64).prop_map(|satang| satang * 100),
        1 => 0..2_000_000i64,
        1 => any::<i64>(),
        1 => select(vec![i64::MIN, i64::MAX, -1, 0, 1]),
    ]
    .prop_map(Money::from_units)
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-c]{1,2}",
        1 => select(vec!["", " ", "-", "a\u{0}", "🍜"]).prop_map(str::to_owned),
        1 => (0..600usize).prop_map(|length| "x".repeat(length)),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![8 => (0..6u128).prop_map(reference), 1 => text()]
}

prop_compose! {
    fn expected_item()(
        number in 0..6u128, other in option::weighted(0.05, 0..6u128), amount in money(),
        rider_id in option::of(text()),
    ) -> ExpectedItem {
        ExpectedItem {
            order_id: order(number),
            reference: reference(other.unwrap_or(number)),
            amount,
            rider_id,
            collected_at: now(),
        }
    }
}

fn reported_item() -> impl Strategy<Value = ReportedItemInput> {
    (name(), money()).prop_map(|(reference, amount)| ReportedItemInput { reference, amount })
}

fn resolution() -> impl Strategy<Value = Resolution> {
    use Resolution::{Agreed, PartnerPays, WrittenOff};
    select(vec![PartnerPays, WrittenOff, Agreed])
}

fn command() -> impl Strategy<Value = RemittanceCommand> {
    use RemittanceCommand as C;
    prop_oneof![
        3 => vec(expected_item(), 0..5).prop_map(|items| C::Expect { region: region(), items }),
        3 => (text(), vec(reported_item(), 0..5), option::weighted(0.1, money()))
            .prop_map(|(report_id, items, total)| C::Report { report_id, items, total }),
        1 => (name(), text()).prop_map(|(reference, reason)| C::Dispute { reference, reason }),
        2 => (name(), money(), resolution(), text())
            .prop_map(|(reference, accepted, resolution, reason)| C::Resolve {
                reference, accepted, resolution, reason,
            }),
        1 => Just(C::Close),
        1 => (money(), option::of(text())).prop_map(|(amount, reference)| C::Receive { amount, reference }),
        1 => (money(), option::of(text())).prop_map(|(amount, reference)| C::Deposit { amount, reference }),
    ]
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

fn check_state(remittance: &Remittance) -> Result<(), TestCaseError> {
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
    prop_assert_eq!(expected.units(), sum(|i| i.expected));
    prop_assert_eq!(reported.units(), sum(|i| i.reported));
    prop_assert_eq!(variance.units(), sum(|i| i.variance));
    prop_assert_eq!(accepted.units(), sum(Comparison::accepted));
    prop_assert_eq!(open as usize, items.iter().filter(|i| i.is_open()).count());
    prop_assert!(
        items
            .windows(2)
            .all(|two| two[0].reference < two[1].reference)
    );
    if remittance.is_compared() {
        let all: i64 = remittance.expected.iter().map(|i| i.amount.units()).sum();
        prop_assert_eq!(expected.units(), all);
        let all = remittance.reported.iter().flatten();
        prop_assert_eq!(reported.units(), all.map(|i| i.amount.units()).sum::<i64>());
    }
    prop_assert!(!remittance.owed().is_negative() || remittance.status != Closed);
    prop_assert!(!remittance.held().is_negative());
    let of_riders = by_rider(items);
    let items: u32 = of_riders.iter().map(|rider| rider.items).sum();
    prop_assert_eq!(items as usize, remittance.comparisons.len());
    let riders: i64 = of_riders.iter().map(|rider| rider.accepted.units()).sum();
    prop_assert_eq!(riders, accepted.units());
    Ok(())
}

fn run_all(
    remittance: &mut Remittance,
    commands: &[RemittanceCommand],
    log: &mut Vec<RemittanceEvent>,
) -> Result<(), TestCaseError> {
    for command in commands {
        let was_closed = remittance.status == Closed;
        let Ok(events) = decide(remittance, command) else {
            continue;
        };
        for event in events {
            remittance.apply(&event);
            let json = serde_json::to_string(&event).unwrap();
            let read: RemittanceEvent = decode(event.event_type(), event.version(), &json).unwrap();
            prop_assert_eq!(&read, &event);
            log.push(event);
        }
        check_state(remittance)?;
        prop_assert!(
            !was_closed || remittance.status == Closed,
            "closed is final"
        );
        // But for cash, whose repeats the command's id tells, what was done is done.
        if !matches!(
            command,
            RemittanceCommand::Receive { .. } | RemittanceCommand::Deposit { .. }
        ) {
            prop_assert_eq!(decide(remittance, command), Ok(Vec::new()), "{:?}", command);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_remittance_stays_sound_whatever_is_asked_of_it(
        first in vec(command(), 0..20), way: bool, then in vec(command(), 0..6),
    ) {
        let (mut remittance, mut log) = (Remittance::default(), Vec::new());
        run_all(&mut remittance, &first, &mut log)?;
        let settled = settle(&remittance, way);
        run_all(&mut remittance, &settled, &mut log)?;
        prop_assert_eq!(remittance.status == Closed, remittance.is_compared());
        run_all(&mut remittance, &then, &mut log)?;
        // The stored events alone tell the same.
        let mut replayed = Remittance::default();
        for event in &log {
            replayed.apply(event);
        }
        prop_assert_eq!(&replayed, &remittance);
        let json = serde_json::to_string(&remittance).unwrap();
        prop_assert_eq!(serde_json::from_str::<Remittance>(&json).unwrap(), remittance);
    }

    #[test]
    fn the_order_of_the_items_does_not_matter(
        amounts in vec((1..500i64, option::of(0..500i64)), 1..8), rotate in 0..8usize,
    ) {
        let satang = |n: i64| Money::from_units(n * 100);
        let mut items: Vec<ExpectedItem> = (0u128..).zip(&amounts)
            .map(|(number, (amount, _))| ExpectedItem { amount: satang(*amount), ..expected(number, "1") })
            .collect();
        let mut reported: Vec<ReportedItemInput> = (0u128..).zip(&amounts)
            .filter_map(|(number, (_, amount))| {
                Some(ReportedItemInput { reference: reference(number), amount: satang((*amount)?) })
            })
            .collect();
        let run = |items: &[ExpectedItem], reported: &[ReportedItemInput]| after(&[
            RemittanceCommand::Expect { region: region(), items: items.to_vec() },
            RemittanceCommand::Report { report_id: "R-1".into(), items: reported.to_vec(), total: None },
        ]);
        let straight = run(&items, &reported);
        let by = rotate % items.len();
        items.rotate_left(by);
        reported.reverse();
        prop_assert_eq!(run(&items, &reported).comparisons, straight.comparisons);
    }

    /// The fold takes any events, in any order, from any remittance.
    #[test]
    fn any_events_can_be_applied(
        one in vec(command(), 0..15), other in vec(command(), 0..15), picks in vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut log = Vec::new();
        for commands in [&one, &other] {
            run_all(&mut Remittance::default(), commands, &mut log)?;
        }
        let mut remittance = Remittance::default();
        for pick in picks.iter().filter(|_| !log.is_empty()) {
            remittance.apply(pick.get(&log));
        }
        let _ = (remittance.owed(), remittance.held(), remittance.is_compared());
    }
}
