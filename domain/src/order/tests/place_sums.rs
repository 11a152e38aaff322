//! Placing: the lines, the discounts, the fees and the limits of the sums.

use super::{
    place::{refused, some, with},
    *,
};
use crate::money::Rate;

/// A valid order whose only line is changed.
fn with_line(change: impl FnOnce(&mut LineInput)) -> OrderCommand {
    let mut only = line(1, "100", "1");
    change(&mut only);
    place(order_of(vec![only]))
}

#[test]
fn an_order_has_1_to_20_lines() {
    let lines = |count| with(|o| o.lines = (1..=count).map(|n| line(n, "10", "1")).collect());
    refused(lines(0), Code::ErrInvalidLineItem, "lines");
    nothing().when(lines(20)).placed();
    refused(lines(21), Code::ErrInvalidLineItem, "lines");
}

#[test]
fn the_fields_of_a_line() {
    let invalid = |field: &str, change: fn(&mut LineInput)| {
        refused(
            with_line(change),
            Code::ErrInvalidLineItem,
            &format!("lines[0].{field}"),
        );
    };
    invalid("lineNumber", |l| l.line_number = 0);
    invalid("lineNumber", |l| l.line_number = -1);
    invalid("lineNumber", |l| l.line_number = 65_536);
    invalid("sku", |l| l.sku = "undefined".into());
    invalid("sku", |l| l.sku = "x".repeat(51));
    invalid("nameTh", |l| l.name_th = some(&"ก".repeat(201)));
    invalid("nameEn", |l| l.name_en = some("a\u{0}"));
    invalid("uom", |l| l.uom = some("PIECES OF 8"));
    invalid("promotionId", |l| l.promotion_id = some(&"x".repeat(51)));
    invalid("quantity", |l| l.quantity = quantity("0"));
    invalid("quantity", |l| l.quantity = quantity("-1"));
    invalid("quantity", |l| l.quantity = quantity("0.5"));
    invalid("quantity", |l| l.quantity = quantity("1000000"));
    invalid("unitPrice", |l| l.unit_price = baht("-0.0001"));
    invalid("unitPrice", |l| l.original_unit_price = Some(baht("99.99")));
    invalid("taxRate", |l| l.tax_rate = Some(Rate::from_units(-1)));
    invalid("taxRate", |l| l.tax_rate = Some(Rate::from_units(10_001)));
    invalid("discounts", |l| {
        l.discounts = vec![adjustment("PROMOTION", "100.0001")]
    });
    invalid("discounts", |l| {
        l.discounts = vec![adjustment("PROMOTION", "1"); 11]
    });
    invalid("unitPrice", |l| {
        l.unit_price = baht("99999999999999");
        l.quantity = quantity("2");
    });
    nothing()
        .when(with_line(|l| {
            l.line_number = 65_535;
            l.name_th = some(&"ก".repeat(200));
            l.name_en = some("☕ coffee");
            l.uom = some("EA");
            l.quantity = quantity("0.0001");
            l.unit_price = baht("100000");
            l.is_weight_item = true;
        }))
        .placed();
}

#[test]
fn discounts_that_miss_the_price_gap_are_refused() {
    let stated = |amount: &'static str| {
        with_line(move |l| {
            l.original_unit_price = Some(baht("140"));
            l.discounts = vec![adjustment("PROMOTION", amount)];
        })
    };
    refused(
        stated("39.98"),
        Code::ErrInvalidLineItem,
        "lines[0].discounts",
    );
    for (amount, net) in [("39.99", "100.0100"), ("40", "100.0000"), ("50", "90.0000")] {
        let placed = nothing().when(stated(amount)).placed();
        assert_eq!(placed.totals.sub_total.to_string(), net);
    }
}

#[test]
fn the_fields_of_a_pack() {
    let invalid = |field: &str, change: fn(&mut LineInput, &mut PackInput)| {
        let mut line = pack(1, "299.99", 2, 3);
        let mut input = line.pack.unwrap();
        change(&mut line, &mut input);
        line.pack = Some(input);
        let path = format!("lines[0].{field}");
        refused(place(order_of(vec![line])), Code::ErrInvalidBundle, &path);
    };
    invalid("pack.ordered", |_, p| p.ordered = 0);
    invalid("pack.ordered", |_, p| p.ordered = i32::MIN);
    invalid("pack.unitsPerPack", |_, p| p.units_per_pack = 0);
    invalid("pack.unitsPerPack", |_, p| p.units_per_pack = i32::MAX);
    invalid("pack.unitPrice", |l, p| {
        p.unit_price = Money::ZERO;
        l.unit_price = Money::ZERO;
    });
    invalid("unitPrice", |l, _| l.unit_price = baht("100"));
    invalid("quantity", |l, _| l.quantity = quantity("6"));
    invalid("isWeightItem", |l, _| l.is_weight_item = true);
}

#[test]
fn order_discounts_and_fees() {
    let discount = |kind: &str, amount: &str| {
        let discount = adjustment(kind, amount);
        with(|o| o.order_discounts = vec![discount])
    };
    refused(
        discount("undefined", "1"),
        Code::Validation,
        "orderDiscounts[0].kind",
    );
    refused(
        discount(&"x".repeat(51), "1"),
        Code::Validation,
        "orderDiscounts[0].kind",
    );
    refused(
        discount("MEMBER", "-1"),
        Code::Validation,
        "orderDiscounts[0].amount",
    );
    nothing().when(discount("MEMBER", "1")).placed();
    let many = vec![adjustment("MEMBER", "1"); 11];
    refused(
        with(|o| o.order_discounts = many.clone()),
        Code::Validation,
        "orderDiscounts",
    );
    refused(with(|o| o.fees = many.clone()), Code::Validation, "fees");
    let rate = |units| AdjustmentInput {
        tax_rate: Some(Rate::from_units(units)),
        ..adjustment("SHIPPING", "1")
    };
    for units in [i64::MIN, -10_000, -1, 10_001, i64::MAX] {
        refused(
            with(|o| o.fees = vec![rate(units)]),
            Code::Validation,
            "fees[0].taxRate",
        );
    }
    nothing()
        .when(with(|o| o.fees = vec![rate(10_000)]))
        .placed();
}

#[test]
fn sums_beyond_14_digits_are_a_problem_not_a_panic() {
    let dear = || line(1, "99999999999999", "1");
    let command = with(|o| {
        o.lines = vec![
            dear(),
            LineInput {
                line_number: 2,
                ..dear()
            },
        ]
    });
    refused(command, Code::Validation, "");
    let fee = adjustment("SHIPPING", "99999999999999");
    refused(
        with(|o| o.fees = vec![fee.clone(), fee]),
        Code::Validation,
        "",
    );
}

#[test]
fn a_stated_total_may_miss_ours_by_a_satang() {
    for total in ["99.99", "100", "100.01"] {
        nothing()
            .when(with(|o| o.expected_total = Some(baht(total))))
            .placed();
    }
    for total in ["99.9899", "100.0101", "0", "-100"] {
        let command = with(|o| o.expected_total = Some(baht(total)));
        refused(command, Code::ErrTotalMismatch, "expectedTotal");
    }
}

#[test]
fn a_store_without_cash_on_delivery() {
    nothing()
        .given(|facts| {
            facts
                .store
                .iter_mut()
                .for_each(|store| store.cod_limit = None)
        })
        .when(any_order())
        .is_refused(&[(Code::ErrInvalidPaymentMethod, "paymentMethod")]);
}
