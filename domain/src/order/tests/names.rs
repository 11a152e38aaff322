//! Names that others give: two that look alike are one.

use super::{
    place::{refused, some, with},
    *,
};
use crate::entity::Command;

fn content(command: &OrderCommand) -> serde_json::Value {
    command.content(serde_json::value::Serializer).unwrap()
}

#[test]
fn names_hold_nothing_that_is_not_seen() {
    for text in ["A 1", "A\u{a0}1", "A\u{200b}1", "A\u{202e}1", "A1\u{200b}"] {
        for (path, code, command) in [
            (
                "alternateOrderId",
                Code::Validation,
                with(|o| o.alternate_order_id = some(text)),
            ),
            (
                "custRef",
                Code::ErrInvalidCustRef,
                with(|o| o.cust_ref = some(text)),
            ),
            (
                "t1MembershipId",
                Code::ErrInvalidT1Member,
                with(|o| o.t1_membership_id = some(text)),
            ),
            (
                "t1Number",
                Code::ErrInvalidT1Number,
                with(|o| o.t1_number = some(text)),
            ),
        ] {
            refused(command, code, path);
        }
    }
    // A customer and a product may have blanks in their names, but no more.
    for text in ["C  1", "C\u{200b}1"] {
        let customer = with(|o| o.customer_id = some(text));
        refused(customer, Code::ErrInvalidCustomer, "customerId");
        let sku = with(|o| o.lines[0].sku = text.into());
        refused(sku, Code::ErrInvalidLineItem, "lines[0].sku");
    }
    nothing()
        .when(with(|o| o.customer_id = some("C 1")))
        .placed();
}

#[test]
fn what_is_cleaned_away_makes_no_other_order() {
    let plain = with(|o| {
        o.alternate_order_id = some("A-1");
        o.cust_ref = None;
    });
    for (theirs, slick) in [
        (" A-1", "-"),
        ("A-1 ", "\u{200b}"),
        ("\u{a0}A-1\t", "undefined"),
    ] {
        let padded = with(|o| {
            o.alternate_order_id = some(theirs);
            o.cust_ref = some(slick);
        });
        assert_eq!(content(&padded), content(&plain));
        let placed = nothing().when(padded).placed();
        assert_eq!(placed.refs.len(), 1);
        assert_eq!(placed.refs[0].reference, "A-1");
    }
    let other = with(|o| o.alternate_order_id = some("A-2"));
    assert_ne!(content(&other), content(&plain));
    // What is clean keeps the form that it was stored in.
    assert_eq!(content(&plain), serde_json::to_value(&plain).unwrap());
}
