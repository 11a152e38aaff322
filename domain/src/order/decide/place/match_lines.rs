//! Bundles that ordinary lines hold without saying so.
//!
//! Only on channels of our own: a marketplace has priced its order already. The bundle with the highest priority
//! takes its lines first, as often as they hold it; lines that hold only some of a bundle stay as they are. What
//! is left of a line keeps its number.

use std::cmp::Reverse;

use super::{
    bundles::{MAX_OF_ONE, Shop},
    expand::{Basket, Room},
    sale::{Part, Sale},
};
use crate::{
    bundle::{Definition, Offer, Offered},
    money::{Money, Quantity},
    order::event::{BundleSource, Line},
    pricing,
};

/// Adds the lines to the basket, those that make up bundles as such. `None` for amounts out of range.
pub(super) fn apply(
    basket: &mut Basket,
    lines: Vec<Line>,
    shop: &Shop<'_>,
    room: &mut Room,
) -> Option<()> {
    if !shop.is_own_channel() {
        basket.lines.extend(lines);
        return Some(());
    }
    let mut shelf = Shelf::new(&lines);
    let mut found = Vec::new();
    for offer in candidates(&shelf, shop) {
        let sold = basket.bundles.iter().filter(|b| b.bundle_id == offer.id);
        let sold: i64 = sold.map(|b| i64::from(b.quantity)).sum();
        let mut most = MAX_OF_ONE - sold;
        // Ends: every match takes at least one of `most`.
        while most > 0 {
            let Some(hit) = shelf.take(offer, most, room) else {
                break;
            };
            most -= hit.sale.count;
            found.push(hit);
        }
    }
    let left = shelf.left;
    sell(basket, lines, left, found, room)
}

/// The bundles that may be offered for these lines, the most urgent first.
fn candidates<'a>(shelf: &Shelf<'_>, shop: &Shop<'a>) -> Vec<&'a Offer> {
    let Some(store) = &shop.store else {
        return Vec::new();
    };
    let fits = |offer: &&Offer| {
        let definition = &offer.definition;
        definition.match_lines
            && shelf.holds(definition)
            && offer.offered(store, shop.now) == Offered::Yes
    };
    let mut offers: Vec<&Offer> = shop.offers.iter().filter(fits).collect();
    offers.sort_by_key(|offer| (Reverse(offer.definition.priority), &offer.id));
    offers
}

/// What is left of the lines that may become part of a bundle.
struct Shelf<'a> {
    lines: &'a [Line],
    /// Units of each line; nothing of a line that is not to be touched.
    left: Vec<i64>,
    /// SKUs with the places of their lines, sorted.
    by_sku: Vec<(&'a str, usize)>,
}

/// Part of a line for part of one bundle.
struct Take {
    line: usize,
    component: usize,
    per_bundle: i64,
}

/// A bundle found, and where its components come from.
struct Hit<'a> {
    sale: Sale<'a>,
    takes: Vec<Take>,
}

impl<'l> Shelf<'l> {
    fn new(lines: &'l [Line]) -> Self {
        let open = |line: &Line| {
            if is_plain(line) {
                line.quantity.units()
            } else {
                0
            }
        };
        let left: Vec<i64> = lines.iter().map(open).collect();
        let mut by_sku: Vec<(&str, usize)> = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| is_plain(line))
            .map(|(index, line)| (line.sku.as_str(), index))
            .collect();
        by_sku.sort_unstable();
        Self {
            lines,
            left,
            by_sku,
        }
    }

    fn of(&self, sku: &str) -> impl Iterator<Item = (usize, i64)> {
        let start = self.by_sku.partition_point(|(other, _)| *other < sku);
        let same = self.by_sku.iter().skip(start);
        let same = same.take_while(move |(other, _)| *other == sku);
        same.filter_map(|(_, index)| Some((*index, *self.left.get(*index)?)))
    }

    /// Whether the lines held all of one bundle at first.
    fn holds(&self, definition: &Definition) -> bool {
        definition.components.iter().all(|component| {
            let held: i64 = self.of(component.sku.as_str()).map(|(_, left)| left).sum();
            held >= component.quantity.units()
        })
    }

    /// Takes as many of a bundle as come from the same lines in the same shares.
    fn take<'a>(&mut self, offer: &'a Offer, most: i64, room: &mut Room) -> Option<Hit<'a>> {
        let takes = self.one(&offer.definition)?;
        let often = |take: &Take| Some(self.left.get(take.line)? / take.per_bundle);
        let count = takes.iter().filter_map(often).min()?.min(most);
        let mut worths = vec![Money::ZERO; offer.definition.components.len()];
        for take in &takes {
            let price = self.lines.get(take.line)?.original_unit_price;
            let worth = pricing::extend(price, Quantity::from_units(take.per_bundle))?;
            let sum = worths.get_mut(take.component)?;
            *sum = sum.checked_add(worth)?;
        }
        let saving = offer.definition.pricing.saving(&worths)?;
        if !saving.total()?.is_positive() || !room.reserve(takes.len()) {
            return None;
        }
        for take in &takes {
            *self.left.get_mut(take.line)? -= take.per_bundle * count;
        }
        Some(Hit {
            sale: Sale {
                ref_id: String::new(),
                offer,
                source: BundleSource::Matched,
                count,
                individual_price: pricing::add(worths)?,
                saving,
            },
            takes,
        })
    }

    /// Where the components of one bundle come from, if the lines still hold all of them.
    fn one(&self, definition: &Definition) -> Option<Vec<Take>> {
        let mut takes = Vec::with_capacity(definition.components.len());
        for (index, component) in definition.components.iter().enumerate() {
            let mut needed = component.quantity.units();
            for (line, left) in self.of(component.sku.as_str()) {
                let per_bundle = left.min(needed);
                if per_bundle > 0 {
                    needed -= per_bundle;
                    takes.push(Take {
                        line,
                        component: index,
                        per_bundle,
                    });
                }
            }
            if needed > 0 {
                return None;
            }
        }
        Some(takes)
    }
}

/// Whether nothing but its price is said of a line.
fn is_plain(line: &Line) -> bool {
    line.pack.is_none()
        && !line.is_weight_item
        && !line.is_gift
        && line.discounts.is_empty()
        && line.promotion_id.is_none()
        && line.is_tax_included
}

/// Cuts the lines up. A line of which nothing is left gives its number to the first part of it.
fn sell(
    basket: &mut Basket,
    lines: Vec<Line>,
    left: Vec<i64>,
    found: Vec<Hit<'_>>,
    room: &mut Room,
) -> Option<()> {
    let mut is_cut = vec![false; lines.len()];
    for mut hit in found {
        let mut parts = Vec::with_capacity(hit.takes.len());
        for take in &hit.takes {
            let line = lines.get(take.line)?;
            let is_cut = is_cut.get_mut(take.line)?;
            let is_used_up = left.get(take.line)? == &0;
            let line_number = if is_used_up && !*is_cut {
                line.line_number
            } else {
                room.number()?
            };
            *is_cut = true;
            parts.push(Part {
                line: Line {
                    line_number,
                    quantity: Quantity::from_units(take.per_bundle * hit.sale.count),
                    ..line.clone()
                },
                component: take.component,
                submitted_line: line.line_number,
                per_bundle: Quantity::from_units(take.per_bundle),
            });
        }
        hit.sale.ref_id = free_ref(basket, hit.sale.offer);
        basket.add(hit.sale.close(parts)?);
    }
    for ((mut line, is_cut), left) in lines.into_iter().zip(is_cut).zip(left) {
        if !is_cut {
            basket.lines.push(line);
        } else if left > 0 {
            line.quantity = Quantity::from_units(left);
            line.gross = pricing::extend(line.original_unit_price, line.quantity)?;
            basket.lines.push(line);
        }
    }
    Some(())
}

/// The bundle's id and the lowest number that nobody took.
fn free_ref(basket: &Basket, offer: &Offer) -> String {
    let is_free = |name: &String| basket.bundles.iter().all(|b| b.ref_id != *name);
    // One of so many names is free: there is one more of them than bundles.
    (1..=basket.bundles.len() + 1)
        .map(|n| format!("{}-{n}", offer.id))
        .find(is_free)
        .unwrap_or_default()
}
