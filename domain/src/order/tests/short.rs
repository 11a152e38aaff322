use super::*;
use crate::order::{
    PaymentStatus,
    command::{FailCollection, ReportShort},
};
use OrderStatus as S;

fn short(lines: &[(i32, &str)], report_id: Option<&str>) -> OrderCommand {
    OrderCommand::ReportShort(ReportShort {
        lines: named(lines),
        reason: "not on the shelf".into(),
        report_id: report_id.map(str::to_owned),
        occurred_at: None,
    })
}

fn grab_at(status: S) -> Scenario {
    walked(nothing().and(place(grab_order())), status)
}

fn bundle_at(status: S) -> Scenario {
    walked(bundle_order(), status)
}

#[test]
fn v11_a_line_that_is_not_there_is_cancelled_and_not_paid() {
    for status in [S::Released, S::InProcess, S::Picked, S::Packed] {
        let given = grab_at(status).and(short(&[(2, "0")], Some("R-1")));
        let code = status.code();
        assert_shape(
            &given.order,
            &format!("1:1@{code} 2:0@9000 3:1@{code}"),
            "328.0000 328.0000 328.0000 21.4580",
        );
        assert_eq!(given.order.status, status);
        assert_eq!(given.order.cod_due(), baht("328"));
        assert_eq!(given.order.payment.as_ref().unwrap().amount, baht("328"));
        let line = &given.order.lines[1];
        assert_eq!(
            (line.short, line.cancelled()),
            (quantity("1"), Quantity::ZERO)
        );
    }
}

#[test]
fn before_the_release_and_after_delivery_there_are_no_shorts() {
    for status in [S::Open, S::BackOrdered, S::Allocated, S::Delivered] {
        grab_at(status)
            .when(short(&[(2, "0")], None))
            .is_refused(&[(Code::ErrInvalidTransition, "")]);
    }
    grab_at(S::Cancelled)
        .when(short(&[(2, "0")], None))
        .is_refused(&[(Code::ErrOrderNotModifiable, "")]);
}

#[test]
fn news_of_a_short_may_come_after_that_of_the_shipment() {
    for status in [S::Fulfilled, S::Shipped, S::InTransit, S::OutForDelivery] {
        let given = grab_at(status);
        let events = given.when(short(&[(2, "0")], Some("R-1"))).events();
        assert_eq!(events.len(), 1);
        let given = given.and(short(&[(2, "0")], Some("R-1")));
        let code = status.code();
        assert_shape(
            &given.order,
            &format!("1:1@{code} 2:0@9000 3:1@{code}"),
            "328.0000 328.0000 328.0000 21.4580",
        );
        assert_eq!(given.order.cod_due(), baht("328"));
        // Nothing empties it any more: not at once, and not bit by bit.
        let refused = [(Code::ErrInvalidTransition, "")];
        let rest = short(&[(1, "0"), (3, "0")], Some("R-2"));
        given.when(rest).is_refused(&refused);
        let given = given.and(short(&[(1, "0")], Some("R-2")));
        given
            .when(short(&[(3, "0")], Some("R-3")))
            .is_refused(&refused);
    }
    let whole = bundle_at(S::Shipped).and(short(&[(6, "1")], None)).order;
    assert_eq!(shape(&whole).0, "5:2@7100 6:0@9000 7:0@9000 8:0@9000");
}

#[test]
fn once_cash_came_there_are_no_shorts() {
    let given = grab_at(S::OutForDelivery).given(|facts| facts.sealed = Some(sealed()));
    let failed = OrderCommand::FailCollection(FailCollection {
        reason: "no change".into(),
        occurred_at: None,
    });
    // No cash came yet: it may come, and less of it.
    let given = given.and(failed);
    assert_eq!(given.when(short(&[(2, "0")], None)).events().len(), 1);
    given
        .and(collect("393"))
        .when(short(&[(2, "0")], None))
        .is_refused(&[(Code::ErrInvalidTransition, "")]);
}

#[test]
fn a_part_of_a_line_may_be_there() {
    let lines = vec![line(1, "20", "5"), weighed(2, "189", "0.745")];
    let given = walked(nothing().and(place(order_of(lines))), S::InProcess);
    let given = given.and(short(&[(1, "3"), (2, "0.7")], Some("R-1")));
    assert_shape(
        &given.order,
        "1:3@3500 2:0.7000@3500",
        "192.3000 192.3000 192.3000 12.5803",
    );
    let given = given.and(short(&[(1, "2")], Some("R-2")));
    let line = &given.order.lines[0];
    assert_eq!((line.ordered, line.short), (quantity("5"), quantity("3")));
    assert_eq!(line.cancelled(), Quantity::ZERO);
    given
        .when(short(&[(1, "3")], Some("R-3")))
        .is_refused(&[(Code::ErrInvalidLineItem, "lines[0].quantity")]);
}

#[test]
fn a_report_counts_once() {
    let given = grab_at(S::InProcess).and(short(&[(2, "0")], Some("R-1")));
    given
        .when(short(&[(2, "0")], Some("R-1")))
        .nothing_happens();
    // What it said of a line that was so already was never cut, and does not make it another one.
    given
        .when(short(&[(1, "1"), (2, "0")], Some(" R-1 ")))
        .nothing_happens();
    let given = walked(given, S::Delivered);
    given
        .when(short(&[(2, "0")], Some("R-1")))
        .nothing_happens();
    // Without an id, or under another one, it says what is so already.
    given.when(short(&[(2, "0")], None)).nothing_happens();
    grab_at(S::Picked)
        .when(short(&[(2, "1")], None))
        .nothing_happens();
}

#[test]
fn a_known_id_never_stands_for_another_report() {
    let refused = [(Code::Validation, "reportId")];
    let given = grab_at(S::InProcess).and(short(&[(2, "0")], Some("R-1")));
    let other = |change: fn(&mut ReportShort)| {
        let mut report = ReportShort {
            lines: named(&[(2, "0")]),
            reason: "not on the shelf".into(),
            report_id: Some("R-1".into()),
            occurred_at: None,
        };
        change(&mut report);
        OrderCommand::ReportShort(report)
    };
    given.when(other(|_| {})).nothing_happens();
    let others = [
        // Other lines: more of them, others, none, one that is not there.
        other(|r| r.lines = named(&[(2, "0"), (1, "0")])),
        other(|r| r.lines = named(&[(1, "0")])),
        other(|r| r.lines = named(&[(1, "1")])),
        other(|r| r.lines = named(&[(2, "0"), (9, "0")])),
        other(|r| r.lines.clear()),
        other(|r| r.reason = "damaged".into()),
        other(|r| r.occurred_at = Some(in_minutes(-1))),
    ];
    for command in others.clone() {
        given.when(command).is_refused(&refused);
    }
    // Nor once the order is cancelled, but for what has come true since.
    let cancelled = given.and(short(&[(1, "0"), (3, "0")], Some("R-2")));
    let [come_true, others @ ..] = others;
    cancelled.when(come_true).nothing_happens();
    for command in others {
        cancelled.when(command).is_refused(&refused);
    }
    cancelled.when(other(|_| {})).nothing_happens();
}

#[test]
fn a_report_is_known_again_after_later_ones() {
    let lines = vec![line(1, "20", "5"), line(2, "20", "5")];
    let given = walked(nothing().and(place(order_of(lines))), S::InProcess);
    let first = || short(&[(1, "3"), (2, "5")], Some("R-1"));
    let given = given.and(first()).and(short(&[(2, "1")], Some("R-2")));
    given.when(first()).nothing_happens();
    given
        .when(short(&[(1, "3"), (2, "0")], Some("R-1")))
        .is_refused(&[(Code::Validation, "reportId")]);
}

#[test]
fn the_fields_are_checked_all_at_once() {
    let invalid = Code::ErrInvalidLineItem;
    let command = OrderCommand::ReportShort(ReportShort {
        lines: named(&[(9, "0"), (1, "-1"), (2, "0.5"), (3, "2"), (3, "0")]),
        reason: "-".into(),
        report_id: Some("x".repeat(51)),
        occurred_at: Some(DateTime::<Utc>::MAX_UTC),
    });
    grab_at(S::Picked).when(command).is_refused(&[
        (Code::Validation, "reason"),
        (Code::Validation, "reportId"),
        (Code::Validation, "occurredAt"),
        (invalid, "lines[0].lineNumber"),
        (invalid, "lines[1].quantity"),
        (invalid, "lines[2].quantity"),
        (invalid, "lines[4].lineNumber"),
        (invalid, "lines[3].quantity"),
    ]);
    grab_at(S::Picked)
        .when(short(&[], None))
        .is_refused(&[(invalid, "lines")]);
}

#[test]
fn reports_are_bounded() {
    let lines = vec![weighed(1, "189", "3"), line(2, "20", "1")];
    let mut given = walked(nothing().and(place(order_of(lines))), S::InProcess);
    for n in 0..200 {
        let left = Quantity::from_units(29_999 - n).to_string();
        given = given.and(short(&[(1, &left)], Some(&format!("R-{n}"))));
    }
    given
        .when(short(&[(1, "0")], Some("R-200")))
        .is_refused(&[(Code::Validation, "reportId")]);
}

#[test]
fn a_short_component_cancels_its_bundle() {
    let given = bundle_at(S::InProcess);
    let events = given.when(short(&[(6, "1")], Some("R-1"))).events();
    let [
        OrderEvent::Shorted {
            lines,
            cancelled_bundles,
            ..
        },
    ] = events.as_slice()
    else {
        panic!("{events:?}")
    };
    assert_eq!(lines.len(), 1);
    assert_eq!(cancelled_bundles, &["B"]);
    let given = given.and(short(&[(6, "1")], Some("R-1")));
    assert_shape(
        &given.order,
        "5:2@3500 6:0@9000 7:0@9000 8:0@9000",
        "57.0000 57.0000 57.0000 3.7290",
    );
    assert_eq!(given.order.status, S::InProcess);
    assert_eq!(given.order.bundle_status("B"), Some(S::Cancelled));
    // One was not there; the other, and its companions, were cancelled with the bundle.
    let counts = |index: usize| {
        let line = &given.order.lines[index];
        (line.short.to_string(), line.cancelled().to_string())
    };
    assert_eq!(counts(1), ("1.0000".into(), "1.0000".into()));
    assert_eq!(counts(2), ("0.0000".into(), "2.0000".into()));
    // News of the other components comes too late to matter.
    given
        .when(short(&[(7, "1")], Some("R-2")))
        .nothing_happens();
    // It does not hide news of other lines.
    let both = given.and(short(&[(7, "1"), (5, "1")], Some("R-3")));
    assert_eq!(shape(&both.order).0, "5:1@3500 6:0@9000 7:0@9000 8:0@9000");
}

#[test]
fn an_order_of_nothing_is_cancelled() {
    for status in [S::Released, S::InProcess, S::Picked, S::Packed] {
        let given = grab_at(status).and(short(&[(2, "0")], Some("R-1")));
        let command = short(&[(1, "0"), (3, "0")], Some("R-2"));
        let events = given.when(command.clone()).events();
        let [OrderEvent::Shorted { figures, .. }, cancelled] = events.as_slice() else {
            panic!("{events:?}")
        };
        assert_eq!(figures.totals, crate::order::event::Totals::default());
        let expected = OrderEvent::Cancelled {
            from: status,
            reason: "not on the shelf".into(),
            payment_status: PaymentStatus::NotApplicable,
        };
        assert_eq!(cancelled, &expected);
        let order = given.and(command.clone());
        assert_eq!(order.order.status, S::Cancelled);
        assert_eq!(order.order.cod_due(), Money::ZERO);
        assert_eq!(order.order.payment_status, PaymentStatus::NotApplicable);
        order.when(command).nothing_happens();
        order
            .when(short(&[(1, "0")], Some("R-1")))
            .is_refused(&[(Code::Validation, "reportId")]);
        order.when(short(&[(1, "0")], None)).nothing_happens();
        order
            .when(short(&[(4, "0")], Some("R-4")))
            .is_refused(&[(Code::ErrOrderNotModifiable, "")]);
    }
}

#[test]
fn limits_are_not_enforced_when_the_order_gets_smaller() {
    let small = order_of(vec![line(1, "9", "1"), line(2, "0.50", "2")]);
    let given = walked(nothing().and(place(small)), S::InProcess);
    let order = given.and(short(&[(1, "0"), (2, "1")], None)).order;
    assert_eq!(order.cod_due(), baht("0.50"));
    let discounted = PlaceOrder {
        order_discounts: vec![adjustment("FIRST", "30"), adjustment("SECOND", "20")],
        fees: vec![adjustment("SHIPPING", "40")],
        ..order_of(vec![line(1, "100", "1"), line(2, "35", "1")])
    };
    let given = walked(nothing().and(place(discounted)), S::InProcess);
    let order = given.and(short(&[(1, "0")], None)).order;
    // The second discount is cut to what the line can bear; the fee stays.
    let amounts: Vec<Money> = order.order_discounts.iter().map(|d| d.amount).collect();
    assert_eq!(amounts, [baht("30"), baht("5")]);
    assert_shape(
        &order,
        "1:0@9000 2:1@3500",
        "35.0000 40.0000 40.0000 2.6168",
    );
}
