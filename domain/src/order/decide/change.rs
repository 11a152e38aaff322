//! Changing quantities before the release.

use super::{
    Decision, already_applied, limits,
    named::{self, Named},
    out_of_range,
    place::{MAX_PIECES, MAX_QUANTITY},
    reason,
};
use crate::{
    money::SCALE,
    order::{
        command::ChangeLines,
        event::{LineQuantity, OrderEvent},
        facts::Facts,
        refigure,
        state::Order,
        status::OrderStatus,
    },
    refusal::{Code, Refusal},
    validate::Problems,
};

/// Sets quantities, up or down; nothing cancels a line for good. The order that results keeps to the
/// rules of a new one. A bundle is only ever cancelled as a whole.
pub(super) fn lines(order: &Order, command: &ChangeLines, facts: &Facts) -> Decision {
    if order.status >= OrderStatus::Released {
        let message =
            "a released order keeps its quantities: cancel it, or let picking report shorts";
        return Err(Refusal::one(Code::ErrOrderNotModifiable, "", message));
    }
    let mut problems = Problems::default();
    let reason = reason(&mut problems, &command.reason);
    let mut lines = named::check(&mut problems, order, &command.lines);
    lines.retain(|line| line.quantity != line.state.line.quantity);
    for line in &lines {
        check_quantity(&mut problems, line);
        check_bundle(&mut problems, order, &lines, line);
    }
    let reason = problems.finish(reason)?;
    if lines.is_empty() {
        return already_applied();
    }
    let lines: Vec<LineQuantity> = lines.iter().map(Named::wanted).collect();
    let refigured =
        refigure::with_quantities(order, &lines).ok_or_else(|| out_of_range("lines"))?;
    let mut problems = Problems::default();
    if refigured.is_empty() {
        let message = "nothing would be left: cancel the order instead";
        problems.add(Code::ErrInvalidLineItem, "lines", message);
    } else {
        let totals = &refigured.figures.totals;
        limits::check_totals(&mut problems, totals, refigured.gross);
        limits::check_cod(&mut problems, "", facts.store.as_ref(), totals.cash_due);
    }
    problems.finish(Some(()))?;
    Ok(vec![OrderEvent::LinesChanged {
        reason,
        lines,
        figures: refigured.figures,
    }])
}

fn check_quantity(problems: &mut Problems, line: &Named<'_>) {
    let units = line
        .state
        .line
        .pack
        .map_or(1, |p| i64::from(p.units_per_pack));
    let problem = if !line.state.is_open() {
        "must stay 0: the line is cancelled, which is final".to_owned()
    } else if line.quantity > MAX_QUANTITY {
        format!("must be at most {MAX_QUANTITY}")
    } else if line.state.line.pack.is_some() && line.quantity.units() / SCALE * units > MAX_PIECES {
        format!("makes more than {MAX_PIECES} pieces of the packs")
    } else {
        return;
    };
    line.reject(problems, Code::ErrInvalidLineItem, &problem);
}

/// A component's quantity changes only to nothing, and only together with all the others.
fn check_bundle(problems: &mut Problems, order: &Order, lines: &[Named<'_>], line: &Named<'_>) {
    let Some(part) = &line.state.line.bundle else {
        return;
    };
    let is_cancelled = |number: u16| {
        let mut lines = lines.iter();
        lines.any(|l| l.state.line.line_number == number && l.quantity.is_zero())
    };
    let mut open = order.bundle_lines(&part.ref_id).filter(|l| l.is_open());
    if !open.all(|l| is_cancelled(l.line.line_number)) {
        let problem = format!(
            "changes a part of bundle {}: set all its lines to 0 to cancel it",
            part.ref_id
        );
        line.reject(problems, Code::ErrBundleModificationNotAllowed, &problem);
    }
}
