//! What the passing of time alone shows: each is said once, and only while it is true.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Decision, already_applied};
use crate::order::{
    after::CollectionStatus, event::OrderEvent, facts::Facts, state::Order, status::OrderStatus,
};

/// Picking begins within ten minutes of the release.
const PICKING_BEGINS: TimeDelta = TimeDelta::minutes(10);
/// The cash is known of a day after the delivery.
const CASH_IS_KNOWN: TimeDelta = TimeDelta::hours(24);

/// Released and not picked in time.
pub(super) fn stuck(order: &Order, facts: &Facts) -> Decision {
    match order.released_at {
        Some(since)
            if order.status == OrderStatus::Released
                && !order.is_stuck
                && is_over(since, PICKING_BEGINS, facts) =>
        {
            let status = order.status;
            Ok(vec![OrderEvent::Stuck { status, since }])
        }
        _ => already_applied(),
    }
}

/// Delivered, and nobody said in time what became of the cash.
pub(super) fn overdue(order: &Order, facts: &Facts) -> Decision {
    let is_unknown = matches!(
        order.collection.status,
        CollectionStatus::Pending | CollectionStatus::InTransit
    );
    match order.delivered_at {
        Some(delivered_at)
            if is_unknown
                && order.cod_due().is_positive()
                && !order.is_collection_overdue
                && is_over(delivered_at, CASH_IS_KNOWN, facts) =>
        {
            Ok(vec![OrderEvent::CollectionOverdue { delivered_at }])
        }
        _ => already_applied(),
    }
}

fn is_over(since: DateTime<Utc>, term: TimeDelta, facts: &Facts) -> bool {
    facts.now.signed_duration_since(since) >= term
}
