//! One event as a row: the columns, the same in every form.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{Position, Recorded};
use uuid::Uuid;

use store::hash::{hex, unhex};

/// The columns, in order.
pub(super) const COLUMNS: [&str; 14] = [
    "position",
    "eventId",
    "aggregateType",
    "aggregateId",
    "sequence",
    "type",
    "version",
    "recordedAt",
    "commandId",
    "payload",
    "metadata",
    "contentHash",
    "prevHash",
    "hash",
];

/// A row as JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Row<'a> {
    pub(super) position: i64,
    event_id: Uuid,
    aggregate_type: String,
    aggregate_id: String,
    sequence: i64,
    #[serde(rename = "type")]
    kind: String,
    version: String,
    recorded_at: String,
    command_id: Uuid,
    #[serde(borrow)]
    payload: &'a RawValue,
    #[serde(borrow)]
    metadata: &'a RawValue,
    content_hash: String,
    prev_hash: String,
    hash: String,
}

/// A line of JSON. `None` where the JSON of the event has line breaks, or is none.
pub(super) fn json(event: &Recorded) -> Option<String> {
    let broken = |text: &str| text.contains(['\n', '\r']);
    if broken(&event.payload) || broken(&event.metadata) {
        return None;
    }
    serde_json::to_string(&Row {
        position: event.position.0,
        event_id: event.event_id,
        aggregate_type: event.aggregate_type.clone(),
        aggregate_id: event.aggregate_id.clone(),
        sequence: event.sequence,
        kind: event.event_type.clone(),
        version: event.event_version.clone(),
        recorded_at: time(event.recorded_at),
        command_id: event.command_id,
        payload: serde_json::from_str(&event.payload).ok()?,
        metadata: serde_json::from_str(&event.metadata).ok()?,
        content_hash: hex(&event.content_hash),
        prev_hash: hex(&event.prev_hash),
        hash: hex(&event.hash),
    })
    .ok()
}

/// The event of a line of JSON; `None` where it is none of ours.
pub(super) fn of_json(line: &str) -> Option<Recorded> {
    let row: Row<'_> = serde_json::from_str(line).ok()?;
    Some(Recorded {
        position: Position(row.position),
        event_id: row.event_id,
        aggregate_type: row.aggregate_type,
        aggregate_id: row.aggregate_id,
        sequence: row.sequence,
        event_type: row.kind,
        event_version: row.version,
        payload: row.payload.get().to_owned(),
        metadata: row.metadata.get().to_owned(),
        command_id: row.command_id,
        recorded_at: row.recorded_at.parse().ok()?,
        content_hash: unhex(&row.content_hash)?,
        prev_hash: unhex(&row.prev_hash)?,
        hash: unhex(&row.hash)?,
    })
}

/// A line of comma-separated values.
pub(super) fn csv(event: &Recorded) -> String {
    let fields = [
        event.position.to_string(),
        event.event_id.to_string(),
        event.aggregate_type.clone(),
        event.aggregate_id.clone(),
        event.sequence.to_string(),
        event.event_type.clone(),
        event.event_version.clone(),
        time(event.recorded_at),
        event.command_id.to_string(),
        event.payload.clone(),
        event.metadata.clone(),
        hex(&event.content_hash),
        hex(&event.prev_hash),
        hex(&event.hash),
    ];
    fields.map(|field| quoted(&field)).join(",")
}

/// RFC 4180: a field with a comma, a quote or a line break is quoted, quotes doubled.
fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn sample(position: i64) -> Recorded {
        let mut event = Recorded {
            position: Position(position),
            event_id: Uuid::from_u128(1),
            aggregate_type: "order".into(),
            aggregate_id: "a,b".into(),
            sequence: position,
            event_type: "order.paid".into(),
            event_version: "1".into(),
            payload: "{\"type\": \"order.paid\", \"name\":\"สมชาย\"}".into(),
            metadata: "{\"actorId\":\"x\"}".into(),
            command_id: Uuid::from_u128(2),
            recorded_at: "2026-01-31T11:00:00.123456Z".parse().unwrap(),
            content_hash: [1; 32],
            prev_hash: [2; 32],
            hash: [3; 32],
        };
        event.content_hash = store::hash::content_of(&event);
        event
    }

    #[test]
    fn a_row_of_json_is_the_event_to_the_byte() {
        let event = sample(7);
        let line = json(&event).unwrap();
        assert_eq!(of_json(&line), Some(event.clone()));
        let names: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&line).unwrap();
        let mut columns = COLUMNS.to_vec();
        columns.sort_unstable();
        let mut found: Vec<&str> = names.keys().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, columns);
        assert_eq!(of_json(&line.replace("\"payload\"", "\"load\"")), None);
        let broken = Recorded {
            payload: "{\n}".into(),
            ..event
        };
        assert_eq!(json(&broken), None);
    }

    #[test]
    fn a_row_of_csv_is_quoted() {
        let line = csv(&sample(7));
        let start = "7,00000000-0000-0000-0000-000000000001,order,\"a,b\",7,order.paid,1,2026-01-31T11:00:00.123456Z,";
        assert!(line.starts_with(start), "{line}");
        assert!(
            line.contains("\"{\"\"type\"\": \"\"order.paid\"\""),
            "{line}"
        );
    }
}
