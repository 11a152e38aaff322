//! given / when / then.

mod cash;
mod extra;
mod matching;
mod properties;
mod settle;
mod sides;
mod size;
mod words;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::*;
use crate::{
    actor::{Role, StoreScope},
    ids::{OrderId, PartnerId},
    refusal::Code,
};

use ItemOutcome::{Extra, Matched, Missing, Variance};
use RemittanceStatus::{Awaiting, Closed, Differing};

fn baht(text: &str) -> Money {
    text.parse().unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-11-24T03:30:00Z".parse().unwrap()
}

fn order(number: u128) -> OrderId {
    OrderId(Uuid::from_u128(number))
}

fn reference(number: u128) -> String {
    format!("QC-2026-11-24-{number:06}")
}

fn region() -> RegionId {
    RegionId::new("BKK-EAST").unwrap()
}

fn facts() -> RemittanceFacts {
    let day = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
    let (partner, store) = (PartnerId::new("GRAB"), StoreId::new("CFR029"));
    RemittanceFacts {
        id: RemittanceId::new(partner.unwrap(), store.unwrap(), day),
        now: now(),
        region: Some(region()),
        orders: Vec::new(),
        extras: Vec::new(),
    }
}

fn expected(number: u128, amount: &str) -> ExpectedItem {
    ExpectedItem {
        order_id: order(number),
        reference: reference(number),
        amount: baht(amount),
        rider_id: Some(format!("RIDER-{}", number % 2)),
        collected_at: now(),
    }
}

fn expect(items: &[(u128, &str)]) -> RemittanceCommand {
    let items = items
        .iter()
        .map(|(number, amount)| expected(*number, amount));
    RemittanceCommand::Expect {
        region: region(),
        items: items.collect(),
    }
}

fn report(report_id: &str, items: &[(u128, &str)]) -> RemittanceCommand {
    let items = items.iter().map(|(number, amount)| ReportedItemInput {
        reference: reference(*number),
        amount: baht(amount),
    });
    RemittanceCommand::Report {
        report_id: report_id.into(),
        items: items.collect(),
        total: None,
    }
}

fn dispute(number: u128, reason: &str) -> RemittanceCommand {
    RemittanceCommand::Dispute {
        reference: reference(number),
        reason: reason.into(),
    }
}

fn resolve(number: u128, accepted: &str, resolution: Resolution) -> RemittanceCommand {
    RemittanceCommand::Resolve {
        reference: reference(number),
        accepted: baht(accepted),
        resolution,
        reason: "talked about it".into(),
    }
}

fn receive(amount: &str) -> RemittanceCommand {
    RemittanceCommand::Receive {
        amount: baht(amount),
        reference: Some("RC-1".into()),
    }
}

fn deposit(amount: &str) -> RemittanceCommand {
    RemittanceCommand::Deposit {
        amount: baht(amount),
        reference: None,
    }
}

fn decide_with(
    remittance: &Remittance,
    command: &RemittanceCommand,
    facts: &RemittanceFacts,
) -> Result<Vec<RemittanceEvent>, Refusal> {
    let actor = Actor {
        id: "someone".into(),
        role: Role::Admin,
        stores: StoreScope::All,
    };
    remittance.decide(command, &actor, facts)
}

fn decide(
    remittance: &Remittance,
    command: &RemittanceCommand,
) -> Result<Vec<RemittanceEvent>, Refusal> {
    decide_with(remittance, command, &facts())
}

/// Decides and applies.
fn run(remittance: &mut Remittance, command: &RemittanceCommand) -> Vec<RemittanceEvent> {
    let events = decide(remittance, command).unwrap();
    for event in &events {
        remittance.apply(event);
    }
    events
}

fn after(commands: &[RemittanceCommand]) -> Remittance {
    let mut remittance = Remittance::default();
    for command in commands {
        run(&mut remittance, command);
    }
    remittance
}

/// The codes and paths of a refusal.
fn refused(remittance: &Remittance, command: &RemittanceCommand) -> Vec<(Code, String)> {
    refused_with(remittance, command, &facts())
}

fn refused_with(
    remittance: &Remittance,
    command: &RemittanceCommand,
    facts: &RemittanceFacts,
) -> Vec<(Code, String)> {
    let refusal = decide_with(remittance, command, facts).unwrap_err();
    for problem in &refusal.problems {
        assert!(problem.message.len() > 10, "{problem:?}");
    }
    let problems = refusal.problems.into_iter();
    problems.map(|p| (p.code, p.path)).collect()
}

fn invalid(path: &str) -> Vec<(Code, String)> {
    vec![(Code::Validation, path.into())]
}

fn inaccurate(path: &str) -> Vec<(Code, String)> {
    vec![(Code::CodAmountAccuracy, path.into())]
}

fn impossible() -> Vec<(Code, String)> {
    vec![(Code::ErrInvalidTransition, String::new())]
}

/// `MATCHED 393.0000 393.0000 0.0000`, item by item.
fn outcomes(remittance: &Remittance) -> Vec<(ItemOutcome, String, String, String)> {
    let items = remittance.comparisons.iter();
    items
        .map(|item| {
            let sides = [item.expected, item.reported, item.variance];
            let [expected, reported, variance] = sides.map(|amount| {
                let text = amount.to_string();
                text.strip_suffix("00").unwrap_or(&text).to_owned()
            });
            (item.outcome, expected, reported, variance)
        })
        .collect()
}

fn row(
    outcome: ItemOutcome,
    expected: &str,
    reported: &str,
    variance: &str,
) -> (ItemOutcome, String, String, String) {
    (outcome, expected.into(), reported.into(), variance.into())
}

/// The documented day: 810.00 expected, 720.50 reported.
fn the_day() -> [RemittanceCommand; 2] {
    [
        expect(&[(1, "393"), (2, "328"), (3, "89")]),
        report("R-1", &[(1, "393"), (2, "327.50")]),
    ]
}
