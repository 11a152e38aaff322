//! What becomes of recorded cash: corrected by operations, reconciled by remittances.

use super::{
    collection::{at_the_door, fail},
    *,
};
use crate::{
    order::{
        CollectionStatus, PaymentStatus,
        command::{CorrectCollection, ReconcileCash},
    },
    remittance::{ItemOutcome, RemittanceId},
};
use OrderStatus as S;

fn correct(amount: &str) -> OrderCommand {
    OrderCommand::CorrectCollection(CorrectCollection {
        amount: baht(amount),
        reason: "counted again".into(),
    })
}

fn remittance(day: &str) -> RemittanceId {
    format!("GRAB:CFR029:{day}").parse().unwrap()
}

fn reconcile(day: &str, expected: &str, accepted: &str) -> OrderCommand {
    OrderCommand::ReconcileCash(ReconcileCash {
        remittance_id: remittance(day),
        outcome: ItemOutcome::Matched,
        expected: baht(expected),
        accepted: baht(accepted),
    })
}

fn corrected(from: &str, to: &str, discrepancy: &str) -> OrderEvent {
    OrderEvent::CollectionCorrected {
        from: baht(from),
        to: baht(to),
        discrepancy: baht(discrepancy),
        reason: "counted again".into(),
    }
}

#[test]
fn operations_set_an_amount_right() {
    let given = at_the_door(S::Delivered).and(collect("90"));
    given
        .when(correct("95"))
        .happens(corrected("90", "95", "-5"));
    given
        .when(correct("99.99"))
        .happens(corrected("90", "99.99", "0"));
    let given = given.and(correct("95"));
    assert_eq!(given.order.collection.amount, baht("95"));
    assert_eq!(given.order.collection.discrepancy, baht("-5"));
    given.when(correct("95")).nothing_happens();
    given.when(collect("95")).nothing_happens();
    given
        .when(correct("100"))
        .happens(corrected("95", "100", "0"));
}

#[test]
fn only_recorded_cash_that_nobody_settled_is_corrected() {
    let expected = [(Code::ErrInvalidTransition, "")];
    at_the_door(S::Delivered)
        .when(correct("90"))
        .is_refused(&expected);
    at_the_door(S::Delivered)
        .and(fail("no money at hand", None))
        .when(correct("90"))
        .is_refused(&expected);
    at_the_door(S::Delivered)
        .and(collect("100"))
        .and(reconcile("2026-03-14", "100", "100"))
        .when(correct("90"))
        .is_refused(&expected);
}

#[test]
fn a_correction_is_checked_as_a_collection_is() {
    let given = at_the_door(S::Delivered).and(collect("100"));
    given
        .when(correct("0"))
        .is_refused(&[(Code::Validation, "amount")]);
    given
        .when(correct("99.999"))
        .is_refused(&[(Code::CodAmountAccuracy, "amount")]);
    let unexplained = OrderCommand::CorrectCollection(CorrectCollection {
        amount: baht("1000000.01"),
        reason: "-".into(),
    });
    given.when(unexplained).is_refused(&[
        (Code::Validation, "reason"),
        (Code::CodAmountAccuracy, "amount"),
    ]);
}

#[test]
fn what_the_customer_has_back_stays_covered() {
    let given = at_the_door(S::Delivered)
        .and(collect("100"))
        .and(take_back(&[], false));
    given
        .when(correct("99.99"))
        .is_refused(&[(Code::Validation, "amount")]);
    assert!(given.when(correct("101")).0.is_ok());
    let undelivered = at_the_door(S::OutForDelivery)
        .and(attempt(Some("A-1")))
        .and(attempt(Some("A-2")))
        .and(attempt(Some("A-3")))
        .and(collect("100"))
        .and(refund("60"));
    undelivered
        .when(correct("59"))
        .is_refused(&[(Code::Validation, "amount")]);
    let less = undelivered.and(correct("60"));
    assert_eq!(less.order.payment_status, PaymentStatus::Refunded);
    let more = less.and(correct("70"));
    assert_eq!(more.order.payment_status, PaymentStatus::AwaitingRefund);
    assert_eq!(more.order.refund_promised(), baht("70"));
}

#[test]
fn a_correction_after_a_return_counts_for_what_is_owed() {
    let owed = |collected: &str, lines: &[(i32, &str)], corrected: &str| {
        let given = walked(nothing().and(place(grab_order())), S::Delivered)
            .given(|facts| facts.sealed = Some(sealed()))
            .and(collect(collected))
            .and(take_back(lines, false));
        given.and(correct(corrected))
    };
    // All of 393.00 came back, of which 300.00 had been recorded.
    let given = owed("300", &[], "393");
    assert_eq!(given.order.refund_promised(), baht("393"));
    assert_eq!(given.order.payment_status, PaymentStatus::AwaitingRefund);
    let given = given.and(refund("393"));
    assert_eq!(given.order.payment_status, PaymentStatus::Refunded);
    // A part of the way, and beyond: more than the goods are worth is not owed.
    for (corrected, promised) in [("300.01", "300.01"), ("350", "350"), ("400", "393")] {
        let given = owed("300", &[], corrected);
        assert_eq!(given.order.refund_promised(), baht(promised), "{corrected}");
    }
    // What stayed with the customer is paid for: 199.00 and 65.00 came back.
    for (corrected, promised) in [("120", "120"), ("264", "264"), ("393", "264")] {
        let given = owed("100", &[(1, "1"), (2, "1")], corrected);
        assert_eq!(given.order.refund_promised(), baht(promised), "{corrected}");
        // The rest comes back after it.
        let all = given.and(take_back(&[], false)).order;
        assert_eq!(all.refund_promised(), baht(corrected), "{corrected}");
    }
}

#[test]
fn a_correction_of_cash_for_goods_that_nobody_took_is_owed_back() {
    let given = at_the_door(S::OutForDelivery)
        .and(collect("80"))
        .and(attempt(Some("A-1")))
        .and(attempt(Some("A-2")))
        .and(attempt(Some("A-3")));
    assert_eq!(given.order.refund_promised(), baht("80"));
    given
        .when(correct("70"))
        .is_refused(&[(Code::Validation, "amount")]);
    assert_eq!(
        given.and(correct("110")).order.refund_promised(),
        baht("110")
    );
}

#[test]
fn a_closed_remittance_ends_it() {
    let given = at_the_door(S::Delivered).and(collect("100"));
    let outcome = ItemOutcome::Matched;
    given
        .when(reconcile("2026-03-14", "100", "99.50"))
        .happens(OrderEvent::CashReconciled {
            remittance_id: remittance("2026-03-14"),
            outcome,
            expected: baht("100"),
            accepted: baht("99.50"),
            variance: baht("-0.50"),
        });
    let given = given.and(reconcile("2026-03-14", "100", "99.50"));
    let collection = &given.order.collection;
    assert_eq!(collection.status, CollectionStatus::Reconciled);
    let reconciled = collection.reconciled.as_ref().unwrap();
    assert_eq!(
        (reconciled.accepted, reconciled.variance),
        (baht("99.50"), baht("-0.50"))
    );
    given
        .when(reconcile("2026-03-14", "100", "99.50"))
        .nothing_happens();
    given
        .when(reconcile("2026-03-15", "100", "100"))
        .is_refused(&[(Code::ErrInvalidTransition, "")]);
    given.when(collect("100")).nothing_happens();
    given
        .when(collect("99.50"))
        .is_refused(&[(Code::ErrInvalidTransition, "")]);
    given
        .when(fail("no money at hand", None))
        .is_refused(&[(Code::ErrInvalidTransition, "")]);
}

#[test]
fn without_cash_there_is_nothing_to_reconcile() {
    let expected = [(Code::ErrInvalidTransition, "")];
    let command = || reconcile("2026-03-14", "100", "100");
    at_the_door(S::Released)
        .when(command())
        .is_refused(&expected);
    at_the_door(S::Delivered)
        .when(command())
        .is_refused(&expected);
    at_the_door(S::Delivered)
        .and(fail("no money at hand", None))
        .when(command())
        .is_refused(&expected);
    let collected = at_the_door(S::Delivered).and(collect("100"));
    collected
        .when(reconcile("2026-03-14", "-1", "-1"))
        .is_refused(&[
            (Code::Validation, "expected"),
            (Code::Validation, "accepted"),
        ]);
}
