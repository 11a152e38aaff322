//! From a decision to the records the log stores.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::{
    ids::CommandId,
    order::{Order, OrderEvent, event::Placed},
};
use store::{Claim, NewEvent};
use uuid::Uuid;

use crate::{aggregate::OrderFact, request::Request};

/// Metadata key: the subject of the credential that acted.
pub const ACTOR_ID: &str = "actorId";
/// Metadata key: the role it acted in.
pub const ACTOR_ROLE: &str = "actorRole";
/// Metadata key: the order's store.
pub const STORE_ID: &str = "storeId";
/// Metadata key: the store's region.
pub const REGION: &str = "region";
/// Metadata key: when the decision was made, RFC 3339.
pub const OCCURRED_AT: &str = "occurredAt";
/// Metadata key: what belongs together.
pub const CORRELATION_ID: &str = "correlationId";
/// Metadata key: the event or command that caused this one.
pub const CAUSATION_ID: &str = "causationId";
/// Metadata key: the W3C trace context of the request.
pub const TRACEPARENT: &str = "traceparent";

/// The records of a decision. `order` is the state after it.
pub fn events(
    facts: &[OrderFact],
    order: &Order,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<Vec<NewEvent>, serde_json::Error> {
    let metadata = metadata(order, request, now)?;
    facts
        .iter()
        .map(|OrderFact(event)| {
            Ok(NewEvent {
                event_id: Uuid::now_v7(),
                event_type: event.event_type().to_owned(),
                event_version: event.version().to_owned(),
                payload: serde_json::to_string(event)?,
                metadata: metadata.clone(),
            })
        })
        .collect()
}

fn metadata(
    order: &Order,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<String, serde_json::Error> {
    let mut map = BTreeMap::new();
    map.insert(ACTOR_ID, request.actor.id.clone());
    map.insert(ACTOR_ROLE, request.actor.role.as_str().to_owned());
    map.insert(
        OCCURRED_AT,
        now.to_rfc3339_opts(SecondsFormat::Millis, true),
    );
    map.insert(CORRELATION_ID, request.correlation_id.to_string());
    map.insert(STORE_ID, order.store_id.to_string());
    map.insert(REGION, order.region.to_string());
    if let Some(cause) = request.causation_id {
        map.insert(CAUSATION_ID, cause.to_string());
    }
    if let Some(trace) = &request.traceparent {
        map.insert(TRACEPARENT, trace.clone());
    }
    serde_json::to_string(&map)
}

/// What must be unique in the whole log: the order's number and each partner's reference.
pub fn claims(facts: &[OrderFact]) -> Vec<Claim> {
    let mut claims = Vec::new();
    for OrderFact(event) in facts {
        if let OrderEvent::Placed(placed) = event {
            claims.push(Claim {
                scope: NUMBER.to_owned(),
                value: placed.number.to_string(),
            });
            claims.extend(references(placed));
        }
    }
    claims
}

/// Claim scope of order numbers.
pub const NUMBER: &str = "number";

fn references(placed: &Placed) -> impl Iterator<Item = Claim> + '_ {
    placed.refs.iter().map(|r| Claim {
        scope: format!("ref:{}", r.system.as_str()),
        value: r.reference.clone(),
    })
}

/// A command's content for its fingerprint: what is asked of which order, without the command's own id.
pub fn content(request: &Request) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&(request.target.order_id(), &request.command))
}

/// The command id as the log stores it.
pub const fn command_id(id: CommandId) -> Uuid {
    id.0
}
