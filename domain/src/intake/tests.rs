//! given / when / then.

use super::*;
use crate::{
    actor::{Role, StoreScope},
    order::command::Contact,
    refusal::Code,
};

fn order_id(n: u128) -> OrderId {
    OrderId(uuid::Uuid::from_u128(n))
}

fn message(message_id: &str) -> Message {
    Message {
        source: "order.create.v1".into(),
        message_id: message_id.into(),
        order: Box::default(),
        contact: None,
    }
}

fn problem(path: &str) -> Problem {
    Problem {
        code: Code::Validation,
        path: path.into(),
        message: "wrong".into(),
    }
}

fn reject(message: Message, problems: Vec<Problem>) -> IntakeCommand {
    IntakeCommand::Reject {
        message,
        problems,
        fingerprint: String::new(),
    }
}

fn rejected() -> IntakeCommand {
    reject(message("M-1"), vec![problem("channel")])
}

fn mark_placed(n: u128) -> IntakeCommand {
    IntakeCommand::MarkPlaced {
        order_id: order_id(n),
        reason: "the store is known now".into(),
        fingerprint: None,
    }
}

fn dismiss(reason: &str) -> IntakeCommand {
    let reason = reason.into();
    IntakeCommand::Dismiss { reason }
}

fn decided(intake: &Intake, command: &IntakeCommand) -> Result<Vec<IntakeEvent>, Refusal> {
    let actor = Actor {
        id: "someone".into(),
        role: Role::Ops,
        stores: StoreScope::All,
    };
    intake.decide(command, &actor, &())
}

fn given(commands: &[IntakeCommand]) -> Intake {
    let mut intake = Intake::default();
    for command in commands {
        for event in decided(&intake, command).unwrap() {
            intake.apply(&event);
        }
    }
    intake
}

#[track_caller]
fn refused(intake: &Intake, command: &IntakeCommand, expected: &[(Code, &str)]) {
    let refusal = decided(intake, command).unwrap_err();
    let found: Vec<(Code, &str)> = refusal
        .problems
        .iter()
        .map(|p| (p.code, p.path.as_str()))
        .collect();
    assert_eq!(found, expected, "{refusal}");
}

#[test]
fn a_message_is_rejected_with_its_reasons() {
    let events = decided(&Intake::default(), &rejected()).unwrap();
    let expected = IntakeEvent::Rejected {
        message: message("M-1"),
        problems: vec![problem("channel")],
        attempt: 1,
    };
    assert_eq!(events, [expected]);
    let intake = given(&[rejected()]);
    assert!(intake.exists());
    assert_eq!(intake.outcome, IntakeOutcome::Rejected);
    assert_eq!((intake.store_id(), intake.region()), (None, None));
}

#[test]
fn every_attempt_counts_and_the_last_reasons_hold() {
    let again = reject(message("M-1"), vec![problem("storeId")]);
    let intake = given(&[rejected(), again]);
    assert_eq!(intake.attempts, 2);
    assert_eq!(intake.problems, [problem("storeId")]);
    let other = reject(message("M-2"), vec![problem("storeId")]);
    refused(&intake, &other, &[(Code::Validation, "message.messageId")]);
}

#[test]
fn what_a_rejection_must_hold() {
    let mut wrong = message("-");
    wrong.source = "x".repeat(51);
    wrong.order.contact = Some(Contact::default());
    let expected = [
        (Code::Validation, "message.source"),
        (Code::Validation, "message.messageId"),
        (Code::Validation, "message.order.contact"),
        (Code::Validation, "problems"),
    ];
    refused(&Intake::default(), &reject(wrong, Vec::new()), &expected);
    let mut long = message(&"x".repeat(200));
    long.source = "x".repeat(50);
    assert!(decided(&Intake::default(), &reject(long, vec![problem("")])).is_ok());
}

#[test]
fn a_message_has_a_name_that_one_sees() {
    assert_eq!(check_name("order.create.v1", "หน้า-1:7"), Ok(()));
    for (source, message_id, expected) in [
        ("", "M-1", "message.source"),
        (" a", "M-1", "message.source"),
        ("a b", "M-1", "message.source"),
        ("a", "M-1 ", "message.messageId"),
        ("a", "M\u{200b}-1", "message.messageId"),
        ("a", "\u{feff}M-1", "message.messageId"),
        ("a", "M-1\u{0}", "message.messageId"),
        ("a", "undefined", "message.messageId"),
    ] {
        let refusal = check_name(source, message_id).unwrap_err();
        let found: Vec<_> = refusal
            .problems
            .iter()
            .map(|p| (p.code, p.path.as_str()))
            .collect();
        assert_eq!(
            found,
            [(Code::Validation, expected)],
            "{source:?} {message_id:?}"
        );
    }
    // What is kept under an older name stays mendable.
    let mut old = message("M 1");
    let mut intake = Intake::default();
    intake.apply(&IntakeEvent::Rejected {
        message: old.clone(),
        problems: vec![problem("channel")],
        attempt: 1,
    });
    old.order.store_id = "CFR002".into();
    assert!(decided(&intake, &reject(old, vec![problem("storeId")])).is_ok());
}

#[test]
fn an_order_of_more_than_a_day_ago_is_too_old() {
    let now: chrono::DateTime<chrono::Utc> = "2026-11-24T10:00:00Z".parse().unwrap();
    let order = |ago| PlaceOrder {
        captured_at: Some(now - ago),
        ..PlaceOrder::default()
    };
    assert_eq!(check_age(&PlaceOrder::default(), now), Ok(()));
    assert_eq!(check_age(&order(MAX_AGE), now), Ok(()));
    let second = chrono::TimeDelta::seconds(1);
    let problem = check_age(&order(MAX_AGE + second), now).unwrap_err();
    assert_eq!(
        (problem.code, problem.path.as_str()),
        (Code::Validation, "capturedAt")
    );
}

#[test]
fn no_more_reasons_are_kept_than_an_order_can_have() {
    let many = (0..500).map(|n| problem(&format!("lines[{n}]"))).collect();
    let intake = given(&[reject(message("M-1"), many)]);
    assert_eq!(intake.problems.len(), decide::MAX_PROBLEMS);
    assert_eq!(intake.problems[0].path, "lines[0]");
}

#[test]
fn a_message_is_placed_after_all() {
    let intake = given(&[rejected()]);
    let expected = IntakeEvent::Placed {
        order_id: order_id(1),
        reason: "the store is known now".into(),
    };
    assert_eq!(decided(&intake, &mark_placed(1)), Ok(vec![expected]));
    let placed = given(&[rejected(), mark_placed(1)]);
    let order_id = order_id(1);
    assert_eq!(placed.outcome, IntakeOutcome::Placed { order_id });
    assert_eq!(decided(&placed, &mark_placed(1)), Ok(Vec::new()));
    let not_possible = [(Code::ErrInvalidTransition, "")];
    refused(&placed, &mark_placed(2), &not_possible);
    refused(&placed, &dismiss("too late"), &not_possible);
    let blank = IntakeCommand::MarkPlaced {
        order_id,
        reason: " ".into(),
        fingerprint: None,
    };
    refused(&intake, &blank, &[(Code::Validation, "reason")]);
}

#[test]
fn a_message_is_dismissed() {
    let intake = given(&[rejected()]);
    for reason in ["", "undefined", &"x".repeat(501)] {
        refused(&intake, &dismiss(reason), &[(Code::Validation, "reason")]);
    }
    let reason = "a test of theirs".to_owned();
    let expected = IntakeEvent::Dismissed { reason };
    let decision = decided(&intake, &dismiss("a test of theirs"));
    assert_eq!(decision, Ok(vec![expected]));
    let dismissed = given(&[rejected(), dismiss("a test of theirs")]);
    assert_eq!(decided(&dismissed, &dismiss("again")), Ok(Vec::new()));
    // The order is there: a fact beats an opinion.
    assert_eq!(decided(&dismissed, &mark_placed(1)).unwrap().len(), 1);
}

#[test]
fn a_settled_message_that_comes_once_more_changes_nothing() {
    for settled in [
        given(&[rejected(), mark_placed(1)]),
        given(&[rejected(), dismiss("a test of theirs")]),
    ] {
        assert_eq!(decided(&settled, &rejected()), Ok(Vec::new()));
    }
}

#[test]
fn a_message_must_have_come_first() {
    for command in [mark_placed(1), dismiss("why")] {
        assert!(!command.creates());
        let expected = [(Code::ErrInvalidTransition, "")];
        refused(&Intake::default(), &command, &expected);
    }
    assert!(rejected().creates());
}

#[test]
fn commands_have_names_and_want_permission() {
    for (command, name, action) in [
        (rejected(), "reject_intake", Action::Place),
        (mark_placed(1), "mark_intake_placed", Action::Redrive),
        (dismiss("why"), "dismiss_intake", Action::Redrive),
    ] {
        assert_eq!((command.name(), command.action()), (name, action));
        let json = serde_json::to_string(&command).unwrap();
        assert_eq!(
            serde_json::from_str::<IntakeCommand>(&json).unwrap(),
            command
        );
    }
}
