//! From a decision to the records the log stores.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::{
    entity::{Command, Entity, Event},
    ids::CommandId,
    order::Order,
};
use serde::{Serialize, Serializer};
use store::NewEvent;
use uuid::Uuid;

use crate::{aggregate::Fact, request::Request, steps::StepMicros};

pub use crate::kind::NUMBER;

/// Metadata key: the subject of the credential that acted.
pub const ACTOR_ID: &str = "actorId";
/// Metadata key: the role it acted in.
pub const ACTOR_ROLE: &str = "actorRole";
/// Metadata key: the event or command that caused this one.
pub const CAUSATION_ID: &str = "causationId";
/// Metadata key: what belongs together.
pub const CORRELATION_ID: &str = "correlationId";
/// Metadata key: when the decision was made, RFC 3339.
pub const OCCURRED_AT: &str = "occurredAt";
/// Metadata key: the store's region.
pub const REGION: &str = "region";
/// Metadata key: how long the steps of the workflow took, in microseconds by name.
pub const STEP_MICROS: &str = "stepMicros";
/// Metadata key: the entity's store.
pub const STORE_ID: &str = "storeId";
/// Metadata key: the W3C trace context of the request.
pub const TRACEPARENT: &str = "traceparent";

/// What is stored beside an event: the keys above.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'a> {
    actor_id: &'a str,
    actor_role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<Uuid>,
    correlation_id: Uuid,
    #[serde(serialize_with = "milliseconds")]
    occurred_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    #[serde(skip_serializing_if = "StepMicros::is_empty")]
    step_micros: StepMicros,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
}

/// The records of a decision. `after` is the state after it.
pub(crate) fn events<E: Entity>(
    facts: &[Fact<E::Event>],
    after: &E,
    request: &Request<E>,
    steps: StepMicros,
    now: DateTime<Utc>,
) -> Result<Vec<NewEvent>, serde_json::Error> {
    let metadata = serde_json::to_string(&Metadata {
        actor_id: &request.actor.id,
        actor_role: request.actor.role.as_str(),
        causation_id: request.causation_id,
        correlation_id: request.correlation_id,
        occurred_at: now,
        region: after.region().map(|r| r.as_str()),
        step_micros: steps,
        store_id: after.store_id().map(|s| s.as_str()),
        traceparent: request.traceparent.as_deref(),
    })?;
    facts
        .iter()
        .map(|Fact(event)| {
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

fn milliseconds<S: Serializer>(at: &DateTime<Utc>, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// A command's content for its fingerprint: what is asked of which entity, without the command's own id.
pub(crate) fn content<E: Entity>(request: &Request<E>) -> Result<Vec<u8>, serde_json::Error> {
    content_of::<E>(request.target.id(), &Content(&request.command))
}

/// As [`content`], of a command whose content is known without it.
pub(crate) fn content_of<E: Entity>(
    id: Option<&E::Id>,
    content: &impl Serialize,
) -> Result<Vec<u8>, serde_json::Error> {
    let id = id.map(AsText);
    // Orders came first: what is stored of their commands goes without the kind.
    if E::TYPE == Order::TYPE {
        serde_json::to_vec(&(id, content))
    } else {
        serde_json::to_vec(&(id, content, E::TYPE))
    }
}

/// A command as what tells it from others.
struct Content<'a, C>(&'a C);

impl<C: Command> Serialize for Content<'_, C> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        self.0.content(out)
    }
}

/// An id as its text.
struct AsText<'a, Id>(&'a Id);

impl<Id: std::fmt::Display> Serialize for AsText<'_, Id> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self.0)
    }
}

/// The command id as the log stores it.
pub const fn command_id(id: CommandId) -> Uuid {
    id.0
}

#[cfg(test)]
mod tests {
    use domain::{
        actor::{Actor, Role, StoreScope},
        bundle::{Bundle, BundleCommand, BundleId},
        ids::{IntakeId, OrderId},
        intake::{Intake, IntakeCommand, Message},
        order::{OrderCommand, OrderEvent},
        store::{Store, StoreCommand},
    };

    use super::*;
    use crate::request::Target;

    fn request<E: Entity>(target: Target<E::Id>, command: E::Command) -> Request<E> {
        Request {
            command_id: CommandId(Uuid::from_u128(1)),
            actor: Actor {
                id: "somchai".into(),
                role: Role::Ops,
                stores: StoreScope::All,
            },
            expected_version: None,
            target,
            command,
            correlation_id: Uuid::from_u128(2),
            causation_id: Some(Uuid::from_u128(3)),
            traceparent: Some("00-1-2-01".into()),
        }
    }

    fn content_of<E: Entity>(id: E::Id, command: E::Command) -> String {
        let content = content::<E>(&request(Target::Entity(id), command)).unwrap();
        String::from_utf8(content).unwrap()
    }

    #[test]
    fn the_metadata_has_the_names_that_readers_know() {
        let command = OrderCommand::Release;
        let request = request::<Order>(Target::New, command);
        let steps = StepMicros {
            release: Some(7),
            ..StepMicros::default()
        };
        let at = "2026-11-24T10:00:00.5Z".parse().unwrap();
        let facts = [Fact(OrderEvent::Released { at: None })];
        let records = events::<Order>(&facts, &Order::default(), &request, steps, at).unwrap();
        let metadata: serde_json::Value = serde_json::from_str(&records[0].metadata).unwrap();
        let expected = serde_json::json!({
            ACTOR_ID: "somchai",
            ACTOR_ROLE: "ops",
            CAUSATION_ID: Uuid::from_u128(3),
            CORRELATION_ID: Uuid::from_u128(2),
            OCCURRED_AT: "2026-11-24T10:00:00.500Z",
            REGION: "",
            STEP_MICROS: { "release": 7 },
            STORE_ID: "",
            TRACEPARENT: "00-1-2-01",
        });
        assert_eq!(metadata, expected);
    }

    #[test]
    fn the_content_of_a_command_never_changes_its_form() {
        // What was stored of a command in the past must be equal to what a repeat of it gives today.
        let id = OrderId(Uuid::from_u128(9));
        assert_eq!(
            content_of::<Order>(id, OrderCommand::Allocate),
            r#"["00000000-0000-0000-0000-000000000009",{"type":"allocate"}]"#
        );
        let new = content(&request::<Order>(Target::New, OrderCommand::Allocate)).unwrap();
        assert_eq!(new, br#"[null,{"type":"allocate"}]"#);
        let bundle =
            content_of::<Bundle>(BundleId::new("CFR001").unwrap(), BundleCommand::Activate);
        assert_eq!(bundle, r#"["CFR001",{"type":"activate"},"bundle"]"#);
        let store = content_of::<Store>("CFR001".parse().unwrap(), StoreCommand::Activate);
        assert_eq!(store, r#"["CFR001",{"type":"activate"},"store"]"#);
        // Of a rejection only the fingerprint counts.
        let id = IntakeId(Uuid::from_u128(9));
        let reject = |source: &str| IntakeCommand::Reject {
            message: Message {
                source: source.into(),
                message_id: "M-1".into(),
                order: Box::default(),
                contact: None,
            },
            problems: Vec::new(),
            fingerprint: "f1".into(),
        };
        let rejected = r#"["00000000-0000-0000-0000-000000000009","f1","intake"]"#;
        assert_eq!(content_of::<Intake>(id, reject("a")), rejected);
        assert_eq!(content_of::<Intake>(id, reject("b")), rejected);
        let alone = super::content_of::<Intake>(Some(&id), &"f1").unwrap();
        assert_eq!(alone, rejected.as_bytes());
    }
}
