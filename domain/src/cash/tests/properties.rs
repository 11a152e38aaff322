//! What holds for any events, decided or not, with any amounts.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    life::{Books, expected, reference},
    *,
};
use crate::{
    entity::Entity,
    ids::RegionId,
    remittance::{RemittanceCommand, ReportedItemInput, Resolution},
};

/// Runs of each property.
const CASES: u32 = 200;

/// Amounts of every size, beyond DECIMAL(18,4) as well.
fn money() -> impl Strategy<Value = Money> {
    prop_oneof![
        6 => 0..5_000_000i64,
        2 => any::<i64>(),
        1 => select(vec![
            i64::MIN, i64::MAX, -1, 0, 1, 999_999_999_999_999_999, -999_999_999_999_999_999,
        ]),
    ]
    .prop_map(Money::from_units)
}

fn outcome() -> impl Strategy<Value = ItemOutcome> {
    use ItemOutcome::{Extra, Matched, Missing, Variance};
    select(vec![Matched, Variance, Missing, Extra])
}

fn cause() -> impl Strategy<Value = ReturnCause> {
    select(vec![ReturnCause::Customer, ReturnCause::Undelivered])
}

fn partner() -> impl Strategy<Value = PartnerId> {
    select(vec!["GRAB", "LALA"]).prop_map(|id| PartnerId::new(id).unwrap())
}

fn order_event() -> impl Strategy<Value = OrderEvent> {
    prop_oneof![
        3 => money().prop_map(paid),
        1 => money().prop_map(lines_changed),
        1 => money().prop_map(shorted),
        1 => money().prop_map(substituted),
        1 => Just(cancelled()),
        3 => (partner(), money(), money()).prop_map(|(p, a, d)| collected_by(p, a, d)),
        1 => any::<bool>().prop_map(failed),
        2 => (money(), money()).prop_map(|(from, to)| corrected(from, to)),
        1 => (outcome(), money(), money()).prop_map(|(o, e, a)| reconciled(o, e, a)),
        2 => (cause(), money(), money()).prop_map(|(c, r, w)| returned(c, r, w)),
        1 => money().prop_map(refunded),
        1 => Just(OrderEvent::Released { at: None }),
    ]
}

fn remittance_event() -> impl Strategy<Value = RemittanceEvent> {
    let item = (option::of(0..4u128), outcome(), (money(), money()))
        .prop_map(|(number, outcome, sides)| settled(number, outcome, sides));
    prop_oneof![
        vec(item, 0..8).prop_map(closed),
        money().prop_map(received),
        money().prop_map(deposited),
    ]
}

fn check_posting(posting: &Posting) -> Result<(), TestCaseError> {
    prop_assert_eq!(sum(posting), 0);
    for (index, entry) in posting.entries().iter().enumerate() {
        prop_assert!(!entry.amount.is_zero());
        prop_assert!(entry.account.is_by_partner() || entry.partner_id.is_none());
        let rest = &posting.entries()[index + 1..];
        // One entry per account of neighbours about the same order.
        let same = rest.iter().take_while(|e| e.order_id == entry.order_id);
        prop_assert!(same.into_iter().all(|e| e.account != entry.account));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn the_books_of_an_order_balance_after_any_events(events in vec(order_event(), 0..25)) {
        let mut cash = OrderCash::default();
        let mut posted = Balances::default();
        for event in &events {
            let posting = cash.post(order(1), event);
            check_posting(&posting)?;
            prop_assert!(posting.entries().iter().all(|e| e.order_id == Some(order(1))));
            posted = posted.checked_add(&posting).unwrap();
            prop_assert_eq!(cash.balances(), &posted);
            prop_assert_eq!(posted.sum(), Money::ZERO);
            let json = serde_json::to_string(&cash).unwrap();
            prop_assert_eq!(&serde_json::from_str::<OrderCash>(&json).unwrap(), &cash);
            prop_assert!(json.len() < 400);
        }
    }

    #[test]
    fn an_orders_own_events_never_reach_the_partner_or_the_bank(
        events in vec(order_event(), 0..25),
    ) {
        let mut cash = OrderCash::default();
        for event in &events {
            cash.post(order(1), event);
        }
        prop_assert_eq!(cash.balances().of(Account::Partner), Money::ZERO);
        prop_assert_eq!(cash.balances().of(Account::Deposited), Money::ZERO);
    }

    #[test]
    fn what_a_remittance_moves_balances_order_by_order(events in vec(remittance_event(), 0..10)) {
        for event in &events {
            let posting = RemittanceCash::post(&remittance_id(), event);
            check_posting(&posting)?;
            for number in 0..4 {
                let of_order = posting.entries().iter().filter(|e| e.order_id == Some(order(number)));
                prop_assert_eq!(of_order.map(|e| i128::from(e.amount.units())).sum::<i128>(), 0);
            }
        }
    }

    /// A day, decided: whatever was collected, reported and agreed on, the accounts say what the remittance says.
    #[test]
    fn a_days_cash_is_where_the_remittance_says(
        orders in vec((1..500_000i64, option::of(-20_000..20_000i64), 0..3u8), 1..12),
        extras in vec(0..100_000i64, 0..3),
        parts in vec(1..100u8, 0..4),
    ) {
        let satang = |n: i64| Money::from_units(n.max(0) * 100);
        let mut books = Books::default();
        let mut sides = Vec::new();
        for (number, (due, differs, _)) in orders.iter().enumerate() {
            books.order(number, &paid(satang(*due)));
            books.order(number, &collected(satang(due + 1)));
            sides.push((satang(due + 1), differs.map(|d| satang(due + 1 + d))));
        }
        let items = sides.iter().enumerate();
        let region = RegionId::new("BKK-EAST").unwrap();
        books.remittance(&RemittanceCommand::Expect {
            region,
            items: items.map(|(number, side)| expected(number, side.0, "R-1")).collect(),
        });
        let reported = sides.iter().map(|side| side.1).enumerate();
        let extras = extras.iter().enumerate().map(|(n, amount)| (100 + n, Some(satang(*amount))));
        books.remittance(&RemittanceCommand::Report {
            report_id: "R-1".into(),
            items: reported
                .chain(extras)
                .filter_map(|(number, amount)| {
                    Some(ReportedItemInput { reference: reference(number), amount: amount? })
                })
                .collect(),
            total: None,
        });
        settle(&mut books, &orders.iter().map(|o| o.2).collect::<Vec<_>>());
        for part in parts {
            let owed = books.remittance.owed().units() / 100 * i64::from(part) / 100;
            if owed > 0 {
                let (amount, reference) = (satang(owed), None);
                books.remittance(&RemittanceCommand::Receive { amount, reference: reference.clone() });
                books.remittance(&RemittanceCommand::Deposit { amount, reference });
            }
        }
        let (held, remittance) = (&books.totals, &books.remittance);
        prop_assert_eq!(held.of(Account::Rider), Money::ZERO);
        prop_assert_eq!(held.of(Account::Receivable), Money::ZERO);
        prop_assert_eq!(held.of(Account::Partner), remittance.owed());
        prop_assert_eq!(held.of(Account::Store), remittance.held());
        prop_assert_eq!(held.of(Account::Deposited), remittance.deposited);
        // One satang too much of every customer, and what differs in the end.
        let too_much = Money::from_units(-100 * i64::try_from(orders.len()).unwrap());
        let missing = remittance.summary.expected.checked_sub(remittance.summary.accepted).unwrap();
        prop_assert_eq!(held.of(Account::Variance), too_much.checked_add(missing).unwrap());
    }
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
