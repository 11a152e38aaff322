//! Cash on delivery. Cash in a rider's hand is a fact: it is recorded whatever was due, and a
//! difference is kept with it. Only operations change what was recorded, and nobody once the
//! partner's remittance settled it.
//!
//! An order whose goods go back undelivered takes cash as well: nothing is due then, and all of it is
//! owed back. A cancelled order takes none: it never left the store, so that the news is about
//! another order; should a partner account for such cash, its remittance shows it as extra.
//!
//! A partner may also hand over an order's cash before anybody says that it was collected. Its remittance
//! accepts it as extra then and tells the order, which remembers it: when the collection is heard of, only
//! what was not handed over yet is expected of the partner, and the cash is reconciled at once where that
//! is nothing. The same way the order remembers what was missing when it was settled and came later, and
//! what came for a cancelled order.

use super::{
    Decision, MAX_REASON, already_applied, not_possible, partner_id, progress, reason, times,
};
use crate::{
    ids::PartnerId,
    money::{Money, SCALE},
    order::{
        after::{CollectionStatus, TakenIn},
        command::{CollectCash, CorrectCollection, FailCollection, Proof, ReconcileCash},
        event::{CashCollected, OrderEvent, Sealed},
        facts::Facts,
        state::Order,
        status::OrderStatus,
    },
    pricing,
    refusal::{Code, Refusal},
    remittance::ItemOutcome,
    validate::{Problems, clean},
};

/// How far collected cash may lie from the cash due and still be that: 0.01 THB.
const TOLERANCE: u64 = 100;
/// More cash than any order comes to, 1,000,000 THB: a mistake.
const MAX_CASH: Money = Money::from_units(1_000_000 * SCALE);
/// Longest place where a photo or a signature is kept.
const MAX_PROOF_PLACE: usize = 500;
/// Longest name of who took the cash.
const MAX_COLLECTED_BY: usize = 100;
/// Longest coordinate.
const MAX_COORDINATE: usize = 20;

/// Records cash. The same amount with the same partner again changes nothing.
pub(super) fn collect(order: &Order, command: &CollectCash, facts: &Facts) -> Decision {
    let mut problems = Problems::default();
    check_amount(&mut problems, command.amount);
    let partner = PartnerId::new(clean(&command.partner_id).unwrap_or_default());
    let partner = partner.map_err(|e| {
        let message = format!("partnerId {}", e.problem);
        problems.add(Code::Validation, "partnerId", message);
    });
    let rider_id = partner_id(&mut problems, "riderId", command.rider_id.as_ref());
    progress::check_tracking(&mut problems, order, command.tracking_id.as_ref());
    // A time to come would put the cash into the books of a day that has not begun.
    let collected_at = command.collected_at;
    times::check_past(&mut problems, "collectedAt", collected_at, order, facts);
    let reason = command.discrepancy_reason.as_ref();
    let reason = problems.optional(Code::Validation, "discrepancyReason", reason, MAX_REASON);
    let proof = proof(&mut problems, command.proof.as_ref(), facts);
    let partner_id = problems.finish(partner.ok())?;
    check_goods_left(order)?;
    let collection = &order.collection;
    if order.collection.is_collected() {
        let is_same = collection.amount == command.amount
            && collection.partner_id.as_ref() == Some(&partner_id);
        return if is_same {
            already_applied()
        } else {
            let known = collection.amount;
            let message = format!("{known} is collected already: operations correct it");
            Err(not_possible(message))
        };
    }
    let due = order.cod_due();
    let discrepancy = discrepancy(command.amount, due);
    let handed_over = collection.handed_over_by(Some(&partner_id));
    let theirs = |part: &&TakenIn| *part.remittance_id.partner() == partner_id;
    let last = collection.parts().rev().find(theirs);
    let settled = last.and_then(|last| settled(last, handed_over, command.amount));
    let collected = OrderEvent::CashCollected(Box::new(CashCollected {
        amount: command.amount,
        due,
        discrepancy,
        discrepancy_reason: reason.filter(|_| !discrepancy.is_zero()),
        partner_id,
        rider_id,
        collected_at: collected_at.unwrap_or(facts.now),
        proof,
    }));
    Ok([Some(collected), settled].into_iter().flatten().collect())
}

/// The end of cash of which remittances accepted all, and expected nothing, with the last part of it; `None` where some of
/// it is still to come.
fn settled(last: &TakenIn, handed_over: Money, collected: Money) -> Option<OrderEvent> {
    let is_same = discrepancy(handed_over, collected).is_zero();
    (handed_over >= collected).then(|| OrderEvent::CashReconciled {
        remittance_id: last.remittance_id.clone(),
        outcome: if is_same {
            ItemOutcome::Matched
        } else {
            ItemOutcome::Variance
        },
        expected: Money::ZERO,
        accepted: last.accepted,
        variance: last.accepted,
    })
}

/// No cash came: it may still. News of it that is older than the cash is acknowledged.
pub(super) fn fail(order: &Order, command: &FailCollection, facts: &Facts) -> Decision {
    let mut problems = Problems::default();
    let reason = reason(&mut problems, &command.reason);
    let occurred_at = command.occurred_at;
    times::check_past(&mut problems, "occurredAt", occurred_at, order, facts);
    let reason = problems.finish(reason)?;
    check_goods_left(order)?;
    if order.collection.status == CollectionStatus::Failed {
        return already_applied();
    }
    if order.collection.is_collected() {
        let is_older = command.occurred_at.zip(order.collection.collected_at);
        return if is_older.is_some_and(|(failed, collected)| failed <= collected) {
            already_applied()
        } else {
            let known = order.collection.amount;
            let message = format!("{known} is collected already: operations correct it");
            Err(not_possible(message))
        };
    }
    Ok(vec![OrderEvent::CollectionFailed {
        reason,
        is_final: false,
        occurred_at: command.occurred_at,
    }])
}

/// Sets right what was recorded, while the partner has not accounted for it.
pub(super) fn correct(order: &Order, command: &CorrectCollection) -> Decision {
    let mut problems = Problems::default();
    let reason = reason(&mut problems, &command.reason);
    check_amount(&mut problems, command.amount);
    let (from, to) = (order.collection.amount, command.amount);
    let promised = order.refund_promised_for(to);
    if promised > to || promised < order.refunded {
        let message = "amount is less than the customer was promised or given back already";
        problems.add(Code::Validation, "amount", message);
    }
    let handed_over = order.collection.handed_over();
    if handed_over.is_positive() && to <= handed_over {
        let message =
            format!("amount must be above {handed_over}, which the partner handed over already");
        problems.add(Code::Validation, "amount", message);
    }
    let reason = problems.finish(reason)?;
    match order.collection.status {
        CollectionStatus::Collected => {}
        CollectionStatus::Reconciled => {
            return Err(not_possible(
                "the cash is reconciled: resolve it in the partner's remittance",
            ));
        }
        _ => return Err(not_possible("no cash is recorded: record it first")),
    }
    if to == from {
        return already_applied();
    }
    Ok(vec![OrderEvent::CollectionCorrected {
        from,
        to,
        discrepancy: discrepancy(to, order.collection.due),
        reason,
    }])
}

/// The remittance with this cash is closed.
pub(super) fn reconcile(order: &Order, command: &ReconcileCash) -> Decision {
    if command.outcome == ItemOutcome::Extra {
        return take_in(order, command);
    }
    if let Some(known) = &order.collection.reconciled {
        return if known.remittance_id == command.remittance_id {
            already_applied()
        } else {
            let message = format!("the cash is reconciled by {} already", known.remittance_id);
            Err(not_possible(message))
        };
    }
    if order.collection.status != CollectionStatus::Collected {
        return Err(not_possible("no cash is recorded: record it first"));
    }
    let mut problems = Problems::default();
    for (path, amount) in [
        ("expected", command.expected),
        ("accepted", command.accepted),
    ] {
        if amount.is_negative() {
            let message = format!("{path} must not be negative");
            problems.add(Code::Validation, path, message);
        }
    }
    let variance = problems.finish(command.accepted.checked_sub(command.expected))?;
    Ok(vec![OrderEvent::CashReconciled {
        remittance_id: command.remittance_id.clone(),
        outcome: command.outcome,
        expected: command.expected,
        accepted: command.accepted,
        variance,
    }])
}

/// The closed remittance accepted cash for the order and expected none of it: a fact, which the order keeps whatever it
/// knows of its cash, so that nobody accepts it once more. Of cash that another partner has it is no part.
fn take_in(order: &Order, command: &ReconcileCash) -> Decision {
    let (collection, accepted) = (&order.collection, command.accepted);
    let mut known = collection.parts().map(|part| &part.remittance_id);
    let settled_by = collection.reconciled.as_ref().map(|r| &r.remittance_id);
    let is_known =
        known.any(|id| *id == command.remittance_id) || settled_by == Some(&command.remittance_id);
    if is_known || !accepted.is_positive() {
        return already_applied();
    }
    let partner = command.remittance_id.partner();
    let part = TakenIn {
        remittance_id: command.remittance_id.clone(),
        accepted,
    };
    let settled = if collection.status == CollectionStatus::Collected
        && collection.partner_id.as_ref() == Some(partner)
    {
        let handed_over = collection.handed_over().checked_add(accepted);
        handed_over.and_then(|handed_over| settled(&part, handed_over, collection.amount))
    } else {
        None
    };
    let taken_in = OrderEvent::CashReconciled {
        remittance_id: part.remittance_id,
        outcome: ItemOutcome::Extra,
        expected: Money::ZERO,
        accepted,
        variance: accepted,
    };
    Ok(vec![settled.unwrap_or(taken_in)])
}

/// Cash changes hands only where goods do.
fn check_goods_left(order: &Order) -> Result<(), Refusal> {
    if order.status >= OrderStatus::Fulfilled {
        return Ok(());
    }
    Err(not_possible(format!(
        "cash is collected from 7000 on, this order stands at {}: record the shipment first",
        order.status.code()
    )))
}

/// Amounts of cash that nobody can have counted out are mistakes, whatever is due.
fn check_amount(problems: &mut Problems, amount: Money) {
    let (code, problem) = if !amount.is_positive() {
        let problem = "must be above zero: if no cash came, report that";
        (Code::Validation, problem.to_owned())
    } else if !pricing::is_cash(amount) {
        let problem = "must have at most 2 decimal places";
        (Code::CodAmountAccuracy, problem.to_owned())
    } else if amount > MAX_CASH {
        (
            Code::CodAmountAccuracy,
            format!("must be at most {MAX_CASH}"),
        )
    } else {
        return;
    };
    problems.add(code, "amount", format!("amount {problem}"));
}

/// Zero within the tolerance.
fn discrepancy(amount: Money, due: Money) -> Money {
    let difference = amount.units().saturating_sub(due.units());
    if difference.unsigned_abs() <= TOLERANCE {
        Money::ZERO
    } else {
        Money::from_units(difference)
    }
}

/// At least a photo or a signature. No message repeats a value: it is personal data.
fn proof(problems: &mut Problems, proof: Option<&Proof>, facts: &Facts) -> Option<Sealed> {
    let invalid = Code::Validation;
    let proof = proof.and_then(Proof::normalised).unwrap_or_default();
    if proof.photo.is_none() && proof.signature.is_none() {
        let message = "proof must hold a photo or a signature at least";
        problems.add(invalid, "proof", message);
        return None;
    }
    for (path, text, max) in [
        ("proof.photo", &proof.photo, MAX_PROOF_PLACE),
        ("proof.signature", &proof.signature, MAX_PROOF_PLACE),
        ("proof.collectedBy", &proof.collected_by, MAX_COLLECTED_BY),
    ] {
        problems.optional(invalid, path, text.as_ref(), max);
    }
    for (path, text, most) in [
        ("proof.latitude", &proof.latitude, 90),
        ("proof.longitude", &proof.longitude, 180),
    ] {
        if text.as_ref().is_some_and(|text| !is_coordinate(text, most)) {
            let message = format!("{path} must be decimal degrees between -{most} and {most}");
            problems.add(invalid, path, message);
        }
    }
    if facts.sealed.is_none() {
        let message = "the proof could not be protected, so it is not stored: try again";
        problems.add(invalid, "proof", message);
    }
    facts.sealed.clone()
}

/// Decimal degrees, without floats: their fraction says nothing about whether they are in range but
/// at the very end of it.
fn is_coordinate(text: &str, most: u32) -> bool {
    let magnitude = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, "0"));
    let is_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let degrees = whole.parse::<u32>().unwrap_or(u32::MAX);
    text.len() <= MAX_COORDINATE
        && is_digits(whole)
        && is_digits(fraction)
        && (degrees < most || degrees == most && fraction.bytes().all(|b| b == b'0'))
}
