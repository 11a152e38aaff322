//! Picking found less than ordered. The news may come after that of the shipment: until goods and cash
//! change hands a short still cuts what the customer pays.

use chrono::{DateTime, Utc};

use super::{
    Decision, already_applied,
    named::{self, Named},
    not_possible, out_of_range, partner_id, reason, times,
};
use crate::{
    money::Quantity,
    order::{
        after::ShortReport,
        command::{LineQuantityInput, ReportShort},
        event::{LineQuantity, OrderEvent},
        facts::Facts,
        refigure,
        state::Order,
        status::{OrderStatus, PaymentStatus},
    },
    refusal::{Code, Refusal},
    validate::{Problems, clean, clean_option},
};

/// Most reports that count per order: each of them makes something less.
const MAX_REPORTS: usize = 200;

/// Cuts lines to what there is. A line of nothing is cancelled; a short component cancels its
/// bundle; an order of nothing is cancelled.
pub(super) fn report(order: &Order, command: &ReportShort, facts: &Facts) -> Decision {
    if let Some(answer) = repeated(order, command) {
        return answer;
    }
    check_stands(order)?;
    let mut problems = Problems::default();
    let reason = reason(&mut problems, &command.reason);
    let report_id = partner_id(&mut problems, "reportId", command.report_id.as_ref());
    let occurred_at = command.occurred_at;
    times::check_past(&mut problems, "occurredAt", occurred_at, order, facts);
    let mut lines = named::check(&mut problems, order, &command.lines);
    // What is cancelled already, as with its bundle, cannot be any shorter.
    lines.retain(|line| line.state.is_open() && line.quantity != line.state.line.quantity);
    for line in lines.iter().filter(|l| l.quantity > l.state.line.quantity) {
        let left = line.state.line.quantity;
        let problem = format!("must be at most {left}, which is left of the line");
        line.reject(&mut problems, Code::ErrInvalidLineItem, &problem);
    }
    let reason = problems.finish(reason)?;
    if lines.is_empty() {
        return already_applied();
    }
    if order.short_reports.len() >= MAX_REPORTS {
        let message =
            format!("the order has {MAX_REPORTS} short reports already: put them together");
        return Err(Refusal::one(Code::Validation, "reportId", message));
    }
    let lines: Vec<LineQuantity> = lines.iter().map(Named::wanted).collect();
    let events = cut(order, lines, reason, report_id, occurred_at)?;
    if is_emptied(&events) && order.status >= OrderStatus::Fulfilled {
        return Err(not_possible(
            "nothing would be left of an order that is on its way: report what the parcel holds, or failed deliveries",
        ));
    }
    Ok(events)
}

/// From the release until the goods are handed over, and while no cash came for them.
fn check_stands(order: &Order) -> Result<(), Refusal> {
    if !(OrderStatus::Released..OrderStatus::Delivered).contains(&order.status) {
        return Err(not_possible(format!(
            "shorts are reported from 3000 until 7500, this order stands at {}: from 7500 on goods are taken back",
            order.status.code()
        )));
    }
    if order.collection.is_collected() {
        let known = order.collection.amount;
        return Err(not_possible(format!(
            "{known} is collected already: once delivered, what was not there is taken back"
        )));
    }
    Ok(())
}

/// Whether a cut left nothing. Once the parcel left the store an order is not emptied any more: what goes
/// with it then is settled at the door.
pub(super) fn is_emptied(events: &[OrderEvent]) -> bool {
    let mut events = events.iter();
    events.any(|event| matches!(event, OrderEvent::Cancelled { .. }))
}

/// The answer to a report that changes nothing: its id is known, or it says of every line what is so
/// already. `None` for news.
///
/// A known id with what it said before is acknowledged; with anything else it is refused, as its
/// sender would take the new report for taken in.
pub(super) fn repeated(order: &Order, command: &ReportShort) -> Option<Decision> {
    let id = clean_option(command.report_id.as_ref());
    let mut reports = order.short_reports.iter();
    if let Some(known) = id.and_then(|id| reports.find(|known| known.report_id == id)) {
        return Some(if is_same(order, known, command) {
            already_applied()
        } else {
            let message = "reportId names another report already: give this one its own";
            Err(Refusal::one(Code::Validation, "reportId", message))
        });
    }
    let is_so = |named: &LineQuantityInput| {
        left(order, named).is_some_and(|left| left.is_zero() || left == named.quantity)
    };
    let is_known = !command.lines.is_empty() && command.lines.iter().all(is_so);
    is_known.then(already_applied)
}

/// Whether a report says again what a known one said. The event keeps only the lines that were cut:
/// of the others nothing may be asked that is not so by now.
fn is_same(order: &Order, known: &ShortReport, command: &ReportShort) -> bool {
    let is_named = |line: &LineQuantity| {
        let mut named = command.lines.iter();
        named.any(|l| l.line_number == i32::from(line.line_number) && l.quantity == line.quantity)
    };
    let asks_nothing_else = |named: &LineQuantityInput| {
        let mut cut = known.lines.iter();
        match cut.find(|line| i32::from(line.line_number) == named.line_number) {
            Some(line) => line.quantity == named.quantity,
            None => left(order, named).is_some_and(|left| named.quantity >= left),
        }
    };
    clean(&command.reason) == Some(known.reason.as_str())
        && command.occurred_at == known.occurred_at
        && known.lines.iter().all(is_named)
        && command.lines.iter().all(asks_nothing_else)
}

/// What is left of a line that is named; `None` where the order has no such line.
fn left(order: &Order, named: &LineQuantityInput) -> Option<Quantity> {
    let number = u16::try_from(named.line_number).ok()?;
    order.line(number).map(|state| state.line.quantity)
}

/// Leaves these quantities of these lines, and nothing of the bundles that they are components of.
/// Where nothing is left at all the order is cancelled by a second event.
pub(super) fn cut(
    order: &Order,
    lines: Vec<LineQuantity>,
    reason: String,
    report_id: Option<String>,
    occurred_at: Option<DateTime<Utc>>,
) -> Decision {
    let mut cancelled_bundles: Vec<String> = Vec::new();
    for line in &lines {
        let part = order
            .line(line.line_number)
            .and_then(|l| l.line.bundle.as_ref());
        if let Some(part) = part
            && !cancelled_bundles.contains(&part.ref_id)
        {
            cancelled_bundles.push(part.ref_id.clone());
        }
    }
    let components = order.lines.iter().filter(|state| {
        let part = state.line.bundle.as_ref();
        part.is_some_and(|part| cancelled_bundles.contains(&part.ref_id))
    });
    // First found wins: what a bundle's end leaves of a line goes before what was reported of it.
    let wanted = components.map(|state| LineQuantity {
        line_number: state.line.line_number,
        quantity: Quantity::ZERO,
    });
    let wanted: Vec<LineQuantity> = wanted.chain(lines.iter().copied()).collect();
    let refigured =
        refigure::with_quantities(order, &wanted).ok_or_else(|| out_of_range("lines"))?;
    let is_empty = refigured.is_empty();
    let mut events = vec![OrderEvent::Shorted {
        reason: reason.clone(),
        report_id,
        lines,
        cancelled_bundles,
        figures: refigured.figures,
        occurred_at,
    }];
    if is_empty {
        events.push(OrderEvent::Cancelled {
            from: order.status,
            reason,
            payment_status: PaymentStatus::NotApplicable,
        });
    }
    Ok(events)
}
