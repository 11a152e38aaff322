//! Deliveries that failed: the order stays with the rider, to be tried again, until the last try.

use super::{
    Decision, already_applied, not_possible, partner_id,
    progress::{check_tracking, step},
    reason, returns, times,
};
use crate::{
    order::{
        after::Attempt, command::RecordFailedDelivery, event::OrderEvent, facts::Facts,
        state::Order, status::OrderStatus,
    },
    validate::Problems,
};

/// After so many failed deliveries the goods go back.
const MAX_ATTEMPTS: usize = 3;

/// From 7000 on a failed attempt shows that the goods are out for delivery. News of one that arrives
/// once they are delivered or on their way back is acknowledged.
pub(super) fn failed(order: &Order, command: &RecordFailedDelivery, facts: &Facts) -> Decision {
    let mut problems = Problems::default();
    let reason = reason(&mut problems, &command.reason);
    let attempt_id = partner_id(&mut problems, "attemptId", command.attempt_id.as_ref());
    let occurred_at = command.occurred_at;
    times::check_past(&mut problems, "occurredAt", occurred_at, order, facts);
    check_tracking(&mut problems, order, command.tracking_id.as_ref());
    let attempt = Attempt {
        attempt_id,
        reason: problems.finish(reason)?,
        occurred_at: command.occurred_at,
    };
    let is_known = order.attempts.iter().any(|known| is_same(known, &attempt));
    if is_known || order.status >= OrderStatus::Delivered {
        return already_applied();
    }
    if order.status < OrderStatus::Fulfilled {
        return Err(not_possible(format!(
            "an order is delivered from 7000 on, this one stands at {}: record the shipment first",
            order.status.code()
        )));
    }
    let out = OrderStatus::OutForDelivery;
    let step = step(order, out, command.occurred_at, facts.now)?;
    let count = order.attempts.len().saturating_add(1);
    let mut events = vec![OrderEvent::DeliveryFailed {
        attempt: u8::try_from(count).unwrap_or(u8::MAX),
        attempt_id: attempt.attempt_id,
        reason: attempt.reason.clone(),
        step,
        occurred_at: command.occurred_at,
    }];
    if count >= MAX_ATTEMPTS {
        if !order.collection.is_collected() {
            events.push(OrderEvent::CollectionFailed {
                reason: attempt.reason,
                is_final: true,
                occurred_at: command.occurred_at,
            });
        }
        events.push(returns::undelivered(order, count, facts)?);
    }
    Ok(events)
}

/// An attempt is known by its id, or where its sender has none by its time.
fn is_same(known: &Attempt, news: &Attempt) -> bool {
    match (&known.attempt_id, &news.attempt_id) {
        (Some(known), Some(news)) => known == news,
        (None, None) => known.occurred_at.is_some() && known.occurred_at == news.occurred_at,
        _ => false,
    }
}
