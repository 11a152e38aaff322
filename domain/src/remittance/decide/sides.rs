//! The two sides: what is expected, and what the partner reports. As soon as both are there they are compared, and
//! again with every change of either.

use std::collections::{HashMap, HashSet};

use chrono::TimeDelta;

use super::{
    Decision, MAX_AMOUNT, MAX_TEXT, already_applied, check_satang, is_closed, not_possible,
};
use crate::{
    calendar::business_day,
    entity::Entity,
    ids::{OrderId, RegionId, check_text},
    money::Money,
    refusal::{Code, Refusal},
    remittance::{
        ExpectedItem, MAX_ITEMS, Remittance, RemittanceEvent, RemittanceFacts, ReportedItem,
        ReportedItemInput, TakenReport, content, matching,
    },
    validate::{Problems, clean},
};

/// Reports of one remittance: a partner that still differs after as many is not helped by another.
const MAX_REPORTS: usize = 100;
/// How long after its business day a report is taken in: a year's accounts, and a month to close them.
const MAX_REPORT_AGE: TimeDelta = TimeDelta::days(400);
/// Problems after which a list is read no further: enough to see what is wrong with it.
const MAX_PROBLEMS: usize = 20;

/// Items are expected: by order, so that a repeat changes nothing and a correction replaces. Of an order that is named
/// twice the last counts.
pub(super) fn expect(
    remittance: &Remittance,
    region: &RegionId,
    items: &[ExpectedItem],
    facts: &RemittanceFacts,
) -> Decision {
    let known: HashMap<OrderId, &ExpectedItem> = by_order(&remittance.expected);
    let asked = by_order(items);
    let news: Vec<(usize, &ExpectedItem)> = items
        .iter()
        .enumerate()
        .filter(|(_, item)| known.get(&item.order_id) != Some(item))
        .filter(|(_, item)| {
            let last = asked.get(&item.order_id);
            last.is_some_and(|last| std::ptr::eq(*last, *item))
        })
        .collect();
    // Without items it opens what the partner reported; where there is nothing yet, there is nothing to open.
    let opens = !remittance.is_opened && remittance.id.is_some();
    if news.is_empty() && !opens {
        return already_applied();
    }
    if is_closed(remittance) {
        return Err(not_possible(
            "the remittance is closed, which is final: expect the cash in one of a later day",
        ));
    }
    check_expected(remittance, &news)?;
    Ok(with_comparison(
        remittance,
        RemittanceEvent::Expected {
            id: facts.id.clone(),
            region: remittance.region.as_ref().unwrap_or(region).clone(),
            items: news.into_iter().map(|(_, item)| item.clone()).collect(),
        },
    ))
}

fn by_order(items: &[ExpectedItem]) -> HashMap<OrderId, &ExpectedItem> {
    items.iter().map(|item| (item.order_id, item)).collect()
}

fn check_expected(remittance: &Remittance, news: &[(usize, &ExpectedItem)]) -> Result<(), Refusal> {
    let mut problems = Problems::default();
    let mut orders: HashMap<&str, OrderId> = remittance
        .expected
        .iter()
        .map(|item| (item.reference.as_str(), item.order_id))
        .collect();
    for (index, item) in news {
        let path = format!("items[{index}]");
        if !item.amount.is_positive() || item.amount > MAX_AMOUNT {
            let message = format!("{path}.amount must be above zero and at most {MAX_AMOUNT}");
            problems.add(Code::Validation, format!("{path}.amount"), message);
        }
        for (name, text) in [
            ("reference", Some(&item.reference)),
            ("riderId", item.rider_id.as_ref()),
        ] {
            if let Some(Err(problem)) = text.map(|text| check_text(text, MAX_TEXT)) {
                let path = format!("{path}.{name}");
                let message = format!("{path} {problem}");
                problems.add(Code::Validation, path, message);
            }
        }
        let other = orders.insert(&item.reference, item.order_id);
        if other.is_some_and(|other| other != item.order_id) {
            let path = format!("{path}.reference");
            let message = format!("{path} names another order already: a reference names one");
            problems.add(Code::Validation, path, message);
        }
        if problems.count() >= MAX_PROBLEMS {
            break;
        }
    }
    let known = remittance.expected.iter().map(|item| item.order_id);
    let all: HashSet<OrderId> = known
        .chain(news.iter().map(|(_, item)| item.order_id))
        .collect();
    if all.len() > MAX_ITEMS {
        let message = format!("a remittance expects at most {MAX_ITEMS} items");
        problems.add(Code::Validation, "items", message);
    }
    problems.finish(Some(()))
}

/// The partner's report, before or after anything is expected.
pub(super) fn report(
    remittance: &Remittance,
    report_id: &str,
    items: &[ReportedItemInput],
    total: Option<Money>,
    facts: &RemittanceFacts,
) -> Decision {
    let mut problems = Problems::default();
    let report_id = report_id.to_owned();
    let id = problems.required(Code::Validation, "reportId", Some(&report_id), MAX_TEXT);
    let known = |id: &String| remittance.reports.iter().find(|r| r.report_id == *id);
    if let Some(known) = id.as_ref().and_then(known) {
        return repeated(known, items, total);
    }
    if is_closed(remittance) {
        return Err(not_possible(
            "the remittance is closed, which is final: settle the difference with the store",
        ));
    }
    if remittance.reports.len() >= MAX_REPORTS {
        return Err(not_possible(format!(
            "{MAX_REPORTS} reports came already: have the differing items disputed and resolved"
        )));
    }
    check_day(&mut problems, facts);
    let region = remittance.region.as_ref().or(facts.region.as_ref());
    if region.is_none() {
        let message = format!(
            "store {} is not known: name one that is open",
            facts.id.store()
        );
        problems.add(Code::ErrInvalidLocation, "storeId", message);
    }
    let items = reported(&mut problems, items, facts);
    if problems.count() == 0 {
        check_total(&mut problems, items.iter().map(|item| item.amount), total);
    }
    let (report_id, region) = problems.finish(id.zip(region.cloned()))?;
    Ok(with_comparison(
        remittance,
        RemittanceEvent::Reported {
            id: facts.id.clone(),
            region,
            report_id,
            items,
        },
    ))
}

/// A report is of a day that has begun, and not of one that is long over: nobody settles that any more.
fn check_day(problems: &mut Problems, facts: &RemittanceFacts) {
    let (day, today) = (facts.id.day(), business_day(facts.now));
    let problem = if day > today {
        format!(
            "{day} has not begun in Bangkok, where it is {today}: report it when cash was collected"
        )
    } else if today.signed_duration_since(day) > MAX_REPORT_AGE {
        let days = MAX_REPORT_AGE.num_days();
        format!("{day} is more than {days} days ago: settle it with the store by hand")
    } else {
        return;
    };
    problems.add(
        Code::Validation,
        "businessDay",
        format!("businessDay {problem}"),
    );
}

/// The same report again is acknowledged. Another one under the same id is refused: its sender would take it for taken
/// in, while the first one counts.
fn repeated(known: &TakenReport, items: &[ReportedItemInput], total: Option<Money>) -> Decision {
    let said = items
        .iter()
        .map(|item| (clean(&item.reference).unwrap_or_default(), item.amount));
    let mut problems = Problems::default();
    if content::of(said) == known.content {
        check_total(&mut problems, items.iter().map(|item| item.amount), total);
    } else {
        let message = "reportId names another report already: give this one its own";
        problems.add(Code::Validation, "reportId", message);
    }
    problems.finish(Some(Vec::new()))
}

/// The items, cleaned, each with its order where it is known. No order comes twice, under whatever reference.
fn reported(
    problems: &mut Problems,
    items: &[ReportedItemInput],
    facts: &RemittanceFacts,
) -> Vec<ReportedItem> {
    if items.len() > MAX_ITEMS {
        let message = format!("a report has at most {MAX_ITEMS} items");
        problems.add(Code::Validation, "items", message);
        return Vec::new();
    }
    let orders: HashMap<&str, OrderId> = facts
        .orders
        .iter()
        .filter_map(|(reference, order_id)| Some((clean(reference)?, *order_id)))
        .collect();
    let (mut references, mut seen) = (HashSet::new(), HashSet::new());
    let mut answer = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        if problems.count() >= MAX_PROBLEMS {
            break;
        }
        let path = format!("items[{index}].reference");
        let reference = problems.required(Code::Validation, &path, Some(&item.reference), MAX_TEXT);
        let reference = reference.unwrap_or_default();
        let order_id = orders.get(reference.as_str()).copied();
        let is_new_order = order_id.is_none_or(|id| seen.insert(id));
        if !references.insert(reference.clone()) || !is_new_order {
            let message = format!("{path} comes twice: report one amount per order");
            problems.add(Code::Validation, path, message);
        }
        check_amount(problems, &format!("items[{index}].amount"), item.amount);
        answer.push(ReportedItem {
            reference,
            order_id,
            amount: item.amount,
        });
    }
    answer
}

fn check_amount(problems: &mut Problems, path: &str, amount: Money) {
    if amount.is_negative() || amount > MAX_AMOUNT {
        let message = format!("{path} must not be negative, and at most {MAX_AMOUNT}");
        problems.add(Code::Validation, path, message);
    }
    check_satang(problems, path, amount);
}

/// The partner's sum, where given, is that of the items within 0.01.
fn check_total(
    problems: &mut Problems,
    amounts: impl Iterator<Item = Money>,
    total: Option<Money>,
) {
    let Some(total) = total else {
        return;
    };
    let sum = amounts.fold(Money::ZERO, Money::saturating_add);
    let difference = total.saturating_sub(sum);
    if difference.units().unsigned_abs() > matching::TOLERANCE.units().unsigned_abs() {
        let message = format!("total is {total}, the items add up to {sum}: correct either");
        problems.add(Code::CodAmountAccuracy, "total", message);
    }
}

fn with_comparison(remittance: &Remittance, event: RemittanceEvent) -> Vec<RemittanceEvent> {
    let mut after = remittance.clone();
    after.apply(&event);
    let compared = matching::compared(&after);
    [Some(event), compared].into_iter().flatten().collect()
}
