//! A bundle as it is sold: its lines, each with its share of the bundle's discount, and the snapshot of it.

use crate::{
    bundle::{Component, Offer, Saving},
    money::{Money, Quantity, Rate, SCALE},
    order::event::{Adjustment, BundlePart, BundleSource, Line, OrderedBundle},
    pricing,
};

/// What a line's share of its bundle's discount is called.
const BUNDLE: &str = "BUNDLE";
/// How far another product's price may lie above a component's: 20%.
const MAX_RISE: Rate = Rate::from_units(2_000);

/// What is sold.
pub(super) struct Sale<'a> {
    pub(super) ref_id: String,
    pub(super) offer: &'a Offer,
    pub(super) source: BundleSource,
    pub(super) count: i64,
    /// What the components of one cost apart.
    pub(super) individual_price: Money,
    /// What one saves.
    pub(super) saving: Saving,
}

/// A line of it, with its number, its quantity and its prices before the bundle's discount.
pub(super) struct Part {
    pub(super) line: Line,
    /// Which component, from 0.
    pub(super) component: usize,
    /// The line as submitted that it came from.
    pub(super) submitted_line: u16,
    /// The quantity in one bundle.
    pub(super) per_bundle: Quantity,
}

impl Sale<'_> {
    /// The lines, in order of their numbers, and the snapshot. `None` beyond DECIMAL(18,4), or for a component
    /// that the definition does not have.
    pub(super) fn close(self, mut parts: Vec<Part>) -> Option<(Vec<Line>, OrderedBundle)> {
        // Shares that tie leave their residual to the lowest line number.
        parts.sort_by_key(|part| part.line.line_number);
        let mut values = Vec::with_capacity(parts.len());
        for part in &mut parts {
            let line = &mut part.line;
            line.gross = pricing::extend(line.original_unit_price, line.quantity)?;
            values.push((part.component, line.gross));
        }
        let discounts = self.discounts(&values)?;
        let savings = pricing::add(discounts.iter().copied())?;
        let components = &self.offer.definition.components;
        let mut lines = Vec::with_capacity(parts.len());
        for (part, discount) in parts.into_iter().zip(discounts) {
            let component = components.get(part.component)?;
            lines.push(self.line(part, component, discount));
        }
        let bundle = self.snapshot(savings, lines.len())?;
        Some((lines, bundle))
    }

    /// The discount of each part: shared by value over all of them, or over those of each component.
    fn discounts(&self, values: &[(usize, Money)]) -> Option<Vec<Money>> {
        let times = Quantity::from_units(self.count.checked_mul(SCALE)?);
        let amounts = match &self.saving {
            Saving::Shared(one) => {
                let values: Vec<Money> = values.iter().map(|(_, value)| *value).collect();
                return pricing::share(pricing::extend(*one, times)?, &values);
            }
            Saving::Each(amounts) => amounts,
        };
        let mut discounts = vec![Money::ZERO; values.len()];
        for (component, one) in amounts.iter().enumerate() {
            let own = || {
                values
                    .iter()
                    .enumerate()
                    .filter(|(_, (c, _))| *c == component)
            };
            let own_values: Vec<Money> = own().map(|(_, (_, value))| *value).collect();
            let shares = pricing::share(pricing::extend(*one, times)?, &own_values)?;
            for ((index, _), share) in own().zip(shares) {
                *discounts.get_mut(index)? = share;
            }
        }
        Some(discounts)
    }

    fn line(&self, part: Part, component: &Component, discount: Money) -> Line {
        let mut line = part.line;
        line.name_th = line.name_th.or_else(|| component.name_th.clone());
        line.name_en = line.name_en.or_else(|| component.name_en.clone());
        line.discount = discount;
        if discount.is_positive() {
            line.discounts.push(Adjustment {
                kind: BUNDLE.to_owned(),
                amount: discount,
                ..Adjustment::default()
            });
        }
        line.bundle = Some(BundlePart {
            ref_id: self.ref_id.clone(),
            submitted_line: part.submitted_line,
            per_bundle: part.per_bundle,
            substitutable: component.substitutable,
            max_rise: component.max_rise.unwrap_or(MAX_RISE),
        });
        line
    }

    fn snapshot(self, savings: Money, lines: usize) -> Option<OrderedBundle> {
        let definition = &self.offer.definition;
        Some(OrderedBundle {
            ref_id: self.ref_id,
            bundle_id: self.offer.id.clone(),
            version: self.offer.version,
            source: self.source,
            kind: definition.kind,
            name_th: definition.name_th.clone(),
            name_en: definition.name_en.clone(),
            quantity: i32::try_from(self.count).ok()?,
            price: self.individual_price.checked_sub(self.saving.total()?)?,
            individual_price: self.individual_price,
            savings,
            returns: definition.returns,
            components: u16::try_from(lines).ok()?,
        })
    }
}
