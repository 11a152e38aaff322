//! Placing: what the product catalogue adds and what it objects to.

use std::collections::HashMap;

use super::{
    bundles::{breakfast, listed, of, sets},
    *,
};
use crate::{
    ids::Sku,
    order::facts::{Product, Products},
};

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn coffee() -> Product {
    Product {
        name_th: some("กาแฟ"),
        name_en: some("Coffee"),
        short_description: some("Black,\nhot"),
        image_url: some("https://img.example/coffee.png"),
        list_price: Some(baht("45")),
    }
}

fn known(products: &[(&str, Product)]) -> Products {
    let entry = |(sku, product): &(&str, Product)| (Sku::new(*sku).unwrap(), product.clone());
    Products::Known(products.iter().map(entry).collect())
}

fn given(products: Products) -> Scenario {
    nothing()
        .with(vec![breakfast()])
        .given(|facts| facts.products = products)
}

fn of_coffee(change: fn(&mut LineInput)) -> OrderCommand {
    let mut line = of(1, "A", "45", "1");
    change(&mut line);
    place(order_of(vec![line]))
}

#[test]
fn blanks_are_filled() {
    let given = given(known(&[("A", coffee())]));
    let line = &given.when(of_coffee(|_| {})).placed().lines[0];
    assert_eq!(line.name_th.as_deref(), Some("กาแฟ"));
    assert_eq!(line.name_en.as_deref(), Some("Coffee"));
    assert_eq!(line.short_description.as_deref(), Some("Black, hot"));
    assert_eq!(
        line.image_url.as_deref(),
        Some("https://img.example/coffee.png")
    );
    let own = of_coffee(|l| (l.name_th, l.name_en) = (some("-"), some("Latte")));
    let line = &given.when(own).placed().lines[0];
    assert_eq!(line.name_th.as_deref(), Some("กาแฟ"));
    assert_eq!(line.name_en.as_deref(), Some("Latte"));
}

#[test]
fn what_does_not_fit_is_cut_or_left_out() {
    let long = Product {
        name_th: some(&"ก".repeat(300)),
        name_en: some(" undefined "),
        short_description: some(&format!("{}  {}", "x".repeat(499), "y")),
        image_url: some(&format!("https://{}", "x".repeat(493))),
        list_price: None,
    };
    let line = &given(known(&[("A", long)]))
        .when(of_coffee(|_| {}))
        .placed()
        .lines[0];
    assert_eq!(line.name_th, Some("ก".repeat(200)));
    assert_eq!(line.name_en, None);
    assert_eq!(line.short_description, Some("x".repeat(499)));
    assert_eq!(line.image_url, None);
    for (url, is_kept) in [
        (format!("https://{}", "x".repeat(492)), true),
        ("https://img.example/a b".to_owned(), false),
        ("https://img.example/a\u{0}".to_owned(), false),
        ("-".to_owned(), false),
    ] {
        let product = Product {
            image_url: Some(url),
            ..coffee()
        };
        let line = &given(known(&[("A", product)]))
            .when(of_coffee(|_| {}))
            .placed()
            .lines[0];
        assert_eq!(line.image_url.is_some(), is_kept);
    }
}

#[test]
fn a_catalogue_out_of_reach_is_a_warning() {
    let placed = given(Products::Unreachable)
        .when(of_coffee(|_| {}))
        .placed();
    assert_eq!(placed.warnings.len(), 1);
    let placed = given(Products::NotConfigured)
        .when(of_coffee(|_| {}))
        .placed();
    assert_eq!(placed.warnings, Vec::<String>::new());
}

#[test]
fn a_product_that_it_does_not_hold() {
    let nothing_known = Products::Known(HashMap::new());
    let expected = [(Code::ErrInvalidLineItem, "lines[0].sku")];
    let then = given(nothing_known.clone()).when(of_coffee(|_| {}));
    then.is_refused(&expected);
    let refusal = then.0.unwrap_err();
    assert!(
        refusal.to_string().ends_with("SKU is not known"),
        "{refusal}"
    );
    // A blank one is reported once.
    let then = given(nothing_known.clone()).when(of_coffee(|l| l.sku = "-".into()));
    then.is_refused(&expected);
    // The definition vouches for what belongs to a bundle.
    for lines in [vec![sets(1, "B1", "1")], listed("B1", "1")] {
        given(nothing_known.clone())
            .when(place(order_of(lines)))
            .placed();
    }
}

#[test]
fn components_are_enriched_too() {
    let given = given(known(&[("A", coffee())]));
    let placed = given
        .when(place(order_of(vec![sets(1, "B1", "1")])))
        .placed();
    // The definition names the component in English only.
    assert_eq!(placed.lines[0].name_th.as_deref(), Some("กาแฟ"));
    assert_eq!(placed.lines[0].name_en.as_deref(), Some("Product A"));
    assert!(placed.lines[0].image_url.is_some());
    assert!(placed.lines[1].image_url.is_none());
}

#[test]
fn own_channels_ask_no_more_than_the_list_price() {
    let given = given(known(&[("A", coffee())]));
    let invalid = |change: fn(&mut LineInput), field: &str| {
        let path = format!("lines[0].{field}");
        given
            .when(of_coffee(change))
            .is_refused(&[(Code::ErrInvalidLineItem, &path)]);
    };
    invalid(|l| l.unit_price = baht("45.0001"), "unitPrice");
    invalid(
        |l| l.original_unit_price = Some(baht("45.01")),
        "originalUnitPrice",
    );
    given
        .when(of_coffee(|l| l.original_unit_price = Some(baht("45"))))
        .placed();
    // A pack may cost as much as its pieces.
    let pack_at = |price: &str| {
        let line = LineInput {
            sku: "A".into(),
            ..pack(1, price, 1, 3)
        };
        place(order_of(vec![line]))
    };
    given.when(pack_at("135")).placed();
    given
        .when(pack_at("135.01"))
        .is_refused(&[(Code::ErrInvalidLineItem, "lines[0].unitPrice")]);
    for channel in ["GRAB", "PMP"] {
        let command = PlaceOrder {
            channel: channel.into(),
            ..order_of(vec![of(1, "A", "60", "1")])
        };
        given.when(place(command)).placed();
    }
}
