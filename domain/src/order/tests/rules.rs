//! One row per rule of placing: its code, an order that breaks it, and one that keeps it.

use super::{
    bundles::{breakfast, listed, of, sets},
    *,
};
use crate::{
    entity::Entity,
    order::{
        command::Slot,
        facts::{Product, Products},
    },
    probe::{Probe, Step},
};

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// A world that knows one bundle, one product and no customer.
fn world() -> Scenario {
    let product = Product {
        list_price: Some(baht("6000")),
        ..Product::default()
    };
    let sku = Sku::new("P").unwrap();
    nothing().with(vec![breakfast()]).given(|facts| {
        facts.products = Products::Known([(sku, product)].into());
        facts.customer = Standing::Unknown;
        facts.membership = Standing::Inactive;
    })
}

/// One piece of the product that the catalogue knows, changed.
fn order(change: impl FnOnce(&mut PlaceOrder)) -> PlaceOrder {
    let mut order = order_of(vec![of(1, "P", "100", "1")]);
    change(&mut order);
    order
}

fn only_line(change: impl FnOnce(&mut LineInput)) -> PlaceOrder {
    order(|o| change(&mut o.lines[0]))
}

fn lines(lines: Vec<LineInput>) -> PlaceOrder {
    order_of(lines)
}

fn slot(from: i64, to: i64) -> Option<Slot> {
    let (from, to) = (in_minutes(from), in_minutes(to));
    Some(Slot { from, to })
}

type Row = (&'static str, Code, PlaceOrder, PlaceOrder);

fn header_rules() -> Vec<Row> {
    let number = |text: &'static str| order(|o| o.number = some(text));
    let store = |id: &str| order(|o| o.store_id = id.into());
    let force = |value| order(|o| o.is_force_allocation = value);
    let at = |slot| order(|o| o.requested_slot = slot);
    let promised = |minutes| {
        order(|o| {
            o.requested_slot = slot(30, 90);
            o.promised_at = Some(in_minutes(minutes));
        })
    };
    vec![
        (
            "A form",
            Code::ErrInvalidOrderId,
            number("QC-1"),
            number("QC-2026-03-14-000002"),
        ),
        (
            "B present",
            Code::ErrInvalidLocation,
            store(""),
            store("CFR029"),
        ),
        (
            "C",
            Code::ErrForceAllocationRequired,
            force(None),
            force(Some(true)),
        ),
        (
            "D",
            Code::ErrInvalidT1Member,
            order(|o| o.t1_membership_id = some("T1")),
            order(|_| {}),
        ),
        (
            "E",
            Code::ErrInvalidT1Number,
            order(|o| o.t1_number = some(&"x".repeat(21))),
            order(|o| o.t1_number = some(&"x".repeat(20))),
        ),
        (
            "F",
            Code::ErrInvalidCustRef,
            order(|o| o.cust_ref = some(&"x".repeat(51))),
            order(|o| o.cust_ref = some(&"x".repeat(50))),
        ),
        (
            "G",
            Code::ErrInvalidCustomer,
            order(|o| o.customer_id = some("C-1")),
            order(|_| {}),
        ),
        (
            "slot not past",
            Code::Validation,
            at(slot(-60, 0)),
            at(slot(-30, 30)),
        ),
        (
            "promised >= requested",
            Code::Validation,
            promised(29),
            promised(30),
        ),
    ]
}

fn line_rules() -> Vec<Row> {
    let invalid = Code::ErrInvalidLineItem;
    let sku = |text: &str| only_line(|l| l.sku = text.into());
    let pieces = |text: &str| only_line(|l| l.quantity = quantity(text));
    let priced = |text: &str| {
        let fee = adjustment("SHIPPING", "10");
        order(|o| {
            o.lines[0].unit_price = baht(text);
            o.fees = vec![fee];
        })
    };
    let half_a_kilo = |text: &str| {
        only_line(|l| {
            l.is_weight_item = true;
            l.quantity = quantity("0.5");
            l.unit_price = baht(text);
        })
    };
    let numbered = |n| lines(vec![of(1, "P", "100", "1"), of(n, "P", "100", "1")]);
    let packed = |ordered| {
        let mut line = pack(1, "100", 1, 3);
        line.sku = "P".into();
        line.pack = line.pack.map(|p| PackInput { ordered, ..p });
        lines(vec![line])
    };
    vec![
        ("at least one line", invalid, lines(vec![]), order(|_| {})),
        ("known SKU", invalid, sku("Q"), sku("P")),
        ("quantity > 0", invalid, pieces("0"), pieces("1")),
        ("price >= 0", invalid, priced("-0.01"), priced("0")),
        (
            "price <= list price",
            invalid,
            half_a_kilo("6000.01"),
            half_a_kilo("6000"),
        ),
        ("unique lineNumber", invalid, numbered(1), numbered(2)),
        (
            "pack quantity > 0",
            Code::ErrInvalidBundle,
            packed(0),
            packed(1),
        ),
    ]
}

fn bundle_rules() -> Vec<Row> {
    let set = || sets(1, "B1", "1");
    let whole = |change: fn(&mut LineInput)| {
        let mut line = set();
        change(&mut line);
        lines(vec![line])
    };
    let named = |id: &str| {
        let mut line = set();
        line.bundle.as_mut().unwrap().bundle_id = id.into();
        lines(vec![line])
    };
    let held = |count| lines(listed("B1", "1").into_iter().take(count).collect());
    vec![
        (
            "unique reference",
            Code::ErrInvalidBundle,
            lines(vec![set(), sets(2, "B1", "1")]),
            lines(vec![set(), sets(2, "B2", "1")]),
        ),
        (
            "bundle price",
            Code::ErrInvalidBundle,
            whole(|l| l.unit_price = baht("88")),
            whole(|l| l.unit_price = baht("89")),
        ),
        (
            "at most 10",
            Code::ErrInvalidBundle,
            whole(|l| l.quantity = quantity("11")),
            whole(|l| l.quantity = quantity("10")),
        ),
        (
            "known definition",
            Code::ErrInvalidBundleSku,
            named("LUNCH"),
            named("BREAKFAST"),
        ),
        (
            "all components",
            Code::ErrBundleIncomplete,
            held(2),
            held(3),
        ),
    ]
}

fn sum_rules() -> Vec<Row> {
    let at = |text: &str| only_line(|l| l.unit_price = baht(text));
    let expected = |text: &str| order(|o| o.expected_total = Some(baht(text)));
    let discounted = |text: &str| {
        order(|o| {
            o.order_discounts = vec![adjustment("MEMBER", text)];
            o.fees = vec![adjustment("SHIPPING", "10")];
        })
    };
    vec![
        (
            "totals within 0.01",
            Code::ErrTotalMismatch,
            expected("100.02"),
            expected("100.01"),
        ),
        (
            "order minimum",
            Code::MinOrderValue,
            at("9.99"),
            at("10.00"),
        ),
        (
            "allowed method",
            Code::ErrInvalidPaymentMethod,
            order(|o| o.payment_method = some("CARD")),
            order(|o| o.payment_method = some("COD")),
        ),
        (
            "COD maximum",
            Code::ErrInvalidPaymentMethod,
            at("5000.01"),
            at("5000.00"),
        ),
        (
            "discount <= 90%",
            Code::MaxDiscountPercent,
            discounted("90.01"),
            discounted("90.00"),
        ),
    ]
}

#[test]
fn every_rule_refuses_what_breaks_it_and_passes_what_keeps_it() {
    let rows = [header_rules(), line_rules(), bundle_rules(), sum_rules()];
    let mut proven = Vec::new();
    for (rule, code, broken, kept) in rows.into_iter().flatten() {
        let refusal = world().decide(&place(broken)).unwrap_err();
        assert!(
            refusal.problems.iter().all(|p| p.code == code),
            "{rule}: {refusal}"
        );
        let events = world().decide(&place(kept));
        assert_eq!(events.map(|e| e.len()), Ok(1), "{rule}");
        proven.push(code);
    }
    // These depend on the world rather than on the order.
    for (code, is_broken) in [
        (Code::OrderExists, world().and(place(order(|_| {})))),
        (Code::LocationRestricted, bound_elsewhere()),
        (Code::ErrBundleNotAvailable, offered_elsewhere()),
    ] {
        let command = place(lines(vec![sets(1, "B1", "1")]));
        let refusal = is_broken.decide(&command).unwrap_err();
        assert!(refusal.problems.iter().all(|p| p.code == code), "{refusal}");
        proven.push(code);
    }
    // Those of later commands and of other aggregates are proven beside theirs.
    let placing = [
        Code::ErrInvalidOrderId,
        Code::ErrInvalidLocation,
        Code::ErrForceAllocationRequired,
        Code::ErrInvalidT1Member,
        Code::ErrInvalidT1Number,
        Code::ErrInvalidCustRef,
        Code::ErrInvalidCustomer,
        Code::ErrInvalidLineItem,
        Code::ErrInvalidBundle,
        Code::ErrInvalidBundleSku,
        Code::ErrBundleIncomplete,
        Code::ErrBundleNotAvailable,
        Code::ErrInvalidPaymentMethod,
        Code::ErrTotalMismatch,
        Code::MinOrderValue,
        Code::MaxDiscountPercent,
        Code::OrderExists,
        Code::LocationRestricted,
        Code::Validation,
    ];
    for code in placing {
        assert!(proven.contains(&code), "{code}");
    }
}

fn bound_elsewhere() -> Scenario {
    let mut given = world();
    given.actor.stores = StoreScope::Only(Vec::new());
    given
}

fn offered_elsewhere() -> Scenario {
    let mut offer = breakfast();
    offer.definition.stores = vec![crate::ids::StoreId::new("CFR001").unwrap()];
    world().with(vec![offer])
}

/// Remembers the steps.
#[derive(Default)]
struct Steps(Vec<Step>);

impl Probe for Steps {
    fn step(&mut self, done: Step) {
        self.0.push(done);
    }
}

#[test]
fn a_probe_sees_every_step_of_placing() {
    for command in [order(|_| {}), order(|o| o.lines.clear())] {
        let (given, command) = (world(), place(command));
        let mut steps = Steps::default();
        let Scenario {
            order,
            actor,
            facts,
        } = &given;
        let probed = order.decide_probed(&command, actor, facts, &mut steps);
        assert_eq!(probed, given.decide(&command));
        assert_eq!(steps.0, Step::ALL);
    }
    let names: Vec<&str> = Step::ALL.iter().map(|s| s.as_str()).collect();
    assert_eq!(names, ["validate", "enrich", "calculate"]);
    let given = order_at(OrderStatus::Open);
    let mut steps = Steps::default();
    let allocate = OrderCommand::Allocate;
    let probed = given
        .order
        .decide_probed(&allocate, &given.actor, &given.facts, &mut steps);
    assert_eq!(probed.unwrap().len(), 1);
    assert_eq!(steps.0, []);
}
