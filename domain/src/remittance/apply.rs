//! How each event changes a remittance.

use std::collections::HashMap;

use super::{
    Comparison, ExpectedItem, Remittance, RemittanceEvent, RemittanceStatus, Summary, TakenReport,
    content, matching,
};
use crate::ids::OrderId;

/// Total: whatever the log holds, it neither fails nor panics.
pub(super) fn apply(state: &mut Remittance, event: &RemittanceEvent) {
    match event {
        RemittanceEvent::Expected { id, region, items } => {
            state.id = Some(id.clone());
            state.region = Some(region.clone());
            state.is_opened = true;
            expect(&mut state.expected, items);
        }
        RemittanceEvent::Reported {
            id,
            region,
            report_id,
            items,
        } => {
            state.id = Some(id.clone());
            state.region = Some(region.clone());
            let said = items.iter().map(|i| (i.reference.as_str(), i.amount));
            state.reports.push(TakenReport {
                report_id: report_id.clone(),
                content: content::of(said),
            });
            state.reported = Some(items.clone());
        }
        RemittanceEvent::Compared { items, summary } => {
            state.comparisons = matching::carry_over(&state.comparisons, items);
            take_over(state, *summary);
        }
        RemittanceEvent::ItemDisputed {
            reference,
            reason,
            summary,
        } => {
            for item in named(state, reference) {
                item.dispute = Some(reason.clone());
                item.resolved = None;
            }
            take_over(state, *summary);
        }
        RemittanceEvent::ItemResolved { resolved, summary } => {
            for item in named(state, &resolved.reference) {
                item.resolved = Some(resolved.clone());
            }
            take_over(state, *summary);
        }
        RemittanceEvent::Closed { summary, .. } => {
            state.summary = *summary;
            state.status = RemittanceStatus::Closed;
        }
        RemittanceEvent::CashReceived { amount, .. } => {
            state.received = state.received.saturating_add(*amount);
        }
        RemittanceEvent::Deposited { amount, .. } => {
            state.deposited = state.deposited.saturating_add(*amount);
        }
    }
}

/// Adds the items of new orders and replaces those of known ones.
fn expect(expected: &mut Vec<ExpectedItem>, items: &[ExpectedItem]) {
    let mut places: HashMap<OrderId, usize> = expected
        .iter()
        .enumerate()
        .map(|(place, item)| (item.order_id, place))
        .collect();
    for item in items {
        match places
            .get(&item.order_id)
            .and_then(|p| expected.get_mut(*p))
        {
            Some(known) => known.clone_from(item),
            None => {
                places.insert(item.order_id, expected.len());
                expected.push(item.clone());
            }
        }
    }
}

fn take_over(state: &mut Remittance, summary: Summary) {
    state.summary = summary;
    state.status = if summary.open == 0 {
        RemittanceStatus::Matched
    } else {
        RemittanceStatus::Differing
    };
}

fn named<'a>(
    state: &'a mut Remittance,
    reference: &'a str,
) -> impl Iterator<Item = &'a mut Comparison> {
    state
        .comparisons
        .iter_mut()
        .filter(move |item| item.reference == reference)
}
