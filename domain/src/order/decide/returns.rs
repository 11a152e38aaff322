//! Goods and money that go back.
//!
//! A line's value is what the customer pays for it: its net less its share of the order discounts,
//! with the VAT on top where prices do not hold it. What comes back of a line is worth its part of
//! that, and the last of it the rest, so that nothing is lost to rounding. In cash the sum of all
//! that came back so far counts, rounded half-even to 0.01: the whole order with its fees is worth
//! exactly the cash due.

use chrono::TimeDelta;

use super::{
    Decision, already_applied,
    named::{self, Named},
    not_possible, out_of_range, partner_id, reason,
};
use crate::{
    bundle::ReturnPolicy,
    money::{Money, Quantity},
    order::{
        after::LineState,
        command::{Refund, RequestReturn},
        event::{OrderEvent, ReturnCause, ReturnRequested, ReturnedLine},
        facts::Facts,
        state::Order,
        status::OrderStatus,
    },
    pricing,
    refusal::{Code, Refusal},
    validate::Problems,
};

/// How long after delivery goods are taken back, the last moment included.
const RETURN_TIME: TimeDelta = TimeDelta::days(30);
/// Most returns per order.
const MAX_RETURNS: usize = 100;

/// What comes back of a line.
struct Taken<'a> {
    state: &'a LineState,
    quantity: Quantity,
}

/// Takes back goods that the customer got. What they paid for them is promised to them; what they
/// did not pay of it yet they need not pay any more.
pub(super) fn request(order: &Order, command: &RequestReturn, facts: &Facts) -> Decision {
    if order.status < OrderStatus::Delivered {
        return Err(not_possible(format!(
            "goods are taken back from 7500 on, this order stands at {}",
            order.status.code()
        )));
    }
    let mut problems = Problems::default();
    let reason = reason(&mut problems, &command.reason);
    let taken = taken(&mut problems, order, command);
    check_bundles(&mut problems, order, &taken);
    if command.refund_fees && !is_everything(order, &taken) {
        let message = "refundFees goes only with all that was delivered";
        problems.add(Code::Validation, "refundFees", message);
    }
    let reason = problems.finish(reason)?;
    if taken.is_empty() {
        return already_applied();
    }
    check_time(order, facts)?;
    let request = valued(order, &taken, command.refund_fees, reason, facts);
    let request = request.ok_or_else(|| out_of_range("lines"))?;
    Ok(vec![OrderEvent::ReturnRequested(Box::new(request))])
}

fn check_time(order: &Order, facts: &Facts) -> Result<(), Refusal> {
    let is_late = |delivered_at| facts.now.signed_duration_since(delivered_at) > RETURN_TIME;
    if let Some(at) = order.delivered_at.filter(|at| is_late(*at)) {
        let days = RETURN_TIME.num_days();
        let message =
            format!("the order was delivered on {at}: goods are taken back for {days} days");
        return Err(not_possible(message));
    }
    if order.returns.len() >= MAX_RETURNS {
        let message =
            format!("the order has {MAX_RETURNS} returns already: take the rest together");
        return Err(not_possible(message));
    }
    Ok(())
}

/// What the customer still has of a line.
fn left(state: &LineState) -> Quantity {
    if state.status != OrderStatus::Delivered {
        return Quantity::ZERO;
    }
    let units = state.line.quantity.units();
    Quantity::from_units(units.saturating_sub(state.returned.units()))
}

/// The lines named, or all that is left when none is.
fn taken<'a>(problems: &mut Problems, order: &'a Order, command: &RequestReturn) -> Vec<Taken<'a>> {
    if command.lines.is_empty() {
        let all = order.lines.iter().map(|state| Taken {
            state,
            quantity: left(state),
        });
        return all.filter(|taken| taken.quantity.is_positive()).collect();
    }
    let lines = named::check(problems, order, &command.lines);
    for line in &lines {
        check_quantity(problems, line);
    }
    let taken = lines.into_iter().map(|line| Taken {
        state: line.state,
        quantity: line.quantity,
    });
    taken.collect()
}

fn check_quantity(problems: &mut Problems, line: &Named<'_>) {
    let left = left(line.state);
    let problem = if line.quantity.is_zero() {
        "must be above zero".to_owned()
    } else if line.quantity > left {
        format!("must be at most {left}, which the customer has of the line")
    } else {
        return;
    };
    line.reject(problems, Code::ErrInvalidLineItem, &problem);
}

fn is_everything(order: &Order, taken: &[Taken<'_>]) -> bool {
    let stays = |state: &LineState| {
        let number = state.line.line_number;
        let mut lines = taken.iter();
        let taken = lines.find(|t| t.state.line.line_number == number);
        taken.map_or(Quantity::ZERO, |t| t.quantity) != left(state)
    };
    !order.lines.iter().any(stays)
}

/// Unless its definition allows single components, so many whole bundles come back or nothing.
fn check_bundles(problems: &mut Problems, order: &Order, taken: &[Taken<'_>]) {
    for bundle in &order.bundles {
        if bundle.returns == ReturnPolicy::Components {
            continue;
        }
        let count = |state: &LineState| {
            let number = state.line.line_number;
            let taken = taken.iter().find(|t| t.state.line.line_number == number);
            let per_bundle = state.line.bundle.as_ref()?.per_bundle.units();
            let units = taken.map_or(0, |t| t.quantity.units());
            (units.checked_rem(per_bundle)? == 0).then_some(units / per_bundle)
        };
        let counts: Vec<Option<i64>> = order.bundle_lines(&bundle.ref_id).map(count).collect();
        let first = counts.first().copied().flatten();
        if counts
            .iter()
            .any(|count| count.is_none() || *count != first)
        {
            let ref_id = &bundle.ref_id;
            let message = format!("bundle {ref_id} comes back as a whole: name all its lines");
            problems.add(Code::ErrBundleReturnNotAllowed, "lines", message);
        }
    }
}

/// What the customer pays for a whole line.
fn value(state: &LineState) -> Option<Money> {
    let line = &state.line;
    let goods = line.net.checked_sub(line.order_discount_share)?;
    goods.checked_add(line.tax_added)
}

/// What comes back of a line, with its value: of all that came back so far less what counted before.
fn valued_line(order: &Order, taken: &Taken<'_>) -> Option<ReturnedLine> {
    let (state, quantity) = (taken.state, taken.quantity);
    let line_number = state.line.line_number;
    let returned = state.returned.checked_add(quantity)?;
    let so_far = pricing::proportion(value(state)?, returned, state.line.quantity)?;
    let lines = order.returns.iter().flat_map(|goods| &goods.lines);
    let before = lines.filter(|l| l.line_number == line_number);
    let before = pricing::add(before.map(|l| l.value))?;
    Some(ReturnedLine {
        line_number,
        quantity,
        value: so_far.checked_sub(before)?,
    })
}

/// The fees that count, with the VAT on top of them.
fn fees(order: &Order) -> Option<Money> {
    let fees = order.fees.iter().filter(|fee| !fee.informational);
    pricing::add(fees.flat_map(|fee| [fee.amount, fee.tax_added]))
}

fn valued(
    order: &Order,
    taken: &[Taken<'_>],
    with_fees: bool,
    reason: String,
    facts: &Facts,
) -> Option<ReturnRequested> {
    let lines = taken.iter().map(|taken| valued_line(order, taken));
    let lines = lines.collect::<Option<Vec<ReturnedLine>>>()?;
    let fees = if with_fees { fees(order)? } else { Money::ZERO };
    let before = order.returns.iter().flat_map(|goods| {
        let values = goods.lines.iter().map(|l| l.value);
        values.chain([goods.fees])
    });
    let values = lines.iter().map(|l| l.value).chain([fees]);
    let so_far = pricing::cash(pricing::add(before.chain(values))?)?;
    let waived = order.waived();
    let promised = order.refunds();
    let cash = so_far.checked_sub(promised)?.checked_sub(waived)?;
    let paid = order.collection.amount;
    let paid = paid.checked_sub(order.paid_though_waived(paid))?;
    let refund = cash.min(at_least_zero(paid.checked_sub(promised)?));
    Some(ReturnRequested {
        cause: ReturnCause::Customer,
        reason,
        lines,
        fees,
        refund,
        // Never more than was not paid: all that comes back is worth no more than the cash due.
        waived: cash.checked_sub(refund)?,
        at: facts.now,
    })
}

fn at_least_zero(amount: Money) -> Money {
    amount.max(Money::ZERO)
}

/// The goods of an order that nobody took after so many attempts: all of them and the fees, and
/// whatever was paid for them.
pub(super) fn undelivered(
    order: &Order,
    attempts: usize,
    facts: &Facts,
) -> Result<OrderEvent, Refusal> {
    let lines = order.lines.iter().filter(|state| state.is_open());
    let lines = lines.map(|state| {
        Some(ReturnedLine {
            line_number: state.line.line_number,
            quantity: state.line.quantity,
            value: value(state)?,
        })
    });
    let (due, paid) = (order.totals.cash_due, order.collection.amount);
    let request = || {
        Some(ReturnRequested {
            cause: ReturnCause::Undelivered,
            reason: format!("not delivered in {attempts} attempts"),
            lines: lines.collect::<Option<Vec<ReturnedLine>>>()?,
            fees: fees(order)?,
            refund: paid,
            waived: at_least_zero(due.checked_sub(paid)?),
            at: facts.now,
        })
    };
    let request = request().ok_or_else(|| out_of_range(""))?;
    Ok(OrderEvent::ReturnRequested(Box::new(request)))
}

/// The store has all the goods back that are on their way.
pub(super) fn receive(order: &Order, facts: &Facts) -> Decision {
    if order.returns.is_empty() {
        return Err(not_possible("nothing comes back: request the return first"));
    }
    if order
        .returns
        .iter()
        .all(|goods| goods.received_at.is_some())
    {
        return already_applied();
    }
    Ok(vec![OrderEvent::ReturnReceived { at: facts.now }])
}

/// Gives back what the customer is owed, or a part of it.
pub(super) fn refund(order: &Order, command: &Refund) -> Decision {
    let mut problems = Problems::default();
    let reference = partner_id(&mut problems, "reference", command.reference.as_ref());
    let (amount, promised) = (command.amount, order.refund_promised());
    let owed = promised.checked_sub(order.refunded);
    let owed = at_least_zero(owed.unwrap_or_default());
    let problem = if !amount.is_positive() {
        "must be above zero".to_owned()
    } else if !pricing::is_cash(amount) {
        "must have at most 2 decimal places".to_owned()
    } else if amount > owed {
        format!("must be at most {owed}, which the customer is owed")
    } else {
        String::new()
    };
    if !problem.is_empty() {
        problems.add(Code::Validation, "amount", format!("amount {problem}"));
    }
    let remaining = problems.finish(owed.checked_sub(amount))?;
    Ok(vec![OrderEvent::Refunded {
        amount,
        remaining,
        reference,
    }])
}
