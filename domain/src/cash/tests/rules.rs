//! given what is booked / when an event / then what moves.

use super::*;

/// What the last of the events moves, and what the order's accounts hold after it.
fn check(events: &[OrderEvent], moves: &str, holds: &str) {
    let mut cash = OrderCash::default();
    let mut posting = Posting::default();
    for event in events {
        posting = cash.post(order(1), event);
        assert_eq!(sum(&posting), 0);
    }
    assert_eq!(entries(&posting), moves, "moves of {events:#?}");
    assert_eq!(text(cash.balances().iter()), holds, "after {events:#?}");
    assert_eq!(cash.balances().sum(), Money::ZERO);
}

fn due() -> OrderEvent {
    paid(baht("393"))
}

#[test]
fn what_was_sold_is_receivable_once_it_is_paid() {
    let changes = [
        lines_changed as fn(Money) -> OrderEvent,
        shorted,
        substituted,
    ];
    check(
        &[due()],
        "SALES -393.00, RECEIVABLE 393.00",
        "SALES -393.00, RECEIVABLE 393.00",
    );
    for change in changes {
        // Before the payment nobody owes anything.
        check(&[change(baht("328"))], "", "");
        check(
            &[due(), change(baht("328"))],
            "SALES 65.00, RECEIVABLE -65.00",
            "SALES -328.00, RECEIVABLE 328.00",
        );
        check(
            &[due(), change(baht("400.25"))],
            "SALES -7.25, RECEIVABLE 7.25",
            "SALES -400.25, RECEIVABLE 400.25",
        );
        check(
            &[due(), change(baht("328")), change(baht("328"))],
            "",
            "SALES -328.00, RECEIVABLE 328.00",
        );
        check(
            &[due(), change(Money::ZERO)],
            "SALES 393.00, RECEIVABLE -393.00",
            "",
        );
    }
}

#[test]
fn nothing_stays_of_a_sale_that_did_not_come_about() {
    let undelivered = returned(ReturnCause::Undelivered, Money::ZERO, baht("328"));
    for end in [cancelled(), failed(true), undelivered] {
        check(std::slice::from_ref(&end), "", "");
        check(
            &[due(), shorted(baht("328")), end.clone()],
            "SALES 328.00, RECEIVABLE -328.00",
            "",
        );
        // The second such event, and changes after it, find nothing.
        check(&[due(), end.clone(), failed(true)], "", "");
        check(&[due(), end, lines_changed(baht("100"))], "", "");
    }
    check(
        &[due(), failed(false)],
        "",
        "SALES -393.00, RECEIVABLE 393.00",
    );
    check(
        &[due(), failed(false), collected(baht("393"))],
        "RECEIVABLE -393.00, RIDER 393.00",
        "SALES -393.00, RIDER 393.00",
    );
}

#[test]
fn a_collection_settles_what_is_receivable() {
    for (amount, moves, holds) in [
        (
            "393",
            "RECEIVABLE -393.00, RIDER 393.00",
            "SALES -393.00, RIDER 393.00",
        ),
        (
            "300",
            "RECEIVABLE -393.00, RIDER 300.00, VARIANCE 93.00",
            "SALES -393.00, RIDER 300.00, VARIANCE 93.00",
        ),
        (
            "400",
            "RECEIVABLE -393.00, RIDER 400.00, VARIANCE -7.00",
            "SALES -393.00, RIDER 400.00, VARIANCE -7.00",
        ),
        // Within the tolerance of a comparison, and booked all the same.
        (
            "392.99",
            "RECEIVABLE -393.00, RIDER 392.99, VARIANCE 0.01",
            "SALES -393.00, RIDER 392.99, VARIANCE 0.01",
        ),
    ] {
        check(&[due(), collected(baht(amount))], moves, holds);
    }
    // Never in a decided order: the books balance all the same.
    check(
        &[collected(baht("50"))],
        "RIDER 50.00, VARIANCE -50.00",
        "RIDER 50.00, VARIANCE -50.00",
    );
    check(
        &[due(), cancelled(), collected(baht("393"))],
        "RIDER 393.00, VARIANCE -393.00",
        "RIDER 393.00, VARIANCE -393.00",
    );
}

#[test]
fn a_correction_moves_the_rider_and_the_variance() {
    let (less, more) = (baht("300"), baht("393"));
    check(
        &[due(), collected(less), corrected(less, more)],
        "RIDER 93.00, VARIANCE -93.00",
        "SALES -393.00, RIDER 393.00",
    );
    check(
        &[due(), collected(more), corrected(more, less)],
        "RIDER -93.00, VARIANCE 93.00",
        "SALES -393.00, RIDER 300.00, VARIANCE 93.00",
    );
    check(
        &[due(), collected(more), corrected(more, more)],
        "",
        "SALES -393.00, RIDER 393.00",
    );
}

#[test]
fn reconciling_writes_off_what_the_remittance_did_not_take() {
    use ItemOutcome::{Extra, Matched, Missing, Variance};
    let (first, then) = (baht("393"), baht("300"));
    for outcome in [Matched, Variance, Missing] {
        check(
            &[
                due(),
                collected(first),
                reconciled(outcome, first, Money::ZERO),
            ],
            "",
            "SALES -393.00, RIDER 393.00",
        );
        // The remittance took 393 of a rider who had 300.
        let late = corrected(first, then);
        check(
            &[
                due(),
                collected(first),
                late,
                reconciled(outcome, first, first),
            ],
            "RIDER 93.00, VARIANCE -93.00",
            "SALES -393.00, RIDER 393.00",
        );
    }
    check(
        &[
            due(),
            collected(first),
            reconciled(Extra, Money::ZERO, first),
        ],
        "",
        "SALES -393.00, RIDER 393.00",
    );
}

#[test]
fn what_is_waived_moves_at_once_and_a_refund_with_the_cash() {
    use ReturnCause::Customer;
    let none = Money::ZERO;
    check(
        &[due(), returned(Customer, none, baht("65"))],
        "SALES 65.00, RECEIVABLE -65.00",
        "SALES -328.00, RECEIVABLE 328.00",
    );
    check(
        &[
            due(),
            returned(Customer, none, baht("65")),
            collected(baht("328")),
        ],
        "RECEIVABLE -328.00, RIDER 328.00",
        "SALES -328.00, RIDER 328.00",
    );
    // No more than there is.
    check(
        &[due(), returned(Customer, none, baht("500"))],
        "SALES 393.00, RECEIVABLE -393.00",
        "",
    );
    check(&[returned(Customer, none, baht("500"))], "", "");
    let all = [due(), collected(baht("393"))];
    let promised = returned(Customer, baht("393"), none);
    check(
        &[&all[..], std::slice::from_ref(&promised)].concat(),
        "",
        "SALES -393.00, RIDER 393.00",
    );
    check(
        &[&all[..], &[promised, refunded(baht("100"))]].concat(),
        "SALES 100.00, STORE -100.00",
        "SALES -293.00, RIDER 393.00, STORE -100.00",
    );
}

#[test]
fn goods_back_that_were_paid_too_little_leave_no_variance() {
    use ReturnCause::Customer;
    let short = [due(), collected(baht("300"))];
    let promised = returned(Customer, baht("300"), baht("93"));
    check(
        &[&short[..], std::slice::from_ref(&promised)].concat(),
        "SALES 93.00, VARIANCE -93.00",
        "SALES -300.00, RIDER 300.00",
    );
    check(
        &[&short[..], &[promised, refunded(baht("300"))]].concat(),
        "SALES 300.00, STORE -300.00",
        "RIDER 300.00, STORE -300.00",
    );
    // Too much paid is nothing to waive.
    let over = [due(), collected(baht("400"))];
    let promised = returned(Customer, baht("393"), baht("7"));
    check(
        &[&over[..], &[promised]].concat(),
        "",
        "SALES -393.00, RIDER 400.00, VARIANCE -7.00",
    );
}

/// The partner made up for what the customer paid too little; all the same the customer need not pay it.
#[test]
fn what_a_remittance_made_up_for_does_not_hide_what_is_waived() {
    check(
        &[
            due(),
            collected(baht("393")),
            corrected(baht("393"), baht("300")),
            reconciled(ItemOutcome::Matched, baht("393"), baht("393")),
            returned(ReturnCause::Customer, baht("300"), baht("93")),
        ],
        "SALES 93.00, VARIANCE -93.00",
        "SALES -300.00, RIDER 393.00, VARIANCE -93.00",
    );
}

#[test]
fn what_was_never_sold_is_refunded_from_the_variance() {
    use ReturnCause::{Customer, Undelivered};
    let none = Money::ZERO;
    // Cash came though the goods went back undelivered: all of it is owed back.
    let late = [
        due(),
        failed(true),
        returned(Undelivered, none, baht("393")),
        collected(baht("393")),
        refunded(baht("100")),
    ];
    check(
        &late,
        "STORE -100.00, VARIANCE 100.00",
        "RIDER 393.00, STORE -100.00, VARIANCE -293.00",
    );
    // The customer paid 65 that had been waived.
    let waived = [
        due(),
        returned(Customer, none, baht("65")),
        collected(baht("393")),
        refunded(baht("65")),
    ];
    check(
        &waived,
        "STORE -65.00, VARIANCE 65.00",
        "SALES -328.00, RIDER 393.00, STORE -65.00",
    );
    // The customer brings more back: what was refunded counts for that, whichever came first.
    let more = returned(Customer, baht("100"), none);
    check(
        &[&waived[..], std::slice::from_ref(&more)].concat(),
        "SALES 65.00, VARIANCE -65.00",
        "SALES -263.00, RIDER 393.00, STORE -65.00, VARIANCE -65.00",
    );
    check(
        &[&waived[..], &[more, refunded(baht("100"))]].concat(),
        "SALES 35.00, STORE -100.00, VARIANCE 65.00",
        "SALES -228.00, RIDER 393.00, STORE -165.00",
    );
    // Never more than was sold, and of the sale no more than was promised.
    check(
        &[due(), collected(baht("393")), refunded(baht("10"))],
        "STORE -10.00, VARIANCE 10.00",
        "SALES -393.00, RIDER 393.00, STORE -10.00, VARIANCE 10.00",
    );
}

#[test]
fn goods_that_were_paid_and_not_delivered_leave_nothing() {
    use ReturnCause::Undelivered;
    for (paid_then, waived) in [("393", "0"), ("300", "93"), ("400", "0")] {
        let amount = baht(paid_then);
        let (promised, rest) = (baht("100"), minus(amount, baht("100")));
        check(
            &[
                due(),
                collected(amount),
                returned(Undelivered, amount, baht(waived)),
                refunded(promised),
                refunded(rest),
                lines_changed(baht("50")),
            ],
            "",
            &format!("RIDER {paid_then}.00, STORE -{paid_then}.00"),
        );
    }
}

fn minus(a: Money, b: Money) -> Money {
    a.checked_sub(b).unwrap()
}

#[test]
fn everything_else_moves_nothing() {
    for event in [
        OrderEvent::Allocated {
            from: OrderStatus::Open,
        },
        OrderEvent::Released { at: None },
        OrderEvent::ReturnReceived { at: now() },
        OrderEvent::CollectionOverdue {
            delivered_at: now(),
        },
    ] {
        check(&[due(), event], "", "SALES -393.00, RECEIVABLE 393.00");
    }
}

#[test]
fn entries_name_the_order_and_on_the_way_the_partner() {
    let mut cash = OrderCash::default();
    let posting = cash.post(order(7), &due());
    let names = |posting: &Posting| {
        let entries = posting.entries().iter();
        entries
            .map(|e| (e.account, e.order_id, e.partner_id.clone()))
            .collect::<Vec<_>>()
    };
    let this = Some(order(7));
    assert_eq!(
        names(&posting),
        [
            (Account::Sales, this, None),
            (Account::Receivable, this, None)
        ]
    );
    let posting = cash.post(order(7), &collected(baht("300")));
    assert_eq!(
        names(&posting),
        [
            (Account::Receivable, this, None),
            (Account::Rider, this, Some(grab())),
            (Account::Variance, this, Some(grab())),
        ]
    );
    cash.post(
        order(7),
        &returned(ReturnCause::Customer, baht("1"), Money::ZERO),
    );
    let posting = cash.post(order(7), &refunded(baht("1")));
    assert_eq!(
        names(&posting),
        [(Account::Store, this, None), (Account::Sales, this, None)]
    );
    let posting = RemittanceCash::post(&remittance_id(), &received(baht("1")));
    assert_eq!(
        names(&posting),
        [
            (Account::Partner, None, Some(grab())),
            (Account::Store, None, None)
        ]
    );
}

#[test]
fn what_a_remittance_moves() {
    use ItemOutcome::{Extra, Matched, Missing, Variance};
    let pair = |expected, accepted| (baht(expected), baht(accepted));
    for (event, moves) in [
        (
            closed(vec![settled(Some(1), Matched, pair("393", "393"))]),
            "RIDER -393.00, PARTNER 393.00",
        ),
        (
            closed(vec![settled(Some(1), Matched, pair("393", "393.01"))]),
            "RIDER -393.00, PARTNER 393.01, VARIANCE -0.01",
        ),
        (
            closed(vec![settled(Some(1), Variance, pair("328", "327.50"))]),
            "RIDER -328.00, PARTNER 327.50, VARIANCE 0.50",
        ),
        (
            closed(vec![settled(Some(1), Missing, pair("89", "0"))]),
            "RIDER -89.00, VARIANCE 89.00",
        ),
        (
            closed(vec![settled(Some(1), Extra, pair("0", "45"))]),
            "PARTNER 45.00, VARIANCE -45.00",
        ),
        (
            closed(vec![settled(None, Extra, pair("0", "45"))]),
            "PARTNER 45.00, VARIANCE -45.00",
        ),
        (closed(Vec::new()), ""),
        (received(baht("720.50")), "PARTNER -720.50, STORE 720.50"),
        (deposited(baht("700")), "STORE -700.00, DEPOSITED 700.00"),
        (
            RemittanceEvent::Compared {
                items: Vec::new(),
                summary: Summary::default(),
            },
            "",
        ),
    ] {
        let posting = RemittanceCash::post(&remittance_id(), &event);
        assert_eq!(entries(&posting), moves, "{event:#?}");
        assert_eq!(sum(&posting), 0);
    }
}

#[test]
fn a_closing_keeps_its_orders_apart() {
    let items = vec![
        settled(Some(1), ItemOutcome::Matched, (baht("393"), baht("393"))),
        settled(Some(2), ItemOutcome::Missing, (baht("89"), Money::ZERO)),
        settled(None, ItemOutcome::Extra, (Money::ZERO, baht("10"))),
        settled(None, ItemOutcome::Extra, (Money::ZERO, baht("20"))),
    ];
    let posting = RemittanceCash::post(&remittance_id(), &closed(items));
    let of = |id: Option<OrderId>| {
        let entries = posting.entries().iter().filter(|e| e.order_id == id);
        text(entries.map(|e| (e.account, e.amount)))
    };
    assert_eq!(of(Some(order(1))), "RIDER -393.00, PARTNER 393.00");
    assert_eq!(of(Some(order(2))), "RIDER -89.00, VARIANCE 89.00");
    // Of orders that nobody knows, one entry per account.
    assert_eq!(of(None), "PARTNER 30.00, VARIANCE -30.00");
}

#[test]
fn no_move_unbalances_a_posting() {
    use super::super::posting::About;
    use Account::{Rider, Sales, Store};
    let about = About {
        order_id: None,
        partner_id: None,
    };
    let most = Money::from_units(crate::money::MAX_UNITS);
    let mut posting = Posting::default();
    assert!(posting.is_empty());
    for (from, into, amount, moves) in [
        (Sales, Sales, baht("5"), ""),
        (Sales, Store, Money::ZERO, ""),
        (Sales, Store, baht("5"), "SALES -5.00, STORE 5.00"),
        (
            Store,
            Rider,
            baht("-2"),
            "SALES -5.00, RIDER -2.00, STORE 7.00",
        ),
        // Beyond what an entry holds: neither side of it.
        (Sales, Rider, most, "SALES -5.00, RIDER -2.00, STORE 7.00"),
        (
            Rider,
            Store,
            Money::from_units(i64::MIN),
            "SALES -5.00, RIDER -2.00, STORE 7.00",
        ),
        (Rider, Store, baht("-2"), "SALES -5.00, STORE 5.00"),
        (Store, Sales, baht("5"), ""),
    ] {
        posting.transfer(from, into, amount, about);
        assert_eq!(entries(&posting), moves, "{from:?} to {into:?}: {amount}");
        assert_eq!(sum(&posting), 0);
    }
    assert!(posting.is_empty());
}
