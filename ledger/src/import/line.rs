//! One line of an import file: a command as JSON.

use domain::{
    ids::CommandId,
    order::{OrderCommand, command::PlaceOrder},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

/// The longest line in bytes, its end not counted: as long as the longest message the ledger takes.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// What `ledger import --help` says of the format.
pub const FORMAT_HELP: &str = r#"One command a line, as JSON (NDJSON, UTF-8, at most 1 MB a line):

  {"commandId": "<UUID>", "command": {"type": "place", "channel": "WEB", "storeId": "CFR001", ...}}
  {"commandId": "<UUID>", "order": {"number": "QC-2026-01-15-000001"}, "command": {"type": "allocate"}}
  {"commandId": "<UUID>", "order": {"orderId": "<UUID>"}, "expectedVersion": 4, "command": {"type": "release"}}

  commandId        names the command: sending it again repeats the answer, not the effect
  order            which order, by number or by orderId; not with "place"
  expectedVersion  optional: refuse when the order has moved on
  command          by its type:
    place            channel, storeId, isForceAllocation, lines, ... (as the API's PlaceOrderInput)
    allocate
    pay              method, amount
    release
    recordPicking    status (3500, 3600, 3700), occurredAt
    recordShipment   status (7000, 7100), trackingId, carrier, shipmentId, occurredAt
    recordDelivery   status (7200, 7300, 7500), trackingId, occurredAt
    cancel           reason
    changeLines      lines (lineNumber, quantity), reason
    reportShort      lines (lineNumber, quantity that is there), reason, reportId, occurredAt
    proposeSubstitution  proposalId, lineNumber, sku, nameTh, nameEn, unitPrice, quantity, viaMerchantApp, reason
    decideSubstitution   proposalId, approve
    recordFailedDelivery reason, attemptId, trackingId, occurredAt
    collectCash      amount, partnerId, riderId, trackingId, collectedAt, proof (photo, signature, latitude,
                     longitude, collectedBy), discrepancyReason
    failCollection   reason, occurredAt
    correctCollection    amount, reason
    requestReturn    lines (lineNumber, quantity; none for all), refundFees, reason
    receiveReturn
    refund           amount, reference

Amounts and quantities are decimal strings ("12.50"), times RFC 3339. Unknown fields are errors. Blank lines are
skipped. Commands of one order are carried out in the file's order, those of different orders side by side.

Every other line gets one JSON line as its result, in the file's order:

  {"line": 1, "commandId": "<UUID>", "outcome": "done", "orderId": "<UUID>", "version": 1, "position": 17}
  {"line": 2, "commandId": "<UUID>", "outcome": "refused", "problems": [{"code": ..., "path": ..., "message": ...}]}

  done             carried out
  already_applied  the order is already where the command would bring it
  replayed         this very command was carried out before
  refused          the command breaks a rule; the problems say which
  error            the line is no command, or its outcome is not known: repeat the import

Importing a file again is always safe. With --results FILE the import goes on after the last result in FILE.

Exit codes: 0 every command is in effect, 7 some were refused, 1 some lines ended in an error or the import stopped."#;

/// A command and the order it is for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Names the command.
    pub command_id: CommandId,
    /// Which order; `None` for placing a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderKey>,
    /// The version the sender decided on, where they care.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<i64>,
    /// The command.
    pub command: OrderCommand,
}

/// How a line names its order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OrderKey {
    /// By its number.
    Number(String),
    /// By its id.
    OrderId(domain::ids::OrderId),
}

/// Why a line is no command, in words that repeat none of its values: they may be personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LineError {
    /// The command's id, where at least that could be read.
    pub command_id: Option<CommandId>,
    /// What is wrong.
    pub message: String,
}

/// The line before its command is read. Raw, because a tagged enum would let unknown fields pass on a variant
/// without fields.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawLine<'a> {
    command_id: CommandId,
    #[serde(default)]
    order: Option<OrderKey>,
    #[serde(default)]
    expected_version: Option<i64>,
    #[serde(borrow)]
    command: &'a RawValue,
}

/// A command without fields.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bare {
    #[serde(rename = "type")]
    _type: String,
}

impl Line {
    /// Reads a line, without its end.
    pub fn parse(text: &[u8]) -> Result<Self, LineError> {
        let invalid = |command_id, message: &str| LineError {
            command_id,
            message: message.to_owned(),
        };
        let text =
            std::str::from_utf8(text).map_err(|_| invalid(None, "the line is not UTF-8 text"))?;
        let raw: RawLine<'_> = serde_json::from_str(text).map_err(|e| unreadable(None, "", &e))?;
        let id = Some(raw.command_id);
        let command: OrderCommand =
            serde_json::from_str(raw.command.get()).map_err(|e| unreadable(id, "command: ", &e))?;
        let is_bare = matches!(
            command,
            OrderCommand::Allocate | OrderCommand::Release | OrderCommand::ReceiveReturn
        );
        if is_bare {
            serde_json::from_str::<Bare>(raw.command.get())
                .map_err(|e| unreadable(id, "command: ", &e))?;
        }
        match (&command, &raw.order) {
            (OrderCommand::Place(_), Some(_)) => Err(invalid(
                id,
                "order: must be absent, because \"place\" makes a new order; leave it out",
            )),
            (OrderCommand::Place(_), None) | (_, Some(_)) => Ok(Self {
                command_id: raw.command_id,
                order: raw.order,
                expected_version: raw.expected_version,
                command,
            }),
            (_, None) => Err(invalid(
                id,
                "order: is missing; name the order by number or by orderId",
            )),
        }
    }

    /// The line as JSON, without its end and without fields that say nothing.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let mut value = serde_json::to_value(self)?;
        drop_empty(&mut value);
        serde_json::to_string(&value)
    }

    /// The number that a new order brings, or by which the line names its order.
    pub fn number(&self) -> Option<&str> {
        match (&self.order, &self.command) {
            (Some(OrderKey::Number(number)), _) => Some(number.trim()),
            (None, OrderCommand::Place(place)) => brought_number(place),
            _ => None,
        }
    }
}

fn brought_number(place: &PlaceOrder) -> Option<&str> {
    place
        .number
        .as_deref()
        .map(str::trim)
        .filter(|n| !n.is_empty())
}

/// Fields that may be left out where they are false.
const FALSE_WHEN_ABSENT: [&str; 4] = [
    "allowSubstitution",
    "informational",
    "isGift",
    "isWeightItem",
];

fn drop_empty(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(drop_empty);
            fields.retain(|name, value| match value {
                Value::Null => false,
                Value::Bool(value) => *value || !FALSE_WHEN_ABSENT.contains(&name.as_str()),
                Value::Array(items) => !items.is_empty(),
                _ => true,
            });
        }
        Value::Array(items) => items.iter_mut().for_each(drop_empty),
        _ => {}
    }
}

fn unreadable(command_id: Option<CommandId>, what: &str, error: &serde_json::Error) -> LineError {
    LineError {
        command_id,
        message: format!("{what}{}", without_values(&error.to_string())),
    }
}

/// A parser's message without the value it repeats.
fn without_values(message: &str) -> String {
    const REPEATING: [&str; 3] = ["invalid type", "invalid value", "invalid length"];
    match (
        REPEATING.iter().find(|start| message.starts_with(**start)),
        message.rfind(", expected"),
    ) {
        (Some(start), Some(at)) => format!("{start}{}", &message[at..]),
        (Some(start), None) => (*start).to_owned(),
        (None, _) => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0192f0c1-2345-4678-9abc-def012345678";

    fn message(text: &str) -> String {
        Line::parse(text.as_bytes()).unwrap_err().message
    }

    fn with(rest: &str) -> String {
        format!(r#"{{"commandId":"{ID}",{rest}}}"#)
    }

    #[test]
    fn a_line_names_its_order_by_number_or_id() {
        let line = Line::parse(
            with(r#""order":{"number":" QC-2026-01-15-000001 "},"command":{"type":"allocate"}"#)
                .as_bytes(),
        )
        .unwrap();
        assert_eq!(line.number(), Some("QC-2026-01-15-000001"));
        let line = with(&format!(
            r#""order":{{"orderId":"{ID}"}},"expectedVersion":4,"command":{{"type":"release"}}"#
        ));
        let line = Line::parse(line.as_bytes()).unwrap();
        assert_eq!((line.number(), line.expected_version), (None, Some(4)));
        let place = r#""command":{"type":"place","channel":"WEB","storeId":"CFR001","lines":[]}"#;
        assert_eq!(Line::parse(with(place).as_bytes()).unwrap().number(), None);
    }

    #[test]
    fn a_line_survives_being_written() {
        let place = r#""command":{"type":"place","number":"n","channel":"WEB","storeId":"CFR001","isForceAllocation":false,
            "lines":[{"lineNumber":1,"sku":"x","quantity":"1","unitPrice":"2.5","isTaxIncluded":false}]}"#;
        let line = Line::parse(with(place).as_bytes()).unwrap();
        let text = line.to_json().unwrap();
        assert_eq!(Line::parse(text.as_bytes()).unwrap(), line);
        assert!(!text.contains("null") && !text.contains("isGift"), "{text}");
    }

    #[test]
    fn unknown_and_missing_fields_are_errors() {
        for (rest, expected) in [
            (
                r#""command":{"type":"allocate"},"order":{"number":"n"},"x":1"#,
                "unknown field `x`",
            ),
            (
                r#""command":{"type":"allocate","x":1},"order":{"number":"n"}"#,
                "unknown field `x`",
            ),
            (
                r#""command":{"type":"cancel","reason":"r","x":1},"order":{"number":"n"}"#,
                "unknown field `x`",
            ),
            (
                r#""command":{"type":"nope"},"order":{"number":"n"}"#,
                "unknown variant `nope`",
            ),
            (
                r#""command":{"type":"allocate"},"order":{"number":"n","orderId":"m"}"#,
                "expected",
            ),
            (r#""command":{"type":"allocate"}"#, "order: is missing"),
            (
                r#""command":{"type":"cancel"},"order":{"number":"n"}"#,
                "missing field `reason`",
            ),
            (r#""order":{"number":"n"}"#, "missing field `command`"),
            (
                r#""command":{"type":"place","channel":"","storeId":"","lines":[]},"order":{"number":"n"}"#,
                "must be absent",
            ),
            (
                r#""commandId":"x","command":{"type":"allocate"}"#,
                "duplicate field `commandId`",
            ),
        ] {
            let message = message(&with(rest));
            assert!(message.contains(expected), "{rest}: {message}");
        }
        assert!(message("{").contains("EOF"));
        assert!(message("[]").contains("invalid"));
        assert!(Line::parse(b"\xff").unwrap_err().message.contains("UTF-8"));
    }

    #[test]
    fn an_error_names_the_command_but_repeats_no_value() {
        let text = with(
            r#""command":{"type":"place","channel":"WEB","storeId":"CFR001","lines":[],"contact":{"name":"Som","phone":812345678}}"#,
        );
        let error = Line::parse(text.as_bytes()).unwrap_err();
        assert_eq!(
            error.command_id.map(|id| id.to_string()).as_deref(),
            Some(ID)
        );
        assert!(!error.message.contains("812345678"), "{error}");
        let message = message(&with(r#""command":"Som, \"chai\", expected nothing""#));
        assert!(!message.contains("chai"), "{message}");
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Line::parse(&bytes);
        }

        #[test]
        fn no_json_like_line_makes_it_panic(text in r#"(\{|\}|\[|\]|"|:|,|commandId|order|number|command|type|place|allocate|[0-9eE.+-]|\\u[0-9a-f]{4}|\PC){0,80}"#) {
            let _ = Line::parse(text.as_bytes());
        }
    }
}
