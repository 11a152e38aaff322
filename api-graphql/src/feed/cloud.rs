//! Events as CloudEvents 1.0 in JSON.

use chrono::SecondsFormat;
use ring::digest;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{Recorded, hash::hex};
use uuid::Uuid;

/// Digits of a stream's version: padded, it sorts as text.
const SEQUENCE_DIGITS: usize = 10;

/// One event. Extensions that are whole numbers are text: the integers of CloudEvents have 32 bits.
#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: Uuid,
    source: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    subject: &'a str,
    time: String,
    datacontenttype: &'static str,
    dataschema: String,
    position: String,
    sequence: String,
    partitionkey: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    storeid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlationid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causationid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    /// The payload as it is stored, byte for byte: what was sealed stays sealed.
    data: &'a RawValue,
}

/// What is published of an event's metadata. Absent members stay absent.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    store_id: Option<String>,
    correlation_id: Option<String>,
    causation_id: Option<String>,
    traceparent: Option<String>,
}

/// One event as JSON.
///
/// # Errors
/// The payload is no JSON, which the log does not take.
pub(super) fn event(recorded: &Recorded, source: &str) -> Result<String, serde_json::Error> {
    // Metadata decorates an event: what cannot be read of it is left out and hides no event.
    let metadata: Metadata = serde_json::from_str(&recorded.metadata).unwrap_or_default();
    let given =
        |text: &'_ Option<String>| text.as_deref().filter(|t| !t.is_empty()).map(str::to_owned);
    let (store, correlation) = (given(&metadata.store_id), given(&metadata.correlation_id));
    let (causation, trace) = (given(&metadata.causation_id), given(&metadata.traceparent));
    let data: &RawValue = serde_json::from_str(&recorded.payload)?;
    serde_json::to_string(&CloudEvent {
        specversion: "1.0",
        id: recorded.event_id,
        source,
        kind: &recorded.event_type,
        subject: &recorded.aggregate_id,
        time: recorded
            .recorded_at
            .to_rfc3339_opts(SecondsFormat::Micros, true),
        datacontenttype: "application/json",
        dataschema: schema(&recorded.event_type, &recorded.event_version),
        position: recorded.position.to_string(),
        sequence: format!("{:0width$}", recorded.sequence, width = SEQUENCE_DIGITS),
        partitionkey: &recorded.aggregate_id,
        storeid: store.as_deref(),
        correlationid: correlation.as_deref(),
        causationid: causation.as_deref(),
        traceparent: trace.as_deref(),
        data,
    })
}

/// Names the JSON Schema of a type and version: the file `domain/schemas/{type}.v{version}.json`.
fn schema(event_type: &str, version: &str) -> String {
    format!("urn:order-ledger:schema:{event_type}.v{version}")
}

/// Events as a CloudEvents batch.
///
/// # Errors
/// As [`event`].
pub(super) fn batch(events: &[Recorded], source: &str) -> Result<Vec<u8>, serde_json::Error> {
    let mut body = b"[".to_vec();
    for (at, recorded) in events.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        body.extend_from_slice(event(recorded, source)?.as_bytes());
    }
    body.push(b']');
    Ok(body)
}

/// The entity tag of a body: a hash of it.
pub(super) fn tag(body: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, body);
    format!("\"{}\"", hex(hash.as_ref().get(..16).unwrap_or_default()))
}
