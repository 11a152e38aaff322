//! Giving any command by its name: what it takes and what it answers stands in the committed schema.

use serde_json::{Value, json};
use uuid::Uuid;

use super::fake::World;

const SCHEMA: &str = include_str!("../../schema.graphql");

const RECEIPT: &str = "receipt { commandId entityId orderId version position replayed }";
const PROBLEMS: &str = "problems { __typename code message status path retryable docs
    ... on VersionConflict { expected actual } ... on TryAgain { outcomeUnknown } }";
const ORDER: &str = "order { id number status statusCode paymentStatus version cashDue trackingId allowedCommands
    minLineStatus isStuck isCollectionOverdue warnings
    lines { lineNumber sku quantity orderedQuantity shortQuantity cancelledQuantity allocatedQuantity shippedQuantity
        deliveredQuantity returnedQuantity original { sku unitPrice quantity } unitPrice net
        bundle { refId submittedLine perBundle substitutable maxRise } }
    bundles { refId status statusCode bundleId definitionVersion source kind quantity price individualPrice savings
        returns lineNumbers }
    totals { orderTotal cashDue totalDiscount }
    offers { proposalId lineNumber answer approveBy replacement { sku unitPrice quantity } }
    attempts { attemptId reason }
    collection { status isFinal due amount discrepancy discrepancyReason partnerId riderId collectedAt
        proof { state erased photo } failureReason
        reconciled { remittanceId outcome accepted variance } }
    returns { cause reason lines { lineNumber quantity value } fees refund waived receivedAt }
    refunds { promised refunded owed } }";
const BUNDLE: &str =
    "bundle { id version definitionVersion isActive retiredReason sku nameEn kind priority
    components { sku quantity unitPrice role substitutable maxRise }
    pricing { fixedPrice percentOff componentsOff freeComponents }
    schedule { from until weekdays hours { from to } } stores matchLines returns }";
const STORE: &str =
    "store { id version isActive inactiveReason name region zone opening hours { from to } codLimit
    autoRelease }";
const REMITTANCE: &str = "remittance { id version partnerId storeId businessDay region status isOpened isReported
    summary { expected reported variance accepted matched differing missing extra open }
    riders { riderId items open expected reported variance accepted }
    items { edges { cursor node { reference orderId outcome expected reported variance accepted isOpen dispute
        resolution resolutionReason } } pageInfo { hasNextPage endCursor } }
    received owed held deposited }";
const DEAD_LETTER: &str =
    "deadLetter { id source messageId storeId attempts outcome orderId dismissedReason orderAsSent
    contact { state } problems { code path } }";

/// A command as an operation: `mutation($input: X!) { field(input: $input) { .. } }`.
pub(crate) fn operation(field: &str) -> String {
    let start = format!("\t{field}(input: ");
    let signature = SCHEMA
        .lines()
        .find_map(|line| line.strip_prefix(&start))
        .unwrap_or_else(|| panic!("{field} is no command"));
    let (input, payload) = signature.split_once("): ").unwrap();
    let answer = match payload.trim_end_matches('!') {
        "OrderPayload" => format!("{ORDER} {RECEIPT}"),
        "BundlePayload" => format!("{BUNDLE} {RECEIPT}"),
        "StorePayload" => format!("{STORE} {RECEIPT}"),
        "RemittancePayload" => format!("{REMITTANCE} {RECEIPT}"),
        "DeadLetterPayload" => format!("{DEAD_LETTER} {RECEIPT}"),
        "IntakePayload" => format!("order {{ id status }} {DEAD_LETTER} {RECEIPT}"),
        _ => "erasure { keysDestroyed erasedAt }".to_owned(),
    };
    format!("mutation($input: {input}) {{ {field}(input: $input) {{ {answer} {PROBLEMS} }} }}")
}

/// Gives a command under a new command id, where it has one; its payload.
pub(crate) async fn give(world: &World, token: &str, field: &str, mut input: Value) -> Value {
    if input.get("commandId").is_none() && !matches!(field, "submitOrder" | "forgetCustomer") {
        input["commandId"] = json!(Uuid::now_v7());
    }
    let answer = world
        .query_as(token, &operation(field), json!({ "input": input }))
        .await;
    let json = answer.json();
    assert!(json.get("errors").is_none(), "{field}: {}", answer.body);
    json["data"][field].clone()
}

/// As [`give`], for a command that must have its effect.
pub(crate) async fn done(world: &World, token: &str, field: &str, input: Value) -> Value {
    let payload = give(world, token, field, input).await;
    assert_eq!(payload["problems"], json!([]), "{field}");
    payload
}

/// The codes of a payload's problems.
pub(crate) fn codes(payload: &Value) -> Vec<&str> {
    let problems = payload["problems"].as_array().unwrap().iter();
    problems.map(|p| p["code"].as_str().unwrap()).collect()
}

/// The fields of both; those of the second win.
pub(crate) fn with(mut fields: Value, more: Value) -> Value {
    let Value::Object(more) = more else {
        panic!("fields are expected, not {more}")
    };
    for (name, value) in more {
        fields[name] = value;
    }
    fields
}
