//! What customers say to other products, and what their silence means.

use super::{
    substitution::{answer, expire, offer, open_to_others, other, shorted},
    *,
};
use crate::order::{Answer, PaymentStatus, command::ProposeSubstitution, event::DeclineCause};
use OrderStatus as S;

/// The order of [`open_to_others`] at 3500 with an offer of 28.75 instead of 25.50.
fn offered() -> Scenario {
    open_to_others(S::InProcess).and(offer("P-1", 1, "28.75"))
}

fn declined(cause: DeclineCause) -> OrderEvent {
    OrderEvent::SubstitutionDeclined {
        proposal_id: "P-1".into(),
        line_number: 1,
        cause,
    }
}

#[test]
fn an_approved_product_takes_the_lines_place() {
    let given = offered().after(4).and(answer("P-1", true));
    assert_shape(
        &given.order,
        "1:1@3500 2:2@3500",
        "108.7500 108.7500 108.7500 7.1144",
    );
    let line = &given.order.lines[0];
    assert_eq!(line.line.sku.as_str(), "OTHER");
    assert_eq!(line.line.name_th.as_deref(), Some("อื่น"));
    assert_eq!(line.line.unit_price, baht("28.75"));
    assert_eq!(line.line.original_unit_price, baht("28.75"));
    let original = line.original.as_ref().unwrap();
    assert_eq!(original.sku.as_str(), "8850000000001");
    assert_eq!(
        (original.unit_price, original.quantity),
        (baht("25.50"), quantity("1"))
    );
    assert_eq!(given.order.payment.as_ref().unwrap().amount, baht("108.75"));
    assert_eq!(given.order.offers[0].answer, Answer::Approved);
    assert_eq!(given.order.status, S::InProcess);
}

#[test]
fn less_of_the_other_product_leaves_the_rest_short() {
    let one = OrderCommand::ProposeSubstitution(ProposeSubstitution {
        quantity: Some(quantity("1")),
        ..other("P-1", 2, "41")
    });
    let order = open_to_others(S::Picked)
        .and(one)
        .and(answer("P-1", true))
        .order;
    assert_eq!(shape(&order).0, "1:1@3600 2:1@3600");
    let line = &order.lines[1];
    assert_eq!(
        (line.ordered, line.short, line.cancelled()),
        (quantity("2"), quantity("1"), Quantity::ZERO)
    );
    assert_eq!(line.original.as_ref().unwrap().quantity, quantity("2"));
}

#[test]
fn a_declined_line_is_short() {
    let given = offered();
    let events = given.when(answer("P-1", false)).events();
    assert_eq!(events[0], declined(DeclineCause::Customer));
    assert!(matches!(&events[1], OrderEvent::Shorted { lines, .. } if lines.len() == 1));
    assert_eq!(events.len(), 2);
    let order = given.and(answer("P-1", false)).order;
    assert_shape(
        &order,
        "1:0@9000 2:2@3500",
        "80.0000 80.0000 80.0000 5.2336",
    );
    assert_eq!(order.lines[0].short, quantity("1"));
    assert_eq!(order.offers[0].answer, Answer::Declined);
}

#[test]
fn silence_is_no() {
    let given = offered();
    for minutes in [0, 4] {
        given
            .given_at(minutes)
            .when(expire("P-1"))
            .is_refused(&[(Code::ErrInvalidTransition, "")]);
    }
    let late = given.given_at(5);
    let events = late.when(expire("P-1")).events();
    assert_eq!(events[0], declined(DeclineCause::Timeout));
    let order = late.and(expire("P-1"));
    assert_eq!(shape(&order.order).0, "1:0@9000 2:2@3500");
    assert_eq!(order.order.offers[0].answer, Answer::TimedOut);
    order.when(expire("P-1")).nothing_happens();
    order.when(answer("P-1", false)).nothing_happens();
    order
        .when(answer("P-1", true))
        .is_refused(&[(Code::SubstitutionNotAllowed, "")]);
}

#[test]
fn an_approval_comes_in_time_or_not_at_all() {
    assert!(
        offered()
            .given_at(5)
            .given(|f| f.now -= Duration::milliseconds(1))
            .when(answer("P-1", true))
            .0
            .is_ok()
    );
    let late = offered().given_at(5);
    late.when(answer("P-1", true))
        .is_refused(&[(Code::SubstitutionNotAllowed, "")]);
    // A late no says what silence said.
    assert_eq!(
        late.and(answer("P-1", false)).order.offers[0].answer,
        Answer::Declined
    );
}

#[test]
fn an_answer_stands() {
    let approved = offered().and(answer("P-1", true));
    approved.when(answer(" P-1 ", true)).nothing_happens();
    approved
        .given_at(99)
        .when(answer("P-1", true))
        .nothing_happens();
    approved.given_at(99).when(expire("P-1")).nothing_happens();
    approved
        .when(answer("P-1", false))
        .is_refused(&[(Code::SubstitutionNotAllowed, "")]);
    let declined = offered().and(answer("P-1", false));
    declined.when(answer("P-1", false)).nothing_happens();
    declined
        .when(answer("P-1", true))
        .is_refused(&[(Code::SubstitutionNotAllowed, "")]);
}

#[test]
fn an_unknown_offer_has_no_answer() {
    let expected = [(Code::Validation, "proposalId")];
    for id in ["P-2", "", "-"] {
        offered().when(answer(id, true)).is_refused(&expected);
        offered().when(answer(id, false)).is_refused(&expected);
        offered().when(expire(id)).is_refused(&expected);
    }
}

#[test]
fn a_line_that_is_cancelled_meanwhile_has_nothing_to_replace() {
    let given = offered().and(shorted(1, "0"));
    given
        .when(answer("P-1", true))
        .is_refused(&[(Code::SubstitutionNotAllowed, "")]);
    given
        .when(answer("P-1", false))
        .happens(declined(DeclineCause::Customer));
    given
        .given_at(5)
        .when(expire("P-1"))
        .happens(declined(DeclineCause::Timeout));
}

#[test]
fn no_more_is_replaced_than_is_left_of_the_line() {
    let order = open_to_others(S::InProcess)
        .and(offer("P-1", 2, "41"))
        .and(shorted(2, "1"))
        .and(answer("P-1", true))
        .order;
    assert_shape(
        &order,
        "1:1@3500 2:1@3500",
        "66.5000 66.5000 66.5000 4.3504",
    );
    assert_eq!(order.lines[1].short, quantity("1"));
}

#[test]
fn an_order_of_nothing_is_cancelled() {
    let command = PlaceOrder {
        allow_substitution: true,
        ..order_of(vec![line(1, "25.50", "1")])
    };
    let given = walked(nothing().and(place(command)), S::Packed).and(offer("P-1", 1, "28.75"));
    let events = given.when(answer("P-1", false)).events();
    assert_eq!(events.len(), 3);
    assert!(matches!(
        events[2],
        OrderEvent::Cancelled {
            from: S::Packed,
            payment_status: PaymentStatus::NotApplicable,
            ..
        }
    ));
    let cancelled = given.given_at(0).and(answer("P-1", false));
    assert_eq!(cancelled.order.status, S::Cancelled);
    cancelled.when(answer("P-1", false)).nothing_happens();
    cancelled.when(offer("P-1", 1, "28.75")).nothing_happens();
    cancelled.when(expire("P-1")).nothing_happens();
    cancelled
        .when(answer("P-1", true))
        .is_refused(&[(Code::ErrOrderNotModifiable, "")]);
    // On its way already it is not emptied.
    let shipped = walked(given, S::Shipped).given_at(5);
    shipped
        .when(expire("P-1"))
        .happens(declined(DeclineCause::Timeout));
}

#[test]
fn a_bundle_goes_with_its_declined_component_and_keeps_its_discount_with_an_approved_one() {
    let given = walked(bundle_order(), S::InProcess).and(offer("P-1", 6, "49.50"));
    let order = given.given_at(0).and(answer("P-1", false)).order;
    assert_eq!(shape(&order).0, "5:2@3500 6:0@9000 7:0@9000 8:0@9000");
    let order = given.and(answer("P-1", true)).order;
    // 2 x 4.50 dearer than 235.00.
    assert_eq!(order.totals.order_total, baht("244"));
    let line = &order.lines[1].line;
    assert_eq!(
        (line.gross, line.discount, line.net),
        (baht("99"), baht("16.5138"), baht("82.4862"))
    );
    assert_eq!(order.bundle_status("B"), Some(S::InProcess));
}

#[test]
fn the_old_products_promotion_goes_with_it() {
    let promoted = PlaceOrder {
        allow_substitution: true,
        ..order_of(vec![
            LineInput {
                original_unit_price: Some(baht("140")),
                discounts: vec![adjustment("PROMOTION", "22"), adjustment("MEMBER", "10")],
                ..line(1, "129", "2")
            },
            line(2, "20", "1"),
        ])
    };
    let given = walked(nothing().and(place(promoted)), S::InProcess);
    assert_eq!(given.order.totals.order_total, baht("268"));
    let order = given
        .and(offer("P-1", 1, "131"))
        .and(answer("P-1", true))
        .order;
    // 22 of the 32 made 129 of 140; the 10 beyond it stay.
    let line = &order.lines[0].line;
    assert_eq!(
        (line.gross, line.discount, line.net),
        (baht("262"), baht("10"), baht("252"))
    );
    let listed: Vec<Money> = line.discounts.iter().map(|d| d.amount).collect();
    assert_eq!(listed, [baht("6.875"), baht("3.125")]);
    assert_eq!(order.totals.order_total, baht("272"));
}

#[test]
fn a_pack_is_replaced_by_packs() {
    let packs = PlaceOrder {
        allow_substitution: true,
        ..order_of(vec![pack(1, "100", 2, 6), line(2, "20", "1")])
    };
    let given = walked(nothing().and(place(packs)), S::InProcess);
    let order = given
        .and(offer("P-1", 1, "110"))
        .and(answer("P-1", true))
        .order;
    let sold = order.lines[0].line.pack.unwrap();
    assert_eq!(
        (sold.unit_price, sold.ordered, sold.units_per_pack),
        (baht("110"), 2, 6)
    );
    assert_eq!(order.totals.order_total, baht("240"));
}

#[test]
fn the_cash_limit_holds_when_the_answer_comes() {
    let given = offered().and(offer("P-2", 2, "42")).given(|facts| {
        facts
            .store
            .iter_mut()
            .for_each(|s| s.cod_limit = Some(baht("110")));
    });
    let given = given.and(answer("P-1", true));
    given
        .when(answer("P-2", true))
        .is_refused(&[(Code::ErrInvalidPaymentMethod, "")]);
    assert!(given.when(answer("P-2", false)).0.is_ok());
}

#[test]
fn an_answer_counts_on_the_way_but_not_once_goods_or_cash_changed_hands() {
    for status in [S::Packed, S::Fulfilled, S::OutForDelivery] {
        let order = walked(offered(), status).and(answer("P-1", true)).order;
        assert_eq!(order.totals.order_total, baht("108.75"));
        let order = walked(offered(), status).and(answer("P-1", false)).order;
        assert_eq!(order.totals.order_total, baht("80"));
        assert_eq!(order.status, status);
    }
    let paid = walked(offered(), S::OutForDelivery)
        .given(|facts| facts.sealed = Some(sealed()))
        .and(collect("105.50"));
    for given in [walked(offered(), S::Delivered), paid] {
        given
            .when(answer("P-1", true))
            .is_refused(&[(Code::SubstitutionNotAllowed, "")]);
        given
            .when(answer("P-1", false))
            .happens(declined(DeclineCause::Customer));
    }
}

#[test]
fn a_cancelled_order_awaits_no_answer() {
    let given = offered().and(cancel("customer called")).given_at(5);
    given.when(expire("P-1")).nothing_happens();
    for approve in [true, false] {
        given
            .when(answer("P-1", approve))
            .is_refused(&[(Code::ErrOrderNotModifiable, "")]);
    }
    assert_eq!(given.order.cod_due(), Money::ZERO);
}
