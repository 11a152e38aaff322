//! From the lines as submitted to the lines of the order.
//!
//! A line that sells a whole bundle becomes one line for each component. Lines that nobody submitted are numbered
//! from the highest submitted number up, so that a number never means two things; `submittedLine` says where
//! each came from.

use super::{
    bundles::{Named, Shop},
    match_lines,
    sale::{Part, Sale},
};
use crate::{
    bundle::Component,
    money::{Money, Quantity},
    order::event::{BundleSource, Line, OrderedBundle},
    refusal::Code,
    validate::Problems,
};

/// Most lines of an order once its bundles are expanded.
const MAX_EXPANDED_LINES: usize = 200;

/// The order's lines, by number, and the bundles that some of them make up.
#[derive(Default)]
pub(super) struct Basket {
    pub(super) lines: Vec<Line>,
    pub(super) bundles: Vec<OrderedBundle>,
}

impl Basket {
    pub(super) fn add(&mut self, sold: (Vec<Line>, OrderedBundle)) {
        let (lines, bundle) = sold;
        self.lines.extend(lines);
        self.bundles.push(bundle);
    }
}

/// Room for lines that nobody submitted.
pub(super) struct Room {
    next: u32,
    left: usize,
}

impl Room {
    fn beside(submitted: &[Line], replaced: usize) -> Self {
        let highest = submitted.iter().map(|l| l.line_number).max().unwrap_or(0);
        let lines = MAX_EXPANDED_LINES.saturating_sub(submitted.len()) + replaced;
        Self {
            next: u32::from(highest) + 1,
            left: lines.min(usize::from(u16::MAX - highest)),
        }
    }

    /// Whether so many more fit; they are then spoken for.
    pub(super) fn reserve(&mut self, more: usize) -> bool {
        let left = self.left.checked_sub(more);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    /// The number of one of them.
    pub(super) fn number(&mut self) -> Option<u16> {
        let number = u16::try_from(self.next).ok()?;
        self.next += 1;
        Some(number)
    }
}

/// Expands the named bundles, and finds those that ordinary lines hold without saying so.
pub(super) fn fill(
    problems: &mut Problems,
    submitted: Vec<Line>,
    named: Vec<Named<'_>>,
    shop: &Shop<'_>,
) -> Option<Basket> {
    let whole = || named.iter().filter(|b| b.source == BundleSource::Expanded);
    let new: usize = whole().map(|b| b.offer.definition.components.len()).sum();
    let mut room = Room::beside(&submitted, whole().count());
    if !room.reserve(new) {
        let message = format!(
            "the bundles make more than {MAX_EXPANDED_LINES} lines, or line numbers above {}",
            u16::MAX
        );
        problems.add(Code::ErrInvalidBundle, "lines", message);
        return None;
    }
    let mut basket = Basket::default();
    let mut left: Vec<Option<Line>> = submitted.into_iter().map(Some).collect();
    let filled = expand(&mut basket, &mut left, named, &mut room).and_then(|()| {
        let mut ordinary: Vec<Line> = left.into_iter().flatten().collect();
        ordinary.sort_by_key(|line| line.line_number);
        match_lines::apply(&mut basket, ordinary, shop, &mut room)
    });
    if filled.is_none() {
        let message = "the amounts do not add up within 14 digits before the point";
        problems.add(Code::Validation, "lines", message);
        return None;
    }
    basket.lines.sort_by_key(|line| line.line_number);
    Some(basket)
}

/// `None` for amounts out of range.
fn expand(
    basket: &mut Basket,
    left: &mut [Option<Line>],
    named: Vec<Named<'_>>,
    room: &mut Room,
) -> Option<()> {
    for bundle in named {
        let components = bundle.offer.definition.components.iter().enumerate();
        let mut parts = Vec::with_capacity(components.len());
        for (index, component) in components {
            let (mut line, submitted_line) = match bundle.source {
                BundleSource::Expanded => {
                    let whole = left.get(*bundle.lines.first()?)?.as_ref()?;
                    let line = of_whole(whole, component, bundle.count, room.number()?)?;
                    (line, whole.line_number)
                }
                BundleSource::Listed | BundleSource::Matched => {
                    let line = left.get_mut(*bundle.lines.get(index)?)?.take()?;
                    let number = line.line_number;
                    (line, number)
                }
            };
            price(&mut line, component);
            parts.push(Part {
                line,
                component: index,
                submitted_line,
                per_bundle: component.quantity,
            });
        }
        for index in &bundle.lines {
            *left.get_mut(*index)? = None;
        }
        let sale = Sale {
            ref_id: bundle.ref_id.to_owned(),
            offer: bundle.offer,
            source: bundle.source,
            count: bundle.count,
            individual_price: bundle.individual_price,
            saving: bundle.saving,
        };
        basket.add(sale.close(parts)?);
    }
    Some(())
}

/// A component's line out of the line that sells the whole: it keeps what was said of the sale, not of the goods.
fn of_whole(whole: &Line, component: &Component, count: i64, line_number: u16) -> Option<Line> {
    Some(Line {
        line_number,
        sku: component.sku.clone(),
        name_th: None,
        name_en: None,
        uom: None,
        quantity: Quantity::from_units(component.quantity.units().checked_mul(count)?),
        ..whole.clone()
    })
}

/// Prices a component's line as the definition does, before the bundle's discount.
fn price(line: &mut Line, component: &Component) {
    line.unit_price = component.unit_price;
    line.original_unit_price = component.unit_price;
    line.discounts.clear();
    line.discount = Money::ZERO;
    if let Some(rate) = component.tax_rate {
        line.tax_rate = rate;
    }
}
