//! Placing: every rule is checked and every failure reported at once, then the order is priced.

mod header;
mod lines;
mod sums;

use super::Decision;
use crate::{
    actor::Actor,
    order::{
        command::PlaceOrder,
        event::{OrderEvent, Placed},
        facts::Facts,
        refusal::{Code, Refusal},
        state::Order,
        validate::Problems,
    },
};

/// Takes a new order in, priced, at status 1000.
pub(super) fn place(order: &Order, command: &PlaceOrder, actor: &Actor, facts: &Facts) -> Decision {
    if order.exists() {
        let message = "this order is placed already: place another one under a new id";
        return Err(Refusal::one(Code::OrderExists, "", message));
    }
    let mut problems = Problems::default();
    let header = header::check(&mut problems, command, actor, facts);
    let lines = lines::check(&mut problems, &command.lines);
    let adjustments = sums::check_adjustments(&mut problems, command);
    let priced = lines
        .zip(adjustments)
        .and_then(|(lines, adjustments)| sums::price(&mut problems, lines, adjustments));
    if let Some(priced) = &priced {
        sums::check_totals(&mut problems, command, facts, priced);
    }
    let placed = header.zip(priced).map(|(header, priced)| Placed {
        number: header.number,
        channel: header.channel,
        order_type: header.order_type,
        refs: header.refs,
        store_id: header.store_id,
        region: header.region,
        customer_id: header.customer_id,
        t1_membership_id: header.t1_membership_id,
        t1_number: header.t1_number,
        contact: header.contact,
        lines: priced.lines,
        order_discounts: priced.order_discounts,
        fees: priced.fees,
        totals: priced.totals,
        payment_method: header.payment_method,
        requested_slot: command.requested_slot.map(Into::into),
        promised_at: command.promised_at,
        captured_at: command.captured_at,
        allow_substitution: command.allow_substitution,
        warnings: header.warnings,
    });
    let placed = problems.finish(placed)?;
    Ok(vec![OrderEvent::Placed(Box::new(placed))])
}
