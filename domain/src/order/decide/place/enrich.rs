//! What the product catalogue adds to an order, and what it objects to.

use super::{bundles::Shop, lines::MAX_LINES};
use crate::{
    money::{Money, Quantity, SCALE},
    order::{
        command::LineInput,
        event::Line,
        facts::{Product, Products},
    },
    pricing,
    refusal::Code,
    validate::{Problems, clean},
};

/// Longest product name.
pub(in crate::order::decide) const MAX_PRODUCT_NAME: usize = 200;
/// Longest short description.
const MAX_DESCRIPTION: usize = 500;
/// Longest address of a picture.
const MAX_IMAGE_URL: usize = 500;

/// That the catalogue knows what is sold, and that channels of our own ask no more for it than its list price.
/// The lines of bundles are their definition's affair.
pub(super) fn check(
    problems: &mut Problems,
    inputs: &[LineInput],
    shop: &Shop<'_>,
    products: &Products,
) {
    let Products::Known(known) = products else {
        return;
    };
    for (index, input) in inputs.iter().take(MAX_LINES).enumerate() {
        let Some(sku) = clean(&input.sku) else {
            continue;
        };
        if input.bundle.is_some() {
            continue;
        }
        let Some(product) = known.get(sku) else {
            let path = format!("lines[{index}].sku");
            let message = format!("{path}: SKU is not known");
            problems.add(Code::ErrInvalidLineItem, path, message);
            continue;
        };
        let pieces = input.pack.map_or(1, |pack| pack.units_per_pack);
        if shop.is_own_channel()
            && let Some(most) = list_price(product, pieces)
            && input.original_unit_price.unwrap_or(input.unit_price) > most
        {
            let field = input
                .original_unit_price
                .map_or("unitPrice", |_| "originalUnitPrice");
            let path = format!("lines[{index}].{field}");
            let message = format!("{path} must not exceed the list price, {most}");
            problems.add(Code::ErrInvalidLineItem, path, message);
        }
    }
}

/// The list price of what a line counts: of all the pieces in a pack.
pub(in crate::order::decide) fn list_price(product: &Product, pieces: i32) -> Option<Money> {
    let pieces = Quantity::from_units(i64::from(pieces).checked_mul(SCALE)?);
    pricing::extend(product.list_price?, pieces)
}

/// Fills what the lines leave blank. Never a refusal: a catalogue out of reach is a warning, and a text that does
/// not fit is cut or left out.
pub(super) fn enrich(lines: &mut [Line], warnings: &mut Vec<String>, products: &Products) {
    let known = match products {
        Products::NotConfigured => return,
        Products::Unreachable => {
            let warning = "the products were not looked up: the catalogue was out of reach";
            warnings.push(warning.to_owned());
            return;
        }
        Products::Known(known) => known,
    };
    for line in lines {
        let Some(product) = known.get(line.sku.as_str()) else {
            continue;
        };
        fill_names(&mut line.name_th, &mut line.name_en, product);
        let description = || text(&product.short_description, MAX_DESCRIPTION);
        fill(&mut line.short_description, description);
        fill(&mut line.image_url, || url(&product.image_url));
    }
}

/// Fills the names that are blank.
pub(in crate::order::decide) fn fill_names(
    name_th: &mut Option<String>,
    name_en: &mut Option<String>,
    product: &Product,
) {
    fill(name_th, || text(&product.name_th, MAX_PRODUCT_NAME));
    fill(name_en, || text(&product.name_en, MAX_PRODUCT_NAME));
}

fn fill(field: &mut Option<String>, news: impl FnOnce() -> Option<String>) {
    if field.is_none() {
        *field = news();
    }
}

/// The text in one line, cut to its limit.
fn text(text: &Option<String>, max: usize) -> Option<String> {
    let text = clean(text.as_ref()?)?;
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let cut: String = printable.take(max).collect();
    clean(&cut).map(str::to_owned)
}

/// The address, unless it is none: half of one leads nowhere.
fn url(url: &Option<String>) -> Option<String> {
    let url = clean(url.as_ref()?)?;
    let is_plain = url.chars().all(|c| !c.is_control() && !c.is_whitespace());
    (is_plain && url.chars().count() <= MAX_IMAGE_URL).then(|| url.to_owned())
}
