use super::*;
use crate::order::command::ChangeLines;
use OrderStatus as S;

fn change(lines: &[(i32, &str)]) -> OrderCommand {
    OrderCommand::ChangeLines(ChangeLines {
        lines: named(lines),
        reason: "customer called".into(),
    })
}

fn grab() -> Scenario {
    nothing().and(place(grab_order()))
}

#[test]
fn quantities_go_down_and_up_and_lines_are_cancelled() {
    let less = grab().and(change(&[(2, "0")]));
    assert_shape(
        &less.order,
        "1:1@1000 2:0@9000 3:1@1000",
        "328.0000 328.0000 328.0000 21.4580",
    );
    assert_eq!(less.order.status, S::Open);
    let more = less.and(change(&[(3, "3"), (1, "2")]));
    assert_shape(
        &more.order,
        "1:2@1000 2:0@9000 3:3@1000",
        "785.0000 785.0000 785.0000 51.3552",
    );
    let line3 = &more.order.lines[2];
    assert_eq!(
        (line3.line.gross, line3.line.discount),
        (baht("420"), baht("33"))
    );
    assert_eq!(line3.line.discounts[0].amount, baht("33"));
    assert_eq!(
        (line3.ordered, line3.cancelled()),
        (quantity("3"), Quantity::ZERO)
    );
    let line2 = &more.order.lines[1];
    assert_eq!(
        (line2.ordered, line2.cancelled()),
        (quantity("1"), quantity("1"))
    );
    assert_eq!(line2.short, Quantity::ZERO);
}

#[test]
fn the_event_names_what_changed_and_nothing_else() {
    let changed = grab().when(change(&[(1, "1"), (2, "4")])).events();
    let [
        OrderEvent::LinesChanged {
            reason,
            lines,
            figures,
        },
    ] = changed.as_slice()
    else {
        panic!("{changed:?}")
    };
    assert_eq!(reason, "customer called");
    let named: Vec<u16> = lines.iter().map(|l| l.line_number).collect();
    assert_eq!(named, [2]);
    assert_eq!(figures.lines.len(), 3);
    assert_eq!(figures.totals.order_total, baht("588"));
}

#[test]
fn it_is_possible_until_the_release() {
    for status in [S::Open, S::BackOrdered, S::Allocated] {
        let given = walked(grab(), status);
        let order = given.and(change(&[(2, "0")])).order;
        assert_eq!(order.status, status);
        assert_eq!(order.lines[1].status, S::Cancelled);
    }
    for status in [
        S::Released,
        S::Picked,
        S::Fulfilled,
        S::Delivered,
        S::Cancelled,
    ] {
        walked(grab(), status)
            .when(change(&[(2, "0")]))
            .is_refused(&[(Code::ErrOrderNotModifiable, "")]);
    }
}

#[test]
fn a_payment_follows_the_amount() {
    let paid = walked(grab(), S::Allocated).and(pay("393"));
    let changed = paid.and(change(&[(2, "0")]));
    let payment = changed.order.payment.as_ref().unwrap();
    assert_eq!(payment.amount, baht("328"));
    changed.when(pay("328")).nothing_happens();
    assert_eq!(changed.and(OrderCommand::Release).order.status, S::Released);
}

#[test]
fn cancelled_lines_stay_cancelled_on_the_way() {
    let order = walked(grab().and(change(&[(2, "0")])), S::Delivered).order;
    assert_eq!(shape(&order).0, "1:1@7500 2:0@9000 3:1@7500");
    assert_eq!(
        (order.min_line_status(), order.max_line_status()),
        (S::Delivered, S::Cancelled)
    );
}

#[test]
fn repeating_it_changes_nothing() {
    let changed = grab().and(change(&[(2, "0"), (1, "2")]));
    changed
        .when(change(&[(2, "0"), (1, "2")]))
        .nothing_happens();
    grab()
        .when(change(&[(1, "1"), (2, "1.0000")]))
        .nothing_happens();
}

#[test]
fn the_fields_are_checked_all_at_once() {
    let invalid = Code::ErrInvalidLineItem;
    for (lines, expected) in [
        (vec![], "lines"),
        (vec![(4, "1")], "lines[0].lineNumber"),
        (vec![(0, "1")], "lines[0].lineNumber"),
        (vec![(-1, "1")], "lines[0].lineNumber"),
        (vec![(65_537, "1")], "lines[0].lineNumber"),
        (vec![(1, "2"), (1, "2")], "lines[1].lineNumber"),
        (vec![(1, "-1")], "lines[0].quantity"),
        (vec![(1, "1.5")], "lines[0].quantity"),
        (vec![(1, "1000000")], "lines[0].quantity"),
    ] {
        grab()
            .when(change(&lines))
            .is_refused(&[(invalid, expected)]);
    }
    let blank = OrderCommand::ChangeLines(ChangeLines {
        lines: named(&[(9, "1"), (1, "-1")]),
        reason: " ".into(),
    });
    grab().when(blank).is_refused(&[
        (Code::Validation, "reason"),
        (invalid, "lines[0].lineNumber"),
        (invalid, "lines[1].quantity"),
    ]);
    let many: Vec<(i32, &str)> = (0..201).map(|_| (1, "2")).collect();
    let refusal = grab().decide(&change(&many)).unwrap_err();
    assert_eq!(refusal.problems[0].path, "lines");
}

#[test]
fn a_cancelled_line_does_not_come_back() {
    grab()
        .and(change(&[(2, "0")]))
        .when(change(&[(2, "1")]))
        .is_refused(&[(Code::ErrInvalidLineItem, "lines[0].quantity")]);
}

#[test]
fn an_order_of_nothing_is_cancelled_instead() {
    grab()
        .when(change(&[(1, "0"), (2, "0"), (3, "0")]))
        .is_refused(&[(Code::ErrInvalidLineItem, "lines")]);
}

#[test]
fn the_limits_of_a_new_order_hold() {
    let small = nothing().and(place(order_of(vec![
        line(1, "9.99", "1"),
        line(2, "10", "1"),
    ])));
    small
        .when(change(&[(2, "0")]))
        .is_refused(&[(Code::MinOrderValue, "")]);
    assert!(small.when(change(&[(1, "0")])).0.is_ok());
    let discounted = |off: &str| {
        nothing().and(place(PlaceOrder {
            order_discounts: vec![adjustment("MEMBER", off)],
            ..order_of(vec![line(1, "100", "1"), line(2, "100", "1")])
        }))
    };
    assert!(discounted("90").when(change(&[(2, "0")])).0.is_ok());
    discounted("90.01")
        .when(change(&[(2, "0")]))
        .is_refused(&[(Code::MinOrderValue, ""), (Code::MaxDiscountPercent, "")]);
    let dear = nothing().and(place(order_of(vec![
        line(1, "2500", "1"),
        line(2, "0.01", "1"),
    ])));
    assert!(dear.when(change(&[(1, "2"), (2, "0")])).0.is_ok());
    dear.when(change(&[(1, "2")]))
        .is_refused(&[(Code::ErrInvalidPaymentMethod, "")]);
    let unknown_store = dear.given(|facts| facts.store = None);
    assert!(unknown_store.when(change(&[(1, "2")])).0.is_ok());
    let no_cod = grab().given(|facts| facts.store.iter_mut().for_each(|s| s.cod_limit = None));
    no_cod
        .when(change(&[(1, "2")]))
        .is_refused(&[(Code::ErrInvalidPaymentMethod, "")]);
}

#[test]
fn amounts_stay_inside_the_type() {
    let limit = Money::from_units(crate::money::MAX_UNITS);
    let given = nothing()
        .given(|facts| {
            facts
                .store
                .iter_mut()
                .for_each(|s| s.cod_limit = Some(limit))
        })
        .and(place(order_of(vec![line(1, "40000000000000", "2")])));
    given
        .when(change(&[(1, "3")]))
        .is_refused(&[(Code::Validation, "lines")]);
    assert!(given.when(change(&[(1, "1")])).0.is_ok());
}

#[test]
fn packs_and_weighed_goods() {
    let given = nothing().and(place(order_of(vec![
        pack(1, "299.99", 2, 3),
        weighed(2, "189", "0.735"),
    ])));
    let changed = given.and(change(&[(1, "3"), (2, "0.745")]));
    assert_shape(
        &changed.order,
        "1:3@1000 2:0.7450@1000",
        "1040.7750 1040.7750 1040.7800 68.0880",
    );
    let sold = changed.order.lines[0].line.pack.unwrap();
    assert_eq!((sold.ordered, sold.units_per_pack), (3, 3));
    changed
        .when(change(&[(1, "999999")]))
        .is_refused(&[(Code::ErrInvalidLineItem, "lines[0].quantity")]);
}

#[test]
fn a_bundle_is_cancelled_as_a_whole_or_not_changed() {
    let given = bundle_order();
    let not_allowed = Code::ErrBundleModificationNotAllowed;
    given
        .when(change(&[(6, "1")]))
        .is_refused(&[(not_allowed, "lines[0].quantity")]);
    given.when(change(&[(6, "0"), (7, "0")])).is_refused(&[
        (not_allowed, "lines[0].quantity"),
        (not_allowed, "lines[1].quantity"),
    ]);
    given
        .when(change(&[(6, "4"), (7, "4"), (8, "4")]))
        .is_refused(&[
            (not_allowed, "lines[0].quantity"),
            (not_allowed, "lines[1].quantity"),
            (not_allowed, "lines[2].quantity"),
        ]);
    given.when(change(&[(6, "2")])).nothing_happens();
    let changed = given.and(change(&[(6, "0"), (7, "0"), (8, "0")]));
    assert_shape(
        &changed.order,
        "5:2@1000 6:0@9000 7:0@9000 8:0@9000",
        "57.0000 57.0000 57.0000 3.7290",
    );
    assert_eq!(changed.order.bundle_status("B"), Some(S::Cancelled));
    assert_eq!(changed.order.totals.total_discount, Money::ZERO);
}
