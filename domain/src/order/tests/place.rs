//! The order as a whole: Rules A to G, the contact, the slot.

use super::*;
use crate::{
    ids::StoreId,
    order::{
        PaymentStatus,
        command::{Address, Contact, Slot},
        event::{Channel, Sealed, System},
    },
};

/// A valid order, changed.
pub(super) fn with(change: impl FnOnce(&mut PlaceOrder)) -> OrderCommand {
    let mut command = order_of(vec![line(1, "100", "1")]);
    change(&mut command);
    place(command)
}

#[track_caller]
pub(super) fn refused(command: OrderCommand, code: Code, path: &str) {
    nothing().when(command).is_refused(&[(code, path)]);
}

pub(super) fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn sealed() -> Sealed {
    Sealed {
        subject: "customer:C-1".into(),
        sealed: "c2VhbGVk".into(),
    }
}

#[test]
fn a_valid_order_is_open_and_unpaid() {
    let placed = nothing().when(any_order()).placed();
    assert_eq!(placed.number.as_str(), "QC-2026-03-14-000001");
    assert_eq!(placed.region.as_str(), "BKK-EAST");
    assert_eq!(placed.payment_method, "COD");
    let order = nothing().and(any_order()).order;
    assert!(order.exists());
    assert_eq!(order.status, OrderStatus::Open);
    assert_eq!(order.payment_status, PaymentStatus::NotApplicable);
    assert_eq!(order.min_line_status(), OrderStatus::Open);
}

#[test]
fn an_order_is_placed_once() {
    order_at(OrderStatus::Open)
        .when(any_order())
        .is_refused(&[(Code::OrderExists, "")]);
    order_at(OrderStatus::Cancelled)
        .when(any_order())
        .is_refused(&[(Code::OrderExists, "")]);
}

#[test]
fn every_failure_is_reported_at_once() {
    let command = place(PlaceOrder {
        number: some("QC-1"),
        channel: "FAX".into(),
        store_id: "QC-001".into(),
        cust_ref: some(&"x".repeat(51)),
        t1_number: some("a\u{0}b"),
        payment_method: some("CARD"),
        lines: vec![
            LineInput {
                sku: String::new(),
                ..line(1, "100", "0")
            },
            LineInput {
                discounts: vec![adjustment("", "-1")],
                ..line(1, "-1", "1")
            },
        ],
        fees: vec![adjustment("SHIPPING", "-5")],
        ..PlaceOrder::default()
    });
    nothing().when(command).is_refused(&[
        (Code::ErrInvalidOrderId, "number"),
        (Code::Validation, "channel"),
        (Code::ErrInvalidCustRef, "custRef"),
        (Code::ErrInvalidLocation, "storeId"),
        (Code::ErrForceAllocationRequired, "isForceAllocation"),
        (Code::ErrInvalidT1Number, "t1Number"),
        (Code::ErrInvalidPaymentMethod, "paymentMethod"),
        (Code::ErrInvalidLineItem, "lines[0].sku"),
        (Code::ErrInvalidLineItem, "lines[0].quantity"),
        (Code::ErrInvalidLineItem, "lines[1].lineNumber"),
        (Code::ErrInvalidLineItem, "lines[1].unitPrice"),
        (Code::ErrInvalidLineItem, "lines[1].discounts[0].kind"),
        (Code::ErrInvalidLineItem, "lines[1].discounts[0].amount"),
        (Code::Validation, "fees[0].amount"),
    ]);
}

#[test]
fn the_sums_are_judged_even_where_the_header_is_wrong() {
    let command = with(|order| {
        order.is_force_allocation = Some(false);
        order.lines = vec![line(1, "9", "1")];
        order.expected_total = Some(baht("9.02"));
    });
    nothing().when(command).is_refused(&[
        (Code::ErrForceAllocationRequired, "isForceAllocation"),
        (Code::MinOrderValue, ""),
        (Code::ErrTotalMismatch, "expectedTotal"),
    ]);
}

#[test]
fn rule_a_the_number() {
    let placed = nothing()
        .when(with(|o| o.number = some("QC-2026-01-31-0000017")))
        .placed();
    assert_eq!(placed.number.as_str(), "QC-2026-01-31-0000017");
    let placed = nothing()
        .when(with(|o| o.number = some("undefined")))
        .placed();
    assert_eq!(placed.number.as_str(), "QC-2026-03-14-000001");
    for number in [
        "QC-2026-02-30-000001",
        "QC-2026-01-31-00001",
        "OM202601310000001",
    ] {
        refused(
            with(|o| o.number = some(number)),
            Code::ErrInvalidOrderId,
            "number",
        );
    }
    nothing()
        .given(|facts| facts.number = None)
        .when(any_order())
        .is_refused(&[(Code::ErrInvalidOrderId, "number")]);
}

#[test]
fn rule_b_the_store() {
    for store in ["", "-", "CFR29", "cfr029", "CFR0299"] {
        refused(
            with(|o| o.store_id = store.into()),
            Code::ErrInvalidLocation,
            "storeId",
        );
    }
    let invalid = [(Code::ErrInvalidLocation, "storeId")];
    nothing()
        .given(|facts| facts.store = None)
        .when(any_order())
        .is_refused(&invalid);
    nothing()
        .given(|facts| {
            facts
                .store
                .iter_mut()
                .for_each(|store| store.active = false)
        })
        .when(any_order())
        .is_refused(&invalid);
}

#[test]
fn somebody_bound_to_stores_orders_for_those_only() {
    let mut given = nothing().by(Role::StoreStaff);
    given.actor.stores = StoreScope::Only(vec![StoreId::new("CFR028").unwrap()]);
    given
        .when(any_order())
        .is_refused(&[(Code::LocationRestricted, "storeId")]);
    given.when(with(|o| o.store_id = "CFR028".into())).placed();
}

#[test]
fn rule_c_force_allocation() {
    for value in [None, Some(false)] {
        let command = with(|o| o.is_force_allocation = value);
        refused(
            command,
            Code::ErrForceAllocationRequired,
            "isForceAllocation",
        );
    }
}

#[test]
fn rules_d_and_g_ask_the_directories_only_about_what_is_given() {
    let unknown = |facts: &mut Facts| {
        facts.customer = Standing::Unknown;
        facts.membership = Standing::Inactive;
    };
    nothing().given(unknown).when(any_order()).placed();
    let identified = || {
        with(|o| {
            o.customer_id = some("C-1");
            o.t1_membership_id = some("T1-1");
        })
    };
    nothing().given(unknown).when(identified()).is_refused(&[
        (Code::ErrInvalidCustomer, "customerId"),
        (Code::ErrInvalidT1Member, "t1MembershipId"),
    ]);
    for standing in [Standing::NotChecked, Standing::Active] {
        let known = |facts: &mut Facts| (facts.customer, facts.membership) = (standing, standing);
        let placed = nothing().given(known).when(identified()).placed();
        assert_eq!(placed.warnings, Vec::<String>::new());
        assert_eq!(placed.customer_id.unwrap().as_str(), "C-1");
    }
}

#[test]
fn a_directory_out_of_reach_is_a_warning() {
    let placed = nothing()
        .given(|facts| facts.customer = Standing::Unreachable)
        .given(|facts| facts.membership = Standing::Unreachable)
        .when(with(|o| {
            o.customer_id = some("C-1");
            o.t1_membership_id = some("T1-1");
        }))
        .placed();
    assert_eq!(placed.warnings.len(), 2);
}

#[test]
fn rules_d_to_g_the_forms() {
    let long = "x".repeat(51);
    let number = |o: &mut PlaceOrder, text: &str| o.t1_number = some(text);
    let member = |o: &mut PlaceOrder, text: &str| o.t1_membership_id = some(text);
    for text in ["x".repeat(21).as_str(), "a\nb"] {
        refused(
            with(|o| number(o, text)),
            Code::ErrInvalidT1Number,
            "t1Number",
        );
        refused(
            with(|o| member(o, text)),
            Code::ErrInvalidT1Member,
            "t1MembershipId",
        );
    }
    nothing()
        .when(with(|o| number(o, &"x".repeat(20))))
        .placed();
    refused(
        with(|o| o.cust_ref = some(&long)),
        Code::ErrInvalidCustRef,
        "custRef",
    );
    refused(
        with(|o| o.customer_id = some(&long)),
        Code::ErrInvalidCustomer,
        "customerId",
    );
    refused(
        with(|o| o.order_type = some(&long)),
        Code::Validation,
        "orderType",
    );
    let theirs = with(|o| o.alternate_order_id = some(&long));
    refused(theirs, Code::Validation, "alternateOrderId");
}

#[test]
fn other_systems_ids_become_references() {
    let placed = nothing()
        .when(with(|o| {
            o.channel = "Grab".into();
            o.alternate_order_id = some(" 123456789-C7NVLG ");
            o.cust_ref = some("SL-1");
        }))
        .placed();
    assert_eq!(placed.channel, Channel::Grab);
    let refs: Vec<_> = placed
        .refs
        .iter()
        .map(|r| (r.system, r.reference.as_str()))
        .collect();
    assert_eq!(
        refs,
        [(System::Grab, "123456789-C7NVLG"), (System::Slick, "SL-1")]
    );
    let placed = nothing()
        .when(with(|o| o.cust_ref = some("undefined")))
        .placed();
    assert_eq!(placed.refs, []);
}

#[test]
fn the_delivery_slot_and_the_promise() {
    let slot = |from, to| {
        Some(Slot {
            from: in_minutes(from),
            to: in_minutes(to),
        })
    };
    nothing()
        .when(with(|o| o.requested_slot = slot(-30, 30)))
        .placed();
    let over = with(|o| o.requested_slot = slot(-60, 0));
    refused(over, Code::Validation, "requestedSlot");
    let backwards = with(|o| o.requested_slot = slot(60, 60));
    refused(backwards, Code::Validation, "requestedSlot.to");
    let promised = |at| {
        with(move |o| {
            o.requested_slot = slot(30, 90);
            o.promised_at = Some(in_minutes(at));
        })
    };
    nothing().when(promised(30)).placed();
    refused(promised(29), Code::Validation, "promisedAt");
    let captured = with(|o| o.captured_at = Some(DateTime::<Utc>::MAX_UTC));
    refused(captured, Code::Validation, "capturedAt");
}

#[test]
fn a_contact_is_stored_sealed_or_not_at_all() {
    let contact = Contact {
        name: some("สมชาย"),
        ..Contact::default()
    };
    let named = || with(|o| o.contact = Some(contact.clone()));
    let placed = nothing()
        .given(|facts| facts.sealed = Some(sealed()))
        .when(named())
        .placed();
    assert_eq!(placed.contact, Some(sealed()));
    refused(named(), Code::Validation, "contact");
    let blank = with(|o| {
        o.contact = Some(Contact {
            name: some("-"),
            ..Contact::default()
        })
    });
    assert_eq!(nothing().when(blank).placed().contact, None);
}

#[test]
fn the_fields_of_a_contact_and_no_value_in_a_message() {
    const SECRET: &str = "secret\u{1}";
    let address = Address {
        line1: " ".into(),
        line2: some(SECRET),
        line3: some(&"ก".repeat(201)),
        city: some(&"ก".repeat(101)),
        state: some(SECRET),
        postal_code: some("secret"),
        country: some("secret"),
    };
    let contact = Contact {
        name: some(&"ก".repeat(201)),
        phone: some("secret"),
        email: some("secret"),
        address: Some(address),
    };
    let refusal = nothing()
        .given(|facts| facts.sealed = Some(sealed()))
        .decide(&with(|o| o.contact = Some(contact)))
        .unwrap_err();
    assert!(!refusal.to_string().contains("secret"), "{refusal}");
    Then(Err(refusal)).is_refused(&[
        (Code::Validation, "contact.name"),
        (Code::Validation, "contact.phone"),
        (Code::Validation, "contact.email"),
        (Code::Validation, "contact.address.line1"),
        (Code::Validation, "contact.address.line2"),
        (Code::Validation, "contact.address.line3"),
        (Code::Validation, "contact.address.city"),
        (Code::Validation, "contact.address.state"),
        (Code::Validation, "contact.address.postalCode"),
        (Code::Validation, "contact.address.country"),
    ]);
}
