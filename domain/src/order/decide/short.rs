//! Picking found less than ordered.

use chrono::{DateTime, Utc};

use super::{
    Decision, already_applied,
    named::{self, Named},
    not_possible, out_of_range, partner_id, reason,
};
use crate::{
    money::Quantity,
    order::{
        command::{LineQuantityInput, ReportShort},
        event::{LineQuantity, OrderEvent},
        refigure,
        state::Order,
        status::{OrderStatus, PaymentStatus},
    },
    refusal::{Code, Refusal},
    validate::{Problems, clean_option},
};

/// Most reports that count per order: each of them makes something less.
const MAX_REPORTS: usize = 200;

/// Cuts lines to what there is. A line of nothing is cancelled; a short component cancels its
/// bundle; an order of nothing is cancelled.
pub(super) fn report(order: &Order, command: &ReportShort) -> Decision {
    if is_repeated(order, command) {
        return already_applied();
    }
    if !(OrderStatus::Released..=OrderStatus::Packed).contains(&order.status) {
        return Err(not_possible(format!(
            "shorts are reported from 3000 to 3700, this order stands at {}",
            order.status.code()
        )));
    }
    let mut problems = Problems::default();
    let reason = reason(&mut problems, &command.reason);
    let report_id = partner_id(&mut problems, "reportId", command.report_id.as_ref());
    problems.time("occurredAt", command.occurred_at);
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
    cut(order, lines, reason, report_id, command.occurred_at)
}

/// Whether the report is known, or says of every line what is so already.
pub(super) fn is_repeated(order: &Order, command: &ReportShort) -> bool {
    let id = clean_option(command.report_id.as_ref());
    let is_so = |named: &LineQuantityInput| {
        let state = u16::try_from(named.line_number)
            .ok()
            .and_then(|n| order.line(n));
        state.is_some_and(|s| s.line.quantity.is_zero() || s.line.quantity == named.quantity)
    };
    id.is_some_and(|id| order.short_reports.iter().any(|known| known == id))
        || !command.lines.is_empty() && command.lines.iter().all(is_so)
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
