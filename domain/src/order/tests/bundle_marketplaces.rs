//! Placing: bundles that a marketplace has priced.

use super::{
    bundles::{adds_up, breakfast, figures, flagged, listed, of, placed_with, priced},
    *,
};
use crate::bundle::BundleRules;

#[test]
fn a_marketplace_prices_bundles_itself() {
    let order = |channel: &str, lines| PlaceOrder {
        channel: channel.into(),
        ..order_of(lines)
    };
    for channel in ["GRAB", "PMP"] {
        let whole = vec![flagged("B1", of(1, "SET", "99", "2"))];
        let placed = placed_with(breakfast(), order(channel, whole));
        assert_eq!(placed.totals.order_total, baht("198"));
        let bundle = &placed.bundles[0];
        assert_eq!((bundle.price, bundle.savings), (baht("99"), baht("20")));
        adds_up(&placed);
        let mut apart = listed("B1", "2");
        apart[0].unit_price = baht("40");
        let placed = placed_with(breakfast(), order(channel, apart));
        assert_eq!(
            figures(&placed.lines, |l| l.discount),
            ["10.0000", "0.0000", "0.0000"]
        );
        assert_eq!(
            figures(&placed.lines, |l| l.unit_price),
            ["45.0000", "39.0000", "25.0000"]
        );
        assert_eq!(placed.bundles[0].price, baht("104"));
        adds_up(&placed);
        // A price as the definition has it saves where the definition says.
        let pricing = BundleRules::BuyXGetY { free: vec![2] };
        let whole = vec![flagged("B1", of(1, "SET", "84", "1"))];
        let placed = placed_with(priced(pricing), order(channel, whole));
        assert_eq!(
            figures(&placed.lines, |l| l.discount),
            ["0.0000", "0.0000", "25.0000"]
        );
    }
}

#[test]
fn a_marketplace_asks_no_more_than_the_components_apart() {
    let order = |lines| {
        place(PlaceOrder {
            channel: "GRAB".into(),
            ..order_of(lines)
        })
    };
    let given = nothing().with(vec![breakfast()]);
    let priced_at = |price| vec![flagged("B1", of(1, "SET", price, "1"))];
    given.when(order(priced_at("109"))).placed();
    let expected = [(Code::ErrInvalidBundle, "lines[0].unitPrice")];
    given
        .when(order(priced_at("109.0001")))
        .is_refused(&expected);
    let mut apart = listed("B1", "1");
    apart[0].unit_price = baht("45.0001");
    given.when(order(apart)).is_refused(&expected);
}
