//! What holds for any events, decided or not, with any amounts.

use super::{
    life::{Books, expected, reference},
    *,
};
use crate::{
    entity::Entity,
    ids::RegionId,
    money::MAX_UNITS,
    random::{Rng, for_all},
    remittance::{RemittanceCommand, ReportedItemInput, Resolution},
};

/// Runs of each property.
const CASES: u64 = 200;

/// Amounts of every size, beyond DECIMAL(18,4) as well.
fn money(rng: &mut Rng) -> Money {
    Money::from_units(match rng.weighted(&[6, 2, 1]) {
        0 => rng.below(5_000_000),
        1 => rng.next().cast_signed(),
        _ => *rng.pick(&[i64::MIN, i64::MAX, -1, 0, 1, MAX_UNITS, -MAX_UNITS]),
    })
}

fn outcome(rng: &mut Rng) -> ItemOutcome {
    use ItemOutcome::{Extra, Matched, Missing, Variance};
    *rng.pick(&[Matched, Variance, Missing, Extra])
}

fn order_event(rng: &mut Rng) -> OrderEvent {
    let (one, other) = (money(rng), money(rng));
    match rng.weighted(&[3, 1, 1, 1, 1, 3, 1, 2, 1, 2, 1, 1]) {
        0 => paid(one),
        1 => lines_changed(one),
        2 => shorted(one),
        3 => substituted(one),
        4 => cancelled(),
        5 => collected_by(
            PartnerId::new(*rng.pick(&["GRAB", "LALA"])).unwrap(),
            one,
            other,
        ),
        6 => failed(rng.permille(500)),
        7 => corrected(one, other),
        8 => reconciled(outcome(rng), one, other),
        9 => {
            let cause = *rng.pick(&[ReturnCause::Customer, ReturnCause::Undelivered]);
            returned(cause, one, other)
        }
        10 => refunded(one),
        _ => OrderEvent::Released { at: None },
    }
}

fn remittance_event(rng: &mut Rng) -> RemittanceEvent {
    match rng.below(3) {
        0 => closed(rng.list(0, 7, |rng| {
            let number = rng.maybe(|rng| u128::from(rng.next() % 4));
            settled(number, outcome(rng), (money(rng), money(rng)))
        })),
        1 => received(money(rng)),
        _ => deposited(money(rng)),
    }
}

fn check_posting(posting: &Posting) {
    assert_eq!(sum(posting), 0);
    for (index, entry) in posting.entries().iter().enumerate() {
        assert!(!entry.amount.is_zero());
        assert!(entry.account.is_by_partner() || entry.partner_id.is_none());
        let rest = &posting.entries()[index + 1..];
        // One entry per account of neighbours about the same order.
        let same = rest.iter().take_while(|e| e.order_id == entry.order_id);
        assert!(same.into_iter().all(|e| e.account != entry.account));
    }
}

#[test]
fn the_books_of_an_order_balance_after_any_events() {
    for_all(CASES, |rng| {
        let (mut cash, mut posted) = (OrderCash::default(), Balances::default());
        for event in rng.list(0, 24, order_event) {
            let posting = cash.post(order(1), &event);
            check_posting(&posting);
            let mut entries = posting.entries().iter();
            assert!(entries.all(|e| e.order_id == Some(order(1))));
            posted = posted.checked_add(&posting).unwrap();
            assert_eq!(cash.balances(), &posted);
            assert_eq!(posted.sum(), Money::ZERO);
            let json = serde_json::to_string(&cash).unwrap();
            assert_eq!(serde_json::from_str::<OrderCash>(&json).unwrap(), cash);
            assert!(json.len() < 400);
        }
    });
}

#[test]
fn an_orders_own_events_never_reach_the_partner_or_the_bank() {
    for_all(CASES, |rng| {
        let mut cash = OrderCash::default();
        for event in rng.list(0, 24, order_event) {
            cash.post(order(1), &event);
        }
        assert_eq!(cash.balances().of(Account::Partner), Money::ZERO);
        assert_eq!(cash.balances().of(Account::Deposited), Money::ZERO);
    });
}

#[test]
fn what_a_remittance_moves_balances_order_by_order() {
    for_all(CASES, |rng| {
        for event in rng.list(0, 9, remittance_event) {
            let posting = RemittanceCash::post(&remittance_id(), &event);
            check_posting(&posting);
            for number in 0..4 {
                let entries = posting.entries().iter();
                let of_order = entries.filter(|e| e.order_id == Some(order(number)));
                let sum: i128 = of_order.map(|e| i128::from(e.amount.units())).sum();
                assert_eq!(sum, 0);
            }
        }
    });
}

fn satang(n: i64) -> Money {
    Money::from_units(n.max(0) * 100)
}

/// A day, decided: whatever was collected, reported and agreed on, the accounts say what the remittance says.
#[test]
fn a_days_cash_is_where_the_remittance_says() {
    for_all(CASES, |rng| {
        let mut books = Books::default();
        // What riders collected, one satang too much each, and what the partner reports of it.
        let sides = rng.list(1, 11, |rng| {
            let collected = rng.between(1, 499_999) + 1;
            let reported = rng.maybe(|rng| satang(collected + rng.between(-20_000, 19_999)));
            (satang(collected), reported)
        });
        for (number, (amount, _)) in sides.iter().enumerate() {
            let due = Money::from_units(amount.units() - 100);
            books.order(number, &paid(due));
            books.order(number, &collected(*amount));
        }
        let items = sides.iter().enumerate();
        books.remittance(&RemittanceCommand::Expect {
            region: RegionId::new("BKK-EAST").unwrap(),
            items: items
                .map(|(number, side)| expected(number, side.0, "R-1"))
                .collect(),
        });
        let extras = rng.list(0, 2, |rng| Some(satang(rng.below(100_000))));
        let reported = sides.iter().map(|side| side.1).enumerate();
        let reported = reported.chain((100..).zip(extras));
        books.remittance(&RemittanceCommand::Report {
            report_id: "R-1".into(),
            items: reported
                .filter_map(|(number, amount)| {
                    Some(ReportedItemInput {
                        reference: reference(number),
                        amount: amount?,
                    })
                })
                .collect(),
            total: None,
        });
        let ways = rng.list(1, 11, |rng| u8::try_from(rng.below(3)).unwrap());
        settle(&mut books, &ways);
        for percent in rng.list(0, 3, |rng| rng.between(1, 99)) {
            hand_over(&mut books, percent);
        }
        check_day(&books, sides.len());
    });
}

fn hand_over(books: &mut Books, percent: i64) {
    let owed = books.remittance.owed().units() / 100 * percent / 100;
    if owed > 0 {
        let (amount, reference) = (satang(owed), None);
        books.remittance(&RemittanceCommand::Receive {
            amount,
            reference: reference.clone(),
        });
        books.remittance(&RemittanceCommand::Deposit { amount, reference });
    }
}

fn check_day(books: &Books, orders: usize) {
    let (held, remittance) = (&books.totals, &books.remittance);
    assert_eq!(held.of(Account::Rider), Money::ZERO);
    assert_eq!(held.of(Account::Receivable), Money::ZERO);
    assert_eq!(held.of(Account::Partner), remittance.owed());
    assert_eq!(held.of(Account::Store), remittance.held());
    assert_eq!(held.of(Account::Deposited), remittance.deposited);
    // One satang too much of every customer, and what differs in the end.
    let too_much = Money::from_units(-100 * i64::try_from(orders).unwrap());
    let summary = &remittance.summary;
    let missing = summary.expected.checked_sub(summary.accepted).unwrap();
    let variance = too_much.checked_add(missing).unwrap();
    assert_eq!(held.of(Account::Variance), variance);
}

/// Resolves what is open in the given ways, and closes.
fn settle(books: &mut Books, ways: &[u8]) {
    let items = books.remittance.comparisons.clone();
    let open = items.into_iter().filter(|item| item.is_open()).enumerate();
    for (index, item) in open {
        let larger = item.expected.max(item.reported).units();
        let (resolution, accepted) = match ways[index % ways.len()] {
            0 => (Resolution::PartnerPays, item.expected),
            1 => (Resolution::WrittenOff, item.reported),
            _ => (
                Resolution::Agreed,
                Money::from_units(larger / 2 / 100 * 100),
            ),
        };
        books.remittance(&RemittanceCommand::Resolve {
            reference: item.reference.clone(),
            accepted,
            resolution,
            reason: "talked about it".into(),
        });
    }
    books.remittance(&RemittanceCommand::Close);
    assert!(books.remittance.exists());
}
