//! Offers of other products.

use super::*;
use crate::order::{
    Answer,
    command::{DecideSubstitution, ProposalRef, ProposeSubstitution, ReportShort},
    event::{Proposal, Replacement},
    facts::{Product, Products},
};
use OrderStatus as S;

/// An order whose customer takes other products: 25.50 on line 1, two pieces at 40 on line 2.
pub(super) fn open_to_others(status: S) -> Scenario {
    let command = PlaceOrder {
        allow_substitution: true,
        ..order_of(vec![line(1, "25.50", "1"), line(2, "40", "2")])
    };
    walked(nothing().and(place(command)), status)
}

pub(super) fn other(proposal_id: &str, line_number: i32, price: &str) -> ProposeSubstitution {
    ProposeSubstitution {
        proposal_id: proposal_id.into(),
        line_number,
        sku: "OTHER".into(),
        name_th: Some("อื่น".into()),
        name_en: None,
        unit_price: baht(price),
        quantity: None,
        via_merchant_app: false,
        reason: Some("sold out".into()),
    }
}

pub(super) fn offer(proposal_id: &str, line_number: i32, price: &str) -> OrderCommand {
    OrderCommand::ProposeSubstitution(other(proposal_id, line_number, price))
}

pub(super) fn answer(proposal_id: &str, approve: bool) -> OrderCommand {
    OrderCommand::DecideSubstitution(DecideSubstitution {
        proposal_id: proposal_id.into(),
        approve,
    })
}

pub(super) fn expire(proposal_id: &str) -> OrderCommand {
    OrderCommand::ExpireSubstitution(ProposalRef {
        proposal_id: proposal_id.into(),
    })
}

pub(super) fn shorted(line_number: i32, left: &str) -> OrderCommand {
    OrderCommand::ReportShort(ReportShort {
        lines: named(&[(line_number, left)]),
        reason: "not on the shelf".into(),
        report_id: None,
        occurred_at: None,
    })
}

fn changed(change: impl FnOnce(&mut ProposeSubstitution)) -> OrderCommand {
    let mut command = other("P-1", 1, "25.50");
    change(&mut command);
    OrderCommand::ProposeSubstitution(command)
}

#[test]
fn an_offer_waits_five_minutes_and_changes_nothing_yet() {
    for status in [S::Released, S::InProcess, S::Picked, S::Packed] {
        let given = open_to_others(status);
        let proposal = Proposal {
            proposal_id: "P-1".into(),
            line_number: 1,
            replacement: Replacement {
                sku: Sku::new("OTHER").unwrap(),
                name_th: Some("อื่น".into()),
                name_en: None,
                unit_price: baht("28.75"),
                quantity: quantity("1"),
            },
            approve_by: in_minutes(5),
            via_merchant_app: false,
            reason: Some("sold out".into()),
        };
        given
            .when(offer(" P-1 ", 1, "28.75"))
            .happens(OrderEvent::SubstitutionProposed { proposal });
        let before = shape(&given.order);
        let after = given.and(offer("P-1", 1, "28.75")).order;
        assert_eq!(shape(&after), before);
        assert_eq!(after.offers[0].answer, Answer::Open);
    }
}

#[test]
fn offers_are_made_while_picking_only() {
    for status in [
        S::Open,
        S::Allocated,
        S::Fulfilled,
        S::OutForDelivery,
        S::Delivered,
    ] {
        open_to_others(status)
            .when(offer("P-1", 1, "25.50"))
            .is_refused(&[(Code::ErrInvalidTransition, "")]);
    }
    open_to_others(S::Cancelled)
        .when(offer("P-1", 1, "25.50"))
        .is_refused(&[(Code::ErrOrderNotModifiable, "")]);
}

#[test]
fn v10_a_price_rises_by_20_percent_at_most() {
    let given = open_to_others(S::InProcess);
    for price in ["0", "25.50", "28.75", "30.60"] {
        assert_eq!(
            given.when(offer("P-1", 1, price)).events().len(),
            1,
            "{price}"
        );
    }
    for price in ["30.6001", "30.61", "32.00"] {
        given
            .when(offer("P-1", 1, price))
            .is_refused(&[(Code::PriceIncreaseLimitExceeded, "unitPrice")]);
    }
    let in_the_app = |price: &str| {
        OrderCommand::ProposeSubstitution(ProposeSubstitution {
            via_merchant_app: true,
            ..other("P-1", 1, price)
        })
    };
    assert!(given.when(in_the_app("32.00")).0.is_ok());
    assert!(given.when(in_the_app("2000")).0.is_ok());
}

#[test]
fn the_price_rises_once_however_often_the_product_changes() {
    let given = open_to_others(S::InProcess)
        .and(offer("P-1", 1, "30"))
        .and(answer("P-1", true));
    assert_eq!(given.order.lines[0].line.unit_price, baht("30"));
    let again = |price: &str| {
        changed(|c| {
            c.proposal_id = "P-2".into();
            c.sku = "THIRD".into();
            c.unit_price = baht(price);
        })
    };
    assert!(given.when(again("30.60")).0.is_ok());
    given
        .when(again("30.61"))
        .is_refused(&[(Code::PriceIncreaseLimitExceeded, "unitPrice")]);
}

#[test]
fn the_base_is_the_price_that_the_customer_saw() {
    let command = PlaceOrder {
        allow_substitution: true,
        ..grab_order()
    };
    let given = walked(nothing().and(place(command)), S::InProcess);
    // 129 and not the 140 it was reduced from: 154.80 is a fifth more.
    assert!(given.when(offer("P-1", 3, "154.80")).0.is_ok());
    given
        .when(offer("P-1", 3, "154.81"))
        .is_refused(&[(Code::PriceIncreaseLimitExceeded, "unitPrice")]);
}

#[test]
fn a_customer_who_accepts_none_gets_none() {
    let given = walked(nothing().and(place(grab_order())), S::InProcess);
    given
        .when(offer("P-1", 1, "199"))
        .is_refused(&[(Code::SubstitutionNotAllowed, "")]);
}

#[test]
fn a_component_must_allow_it_and_has_a_limit_of_its_own() {
    let given = walked(bundle_order(), S::InProcess);
    given
        .when(offer("P-1", 7, "39"))
        .is_refused(&[(Code::SubstitutionNotAllowed, "lineNumber")]);
    assert!(given.when(offer("P-1", 6, "49.50")).0.is_ok());
    given
        .when(offer("P-1", 6, "49.51"))
        .is_refused(&[(Code::PriceIncreaseLimitExceeded, "unitPrice")]);
    let half = OrderCommand::ProposeSubstitution(ProposeSubstitution {
        quantity: Some(quantity("1")),
        ..other("P-1", 6, "45")
    });
    given
        .when(half)
        .is_refused(&[(Code::ErrInvalidLineItem, "quantity")]);
}

#[test]
fn a_line_has_one_open_offer() {
    let given = open_to_others(S::InProcess).and(offer("P-1", 1, "25.50"));
    given
        .when(offer("P-2", 1, "26"))
        .is_refused(&[(Code::SubstitutionNotAllowed, "lineNumber")]);
    let given = given.and(offer("P-2", 2, "41"));
    assert_eq!(given.order.offers.len(), 2);
    let given = given.and(answer("P-1", true));
    let third = changed(|c| {
        c.proposal_id = "P-3".into();
        c.sku = "THIRD".into();
    });
    assert!(given.when(third).0.is_ok());
}

#[test]
fn a_cancelled_line_gets_no_offer() {
    open_to_others(S::InProcess)
        .and(shorted(1, "0"))
        .when(offer("P-1", 1, "25.50"))
        .is_refused(&[(Code::SubstitutionNotAllowed, "lineNumber")]);
}

#[test]
fn the_same_offer_again_changes_nothing_and_another_one_has_its_own_id() {
    let given = open_to_others(S::InProcess).and(offer("P-1", 1, "28.75"));
    given.when(offer("P-1", 1, "28.75")).nothing_happens();
    let with_quantity = changed(|c| {
        c.unit_price = baht("28.75");
        c.quantity = Some(quantity("1"));
    });
    given.when(with_quantity).nothing_happens();
    let expected = [(Code::Validation, "proposalId")];
    given.when(offer("P-1", 1, "28.76")).is_refused(&expected);
    given.when(offer("P-1", 2, "28.75")).is_refused(&expected);
    let other_product = changed(|c| {
        c.unit_price = baht("28.75");
        c.sku = "THIRD".into();
    });
    given.when(other_product).is_refused(&expected);
    // Late repeats of it are harmless as well.
    let answered = given.and(answer("P-1", true));
    answered.when(offer("P-1", 1, "28.75")).nothing_happens();
    let delivered = walked(answered, S::Delivered);
    delivered.when(offer("P-1", 1, "28.75")).nothing_happens();
    delivered
        .when(offer("P-1", 1, "28.76"))
        .is_refused(&expected);
}

#[test]
fn the_fields_are_checked_all_at_once() {
    let given = open_to_others(S::InProcess);
    let invalid = Code::ErrInvalidLineItem;
    let one = |change: fn(&mut ProposeSubstitution), code: Code, path: &str| {
        given.when(changed(change)).is_refused(&[(code, path)]);
    };
    one(
        |c| c.proposal_id = "-".into(),
        Code::Validation,
        "proposalId",
    );
    one(
        |c| c.proposal_id = "x".repeat(51),
        Code::Validation,
        "proposalId",
    );
    one(|c| c.line_number = 9, invalid, "lineNumber");
    one(|c| c.line_number = -1, invalid, "lineNumber");
    one(|c| c.sku = "".into(), invalid, "sku");
    one(|c| c.sku = "8850000000001".into(), invalid, "sku");
    one(|c| c.name_th = Some("ก".repeat(201)), invalid, "nameTh");
    one(|c| c.name_en = Some("a\u{0}".into()), invalid, "nameEn");
    one(|c| c.unit_price = baht("-1"), invalid, "unitPrice");
    one(|c| c.quantity = Some(quantity("0")), invalid, "quantity");
    one(|c| c.quantity = Some(quantity("-1")), invalid, "quantity");
    one(|c| c.quantity = Some(quantity("0.5")), invalid, "quantity");
    one(|c| c.quantity = Some(quantity("2")), invalid, "quantity");
    one(
        |c| c.reason = Some("x".repeat(501)),
        Code::Validation,
        "reason",
    );
    let all = changed(|c| {
        c.proposal_id = "".into();
        c.line_number = 2;
        c.sku = " ".into();
        c.unit_price = baht("49");
        c.quantity = Some(quantity("3"));
    });
    given.when(all).is_refused(&[
        (Code::Validation, "proposalId"),
        (invalid, "sku"),
        (Code::PriceIncreaseLimitExceeded, "unitPrice"),
        (invalid, "quantity"),
    ]);
}

#[test]
fn offers_are_bounded() {
    let mut given = open_to_others(S::InProcess);
    for n in 0..40 {
        let id = format!("P-{n}");
        let next = changed(|c| {
            c.proposal_id = id.clone();
            c.sku = id.clone();
        });
        given = given.and(next).and(answer(&id, true));
    }
    given
        .when(offer("P-40", 1, "25.50"))
        .is_refused(&[(Code::SubstitutionNotAllowed, "")]);
}

#[test]
fn nobody_is_asked_for_more_cash_than_the_store_takes() {
    let limited = open_to_others(S::InProcess).given(|facts| {
        facts
            .store
            .iter_mut()
            .for_each(|s| s.cod_limit = Some(baht("110")));
    });
    assert!(limited.when(offer("P-1", 1, "30")).0.is_ok());
    limited
        .when(offer("P-1", 1, "30.01"))
        .is_refused(&[(Code::ErrInvalidPaymentMethod, "unitPrice")]);
    let lowered = limited.given(|facts| {
        facts
            .store
            .iter_mut()
            .for_each(|s| s.cod_limit = Some(baht("100")));
    });
    // What makes the order cheaper is no matter of the limit, nor is anything at a store unknown.
    assert!(lowered.when(offer("P-1", 1, "25")).0.is_ok());
    let unknown = lowered.given(|facts| facts.store = None);
    assert!(unknown.when(offer("P-1", 1, "30.01")).0.is_ok());
    let huge = changed(|c| {
        c.unit_price = Money::from_units(crate::money::MAX_UNITS);
        c.via_merchant_app = true;
        c.line_number = 2;
    });
    unknown
        .when(huge)
        .is_refused(&[(Code::Validation, "unitPrice")]);
}

#[test]
fn the_catalogue_names_the_product_and_knows_its_price() {
    let product = Product {
        name_th: Some("ชื่อ".into()),
        name_en: Some("Name".into()),
        list_price: Some(baht("27")),
        ..Product::default()
    };
    let given = open_to_others(S::InProcess).given(|facts| {
        facts.products = Products::Known([(Sku::new("OTHER").unwrap(), product)].into());
    });
    let events = given.when(offer("P-1", 1, "27")).events();
    let [OrderEvent::SubstitutionProposed { proposal }] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(proposal.replacement.name_th.as_deref(), Some("อื่น"));
    assert_eq!(proposal.replacement.name_en.as_deref(), Some("Name"));
    // The same offer again, with the name left out that the catalogue gave.
    let offered = given.given_at(0).and(offer("P-1", 1, "27"));
    offered.when(offer("P-1", 1, "27")).nothing_happens();
    let expected = [(Code::ErrInvalidLineItem, "unitPrice")];
    given.when(offer("P-1", 1, "27.01")).is_refused(&expected);
    let in_the_app = changed(|c| {
        c.unit_price = baht("27.01");
        c.via_merchant_app = true;
    });
    assert!(given.when(in_the_app).0.is_ok());
    let unknown = changed(|c| c.sku = "THIRD".into());
    given
        .when(unknown)
        .is_refused(&[(Code::ErrInvalidLineItem, "sku")]);
    let unreachable = given.given(|facts| facts.products = Products::Unreachable);
    assert!(unreachable.when(offer("P-1", 1, "27.01")).0.is_ok());
}
