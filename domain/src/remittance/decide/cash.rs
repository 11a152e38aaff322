//! The cash itself: from the partner to the store, from the store to the bank. A repeat is recognised by the command's
//! id alone: two hand-overs of the same amount are two.

use super::{Decision, MAX_TEXT, check_satang, is_closed, not_possible};
use crate::{
    money::Money,
    refusal::{Code, Refusal},
    remittance::{Remittance, RemittanceEvent},
    validate::Problems,
};

/// The partner hands over what it owes, in as many parts as it likes.
pub(super) fn receive(
    remittance: &Remittance,
    amount: Money,
    reference: Option<&String>,
) -> Decision {
    if !is_closed(remittance) {
        return Err(not_possible(
            "what the partner owes is not settled yet: close the remittance first",
        ));
    }
    let owed = remittance.owed();
    let reference = check(amount, reference, owed, "what the partner still owes")?;
    Ok(vec![RemittanceEvent::CashReceived {
        amount,
        remaining: owed.saturating_sub(amount),
        reference,
    }])
}

/// The store banks what it received, in as many parts as it likes.
pub(super) fn deposit(
    remittance: &Remittance,
    amount: Money,
    reference: Option<&String>,
) -> Decision {
    let held = remittance.held();
    let reference = check(
        amount,
        reference,
        held,
        "what was received and not banked yet",
    )?;
    Ok(vec![RemittanceEvent::Deposited {
        amount,
        remaining: held.saturating_sub(amount),
        reference,
    }])
}

fn check(
    amount: Money,
    reference: Option<&String>,
    most: Money,
    what: &str,
) -> Result<Option<String>, Refusal> {
    let mut problems = Problems::default();
    if !amount.is_positive() || amount > most {
        let message = format!("amount must be above zero and at most {most}, {what}");
        problems.add(Code::Validation, "amount", message);
    }
    check_satang(&mut problems, "amount", amount);
    let reference = problems.optional(Code::Validation, "reference", reference, MAX_TEXT);
    problems.finish(Some(reference))
}
