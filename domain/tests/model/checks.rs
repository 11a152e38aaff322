//! What holds of every order after every event.

use domain::{
    money::Money,
    order::{
        CollectionStatus, LineState, Order, OrderEvent, OrderStatus as S,
        event::{ReturnCause, Totals},
    },
};

type Check = Result<(), String>;

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(what()) }
}

/// The order by itself.
pub fn order(order: &Order) -> Check {
    let lines = order.lines.iter().map(|l| l.status);
    let rolled = S::roll_up(lines).unwrap_or(order.status);
    ensure(order.status == rolled, || {
        format!("status {:?}, by its lines {rolled:?}", order.status)
    })?;
    order.lines.iter().try_for_each(line)?;
    totals(order)?;
    bundles(order)?;
    cash(order)
}

fn line(state: &LineState) -> Check {
    let line = &state.line;
    let say = |what: &str| format!("{what}: {state:?}");
    let amounts = [
        line.gross,
        line.discount,
        line.net,
        line.order_discount_share,
        line.tax_contained,
        line.tax_added,
        line.unit_price,
        line.original_unit_price,
    ];
    ensure(!amounts.iter().any(|a| a.is_negative()), || {
        say("negative amount")
    })?;
    let [gross, discount, net, share, inside, on_top, ..] = amounts.map(Money::units);
    ensure(gross - discount == net, || say("net"))?;
    ensure(share <= net, || say("share above net"))?;
    ensure(inside == 0 || on_top == 0, || say("taxed twice"))?;
    let counted = line.discounts.iter().filter(|d| !d.informational);
    let counted: i64 = counted.map(|d| d.amount.units()).sum();
    ensure(counted == discount, || say("list of discounts"))?;
    let quantities = [
        line.quantity,
        state.ordered,
        state.short,
        state.returned,
        state.allocated(),
        state.shipped(),
        state.delivered(),
        state.cancelled(),
    ];
    ensure(!quantities.iter().any(|q| q.is_negative()), || {
        say("negative quantity")
    })?;
    let [
        left,
        ordered,
        short,
        returned,
        allocated,
        shipped,
        delivered,
        cancelled,
    ] = quantities;
    ensure(
        shipped <= allocated && delivered <= shipped && returned <= delivered,
        || say("quantities on the way"),
    )?;
    ensure(
        state.is_open() == left.is_positive() || state.status == S::Cancelled,
        || say("a line of nothing is cancelled"),
    )?;
    let there = if state.is_open() { left.units() } else { 0 };
    ensure(
        there + short.units() + cancelled.units() == ordered.units(),
        || say("quantities do not add up"),
    )
}

fn totals(order: &Order) -> Check {
    let sum = |part: fn(&LineState) -> Money| -> i64 {
        order.lines.iter().map(|l| part(l).units()).sum()
    };
    let fees = || order.fees.iter().filter(|f| !f.informational);
    let discounts = order.order_discounts.iter().filter(|d| !d.informational);
    let discount: i64 = discounts.map(|d| d.amount.units()).sum();
    let t = order.totals;
    let Totals {
        sub_total,
        fees: fee,
        ..
    } = t;
    let say = |what: &str| format!("{what}: {t:?}");
    let all = [
        t.sub_total,
        t.total_charge,
        t.order_total,
        t.total_discount,
        t.total_taxes,
        t.informational_taxes,
        t.fees,
        t.cash_due,
    ];
    ensure(!all.iter().any(|a| a.is_negative()), || {
        say("negative total")
    })?;
    ensure(sum(|l| l.line.net) == sub_total.units(), || say("A"))?;
    let on_top = sum(|l| l.line.tax_added) + fees().map(|f| f.tax_added.units()).sum::<i64>();
    ensure(on_top == t.total_taxes.units(), || say("E"))?;
    let inside =
        sum(|l| l.line.tax_contained) + fees().map(|f| f.tax_contained.units()).sum::<i64>();
    ensure(inside == t.informational_taxes.units(), || say("F"))?;
    let charged: i64 = fees().map(|f| f.amount.units()).sum();
    ensure(charged == fee.units(), || say("fees"))?;
    let charge = sub_total.units() + on_top + charged;
    ensure(charge == t.total_charge.units(), || say("B"))?;
    ensure(charge - discount == t.order_total.units(), || say("C"))?;
    ensure(
        sum(|l| l.line.discount) + discount == t.total_discount.units(),
        || say("D"),
    )?;
    ensure(sum(|l| l.line.order_discount_share) == discount, || {
        say("shares")
    })?;
    let rounding = t.cash_due.units() - t.order_total.units();
    ensure(
        rounding == t.cash_rounding.units() && t.cash_due.units() % 100 == 0,
        || say("cash"),
    )?;
    ensure(rounding.abs() <= 50, || say("rounding"))
}

/// A bundle is whole or gone.
fn bundles(order: &Order) -> Check {
    for bundle in &order.bundles {
        let lines: Vec<&LineState> = order.bundle_lines(&bundle.ref_id).collect();
        let say = || format!("bundle {}: {lines:?}", bundle.ref_id);
        ensure(lines.len() == usize::from(bundle.components), say)?;
        let gone = lines.iter().filter(|l| !l.is_open()).count();
        ensure(gone == 0 || gone == lines.len(), say)?;
        let least = lines.iter().map(|l| l.status).min();
        ensure(order.bundle_status(&bundle.ref_id) == least, say)?;
        for line in lines.iter().filter(|l| l.is_open()) {
            let Some(part) = &line.line.bundle else {
                return Err(say());
            };
            let whole = part.per_bundle.units() * i64::from(bundle.quantity);
            ensure(line.line.quantity.units() == whole, say)?;
        }
    }
    Ok(())
}

fn cash(order: &Order) -> Check {
    let say = |what: &str| format!("{what}: {:?}, due {}", order.collection, order.cod_due());
    let refunds: i64 = order.returns.iter().map(|r| r.refund.units()).sum();
    let collection = &order.collection;
    ensure(!order.cod_due().is_negative(), || say("negative due"))?;
    ensure(order.refunded <= order.refund_promised(), || {
        say("refunded more than promised")
    })?;
    ensure(order.refund_promised() <= collection.amount, || {
        say("promised more than paid")
    })?;
    ensure(
        order
            .returns
            .iter()
            .all(|r| !r.refund.is_negative() && !r.waived.is_negative()),
        || say("negative return"),
    )?;
    let waived = order.waived().units();
    ensure(
        refunds + waived <= order.totals.cash_due.units().max(collection.amount.units()),
        || say("more given back than sold"),
    )?;
    let is_collected = matches!(
        collection.status,
        CollectionStatus::Collected | CollectionStatus::Reconciled
    );
    ensure(is_collected == collection.amount.is_positive(), || {
        say("collected")
    })
}

/// Statuses move only along the machine. Two moves of lines are not in its table, because no message
/// asks for them: a line of which nothing is left is cancelled wherever the order stands before
/// delivery, and goods that could not be delivered go back from 7300.
pub fn moved(before: &[(u16, S)], from: S, order: &Order, event: &OrderEvent) -> Check {
    for (state, (number, old)) in order.lines.iter().zip(before) {
        let is_known = state.line.line_number == *number && order.lines.len() == before.len();
        ensure(is_known, || format!("line {number} was not there"))?;
        ensure(may_move(*old, state.status, event), || {
            format!(
                "line {}: {old:?} -> {:?} by {event:?}",
                state.line.line_number, state.status
            )
        })?;
    }
    if let Some(after) = event.status_after() {
        ensure(after == order.status, || {
            format!("{:?} after {event:?}", order.status)
        })?;
        let path = steps(from, after);
        let skipped = match event {
            OrderEvent::PickingRecorded { step }
            | OrderEvent::ShipmentRecorded { step, .. }
            | OrderEvent::DeliveryRecorded { step }
            | OrderEvent::DeliveryFailed {
                step: Some(step), ..
            } => {
                ensure(step.from == from, || format!("from {from:?}: {event:?}"))?;
                &step.skipped[..]
            }
            _ => &[],
        };
        // The second of two events that empty an order finds it cancelled.
        let is_emptied = from == S::Cancelled && after == S::Cancelled;
        ensure(is_emptied || path.as_deref() == Some(skipped), || {
            format!("{from:?} -> {after:?}: {event:?}")
        })
    } else {
        ensure(may_move(from, order.status, event), || {
            format!("order {from:?} -> {:?} by {event:?}", order.status)
        })
    }
}

fn may_move(from: S, to: S, event: &OrderEvent) -> bool {
    let is_undelivered =
        |request: &domain::order::event::ReturnRequested| request.cause == ReturnCause::Undelivered;
    match event {
        _ if from == to => true,
        OrderEvent::LinesChanged { .. } => to == S::Cancelled && from < S::Released,
        OrderEvent::Shorted { .. } => to == S::Cancelled && from < S::Delivered,
        OrderEvent::ReturnRequested(request) if is_undelivered(request) => {
            from == S::OutForDelivery && to == S::PendingReturn
        }
        // Single lines come back while others stay; the order follows its last one.
        _ => steps(from, to).is_some(),
    }
}

/// The moves of the fact sheet, and what each steps over: a later event may advance several steps
/// inside 3000 to 7000 or 7000 to 7500.
fn steps(from: S, to: S) -> Option<Vec<S>> {
    const PICKING: [u16; 5] = [3000, 3500, 3600, 3700, 7000];
    const DELIVERY: [u16; 5] = [7000, 7100, 7200, 7300, 7500];
    const SINGLE: [(u16, u16); 6] = [
        (1000, 1500),
        (1000, 2000),
        (1500, 2000),
        (2000, 3000),
        (7500, 8000),
        (8000, 8500),
    ];
    let (from, to) = (from.code(), to.code());
    if SINGLE.contains(&(from, to)) || to == 9000 && from <= 3600 {
        return Some(Vec::new());
    }
    for road in [PICKING, DELIVERY] {
        let at = |code| road.iter().position(|c| *c == code);
        if let (Some(from), Some(to)) = (at(from), at(to))
            && from < to
        {
            let between = road[from + 1..to].iter();
            return between.map(|code| S::try_from(*code).ok()).collect();
        }
    }
    None
}
