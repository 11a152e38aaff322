//! Flagged lines: which bundles they name, whether they hold all of them, and at what price.
//!
//! Lines flagged with the same reference make up one bundle: either one line that sells it under its own SKU, or
//! one line for each of its components. On channels of our own the prices must be the definition's; marketplaces
//! are priced by themselves, so theirs count, up to what the components cost apart.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::lines::MAX_LINES;
use crate::{
    bundle::{Component, Offer, Offered, Saving},
    ids::{BundleId, StoreId},
    money::{Money, Quantity, SCALE},
    order::{
        command::{BundleInput, LineInput},
        event::{BundleSource, Channel},
    },
    pricing,
    refusal::Code,
    validate::{Problems, clean},
};

/// Most of one bundle in an order.
pub(super) const MAX_OF_ONE: i64 = 10;
/// Longest reference.
const MAX_REF: usize = 50;

/// A line as it came, and its place in the command.
type Flagged<'a> = (usize, &'a LineInput);

/// A bundle that flagged lines hold.
pub(super) struct Named<'a> {
    pub(super) ref_id: &'a str,
    pub(super) offer: &'a Offer,
    pub(super) source: BundleSource,
    pub(super) count: i64,
    /// The line's place in the command, or one for each component in their order.
    pub(super) lines: Vec<usize>,
    /// What the components of one cost apart.
    pub(super) individual_price: Money,
    /// What one saves.
    pub(super) saving: Saving,
}

/// Where and when an order is placed: what the offer of a bundle depends on. `None` what is not known.
pub(super) struct Shop<'a> {
    pub(super) channel: Option<Channel>,
    pub(super) store: Option<StoreId>,
    pub(super) now: DateTime<Utc>,
    pub(super) offers: &'a [Offer],
}

impl Shop<'_> {
    /// Whether the prices must be ours.
    pub(super) fn is_own_channel(&self) -> bool {
        self.channel
            .is_some_and(|channel| !channel.is_marketplace())
    }
}

/// The lines that share a reference.
struct Group<'a> {
    ref_id: &'a str,
    bundle_id: &'a str,
    lines: Vec<Flagged<'a>>,
}

impl Group<'_> {
    fn first(&self) -> usize {
        self.lines.first().map_or(0, |(index, _)| *index)
    }
}

/// The bundles that flagged lines name; `None` where one is wrong.
pub(super) fn check<'a>(
    problems: &mut Problems,
    inputs: &'a [LineInput],
    shop: &Shop<'a>,
) -> Option<Vec<Named<'a>>> {
    let mut check = Check {
        before: problems.count(),
        problems,
        shop,
    };
    let groups = check.groups(inputs);
    let mut named = Vec::with_capacity(groups.len());
    for group in &groups {
        named.extend(check.group(group));
    }
    check.most_of_one(&named);
    // No flagged line may slip through as an ordinary one.
    let is_whole = named.len() == groups.len() && check.problems.count() == check.before;
    is_whole.then_some(named)
}

struct Check<'p, 's, 'a> {
    before: usize,
    problems: &'p mut Problems,
    shop: &'s Shop<'a>,
}

impl<'a> Check<'_, '_, 'a> {
    fn add(&mut self, code: Code, index: usize, field: &str, problem: &str) {
        let path = format!("lines[{index}].{field}");
        let message = format!("{path} {problem}");
        self.problems.add(code, path, message);
    }

    fn wrong(&mut self, index: usize, field: &str, problem: &str) {
        self.add(Code::ErrInvalidBundle, index, field, problem);
    }

    fn groups(&mut self, inputs: &'a [LineInput]) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        for (index, input) in inputs.iter().take(MAX_LINES).enumerate() {
            let Some(flag) = &input.bundle else { continue };
            self.plain(index, input);
            let Some((ref_id, bundle_id)) = self.flag(index, flag) else {
                continue;
            };
            match groups.iter_mut().find(|g| g.ref_id == ref_id) {
                Some(group) if group.bundle_id == bundle_id => group.lines.push((index, input)),
                Some(_) => self.wrong(index, "bundle.refId", "names another bundle already"),
                None => groups.push(Group {
                    ref_id,
                    bundle_id,
                    lines: vec![(index, input)],
                }),
            }
        }
        groups
    }

    /// The reference and the bundle's id.
    fn flag(&mut self, index: usize, flag: &'a BundleInput) -> Option<(&'a str, &'a str)> {
        let path = format!("lines[{index}].bundle.refId");
        let code = Code::ErrInvalidBundle;
        let ref_id = self
            .problems
            .required(code, &path, Some(&flag.ref_id), MAX_REF);
        let bundle_id = clean(&flag.bundle_id).unwrap_or_default();
        let is_known = || self.shop.offers.iter().any(|o| o.id.as_str() == bundle_id);
        if !is_known()
            && let Err(e) = BundleId::new(bundle_id)
        {
            self.wrong(index, "bundle.bundleId", &e.problem);
            return None;
        }
        ref_id.and(Some((clean(&flag.ref_id)?, bundle_id)))
    }

    /// A bundle has a price of its own, and it is the definition that says what belongs to it.
    fn plain(&mut self, index: usize, input: &LineInput) {
        for (field, is_wrong) in [
            ("pack", input.pack.is_some()),
            ("isWeightItem", input.is_weight_item),
            ("discounts", !input.discounts.is_empty()),
            ("isTaxIncluded", input.is_tax_included == Some(false)),
        ] {
            if is_wrong {
                self.wrong(index, field, "must be left out on a bundle's line");
            }
        }
    }

    fn group(&mut self, group: &Group<'a>) -> Option<Named<'a>> {
        let offer = self.offer(group)?;
        let definition = &offer.definition;
        let is_whole = |input: &LineInput| clean(&input.sku) == Some(definition.sku.as_str());
        let whole = group.lines.iter().find(|(_, input)| is_whole(input));
        let Some((individual_price, saving)) = definition.worths().and_then(|worths| {
            let individual_price = pricing::add(worths.iter().copied())?;
            Some((individual_price, definition.pricing.saving(&worths)?))
        }) else {
            let problem = "has no price that adds up: revise it";
            self.add(
                Code::ErrInvalidBundleSku,
                group.first(),
                "bundle.bundleId",
                problem,
            );
            return None;
        };
        let mut named = Named {
            ref_id: group.ref_id,
            offer,
            source: BundleSource::Listed,
            count: 0,
            lines: Vec::new(),
            individual_price,
            saving,
        };
        match whole {
            Some(line) => self.expanded(&mut named, group, *line)?,
            None => self.listed(&mut named, group)?,
        }
        Some(named)
    }

    /// The definition, if it is offered here and now.
    fn offer(&mut self, group: &Group<'a>) -> Option<&'a Offer> {
        let (index, field) = (group.first(), "bundle.bundleId");
        let offer = self
            .shop
            .offers
            .iter()
            .find(|o| o.id.as_str() == group.bundle_id);
        let Some(offer) = offer else {
            let problem = "is not a bundle that anybody defined";
            self.add(Code::ErrInvalidBundleSku, index, field, problem);
            return None;
        };
        let offered = match &self.shop.store {
            Some(store) => offer.offered(store, self.shop.now),
            // The store is a problem of its own.
            None if offer.active => Offered::Yes,
            None => Offered::Retired,
        };
        let (code, problem) = match offered {
            Offered::Yes => return Some(offer),
            Offered::Retired => (
                Code::ErrInvalidBundleSku,
                "is retired: sell its products apart",
            ),
            Offered::NotNow => (Code::ErrBundleNotAvailable, "is not offered at this time"),
            Offered::NotHere => (Code::ErrBundleNotAvailable, "is not offered at this store"),
        };
        self.add(code, index, field, problem);
        None
    }

    /// One line sells the whole bundle.
    fn expanded(
        &mut self,
        named: &mut Named<'a>,
        group: &Group<'a>,
        (index, input): Flagged<'a>,
    ) -> Option<()> {
        named.source = BundleSource::Expanded;
        named.lines = vec![index];
        for (other, _) in group.lines.iter().filter(|(other, _)| *other != index) {
            let problem = "is taken: a line that sells the whole bundle has it alone";
            self.wrong(*other, "bundle.refId", problem);
        }
        named.count = input.quantity.units() / SCALE;
        if !(1..=MAX_OF_ONE).contains(&named.count) || input.quantity.units() % SCALE != 0 {
            let problem = format!("must be whole, 1 to {MAX_OF_ONE} of one bundle");
            self.wrong(index, "quantity", &problem);
            return None;
        }
        let individual = named.individual_price;
        let price = individual.checked_sub(named.saving.total()?)?;
        self.price(index, input, price, individual);
        if input.unit_price != price {
            named.saving = Saving::Shared(individual.checked_sub(input.unit_price)?);
        }
        Some(())
    }

    /// One line for each component.
    fn listed(&mut self, named: &mut Named<'a>, group: &Group<'a>) -> Option<()> {
        let components = &named.offer.definition.components;
        let mut lines: Vec<Option<Flagged<'a>>> = vec![None; components.len()];
        for (index, input) in &group.lines {
            let sku = clean(&input.sku).unwrap_or_default();
            let at = components.iter().position(|c| c.sku.as_str() == sku);
            match at.and_then(|at| lines.get_mut(at)) {
                None => self.wrong(*index, "sku", "is neither the bundle's nor a component's"),
                Some(Some(_)) => self.wrong(*index, "sku", "is on another line of this bundle"),
                Some(free) => *free = Some((*index, input)),
            }
        }
        let lines: Option<Vec<Flagged<'a>>> = lines.into_iter().collect();
        let held = lines.and_then(|lines| {
            let quantities = lines.iter().map(|(_, input)| input.quantity);
            Some((count(components, quantities)?, lines))
        });
        let Some((count, lines)) = held else {
            self.incomplete(group, components);
            return None;
        };
        named.count = count;
        let mut savings = Vec::with_capacity(lines.len());
        for ((index, input), component) in lines.iter().zip(components) {
            self.price(*index, input, component.unit_price, component.unit_price);
            let off = component.unit_price.checked_sub(input.unit_price)?;
            savings.push(pricing::extend(off, component.quantity)?);
        }
        if !self.shop.is_own_channel() {
            named.saving = Saving::Each(savings);
        }
        named.lines = lines.into_iter().map(|(index, _)| index).collect();
        Some(())
    }

    fn incomplete(&mut self, group: &Group<'a>, components: &[Component]) {
        let needed: Vec<String> = components
            .iter()
            .map(|c| format!("{} of {}", c.quantity, c.sku))
            .collect();
        let problem = format!(
            "needs, for each bundle, one line of {}: send all of them in the same multiple",
            needed.join(", ")
        );
        self.add(Code::ErrBundleIncomplete, group.first(), "bundle", &problem);
    }

    /// Prices of our own channels are the definition's; a marketplace's lie between nothing and `most`.
    fn price(&mut self, index: usize, input: &LineInput, price: Money, most: Money) {
        if !self.shop.is_own_channel() {
            if input.unit_price > most {
                let problem = format!("must be at most {most}, what it costs apart");
                self.wrong(index, "unitPrice", &problem);
            }
            return;
        }
        if input.unit_price != price {
            let problem = format!("must be {price}, as the bundle's definition says");
            self.wrong(index, "unitPrice", &problem);
        }
        let original = input.original_unit_price;
        if original.is_some_and(|o| o != most && o != input.unit_price) {
            let problem = format!("must be left out, or {most} as the bundle's definition says");
            self.wrong(index, "originalUnitPrice", &problem);
        }
    }

    fn most_of_one(&mut self, named: &[Named<'a>]) {
        let mut counts: HashMap<&BundleId, i64> = HashMap::new();
        for bundle in named {
            let count = counts.entry(&bundle.offer.id).or_default();
            *count = count.saturating_add(bundle.count);
            if *count > MAX_OF_ONE {
                let index = bundle.lines.first().copied().unwrap_or_default();
                let problem = format!("makes more than {MAX_OF_ONE} of one bundle");
                self.wrong(index, "quantity", &problem);
            }
        }
    }
}

/// How many bundles the quantities make, one for each component: the same multiple of each, or none.
fn count(components: &[Component], held: impl Iterator<Item = Quantity>) -> Option<i64> {
    let mut counts = components.iter().zip(held).map(|(component, held)| {
        let (held, one) = (held.units(), component.quantity.units());
        (one > 0 && held > 0 && held % one == 0).then(|| held / one)
    });
    let first = counts.next()??;
    counts.all(|count| count == Some(first)).then_some(first)
}
