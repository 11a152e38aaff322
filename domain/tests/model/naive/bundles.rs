//! Bundles: which lines an order has once they are recognised, and what each bundle takes off.

use chrono::{DateTime, Utc};
use domain::{
    bundle::{BundleRules, Definition, Offer, Offered},
    ids::StoreId,
    order::command::LineInput,
};
use rust_decimal::Decimal;

use super::{
    money, number,
    place::{Line, is_own, rate_of},
    round4, shares,
};

/// Most of one bundle in an order.
const MOST_OF_ONE: i64 = 10;

/// What one bundle takes off.
enum Off {
    /// Off all of it, by value.
    Whole(Decimal),
    /// Off each component.
    Each(Vec<Decimal>),
}

/// Of which line, for which component, how much.
type Take = (usize, usize, Decimal);

/// What one of a bundle takes of the lines, and how often in a row.
type Hit<'a> = (&'a Offer, Vec<Take>, i64);

/// Where one bundle's lines come from, with the component each is of.
struct Sold<'a> {
    offer: &'a Offer,
    count: i64,
    off: Off,
    lines: Vec<(usize, Line)>,
}

/// The lines of an order, by number.
pub fn lines(
    inputs: &[LineInput],
    ordinary: impl Fn(&LineInput) -> Line,
    channel: &str,
    offers: &[Offer],
    store: &StoreId,
    now: DateTime<Utc>,
) -> Vec<Line> {
    let mut next = inputs.iter().map(|l| l.line_number).max().unwrap_or(0) + 1;
    let mut sold: Vec<Sold<'_>> = Vec::new();
    let mut refs: Vec<&str> = Vec::new();
    for input in inputs {
        let Some(flag) = &input.bundle else { continue };
        if refs.contains(&flag.ref_id.as_str()) {
            continue;
        }
        refs.push(&flag.ref_id);
        let offer = offers.iter().find(|o| o.id.as_str() == flag.bundle_id);
        let group = inputs.iter().filter(|l| {
            let theirs = l.bundle.as_ref();
            theirs.is_some_and(|b| b.ref_id == flag.ref_id)
        });
        sold.push(named(
            offer.unwrap(),
            group.collect(),
            is_own(channel),
            &mut next,
        ));
    }
    let mut plain: Vec<Line> = inputs
        .iter()
        .filter(|l| l.bundle.is_none())
        .map(ordinary)
        .collect();
    plain.sort_by_key(|l| l.number);
    let mut lines: Vec<Line> = Vec::new();
    if is_own(channel) {
        let matched = matched(&mut plain, &sold, offers, store, now, &mut next);
        sold.extend(matched);
    }
    lines.extend(plain);
    for (place, sold) in sold.into_iter().enumerate() {
        let parts = discounted(sold).into_iter();
        lines.extend(parts.map(|line| Line {
            bundle: Some(place),
            ..line
        }));
    }
    lines.sort_by_key(|l| l.number);
    lines
}

/// Lines that say which bundle they are.
fn named<'a>(offer: &'a Offer, group: Vec<&LineInput>, is_own: bool, next: &mut i32) -> Sold<'a> {
    let definition = &offer.definition;
    let worths = worths(definition);
    let all: Decimal = worths.iter().sum();
    let of_rules = off(&definition.pricing, &worths).unwrap();
    let whole = group.iter().find(|l| l.sku == definition.sku.as_str());
    let mut lines = Vec::new();
    let (count, off);
    if let Some(whole) = whole {
        count = whole.quantity.units() / 10_000;
        for (index, component) in definition.components.iter().enumerate() {
            lines.push((
                index,
                Line {
                    number: *next,
                    quantity: number(component.quantity) * Decimal::from(count),
                    ..component_line(whole, component)
                },
            ));
            *next += 1;
        }
        let price = all - total(&of_rules);
        let unit = money(whole.unit_price);
        off = if unit == price {
            of_rules
        } else {
            Off::Whole(all - unit)
        };
    } else {
        let mut each = Vec::new();
        let mut held = 0;
        for (index, component) in definition.components.iter().enumerate() {
            let input = group
                .iter()
                .find(|l| l.sku == component.sku.as_str())
                .unwrap();
            held = input.quantity.units() / component.quantity.units();
            lines.push((index, component_line(input, component)));
            let gap = money(component.unit_price) - money(input.unit_price);
            each.push(gap * number(component.quantity));
        }
        count = held;
        off = if is_own { of_rules } else { Off::Each(each) };
    }
    Sold {
        offer,
        count,
        off,
        lines,
    }
}

fn component_line(input: &LineInput, component: &domain::bundle::Component) -> Line {
    let price = money(component.unit_price);
    Line {
        number: input.line_number,
        sku: component.sku.as_str().to_owned(),
        quantity: number(input.quantity),
        price,
        unit: price,
        discount: Decimal::ZERO,
        rate: component.tax_rate.map_or(rate_of(input), super::rate),
        is_tax_included: input.is_tax_included.unwrap_or(true),
        is_plain: false,
        bundle: None,
    }
}

/// What the components of one bundle cost apart.
fn worths(definition: &Definition) -> Vec<Decimal> {
    let worth = |c: &domain::bundle::Component| round4(money(c.unit_price) * number(c.quantity));
    definition.components.iter().map(worth).collect()
}

/// `None` where the rules take off more than there is, or less than nothing.
fn off(rules: &BundleRules, worths: &[Decimal]) -> Option<Off> {
    let all: Decimal = worths.iter().sum();
    match rules {
        BundleRules::FixedPrice { price } => {
            let off = all - money(*price);
            (!off.is_sign_negative() || off.is_zero()).then_some(Off::Whole(off))
        }
        BundleRules::Percent { off } => Some(Off::Whole(round4(all * super::rate(*off)))),
        BundleRules::ComponentDiscount { off } => {
            let mut each: Vec<Decimal> = off.iter().map(|off| money(*off)).collect();
            each.resize(worths.len(), Decimal::ZERO);
            let fits = each.iter().zip(worths).all(|(off, worth)| off <= worth);
            fits.then_some(Off::Each(each))
        }
        BundleRules::BuyXGetY { free } => {
            let is_free = |index: usize| free.iter().any(|f| usize::from(*f) == index);
            let each = worths.iter().enumerate();
            Some(Off::Each(
                each.map(|(i, worth)| if is_free(i) { *worth } else { Decimal::ZERO })
                    .collect(),
            ))
        }
    }
}

fn total(off: &Off) -> Decimal {
    match off {
        Off::Whole(off) => *off,
        Off::Each(each) => each.iter().sum(),
    }
}

/// Lines that hold all of a bundle without saying so, taken one bundle at a time.
fn matched<'a>(
    plain: &mut Vec<Line>,
    named: &[Sold<'a>],
    offers: &'a [Offer],
    store: &StoreId,
    now: DateTime<Utc>,
    next: &mut i32,
) -> Vec<Sold<'a>> {
    let mut candidates: Vec<&Offer> = offers
        .iter()
        .filter(|o| o.definition.match_lines && o.offered(store, now) == Offered::Yes)
        .collect();
    candidates.sort_by(|a, b| {
        let by_priority = b.definition.priority.cmp(&a.definition.priority);
        by_priority.then_with(|| a.id.cmp(&b.id))
    });
    let mut left: Vec<Decimal> = plain
        .iter()
        .map(|l| {
            if l.is_plain {
                l.quantity
            } else {
                Decimal::ZERO
            }
        })
        .collect();
    let mut hits: Vec<Hit<'_>> = Vec::new();
    for offer in candidates {
        let sold = named.iter().filter(|s| s.offer.id == offer.id);
        let mut most = MOST_OF_ONE - sold.map(|s| s.count).sum::<i64>();
        while most > 0 {
            let Some(takes) = take_one(&offer.definition, plain, &left) else {
                break;
            };
            let worths = line_worths(&offer.definition, plain, &takes);
            let saves = off(&offer.definition.pricing, &worths).map(|off| total(&off));
            if saves.is_none_or(|saves| saves <= Decimal::ZERO) {
                break;
            }
            for (line, _, quantity) in &takes {
                left[*line] -= quantity;
            }
            most -= 1;
            match hits.last_mut() {
                Some((last, same, count)) if last.id == offer.id && *same == takes => *count += 1,
                _ => hits.push((offer, takes, 1)),
            }
        }
    }
    cut(plain, &left, hits, next)
}

fn take_one(definition: &Definition, plain: &[Line], left: &[Decimal]) -> Option<Vec<Take>> {
    let mut takes = Vec::new();
    for (index, component) in definition.components.iter().enumerate() {
        let mut needed = number(component.quantity);
        for (line, _) in plain
            .iter()
            .enumerate()
            .filter(|(_, l)| l.sku == component.sku.as_str())
        {
            let taken = needed.min(left[line]);
            if taken > Decimal::ZERO {
                needed -= taken;
                takes.push((line, index, taken));
            }
        }
        if needed > Decimal::ZERO {
            return None;
        }
    }
    Some(takes)
}

/// What one bundle's worth of each component costs at the lines' prices.
fn line_worths(definition: &Definition, plain: &[Line], takes: &[Take]) -> Vec<Decimal> {
    let mut worths = vec![Decimal::ZERO; definition.components.len()];
    for (line, component, quantity) in takes {
        worths[*component] += round4(plain[*line].price * quantity);
    }
    worths
}

/// Cuts what was taken out of the lines.
fn cut<'a>(
    plain: &mut Vec<Line>,
    left: &[Decimal],
    hits: Vec<Hit<'a>>,
    next: &mut i32,
) -> Vec<Sold<'a>> {
    let mut is_cut = vec![false; plain.len()];
    let mut sold = Vec::new();
    for (offer, takes, count) in hits {
        let worths = line_worths(&offer.definition, plain, &takes);
        let mut lines = Vec::new();
        for (line, component, quantity) in &takes {
            let number = if left[*line].is_zero() && !is_cut[*line] {
                plain[*line].number
            } else {
                *next += 1;
                *next - 1
            };
            is_cut[*line] = true;
            lines.push((
                *component,
                Line {
                    number,
                    quantity: quantity * Decimal::from(count),
                    ..plain[*line].clone()
                },
            ));
        }
        sold.push(Sold {
            offer,
            count,
            off: off(&offer.definition.pricing, &worths).unwrap(),
            lines,
        });
    }
    let mut kept = Vec::new();
    for (index, line) in plain.drain(..).enumerate() {
        if !is_cut[index] {
            kept.push(line);
        } else if left[index] > Decimal::ZERO {
            kept.push(Line {
                quantity: left[index],
                ..line
            });
        }
    }
    *plain = kept;
    sold
}

/// The lines with their parts of what the bundles take off.
fn discounted(sold: Sold<'_>) -> Vec<Line> {
    let mut lines = sold.lines;
    lines.sort_by_key(|(_, line)| line.number);
    let count = Decimal::from(sold.count);
    match sold.off {
        Off::Whole(off) => {
            let values: Vec<Decimal> = lines.iter().map(|(_, l)| l.gross()).collect();
            for ((_, line), share) in lines.iter_mut().zip(shares(off * count, &values)) {
                line.discount = share;
            }
        }
        Off::Each(each) => {
            for (component, off) in each.into_iter().enumerate() {
                let own: Vec<usize> = (0..lines.len())
                    .filter(|i| lines[*i].0 == component)
                    .collect();
                let values: Vec<Decimal> = own.iter().map(|i| lines[*i].1.gross()).collect();
                for (place, share) in own.into_iter().zip(shares(off * count, &values)) {
                    lines[place].1.discount = share;
                }
            }
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}
