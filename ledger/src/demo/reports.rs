//! What the delivery partner reports of the days before: nearly what it collected.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use commands::Loaded;
use domain::{
    calendar::business_day,
    money::{Money, SCALE},
    remittance::{RemittanceId, ReportedItemInput},
};

/// In every such report, counted over the stores, an order is missing.
const MISSING_ONE_IN: usize = 6;
/// In every such report an amount is one THB too small.
const SMALLER_ONE_IN: usize = 4;

/// One report for each store and business day that is over.
pub(super) fn of_days_before(
    orders: &[Loaded],
    now: DateTime<Utc>,
) -> Vec<(RemittanceId, Vec<ReportedItemInput>)> {
    let mut reports: BTreeMap<RemittanceId, Vec<ReportedItemInput>> = BTreeMap::new();
    for loaded in orders {
        let (order, cash) = (&loaded.state, &loaded.state.collection);
        let (Some(partner), Some(at)) = (&cash.partner_id, cash.collected_at) else {
            continue;
        };
        let day = business_day(at);
        if day >= business_day(now) {
            continue;
        }
        let id = RemittanceId::new(partner.clone(), order.store_id.clone(), day);
        reports.entry(id).or_default().push(ReportedItemInput {
            reference: order.number.to_string(),
            amount: cash.amount,
        });
    }
    let mut reports: Vec<_> = reports.into_iter().collect();
    for (at, (_, items)) in reports.iter_mut().enumerate() {
        if at % MISSING_ONE_IN == 1 && items.len() > 1 {
            items.pop();
        }
        if let Some(first) = items.first_mut().filter(|_| at % SMALLER_ONE_IN == 2) {
            first.amount = Money::from_units(first.amount.units() - SCALE);
        }
    }
    reports
}
