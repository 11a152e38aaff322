//! Cash in riders' hands.

use super::*;
use crate::{
    ids::PartnerId,
    order::{CollectionStatus, PaymentStatus, command::FailCollection, event::CashCollected},
};
use OrderStatus as S;

/// The order of 100.00 where its cash can be recorded.
pub(super) fn at_the_door(status: S) -> Scenario {
    order_at(status).given(|facts| facts.sealed = Some(sealed()))
}

fn with(change: impl FnOnce(&mut CollectCash)) -> OrderCommand {
    let mut command = cash("100");
    change(&mut command);
    OrderCommand::CollectCash(command)
}

pub(super) fn fail(reason: &str, minutes: Option<i64>) -> OrderCommand {
    OrderCommand::FailCollection(FailCollection {
        reason: reason.into(),
        occurred_at: minutes.map(in_minutes),
    })
}

fn collected(amount: &str, discrepancy: &str) -> CashCollected {
    CashCollected {
        amount: baht(amount),
        due: baht("100"),
        discrepancy: baht(discrepancy),
        discrepancy_reason: None,
        partner_id: PartnerId::new("GRAB").unwrap(),
        rider_id: Some("R-7".into()),
        collected_at: now(),
        proof: Some(sealed()),
    }
}

#[test]
fn cash_is_recorded_from_7000_on() {
    for status in [
        S::Fulfilled,
        S::Shipped,
        S::InTransit,
        S::OutForDelivery,
        S::Delivered,
    ] {
        let given = at_the_door(status);
        let expected = OrderEvent::CashCollected(Box::new(collected("100", "0")));
        given.when(collect("100")).happens(expected);
        let order = given.and(collect("100")).order;
        assert_eq!(order.collection.status, CollectionStatus::Collected);
        assert_eq!(
            (order.collection.amount, order.collection.due),
            (baht("100"), baht("100"))
        );
        assert_eq!(order.status, status);
        assert_eq!(order.payment_status, PaymentStatus::Paid);
    }
    for status in [S::Open, S::BackOrdered, S::Released, S::Packed] {
        at_the_door(status)
            .when(collect("100"))
            .is_refused(&[(Code::ErrInvalidTransition, "")]);
    }
    at_the_door(S::Cancelled)
        .when(collect("100"))
        .is_refused(&[(Code::ErrOrderNotModifiable, "")]);
}

#[test]
fn the_collection_machine() {
    let given = at_the_door(S::Shipped);
    assert_eq!(given.order.collection.status, CollectionStatus::Pending);
    let given = walked(given, S::OutForDelivery);
    assert_eq!(given.order.collection.status, CollectionStatus::InTransit);
    let given = given.and(fail("no money at hand", None));
    assert_eq!(given.order.collection.status, CollectionStatus::Failed);
    assert_eq!(given.order.cod_due(), baht("100"));
    given.when(fail("still none", None)).nothing_happens();
    // Tried again.
    let given = given.and(collect("100"));
    assert_eq!(given.order.collection.status, CollectionStatus::Collected);
    assert_eq!(given.order.collection.failure_reason, None);
    given
        .when(fail("no money at hand", None))
        .is_refused(&[(Code::ErrInvalidTransition, "")]);
    given
        .when(fail("no money at hand", Some(1)))
        .is_refused(&[(Code::ErrInvalidTransition, "")]);
    // News of an earlier failure, late.
    given
        .when(fail("no money at hand", Some(-1)))
        .nothing_happens();
}

#[test]
fn a_failure_has_a_reason_and_comes_after_the_shipment() {
    for status in [S::Released, S::Packed] {
        at_the_door(status)
            .when(fail("no money at hand", None))
            .is_refused(&[(Code::ErrInvalidTransition, "")]);
    }
    let command = OrderCommand::FailCollection(FailCollection {
        reason: "undefined".into(),
        occurred_at: Some(DateTime::<Utc>::MAX_UTC),
    });
    at_the_door(S::Delivered).when(command).is_refused(&[
        (Code::Validation, "reason"),
        (Code::Validation, "occurredAt"),
    ]);
    at_the_door(S::Delivered)
        .when(fail("no money at hand", Some(-1)))
        .happens(OrderEvent::CollectionFailed {
            reason: "no money at hand".into(),
            is_final: false,
            occurred_at: Some(in_minutes(-1)),
        });
}

#[test]
fn a_satang_more_or_less_is_the_amount_due_and_the_rest_is_kept_as_a_fact() {
    for (amount, discrepancy) in [
        ("100", "0"),
        ("99.99", "0"),
        ("100.01", "0"),
        ("99.98", "-0.02"),
        ("100.02", "0.02"),
        ("0.01", "-99.99"),
        ("1000000", "999900"),
    ] {
        let expected = OrderEvent::CashCollected(Box::new(collected(amount, discrepancy)));
        at_the_door(S::Delivered)
            .when(collect(amount))
            .happens(expected);
    }
}

#[test]
fn a_reason_is_kept_with_a_discrepancy_only() {
    let said = |amount: &str| {
        let command = with(|c| {
            c.amount = baht(amount);
            c.discrepancy_reason = Some("no change".into());
        });
        at_the_door(S::Delivered)
            .and(command)
            .order
            .collection
            .discrepancy_reason
    };
    assert_eq!(said("99"), Some("no change".into()));
    assert_eq!(said("100"), None);
}

#[test]
fn amounts_that_nobody_can_count_out_are_refused() {
    let given = at_the_door(S::Delivered);
    for (amount, code) in [
        ("0", Code::Validation),
        ("-1", Code::Validation),
        ("100.001", Code::CodAmountAccuracy),
        ("0.0099", Code::CodAmountAccuracy),
        ("1000000.01", Code::CodAmountAccuracy),
    ] {
        given.when(collect(amount)).is_refused(&[(code, "amount")]);
    }
}

#[test]
fn the_fields_are_checked_all_at_once() {
    let command = with(|c| {
        c.amount = baht("0");
        c.partner_id = "grab".into();
        c.rider_id = Some("x".repeat(51));
        c.tracking_id = Some("TH-2".into());
        c.collected_at = Some(in_minutes(60));
        c.discrepancy_reason = Some("x".repeat(501));
        c.proof = None;
    });
    at_the_door(S::Delivered).when(command).is_refused(&[
        (Code::Validation, "amount"),
        (Code::Validation, "partnerId"),
        (Code::Validation, "riderId"),
        (Code::Validation, "trackingId"),
        (Code::Validation, "collectedAt"),
        (Code::Validation, "discrepancyReason"),
        (Code::Validation, "proof"),
    ]);
}

#[test]
fn a_proof_is_a_photo_or_a_signature_at_least() {
    let given = at_the_door(S::Delivered);
    let proved = |proof: Proof| given.when(with(|c| c.proof = Some(proof)));
    let some = |text: &str| Some(text.to_owned());
    let photo = Proof {
        photo: some("photos/1.jpg"),
        ..Proof::default()
    };
    let signed = Proof {
        signature: some("signatures/1.png"),
        ..Proof::default()
    };
    assert!(proved(signed).0.is_ok());
    let full = Proof {
        latitude: some("13.7563091"),
        longitude: some("-180.000"),
        collected_by: some("สมชาย"),
        ..photo.clone()
    };
    assert!(proved(full).0.is_ok());
    let placeless = Proof {
        collected_by: some("สมชาย"),
        photo: some(" - "),
        latitude: some("13.75"),
        ..Proof::default()
    };
    proved(placeless).is_refused(&[(Code::Validation, "proof")]);
    // What could not be sealed is not stored in the clear.
    order_at(S::Delivered)
        .when(collect("100"))
        .is_refused(&[(Code::Validation, "proof")]);
}

#[test]
fn the_fields_of_a_proof() {
    let invalid = |path: &str, change: fn(&mut Proof, Option<String>), text: &str| {
        let command = with(|c| change(c.proof.as_mut().unwrap(), Some(text.to_owned())));
        at_the_door(S::Delivered)
            .when(command)
            .is_refused(&[(Code::Validation, path)]);
    };
    invalid("proof.photo", |p, text| p.photo = text, &"x".repeat(501));
    invalid("proof.signature", |p, text| p.signature = text, "a\u{0}");
    invalid(
        "proof.collectedBy",
        |p, text| p.collected_by = text,
        &"x".repeat(101),
    );
    for text in ["90.1", "1e1", "13.", ".5", "+13", "north"] {
        invalid("proof.latitude", |p, text| p.latitude = text, text);
    }
    for text in ["180.5", "-181", "1.00000000000000000000"] {
        invalid("proof.longitude", |p, text| p.longitude = text, text);
    }
}

#[test]
fn the_time_is_not_to_come() {
    let at = |minutes: i64| {
        at_the_door(S::Delivered).when(with(|c| c.collected_at = Some(in_minutes(minutes))))
    };
    for minutes in [-5, 0, 5] {
        let events = at(minutes).events();
        let [OrderEvent::CashCollected(cash)] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(cash.collected_at, in_minutes(minutes));
    }
    for minutes in [6, 420] {
        at(minutes).is_refused(&[(Code::Validation, "collectedAt")]);
    }
    let never = with(|c| c.collected_at = Some(DateTime::<Utc>::MIN_UTC));
    at_the_door(S::Delivered)
        .when(never)
        .is_refused(&[(Code::Validation, "collectedAt")]);
}

#[test]
fn the_same_cash_again_changes_nothing_and_other_cash_is_refused() {
    let given = at_the_door(S::OutForDelivery).and(collect("100"));
    given.when(collect("100")).nothing_happens();
    let delivered = walked(given, S::Delivered);
    delivered.when(collect("100")).nothing_happens();
    let expected = [(Code::ErrInvalidTransition, "")];
    delivered.when(collect("99")).is_refused(&expected);
    delivered
        .when(with(|c| c.partner_id = "LALAMOVE".into()))
        .is_refused(&expected);
}

#[test]
fn cash_for_goods_that_go_back_is_recorded_and_owed_back() {
    let back = at_the_door(S::OutForDelivery)
        .and(attempt(Some("A-1")))
        .and(attempt(Some("A-2")))
        .and(attempt(Some("A-3")));
    let events = back.when(collect("100")).events();
    let [OrderEvent::CashCollected(cash)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!((cash.due, cash.discrepancy), (Money::ZERO, baht("100")));
    let given = back.and(collect("100"));
    assert_eq!(given.order.status, S::PendingReturn);
    assert_eq!(given.order.cod_due(), Money::ZERO);
    assert_eq!(given.order.refund_promised(), baht("100"));
    assert_eq!(given.order.payment_status, PaymentStatus::AwaitingRefund);
    let given = given.and(refund("100"));
    assert_eq!(given.order.payment_status, PaymentStatus::Refunded);
}
