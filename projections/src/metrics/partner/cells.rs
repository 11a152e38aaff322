//! What an order counts for with its partner.

use chrono::NaiveDate;
use domain::order::{COLLECTION_WITHIN, OrderStatus};

use crate::metrics::{
    clock::day,
    life::{Life, Micros},
    table::{Table, key, measures},
};

/// [`COLLECTION_WITHIN`] in microseconds.
const IN_TIME: Micros = COLLECTION_WITHIN.num_seconds() * 1_000_000;

measures! {
    /// Orders handed to a partner, and what became of them.
    Partner {
        /// Orders handed over.
        Sum handed_over,
        /// Of these, those delivered.
        Sum delivered,
        /// Of these, those delivered at the first attempt.
        Sum delivered_at_once,
        /// Attempts that failed.
        Sum failed_attempts,
        /// Orders that go back without having reached the customer.
        Sum undelivered,
        /// Delivered orders whose cash was collected, whenever.
        Sum collected,
        /// Delivered orders whose cash was collected within 24 hours of the delivery, or before it.
        Sum collected_in_time,
        /// Orders collected with another amount than was due.
        Sum discrepancies,
        /// What they were too much (positive) or too little (negative), together; in 1/10,000 THB.
        Sum discrepancy_units,
        /// Orders whose cash the partner accounted for, settled.
        Sum settled,
        /// Of these, those for which another amount counts than was expected.
        Sum variances,
        /// What they are too much (positive) or too little (negative), together; in 1/10,000 THB.
        Sum variance_units,
    }
}

key! {
    /// A partner on a Bangkok day of a store; an empty partner is nobody known.
    PartnerKey {
        store_id: String as "text", day: NaiveDate as "date", region: String as "text", partner_id: String as "text",
    }
}

/// Partners by day.
pub(crate) struct PartnerDay;

impl Table for PartnerDay {
    const NAME: &'static str = "metrics_partner";
    type Key = PartnerKey;
    type Measures = Partner;

    fn standing(order: &Life) -> Vec<(PartnerKey, Partner)> {
        let Some(handed_over) = order.handed_over_at() else {
            return Vec::new();
        };
        let key = PartnerKey {
            store_id: order.standing.cell.store_id.clone(),
            day: day(handed_over),
            region: order.standing.cell.region.clone(),
            partner_id: order.partner(),
        };
        vec![(key, figures(order))]
    }
}

fn figures(order: &Life) -> Partner {
    let delivery = &order.delivery;
    let delivered = order.at(OrderStatus::Delivered);
    let collected = delivered.and(delivery.collected_at);
    let in_time = delivered
        .zip(collected)
        .is_some_and(|(delivered, collected)| collected.saturating_sub(delivered) <= IN_TIME);
    let discrepancy = delivery.discrepancy;
    let variance = delivery.variance;
    Partner {
        handed_over: 1,
        delivered: delivered.is_some().into(),
        delivered_at_once: (delivered.is_some() && delivery.failed == 0).into(),
        failed_attempts: delivery.failed,
        undelivered: delivery.is_undelivered.into(),
        collected: collected.is_some().into(),
        collected_in_time: in_time.into(),
        discrepancies: (!discrepancy.is_zero()).into(),
        discrepancy_units: discrepancy.units(),
        settled: variance.is_some().into(),
        variances: variance.is_some_and(|v| !v.is_zero()).into(),
        variance_units: variance.unwrap_or_default().units(),
    }
}
