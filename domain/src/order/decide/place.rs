//! Placing: every rule is checked and every failure reported at once, bundles are recognised, blanks filled from
//! the catalogue, then the order is priced.

mod bundles;
mod enrich;
mod expand;
mod header;
mod lines;
mod match_lines;
mod sale;
mod sums;

pub(super) use enrich::{MAX_PRODUCT_NAME, fill_names, list_price};
pub(super) use lines::{MAX_PIECES, MAX_QUANTITY};

use super::Decision;
use crate::{
    actor::Actor,
    order::{
        command::PlaceOrder,
        event::{OrderEvent, OrderedBundle, Placed},
        facts::Facts,
        state::Order,
    },
    probe::{Probe, Step},
    refusal::{Code, Refusal},
    validate::Problems,
};
use bundles::Shop;
use expand::Basket;
use header::Header;
use sums::{Adjustments, Priced};

/// Takes a new order in, priced, at status 1000.
pub(super) fn place(
    order: &Order,
    command: &PlaceOrder,
    actor: &Actor,
    facts: &Facts,
    probe: &mut dyn Probe,
) -> Decision {
    if order.exists() {
        let message = "this order is placed already: place another one under a new id";
        return Err(Refusal::one(Code::OrderExists, "", message));
    }
    let mut problems = Problems::default();
    let header = header::check(&mut problems, command, actor, facts);
    let (basket, adjustments) = validate(&mut problems, command, facts);
    probe.step(Step::Validate);
    let mut warnings = Vec::new();
    let basket = basket.map(|mut basket| {
        enrich::enrich(&mut basket.lines, &mut warnings, &facts.products);
        basket
    });
    probe.step(Step::Enrich);
    let priced = basket.zip(adjustments).and_then(|(basket, adjustments)| {
        let priced = sums::price(&mut problems, basket.lines, adjustments)?;
        Some((priced, basket.bundles))
    });
    if let Some((priced, _)) = &priced {
        sums::check_totals(&mut problems, command, facts, priced);
    }
    probe.step(Step::Calculate);
    let placed = header.zip(priced).map(|(mut header, priced)| {
        header.warnings.append(&mut warnings);
        placed(command, header, priced)
    });
    let placed = problems.finish(placed)?;
    Ok(vec![OrderEvent::Placed(Box::new(placed))])
}

/// The rules of the lines, the bundles, the discounts and the fees.
fn validate(
    problems: &mut Problems,
    command: &PlaceOrder,
    facts: &Facts,
) -> (Option<Basket>, Option<Adjustments>) {
    let shop = Shop {
        channel: header::named_channel(command),
        store: header::named_store(command),
        now: facts.now,
        offers: &facts.bundles,
    };
    let lines = lines::check(problems, &command.lines);
    let named = bundles::check(problems, &command.lines, &shop);
    enrich::check(problems, &command.lines, &shop, &facts.products);
    let adjustments = sums::check_adjustments(problems, command);
    let basket = lines
        .zip(named)
        .and_then(|(lines, named)| expand::fill(problems, lines, named, &shop));
    (basket, adjustments)
}

fn placed(
    command: &PlaceOrder,
    header: Header,
    (priced, bundles): (Priced, Vec<OrderedBundle>),
) -> Placed {
    Placed {
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
        bundles,
        order_discounts: priced.order_discounts,
        fees: priced.fees,
        totals: priced.totals,
        payment_method: header.payment_method,
        requested_slot: command.requested_slot.map(Into::into),
        promised_at: command.promised_at,
        captured_at: command.captured_at,
        allow_substitution: command.allow_substitution,
        warnings: header.warnings,
    }
}
