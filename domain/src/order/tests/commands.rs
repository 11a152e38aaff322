//! The words of commands: their names, what they need permission for, and what they say of people.

use super::*;
use crate::{
    actor::Action,
    entity::Command,
    order::command::{Address, Contact, Proof},
};

/// Every command as JSON, its name, and what must be allowed.
const COMMANDS: &[(&str, &str, Action)] = &[
    (
        r#"{"type":"place","channel":"WEB","storeId":"CFR029","lines":[]}"#,
        "place",
        Action::Place,
    ),
    (r#"{"type":"allocate"}"#, "allocate", Action::Allocate),
    (
        r#"{"type":"pay","method":"COD","amount":"1"}"#,
        "pay",
        Action::Pay,
    ),
    (r#"{"type":"release"}"#, "release", Action::Release),
    (
        r#"{"type":"recordPicking","status":3500}"#,
        "record_picking",
        Action::RecordPicking,
    ),
    (
        r#"{"type":"recordShipment","status":7000}"#,
        "record_shipment",
        Action::RecordShipment,
    ),
    (
        r#"{"type":"recordDelivery","status":7500}"#,
        "record_delivery",
        Action::RecordDelivery,
    ),
    (
        r#"{"type":"cancel","reason":"why"}"#,
        "cancel",
        Action::Cancel,
    ),
    (
        r#"{"type":"changeLines","lines":[],"reason":"why"}"#,
        "change_lines",
        Action::ChangeLines,
    ),
    (
        r#"{"type":"reportShort","lines":[],"reason":"why"}"#,
        "report_short",
        Action::ReportShort,
    ),
    (
        r#"{"type":"proposeSubstitution","proposalId":"P","lineNumber":1,"sku":"X","unitPrice":"1"}"#,
        "propose_substitution",
        Action::ReportShort,
    ),
    (
        r#"{"type":"decideSubstitution","proposalId":"P","approve":true}"#,
        "decide_substitution",
        Action::DecideSubstitution,
    ),
    (
        r#"{"type":"expireSubstitution","proposalId":"P"}"#,
        "expire_substitution",
        Action::RunProcesses,
    ),
    (
        r#"{"type":"recordFailedDelivery","reason":"why"}"#,
        "record_failed_delivery",
        Action::RecordDelivery,
    ),
    (
        r#"{"type":"collectCash","amount":"1","partnerId":"GRAB"}"#,
        "collect_cash",
        Action::CollectCash,
    ),
    (
        r#"{"type":"failCollection","reason":"why"}"#,
        "fail_collection",
        Action::CollectCash,
    ),
    (
        r#"{"type":"correctCollection","amount":"1","reason":"why"}"#,
        "correct_collection",
        Action::CorrectCash,
    ),
    (
        r#"{"type":"reconcileCash","remittanceId":"GRAB:CFR029:2026-03-14","outcome":"MATCHED","expected":"1","accepted":"1"}"#,
        "reconcile_cash",
        Action::RunProcesses,
    ),
    (
        r#"{"type":"requestReturn","reason":"why"}"#,
        "request_return",
        Action::RequestReturn,
    ),
    (
        r#"{"type":"receiveReturn"}"#,
        "receive_return",
        Action::ReceiveReturn,
    ),
    (
        r#"{"type":"refund","amount":"1"}"#,
        "refund",
        Action::Refund,
    ),
    (
        r#"{"type":"flagStuck"}"#,
        "flag_stuck",
        Action::RunProcesses,
    ),
    (
        r#"{"type":"flagOverdueCollection"}"#,
        "flag_overdue_collection",
        Action::RunProcesses,
    ),
];

#[test]
fn commands_have_names_and_want_permission() {
    for (json, name, action) in COMMANDS {
        let command: OrderCommand = serde_json::from_str(json).unwrap();
        assert_eq!((command.name(), command.action()), (*name, *action));
        assert_eq!(command.creates(), *name == "place");
        let again = serde_json::to_string(&command).unwrap();
        let again: OrderCommand = serde_json::from_str(&again).unwrap();
        assert_eq!(again, command);
        // A misspelt field must not be lost in silence, where a command has any.
        let odd = json.replacen('{', r#"{"misspelt":1,"#, 1);
        let is_read = serde_json::from_str::<OrderCommand>(&odd).is_ok();
        assert_eq!(is_read, !json.contains(','), "{odd}");
    }
    // The parser knows every command and names them when it meets none of them.
    let error = serde_json::from_str::<OrderCommand>(r#"{"type":"?"}"#).unwrap_err();
    let known = error.to_string().matches('`').count() / 2;
    assert_eq!(known, COMMANDS.len() + 1, "{error}");
}

#[test]
fn what_is_said_of_people_never_reaches_a_log() {
    let contact = Contact {
        name: Some("Somchai".into()),
        address: Some(Address {
            line1: "Sukhumvit 77".into(),
            ..Address::default()
        }),
        ..Contact::default()
    };
    let proof = Proof {
        photo: Some("Sukhumvit".into()),
        collected_by: Some("Somchai".into()),
        ..Proof::default()
    };
    let text = format!("{contact:?} {:?} {proof:?}", contact.address);
    assert_eq!(text, "Contact(..) Some(Address(..)) Proof(..)");
}
