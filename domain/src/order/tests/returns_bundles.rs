//! Bundles that come back: as a whole, unless their definition says otherwise.

use super::{
    returns::{delivered_from, requested},
    *,
};
use OrderStatus as S;

/// Lines 6, 7 and 8 are two of the bundle, line 5 is two pieces alone.
fn whole() -> Scenario {
    delivered_from(bundle_order(), Some("235"))
}

/// The same, where single components may come back.
fn apart() -> Scenario {
    let mut given = bundle_order();
    given.order.bundles[0].returns = ReturnPolicy::Components;
    delivered_from(given, Some("235"))
}

#[test]
fn a_bundle_comes_back_as_a_whole() {
    let expected = [(Code::ErrBundleReturnNotAllowed, "lines")];
    for lines in [
        vec![(6, "2")],
        vec![(6, "2"), (7, "2")],
        vec![(6, "2"), (7, "2"), (8, "1")],
        vec![(5, "1"), (8, "1")],
    ] {
        whole().when(take_back(&lines, false)).is_refused(&expected);
    }
    let all = [(6, "2"), (7, "2"), (8, "2")];
    let request = requested(&whole(), take_back(&all, false));
    assert_eq!(request.refund, baht("178"));
    let order = whole().and(take_back(&all, false)).order;
    assert_eq!(order.bundle_status("B"), Some(S::PendingReturn));
    assert_eq!(order.status, S::Delivered);
}

#[test]
fn one_bundle_of_two_is_a_whole() {
    let one = [(6, "1"), (7, "1"), (8, "1")];
    let given = whole();
    assert_eq!(requested(&given, take_back(&one, false)).refund, baht("89"));
    let given = given.and(take_back(&one, false));
    given
        .when(take_back(&[(6, "1")], false))
        .is_refused(&[(Code::ErrBundleReturnNotAllowed, "lines")]);
    assert_eq!(requested(&given, take_back(&one, false)).refund, baht("89"));
    let rest = requested(&given, take_back(&[], false));
    assert_eq!((rest.lines.len(), rest.refund), (4, baht("146")));
}

#[test]
fn what_is_not_in_a_bundle_comes_back_alone() {
    assert_eq!(
        requested(&whole(), take_back(&[(5, "1")], false)).refund,
        baht("28.50")
    );
}

#[test]
fn a_component_is_worth_its_price_less_its_share_of_the_discount() {
    let given = apart();
    // 45.00 less half of 16.5138.
    let request = requested(&given, take_back(&[(6, "1")], false));
    assert_eq!(
        (request.lines[0].value, request.refund),
        (baht("36.7431"), baht("36.74"))
    );
    let given = given
        .and(take_back(&[(6, "1")], false))
        .and(take_back(&[], false));
    assert_eq!(given.order.refund_promised(), baht("235"));
}
