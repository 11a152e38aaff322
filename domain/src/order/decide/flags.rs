//! What the passing of time alone shows: each is said once, and only while it is true.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Decision, already_applied};
use crate::order::{
    after::CollectionStatus, event::OrderEvent, facts::Facts, state::Order, status::OrderStatus,
};

/// Picking begins so soon after the release, or the order counts as stuck.
pub const PICKING_WITHIN: TimeDelta = TimeDelta::minutes(10);
/// Cash comes, or is heard of, so soon after the delivery, or it counts as late: the chain's success
/// rate is of cash collected within 24 hours.
pub const COLLECTION_WITHIN: TimeDelta = TimeDelta::hours(24);

/// Released and not picked in time.
pub(super) fn stuck(order: &Order, facts: &Facts) -> Decision {
    match order.released_at {
        Some(since)
            if order.status == OrderStatus::Released
                && !order.is_stuck
                && is_over(since, PICKING_WITHIN, facts) =>
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
                && is_over(delivered_at, COLLECTION_WITHIN, facts) =>
        {
            Ok(vec![OrderEvent::CollectionOverdue { delivered_at }])
        }
        _ => already_applied(),
    }
}

fn is_over(since: DateTime<Utc>, term: TimeDelta, facts: &Facts) -> bool {
    facts.now.signed_duration_since(since) >= term
}
