//! The vectors of the chain's own documents, through the whole of placing.

use super::*;
use crate::{
    money::Rate,
    order::event::{Line, Totals},
    pricing,
};

fn placed(command: PlaceOrder) -> Placed {
    nothing().when(place(command)).placed()
}

fn texts<T>(items: &[T], figure: impl Fn(&T) -> Money) -> Vec<String> {
    items.iter().map(|item| figure(item).to_string()).collect()
}

/// `A B C D E F cash`, and that the parts add up.
#[track_caller]
fn check(placed: &Placed, expected: &str) {
    let t = &placed.totals;
    let abc = format!("{} {} {}", t.sub_total, t.total_charge, t.order_total);
    let def = format!(
        "{} {} {}",
        t.total_discount, t.total_taxes, t.informational_taxes
    );
    assert_eq!(format!("{abc} {def} {}", t.cash_due), expected);
    assert_eq!(
        t.cash_due,
        t.order_total.checked_add(t.cash_rounding).unwrap()
    );
    assert!(
        placed
            .lines
            .iter()
            .all(|l| l.net == l.gross.checked_sub(l.discount).unwrap())
    );
}

fn vat(line: &Line) -> Money {
    line.tax_contained
}

#[test]
fn v1_a_grab_order_however_its_reduced_line_is_stated() {
    let reduced = |discounts: Vec<AdjustmentInput>| LineInput {
        original_unit_price: Some(baht("140")),
        discounts,
        ..line(3, "129", "1")
    };
    let stated = adjustment("PROMOTION", "11");
    let inside_the_price = AdjustmentInput {
        informational: true,
        ..stated.clone()
    };
    for line3 in [vec![stated], vec![inside_the_price], vec![]] {
        let shipping = AdjustmentInput {
            informational: true,
            ..adjustment("SHIPPING", "5")
        };
        let placed = placed(PlaceOrder {
            fees: vec![shipping],
            expected_total: Some(baht("393")),
            ..order_of(vec![
                line(1, "199", "1"),
                line(2, "65", "1"),
                reduced(line3),
            ])
        });
        check(
            &placed,
            "393.0000 393.0000 393.0000 11.0000 0.0000 25.7103 393.0000",
        );
        assert_eq!(texts(&placed.lines, vat), ["13.0187", "4.2523", "8.4393"]);
        assert_eq!(texts(&placed.fees, |f| f.tax_contained), ["0.3271"]);
        let counted = placed
            .lines
            .iter()
            .flat_map(|l| &l.discounts)
            .filter(|d| !d.informational);
        assert_eq!(counted.map(|d| d.amount).collect::<Vec<_>>(), [baht("11")]);
    }
}

#[test]
fn v2_pieces_a_pack_and_shipping() {
    let command = PlaceOrder {
        fees: vec![adjustment("SHIPPING", "50")],
        ..order_of(vec![line(1, "599.99", "2"), pack(2, "999.99", 1, 3)])
    };
    let placed = placed(command.clone());
    check(
        &placed,
        "2199.9700 2249.9700 2249.9700 0.0000 0.0000 147.1943 2249.9700",
    );
    assert_eq!(texts(&placed.lines, vat), ["78.5034", "65.4199"]);
    assert_eq!(texts(&placed.fees, |f| f.tax_contained), ["3.2710"]);
    let allocated = nothing().and(place(command)).and(OrderCommand::Allocate);
    allocated
        .when(pay("2199.97"))
        .is_refused(&[(Code::ErrPaymentAmountMismatch, "amount")]);
    assert_eq!(allocated.when(pay("2249.97")).0.unwrap().len(), 1);
}

#[test]
fn v3_prices_without_vat() {
    let untaxed = AdjustmentInput {
        tax_rate: Some(Rate::ZERO),
        ..adjustment("SHIPPING", "50")
    };
    let placed = placed(PlaceOrder {
        fees: vec![untaxed],
        ..order_of(vec![LineInput {
            is_tax_included: Some(false),
            ..line(1, "599.99", "2")
        }])
    });
    check(
        &placed,
        "1199.9800 1333.9786 1333.9786 0.0000 83.9986 0.0000 1333.9800",
    );
    assert_eq!(texts(&placed.lines, |l| l.tax_added), ["83.9986"]);
}

#[test]
fn v6_the_price_of_a_pack_is_per_pack() {
    let placed = placed(order_of(vec![pack(1, "299.99", 2, 3)]));
    check(
        &placed,
        "599.9800 599.9800 599.9800 0.0000 0.0000 39.2510 599.9800",
    );
}

#[test]
fn v7_weighed_goods_round_half_even() {
    for (kilograms, sums) in [
        (
            "0.735",
            "138.9150 138.9150 138.9150 0.0000 0.0000 9.0879 138.9200",
        ),
        (
            "0.745",
            "140.8050 140.8050 140.8050 0.0000 0.0000 9.2115 140.8000",
        ),
    ] {
        check(&placed(order_of(vec![weighed(1, "189", kilograms)])), sums);
    }
}

#[test]
fn v8_an_order_discount_is_shared_by_value() {
    let placed = placed(PlaceOrder {
        order_discounts: vec![adjustment("MEMBER", "15")],
        ..order_of(vec![
            line(1, "45", "1"),
            line(2, "62", "1"),
            line(3, "28", "1"),
        ])
    });
    check(
        &placed,
        "135.0000 135.0000 120.0000 15.0000 0.0000 7.8504 120.0000",
    );
    assert_eq!(
        texts(&placed.lines, |l| l.order_discount_share),
        ["5.0000", "6.8889", "3.1111"]
    );
    assert_eq!(texts(&placed.lines, vat), ["2.6168", "3.6054", "1.6282"]);
}

#[test]
fn v12_the_discount_limit() {
    let discounted = |amount: &str| {
        place(PlaceOrder {
            order_discounts: vec![adjustment("MEMBER", amount)],
            fees: vec![adjustment("SHIPPING", "50")],
            ..order_of(vec![line(1, "100", "1")])
        })
    };
    nothing().when(discounted("90.00")).placed();
    nothing()
        .when(discounted("90.01"))
        .is_refused(&[(Code::MaxDiscountPercent, "")]);
    let over_the_lines = [(Code::MaxDiscountPercent, "orderDiscounts")];
    nothing()
        .when(discounted("100.01"))
        .is_refused(&over_the_lines);
}

#[test]
fn v12_the_least_order_and_the_most_cash() {
    let total = |amount: &str| nothing().when(place(order_of(vec![line(1, amount, "1")])));
    total("10.00").placed();
    total("9.99").is_refused(&[(Code::MinOrderValue, "")]);
    total("5000.00").placed();
    total("5000.01").is_refused(&[(Code::ErrInvalidPaymentMethod, "paymentMethod")]);
    let too_little = [
        (Code::MinOrderValue, ""),
        (Code::ErrInvalidPaymentMethod, "paymentMethod"),
    ];
    total("0.99").is_refused(&too_little);
}

#[test]
fn ties_of_the_residual_go_to_the_lowest_line_number() {
    let placed = placed(PlaceOrder {
        order_discounts: vec![adjustment("MEMBER", "10")],
        ..order_of(vec![
            line(7, "30", "1"),
            line(3, "30", "1"),
            line(5, "30", "1"),
        ])
    });
    let shares: Vec<(u16, String)> = placed
        .lines
        .iter()
        .map(|l| (l.line_number, l.order_discount_share.to_string()))
        .collect();
    let expected = [(3, "3.3334"), (5, "3.3333"), (7, "3.3333")];
    assert_eq!(shares, expected.map(|(n, share)| (n, share.to_owned())));
}

#[test]
fn zero_rated_goods_and_gifts() {
    let placed = placed(order_of(vec![
        LineInput {
            tax_rate: Some(Rate::ZERO),
            ..line(1, "50", "1")
        },
        LineInput {
            is_gift: true,
            ..line(2, "0", "1")
        },
    ]));
    check(
        &placed,
        "50.0000 50.0000 50.0000 0.0000 0.0000 0.0000 50.0000",
    );
}

#[test]
fn informational_order_discounts_never_count() {
    let shown = AdjustmentInput {
        informational: true,
        ..adjustment("MEMBER", "15")
    };
    let placed = placed(PlaceOrder {
        order_discounts: vec![shown],
        ..order_of(vec![line(1, "107", "1")])
    });
    check(
        &placed,
        "107.0000 107.0000 107.0000 0.0000 0.0000 7.0000 107.0000",
    );
    assert_eq!(placed.order_discounts.len(), 1);
}

#[test]
fn a_fee_on_top_of_which_vat_comes() {
    let fee = AdjustmentInput {
        is_tax_included: Some(false),
        ..adjustment("SHIPPING", "40")
    };
    let placed = placed(PlaceOrder {
        fees: vec![fee],
        ..order_of(vec![line(1, "107", "1")])
    });
    check(
        &placed,
        "107.0000 149.8000 149.8000 0.0000 2.8000 7.0000 149.8000",
    );
    assert_eq!(placed.totals.fees, baht("40"));
}

#[test]
fn the_totals_of_nothing_are_nothing() {
    let sums = pricing::price(&[], Money::ZERO, &[]).unwrap();
    assert_eq!(sums.totals, Totals::default());
}

#[test]
fn parts_and_cash_round_half_to_even() {
    let part = |amount: &str, part: &str, whole: &str| {
        let amount = pricing::proportion(baht(amount), quantity(part), quantity(whole));
        amount.map(|amount| amount.to_string())
    };
    for (amount, of, whole, expected) in [
        ("10", "1", "3", Some("3.3333")),
        ("10", "2", "3", Some("6.6667")),
        ("0.0001", "1", "2", Some("0.0000")),
        ("0.0003", "1", "2", Some("0.0002")),
        ("10", "3", "1", Some("30.0000")),
        ("10", "0", "3", Some("0.0000")),
        ("10", "1", "0", None),
        ("10", "1", "-1", None),
        ("99999999999999", "2", "1", None),
    ] {
        assert_eq!(
            part(amount, of, whole).as_deref(),
            expected,
            "{amount} x {of}/{whole}"
        );
    }
    for (amount, cash) in [
        ("0.005", "0"),
        ("0.015", "0.02"),
        ("140.805", "140.80"),
        ("-0.015", "-0.02"),
    ] {
        assert_eq!(pricing::cash(baht(amount)), Some(baht(cash)), "{amount}");
    }
    assert!(pricing::is_cash(baht("0.01")) && pricing::is_cash(Money::ZERO));
    assert!(!pricing::is_cash(baht("0.0001")) && !pricing::is_cash(baht("-0.015")));
}
