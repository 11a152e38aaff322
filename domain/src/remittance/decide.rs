//! Decisions on a remittance, one module per part of its life.

mod cash;
mod settle;
mod sides;

use super::{Remittance, RemittanceCommand, RemittanceEvent, RemittanceFacts, RemittanceStatus};
use crate::{
    money::{Money, SCALE},
    pricing,
    refusal::{Code, Refusal},
    validate::Problems,
};

/// What a decision answers.
type Decision = Result<Vec<RemittanceEvent>, Refusal>;

/// Longest reference, id of a report, number of a receipt, rider.
const MAX_TEXT: usize = 50;
/// Longest reason.
const MAX_REASON: usize = 500;
/// The largest amount of an item: a billion THB, far above any order. A thousand of them add up to an amount that
/// DECIMAL(18,4) holds.
const MAX_AMOUNT: Money = Money::from_units(1_000_000_000 * SCALE);

pub(super) fn decide(
    remittance: &Remittance,
    command: &RemittanceCommand,
    facts: &RemittanceFacts,
) -> Decision {
    use RemittanceCommand as C;
    match command {
        C::Expect { region, items } => sides::expect(remittance, region, items, facts),
        C::Report {
            report_id,
            items,
            total,
        } => sides::report(remittance, report_id, items, *total, facts),
        _ if remittance.id.is_none() => Err(not_possible(
            "nothing is expected or reported for this partner, store and day: report first",
        )),
        C::Dispute { reference, reason } => settle::dispute(remittance, reference, reason),
        C::Resolve {
            reference,
            accepted,
            resolution,
            reason,
        } => settle::resolve(
            remittance,
            reference,
            (*accepted, *resolution),
            reason,
            facts,
        ),
        C::Close => settle::close(remittance, facts),
        C::Receive { amount, reference } => cash::receive(remittance, *amount, reference.as_ref()),
        C::Deposit { amount, reference } => cash::deposit(remittance, *amount, reference.as_ref()),
    }
}

/// The command's effect is already there.
fn already_applied() -> Decision {
    Ok(Vec::new())
}

/// The remittance does not stand where the command could move it on.
fn not_possible(message: impl Into<String>) -> Refusal {
    Refusal::one(Code::ErrInvalidTransition, "", message)
}

fn is_closed(remittance: &Remittance) -> bool {
    remittance.status == RemittanceStatus::Closed
}

/// Cash comes in whole satang.
fn check_satang(problems: &mut Problems, path: &str, amount: Money) {
    if !pricing::is_cash(amount) {
        let message = format!("{path} must be in whole satang, such as 327.50");
        problems.add(Code::CodAmountAccuracy, path, message);
    }
}
