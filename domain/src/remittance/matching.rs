//! Comparing what is expected with what is reported.

use std::collections::{BTreeMap, HashMap};

use super::{
    ComparedItem, Comparison, ExpectedItem, ItemOutcome, Remittance, RemittanceEvent, ReportedItem,
    Summary,
};
use crate::money::Money;

/// Two sides agree within this, inclusive: one satang.
pub(super) const TOLERANCE: Money = Money::from_units(100);

/// The comparison of a remittance, once both sides are there.
pub(super) fn compared(remittance: &Remittance) -> Option<RemittanceEvent> {
    let reported = remittance.reported.as_ref()?;
    if !remittance.is_opened {
        return None;
    }
    let items = compare(&remittance.expected, reported);
    let summary = summary(&carry_over(&remittance.comparisons, &items));
    Some(RemittanceEvent::Compared { items, summary })
}

/// Compares item by item; the answer is in the order of the references, whatever the order of the sides.
///
/// A reported item belongs to the expected one of its reference, else to the expected one of its order: partners may
/// name an order by an id of their own. What belongs to no expected item is extra, and so is the second that claims
/// the same one.
fn compare(expected: &[ExpectedItem], reported: &[ReportedItem]) -> Vec<ComparedItem> {
    let mut claims: Vec<Option<&ReportedItem>> = vec![None; expected.len()];
    let by_reference: HashMap<_, _> = places(expected, |item| item.reference.as_str());
    let by_order: HashMap<_, _> = places(expected, |item| item.order_id);
    let mut others = Vec::new();
    for item in reported {
        match by_reference.get(item.reference.as_str()) {
            Some(&place) if claims[place].is_none() => claims[place] = Some(item),
            _ => others.push(item),
        }
    }
    let mut items = Vec::with_capacity(expected.len().max(reported.len()));
    for item in others {
        match item.order_id.and_then(|id| by_order.get(&id)) {
            Some(&place) if claims[place].is_none() => claims[place] = Some(item),
            _ => items.push(extra(item)),
        }
    }
    items.extend(expected.iter().zip(claims).map(|(e, r)| both(e, r)));
    items.sort_by(|a, b| a.reference.cmp(&b.reference));
    items
}

fn places<'a, K: Eq + std::hash::Hash>(
    expected: &'a [ExpectedItem],
    key: impl Fn(&'a ExpectedItem) -> K,
) -> HashMap<K, usize> {
    let keys = expected.iter().map(key);
    keys.enumerate().map(|(place, key)| (key, place)).collect()
}

fn both(expected: &ExpectedItem, reported: Option<&ReportedItem>) -> ComparedItem {
    let amount = reported.map_or(Money::ZERO, |item| item.amount);
    let variance = amount.saturating_sub(expected.amount);
    let outcome = if reported.is_none() {
        ItemOutcome::Missing
    } else if variance.units().unsigned_abs() <= TOLERANCE.units().unsigned_abs() {
        ItemOutcome::Matched
    } else {
        ItemOutcome::Variance
    };
    ComparedItem {
        reference: expected.reference.clone(),
        order_id: Some(expected.order_id),
        rider_id: expected.rider_id.clone(),
        outcome,
        expected: expected.amount,
        reported: amount,
        variance,
    }
}

fn extra(reported: &ReportedItem) -> ComparedItem {
    ComparedItem {
        reference: reported.reference.clone(),
        order_id: reported.order_id,
        rider_id: None,
        outcome: ItemOutcome::Extra,
        expected: Money::ZERO,
        reported: reported.amount,
        variance: reported.amount,
    }
}

/// The new comparison, with what was said about items that did not change.
pub(super) fn carry_over(before: &[Comparison], items: &[ComparedItem]) -> Vec<Comparison> {
    let before: BTreeMap<&str, &Comparison> =
        before.iter().map(|i| (i.reference.as_str(), i)).collect();
    items
        .iter()
        .map(|item| match before.get(item.reference.as_str()) {
            Some(known) if known.is_unchanged(item) => Comparison {
                dispute: known.dispute.clone(),
                resolved: known.resolved.clone(),
                ..Comparison::from(item)
            },
            _ => Comparison::from(item),
        })
        .collect()
}

/// Sums, exact, and counts. A remittance's amounts are bounded where they come in, so no sum overflows.
pub(super) fn summary(items: &[Comparison]) -> Summary {
    let mut summary = Summary::default();
    for item in items {
        summary.expected = summary.expected.saturating_add(item.expected);
        summary.reported = summary.reported.saturating_add(item.reported);
        summary.accepted = summary.accepted.saturating_add(item.accepted());
        let count = match item.outcome {
            ItemOutcome::Matched => &mut summary.matched,
            ItemOutcome::Variance => &mut summary.differing,
            ItemOutcome::Missing => &mut summary.missing,
            ItemOutcome::Extra => &mut summary.extra,
        };
        *count = count.saturating_add(1);
        summary.open = summary.open.saturating_add(u32::from(item.is_open()));
    }
    summary.variance = summary.reported.saturating_sub(summary.expected);
    summary
}
