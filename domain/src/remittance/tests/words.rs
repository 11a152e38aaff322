//! The words of commands: their names, and what they need permission for.

use crate::{actor::Action, entity::Command, remittance::RemittanceCommand};

#[test]
fn commands_have_names_and_want_permission() {
    for (json, name, action) in [
        (
            r#"{"type":"expect","region":"BKK-EAST","items":[]}"#,
            "expect_remittance",
            Action::RunProcesses,
        ),
        (
            r#"{"type":"report","reportId":"R-1","items":[]}"#,
            "report_remittance",
            Action::ReportRemittance,
        ),
        (
            r#"{"type":"dispute","reference":"QC-1","reason":"why"}"#,
            "dispute_item",
            Action::Reconcile,
        ),
        (
            r#"{"type":"resolve","reference":"QC-1","accepted":"1","resolution":"AGREED","reason":"why"}"#,
            "resolve_item",
            Action::Reconcile,
        ),
        (r#"{"type":"close"}"#, "close_remittance", Action::Reconcile),
        (
            r#"{"type":"receive","amount":"1"}"#,
            "receive_cash",
            Action::Reconcile,
        ),
        (
            r#"{"type":"deposit","amount":"1"}"#,
            "deposit_cash",
            Action::Reconcile,
        ),
    ] {
        let command: RemittanceCommand = serde_json::from_str(json).unwrap();
        assert_eq!((command.name(), command.action()), (name, action));
        assert_eq!(
            command.creates(),
            ["expect_remittance", "report_remittance"].contains(&name)
        );
        let again = serde_json::to_string(&command).unwrap();
        let again: RemittanceCommand = serde_json::from_str(&again).unwrap();
        assert_eq!(again, command);
    }
}
