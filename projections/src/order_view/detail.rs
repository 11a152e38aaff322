//! What an order's history shows of one event.

use chrono::{DateTime, Utc};
use domain::order::OrderEvent;
use serde_json::{Map, Value};

use crate::decode::{OrderRecord, Poison};

/// When it happened, as far as its sender said.
pub(crate) const fn occurred_at(event: &OrderEvent) -> Option<DateTime<Utc>> {
    match event {
        OrderEvent::PickingRecorded { step }
        | OrderEvent::ShipmentRecorded { step, .. }
        | OrderEvent::DeliveryRecorded { step } => step.occurred_at,
        OrderEvent::Shorted { occurred_at, .. }
        | OrderEvent::DeliveryFailed { occurred_at, .. }
        | OrderEvent::CollectionFailed { occurred_at, .. } => *occurred_at,
        OrderEvent::CashCollected(cash) => Some(cash.collected_at),
        _ => None,
    }
}

/// The event's own fields short of what the history shows in columns of its own; nothing for the
/// first event, whose content is the order itself. Of new figures only the totals, as `totals`; of a
/// sealed proof only that there is one, as `hasProof`.
pub(super) fn detail(record: &OrderRecord<'_>) -> Result<Map<String, Value>, Poison> {
    if matches!(record.event, OrderEvent::Placed(_)) {
        return Ok(Map::new());
    }
    // As today's programs say it, whatever the version it was stored in.
    let Ok(Value::Object(mut fields)) = serde_json::to_value(record.event) else {
        return Err(record.poison("it does not serialise as a JSON object"));
    };
    fields.retain(|name, _| !matches!(name.as_str(), "type" | "occurredAt"));
    // Of a correction they are amounts, of everything else the statuses.
    if !matches!(record.event, OrderEvent::CollectionCorrected { .. }) {
        fields.retain(|name, _| !matches!(name.as_str(), "from" | "to"));
    }
    if let Some(Value::Object(mut figures)) = fields.remove("figures")
        && let Some(totals) = figures.remove("totals")
    {
        fields.insert("totals".to_owned(), totals);
    }
    if matches!(record.event, OrderEvent::CashCollected(_)) {
        let has_proof = fields.remove("proof").is_some();
        fields.insert("hasProof".to_owned(), has_proof.into());
    }
    Ok(fields)
}
