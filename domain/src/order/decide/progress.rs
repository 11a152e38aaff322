//! Picking, shipment and delivery news: forward only, along the status machine.
//!
//! Partners repeat messages and deliver them late. News of a status that the order has reached or
//! passed is acknowledged without an event; news from further ahead is one event that names the
//! statuses it steps over, as far as the machine lets it.

use chrono::{DateTime, Utc};

use super::{Decision, already_applied, not_possible, partner_id, times};
use crate::{
    order::{
        command::{RecordDelivery, RecordPicking, RecordShipment},
        event::{OrderEvent, Step},
        facts::Facts,
        state::Order,
        status::OrderStatus,
    },
    refusal::{Code, Refusal},
    validate::{Problems, clean_option},
};

const PICKING: &[OrderStatus] = &[
    OrderStatus::InProcess,
    OrderStatus::Picked,
    OrderStatus::Packed,
];
const SHIPMENT: &[OrderStatus] = &[OrderStatus::Fulfilled, OrderStatus::Shipped];
const DELIVERY: &[OrderStatus] = &[
    OrderStatus::InTransit,
    OrderStatus::OutForDelivery,
    OrderStatus::Delivered,
];

/// 3500, 3600, 3700.
pub(super) fn picking(order: &Order, command: &RecordPicking, facts: &Facts) -> Decision {
    let mut problems = Problems::default();
    let (status, at) = (command.status, command.occurred_at);
    check_news(&mut problems, status, PICKING, at, (order, facts));
    problems.finish(Some(()))?;
    match step(order, command.status, command.occurred_at, facts.now)? {
        Some(step) => Ok(vec![OrderEvent::PickingRecorded { step }]),
        None => already_applied(),
    }
}

/// 7000, which brings the tracking id and the carrier, and 7100.
pub(super) fn shipment(order: &Order, command: &RecordShipment, facts: &Facts) -> Decision {
    let mut problems = Problems::default();
    let (status, at) = (command.status, command.occurred_at);
    check_news(&mut problems, status, SHIPMENT, at, (order, facts));
    let ids = [
        ("trackingId", command.tracking_id.as_ref()),
        ("carrier", command.carrier.as_ref()),
        ("shipmentId", command.shipment_id.as_ref()),
    ];
    let [tracking_id, carrier, shipment_id] =
        ids.map(|(path, text)| partner_id(&mut problems, path, text));
    check_tracking(&mut problems, order, command.tracking_id.as_ref());
    let is_new = order.status < command.status;
    if is_new && command.status == OrderStatus::Fulfilled {
        for (path, text) in ids.into_iter().take(2) {
            if clean_option(text).is_none() {
                problems.add(
                    Code::Validation,
                    path,
                    format!("{path} is required for 7000"),
                );
            }
        }
    }
    problems.finish(Some(()))?;
    match step(order, command.status, command.occurred_at, facts.now)? {
        Some(step) => Ok(vec![OrderEvent::ShipmentRecorded {
            step,
            tracking_id,
            carrier,
            shipment_id,
        }]),
        None => already_applied(),
    }
}

/// 7200, 7300, 7500.
pub(super) fn delivery(order: &Order, command: &RecordDelivery, facts: &Facts) -> Decision {
    let mut problems = Problems::default();
    let (status, at) = (command.status, command.occurred_at);
    check_news(&mut problems, status, DELIVERY, at, (order, facts));
    check_tracking(&mut problems, order, command.tracking_id.as_ref());
    problems.finish(Some(()))?;
    if command.status == OrderStatus::Delivered && order.is_undelivered() {
        return Err(not_possible(
            "the goods go back undelivered: if the customer has them after all, tell operations",
        ));
    }
    match step(order, command.status, command.occurred_at, facts.now)? {
        Some(step) => Ok(vec![OrderEvent::DeliveryRecorded { step }]),
        None => already_applied(),
    }
}

fn check_news(
    problems: &mut Problems,
    status: OrderStatus,
    allowed: &[OrderStatus],
    occurred_at: Option<DateTime<Utc>>,
    (order, facts): (&Order, &Facts),
) {
    if !allowed.contains(&status) {
        let codes: Vec<String> = allowed.iter().map(|s| s.code().to_string()).collect();
        let message = format!("status must be one of {}", codes.join(", "));
        problems.add(Code::Validation, "status", message);
    }
    times::check_past(problems, "occurredAt", occurred_at, order, facts);
}

/// News about another parcel than the order's own moves nothing.
pub(super) fn check_tracking(problems: &mut Problems, order: &Order, tracking_id: Option<&String>) {
    let (Some(ours), Some(theirs)) = (order.tracking_id.as_deref(), clean_option(tracking_id))
    else {
        return;
    };
    if ours != theirs {
        let message = format!("trackingId must be the shipment's, {ours}");
        problems.add(Code::Validation, "trackingId", message);
    }
}

/// The move to `to`; `None` where the order is there or further.
pub(super) fn step(
    order: &Order,
    to: OrderStatus,
    occurred_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Option<Step>, Refusal> {
    let from = order.status;
    if from >= to {
        return Ok(None);
    }
    match from.path_to(to) {
        Some(skipped) => Ok(Some(Step {
            from,
            to,
            skipped: skipped.to_vec(),
            occurred_at,
            recorded_at: Some(now),
        })),
        None => {
            let (from, to) = (from.code(), to.code());
            Err(not_possible(format!(
                "an order cannot go from {from} to {to}: record what lies between first"
            )))
        }
    }
}
