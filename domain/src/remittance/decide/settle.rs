//! Settling what differs.

use super::{
    Decision, MAX_REASON, MAX_TEXT, already_applied, check_satang, is_closed, not_possible,
};
use crate::{
    entity::Entity,
    money::Money,
    refusal::{Code, Refusal},
    remittance::{
        Comparison, ItemOutcome, Remittance, RemittanceEvent, RemittanceFacts, Resolution,
        ResolvedItem, Summary, extra, matching,
    },
    validate::Problems,
};

/// An item's comparison is not accepted; what was resolved about it is open again.
pub(super) fn dispute(remittance: &Remittance, reference: &str, reason: &str) -> Decision {
    check_open(remittance)?;
    let mut problems = Problems::default();
    let item = find(&mut problems, remittance, reference);
    let reason = check_reason(&mut problems, reason);
    let (item, reason) = problems.finish(item.zip(reason))?;
    if item.dispute.as_ref() == Some(&reason) && item.resolved.is_none() {
        return already_applied();
    }
    let reference = item.reference.clone();
    Ok(vec![summed(remittance, |summary| {
        RemittanceEvent::ItemDisputed {
            reference: reference.clone(),
            reason: reason.clone(),
            summary,
        }
    })])
}

/// It is settled what counts for an item.
pub(super) fn resolve(
    remittance: &Remittance,
    reference: &str,
    (accepted, resolution): (Money, Resolution),
    reason: &str,
    facts: &RemittanceFacts,
) -> Decision {
    check_open(remittance)?;
    let mut problems = Problems::default();
    let item = find(&mut problems, remittance, reference);
    let reason = check_reason(&mut problems, reason);
    if let Some(item) = item {
        check_accepted(&mut problems, item, accepted, resolution);
        if let Some(problem) = extra::problem(facts, item, accepted) {
            problems.add(Code::Validation, "accepted", problem);
        }
        if item.outcome == ItemOutcome::Matched && item.dispute.is_none() {
            let message = "both sides of the item agree: dispute it first";
            problems.add(Code::Validation, "reference", message);
        }
    }
    let (item, reason) = problems.finish(item.zip(reason))?;
    let resolved = ResolvedItem {
        reference: item.reference.clone(),
        accepted,
        resolution,
        reason,
    };
    if item.resolved.as_ref() == Some(&resolved) {
        return already_applied();
    }
    Ok(vec![summed(remittance, |summary| {
        RemittanceEvent::ItemResolved {
            resolved: resolved.clone(),
            summary,
        }
    })])
}

/// Settles all of it.
pub(super) fn close(remittance: &Remittance, facts: &RemittanceFacts) -> Decision {
    if is_closed(remittance) {
        return already_applied();
    }
    check_open(remittance)?;
    let open = remittance.summary.open;
    if open > 0 {
        return Err(not_possible(format!(
            "{open} items differ or are disputed: resolve each of them first"
        )));
    }
    // What was accepted when nobody had heard of the cash may be expected of somebody by now.
    let mut extras = remittance.comparisons.iter();
    let problem = extras.find_map(|item| {
        let problem = extra::problem(facts, item, item.accepted())?;
        Some(format!("item {}: {problem}", item.reference))
    });
    if let Some(problem) = problem {
        return Err(not_possible(problem));
    }
    Ok(vec![RemittanceEvent::Closed {
        items: remittance
            .comparisons
            .iter()
            .map(Comparison::settled)
            .collect(),
        summary: remittance.summary,
    }])
}

/// Items are settled between the comparison and the closing.
fn check_open(remittance: &Remittance) -> Result<(), Refusal> {
    if is_closed(remittance) {
        Err(not_possible("the remittance is closed, which is final"))
    } else if !remittance.is_opened {
        Err(not_possible(
            "the day's cash is not known yet: wait until the day is over",
        ))
    } else if remittance.reported.is_none() {
        Err(not_possible(
            "the partner has not reported yet: ask for the report, or enter one without items",
        ))
    } else {
        Ok(())
    }
}

fn find<'a>(
    problems: &mut Problems,
    remittance: &'a Remittance,
    reference: &str,
) -> Option<&'a Comparison> {
    let reference = reference.to_owned();
    let reference = problems.required(Code::Validation, "reference", Some(&reference), MAX_TEXT)?;
    let item = remittance.item(&reference);
    if item.is_none() {
        let message = "the remittance has no such item: name one of its comparison";
        problems.add(Code::Validation, "reference", message);
    }
    item
}

fn check_reason(problems: &mut Problems, reason: &str) -> Option<String> {
    let reason = reason.to_owned();
    problems.required(Code::Validation, "reason", Some(&reason), MAX_REASON)
}

fn check_accepted(
    problems: &mut Problems,
    item: &Comparison,
    accepted: Money,
    resolution: Resolution,
) {
    let (expected, reported) = (item.expected, item.reported);
    let larger = expected.max(reported);
    let problem = match resolution {
        Resolution::PartnerPays => (accepted != expected).then(|| {
            format!("accepted must be what is expected, {expected}, where the partner pays")
        }),
        Resolution::WrittenOff => (accepted != reported).then(|| {
            format!(
                "accepted must be what is reported, {reported}, where the difference is written off"
            )
        }),
        Resolution::Agreed => {
            check_satang(problems, "accepted", accepted);
            (accepted.is_negative() || accepted > larger).then(|| {
                format!("accepted must lie between 0 and {larger}, the larger of the two sides")
            })
        }
    };
    if let Some(message) = problem {
        problems.add(Code::Validation, "accepted", message);
    }
}

/// The event with the sums after it.
fn summed(remittance: &Remittance, event: impl Fn(Summary) -> RemittanceEvent) -> RemittanceEvent {
    let mut after = remittance.clone();
    after.apply(&event(remittance.summary));
    event(matching::summary(&after.comparisons))
}
