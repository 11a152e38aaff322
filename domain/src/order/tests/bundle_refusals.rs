//! Placing: bundles that are not sold so.

use super::{
    bundles::{breakfast, flagged, listed, of, priced, sets},
    *,
};
use crate::{
    bundle::{BundleRules, DailyHours, Offer},
    ids::StoreId,
};

#[track_caller]
fn refused(offers: Vec<Offer>, lines: Vec<LineInput>, expected: &[(Code, &str)]) {
    let given = nothing().with(offers);
    given.when(place(order_of(lines))).is_refused(expected);
}

/// The line that sells the whole, or the line of `B`, changed.
#[track_caller]
fn wrong(code: Code, field: &str, change: fn(&mut LineInput)) {
    let mut whole = sets(1, "B1", "1");
    change(&mut whole);
    let path = format!("lines[0].{field}");
    refused(vec![breakfast()], vec![whole], &[(code, &path)]);
    let mut apart = listed("B1", "1");
    apart.swap(0, 1);
    change(&mut apart[0]);
    refused(vec![breakfast()], apart, &[(code, &path)]);
}

#[test]
fn a_bundles_line_is_a_plain_one() {
    let invalid = Code::ErrInvalidBundle;
    wrong(invalid, "isWeightItem", |l| l.is_weight_item = true);
    wrong(invalid, "isTaxIncluded", |l| {
        l.is_tax_included = Some(false)
    });
    wrong(invalid, "discounts", |l| {
        l.discounts = vec![adjustment("MEMBER", "1")]
    });
    wrong(invalid, "pack", |l| {
        l.pack = Some(PackInput {
            unit_price: l.unit_price,
            ordered: 1,
            units_per_pack: 1,
        });
    });
    wrong(invalid, "originalUnitPrice", |l| {
        l.original_unit_price = Some(baht("120"))
    });
    wrong(invalid, "unitPrice", |l| l.unit_price = baht("38.9999"));
}

#[test]
fn the_reference_and_the_bundles_id() {
    let mut lines = vec![sets(1, "B1", "1")];
    let long = "x".repeat(51);
    for ref_id in ["", " ", "undefined", &long, "a\u{0}"] {
        lines[0].bundle.as_mut().unwrap().ref_id = ref_id.into();
        let expected = [(Code::ErrInvalidBundle, "lines[0].bundle.refId")];
        refused(vec![breakfast()], lines.clone(), &expected);
    }
    let long = "B".repeat(41);
    lines[0].bundle.as_mut().unwrap().ref_id = "x".repeat(50);
    nothing()
        .with(vec![breakfast()])
        .when(place(order_of(lines.clone())))
        .placed();
    for bundle_id in ["", "-", "breakfast", "BREAK FAST", &long] {
        lines[0].bundle.as_mut().unwrap().bundle_id = bundle_id.into();
        let expected = [(Code::ErrInvalidBundle, "lines[0].bundle.bundleId")];
        refused(vec![breakfast()], lines.clone(), &expected);
    }
}

#[test]
fn a_reference_is_one_bundles() {
    let twice = vec![sets(1, "B1", "1"), sets(2, "B1", "1")];
    let taken = [(Code::ErrInvalidBundle, "lines[1].bundle.refId")];
    refused(vec![breakfast()], twice, &taken);
    let mut other = sets(2, "B1", "1");
    other.bundle.as_mut().unwrap().bundle_id = "LUNCH".into();
    let mut lunch = breakfast();
    lunch.id = BundleId::new("LUNCH").unwrap();
    refused(
        vec![breakfast(), lunch],
        vec![sets(1, "B1", "1"), other],
        &taken,
    );
    let mut mixed = listed("B1", "1");
    mixed.push(sets(4, "B1", "1"));
    let expected = [
        (Code::ErrInvalidBundle, "lines[0].bundle.refId"),
        (Code::ErrInvalidBundle, "lines[1].bundle.refId"),
        (Code::ErrInvalidBundle, "lines[2].bundle.refId"),
    ];
    refused(vec![breakfast()], mixed, &expected);
}

#[test]
fn an_unknown_or_retired_bundle() {
    let expected = [(Code::ErrInvalidBundleSku, "lines[0].bundle.bundleId")];
    refused(vec![], vec![sets(1, "B1", "1")], &expected);
    let mut retired = breakfast();
    retired.active = false;
    refused(vec![retired.clone()], vec![sets(1, "B1", "1")], &expected);
    // Once per bundle, not per line; and where the store is unknown, too.
    refused(vec![retired.clone()], listed("B1", "1"), &expected);
    let nowhere = PlaceOrder {
        store_id: "nowhere".into(),
        ..order_of(listed("B1", "1"))
    };
    let given = nothing().with(vec![retired]);
    given.when(place(nowhere)).is_refused(&[
        (Code::ErrInvalidLocation, "storeId"),
        (Code::ErrInvalidBundleSku, "lines[0].bundle.bundleId"),
    ]);
    let impossible = priced(BundleRules::FixedPrice { price: baht("200") });
    refused(vec![impossible], listed("B1", "1"), &expected);
}

#[test]
fn a_bundle_that_is_not_offered_here_or_now() {
    let expected = [(Code::ErrBundleNotAvailable, "lines[0].bundle.bundleId")];
    let store = |id: &str| StoreId::new(id).unwrap();
    let mut elsewhere = breakfast();
    elsewhere.definition.stores = vec![store("CFR001")];
    refused(vec![elsewhere.clone()], vec![sets(1, "B1", "1")], &expected);
    elsewhere.definition.stores.push(store("CFR029"));
    let here = nothing().with(vec![elsewhere]);
    here.when(place(order_of(vec![sets(1, "B1", "1")])))
        .placed();
    // It is 10:30 in Bangkok.
    for (from, to, is_offered) in [(600, 631, true), (600, 630, false), (1320, 300, false)] {
        let mut timed = breakfast();
        timed.definition.schedule.hours = Some(DailyHours { from, to });
        let given = nothing().with(vec![timed]);
        for lines in [vec![sets(1, "B1", "1")], listed("B1", "1")] {
            let then = given.when(place(order_of(lines)));
            if is_offered {
                then.placed();
            } else {
                then.is_refused(&expected);
            }
        }
    }
}

#[test]
fn a_listed_bundle_holds_every_component_in_the_same_multiple() {
    let expected = [(Code::ErrBundleIncomplete, "lines[0].bundle")];
    let missing = listed("B1", "1").into_iter().take(2).collect();
    refused(vec![breakfast()], missing, &expected);
    for quantities in [["1", "1", "2"], ["2", "2", "1"]] {
        let mut uneven = listed("B1", "1");
        for (line, pieces) in uneven.iter_mut().zip(quantities) {
            line.quantity = quantity(pieces);
        }
        refused(vec![breakfast()], uneven, &expected);
    }
    let mut pairs = breakfast();
    pairs.definition.components[0].quantity = quantity("2");
    let mut odd = listed("B1", "1");
    odd[0].quantity = quantity("3");
    refused(vec![pairs], odd, &expected);
}

#[test]
fn a_listed_bundle_holds_nothing_else() {
    let mut strange = listed("B1", "1");
    strange.push(flagged("B1", of(4, "D", "10", "1")));
    let expected = [(Code::ErrInvalidBundle, "lines[3].sku")];
    refused(vec![breakfast()], strange, &expected);
    let mut double = listed("B1", "1");
    double.push(flagged("B1", of(4, "A", "45", "1")));
    refused(vec![breakfast()], double, &expected);
}

#[test]
fn at_most_ten_of_one_bundle() {
    let (invalid, most) = (Code::ErrInvalidBundle, nothing().with(vec![breakfast()]));
    most.when(place(order_of(vec![sets(1, "B1", "10")])))
        .placed();
    most.when(place(order_of(listed("B1", "10")))).placed();
    let eleven = [(invalid, "lines[0].quantity")];
    refused(vec![breakfast()], vec![sets(1, "B1", "11")], &eleven);
    refused(vec![breakfast()], listed("B1", "11"), &eleven);
    let together = vec![sets(1, "B1", "6"), sets(2, "B2", "5")];
    refused(
        vec![breakfast()],
        together,
        &[(invalid, "lines[1].quantity")],
    );
    for pieces in ["0", "0.5", "-1"] {
        let expected = [
            (Code::ErrInvalidLineItem, "lines[0].quantity"),
            (invalid, "lines[0].quantity"),
        ];
        refused(vec![breakfast()], vec![sets(1, "B1", pieces)], &expected);
    }
}

#[test]
fn every_fault_is_reported_at_once() {
    let mut dear = sets(1, "B1", "1");
    dear.unit_price = baht("90");
    dear.is_weight_item = true;
    let mut nameless = sets(2, "", "1");
    nameless.sku = String::new();
    let mut unknown = sets(3, "B3", "1");
    unknown.bundle.as_mut().unwrap().bundle_id = "LUNCH".into();
    let part = flagged("B4", of(4, "A", "45", "1"));
    let expected = [
        (Code::ErrInvalidLineItem, "lines[1].sku"),
        (Code::ErrInvalidBundle, "lines[0].isWeightItem"),
        (Code::ErrInvalidBundle, "lines[1].bundle.refId"),
        (Code::ErrInvalidBundle, "lines[0].unitPrice"),
        (Code::ErrInvalidBundleSku, "lines[2].bundle.bundleId"),
        (Code::ErrBundleIncomplete, "lines[3].bundle"),
    ];
    refused(
        vec![breakfast()],
        vec![dear, nameless, unknown, part],
        &expected,
    );
}
