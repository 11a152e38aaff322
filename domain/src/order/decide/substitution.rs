//! Another product for a line: offered by picking, answered by the customer, and void without an
//! answer.
//!
//! An approved product takes the line's place at its own price. A declined or unanswered offer
//! leaves the line short, because picking offered another product for want of the line's own.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Decision, MAX_REASON, already_applied, limits,
    named::quantity_problem,
    not_possible, out_of_range, partner_id,
    place::{MAX_PRODUCT_NAME, fill_names, list_price},
    short,
};
use crate::{
    ids::Sku,
    money::{Money, Quantity, Rate, SCALE},
    order::{
        after::{Answer, LineState, Offer},
        command::{DecideSubstitution, ProposalRef, ProposeSubstitution},
        event::{DeclineCause, LineQuantity, OrderEvent, Proposal, Replacement},
        facts::{Facts, Product, Products},
        refigure,
        state::Order,
        status::OrderStatus,
    },
    refusal::{Code, Refusal},
    validate::{Problems, clean, clean_option},
};

/// How long the customer may think.
const ANSWER_TIME: TimeDelta = TimeDelta::minutes(5);
/// How far a product's price may lie above the approved one: 20%.
const MAX_RISE: Rate = Rate::from_units(2_000);
/// Most offers per order.
const MAX_OFFERS: usize = 40;

/// Offers a product for a line of an order that is being picked.
pub(super) fn propose(order: &Order, command: &ProposeSubstitution, facts: &Facts) -> Decision {
    if is_repeated_offer(order, command) {
        return already_applied();
    }
    if clean(&command.proposal_id).is_some_and(|id| find(order, id).is_some()) {
        let message = "proposalId names another offer already: give this one its own";
        return Err(Refusal::one(Code::Validation, "proposalId", message));
    }
    if !(OrderStatus::Released..=OrderStatus::Packed).contains(&order.status) {
        return Err(not_possible(format!(
            "other products are offered from 3000 to 3700, this order stands at {}",
            order.status.code()
        )));
    }
    let mut problems = Problems::default();
    let proposal = check(&mut problems, order, command, facts);
    if order.offers.len() >= MAX_OFFERS {
        let message = format!("the order has {MAX_OFFERS} offers already: report the line short");
        problems.add(Code::SubstitutionNotAllowed, "", message);
    }
    let proposal = problems.finish(proposal)?;
    // Nobody should be asked to agree to what cannot be paid in the end.
    figures(order, &proposal, facts, "unitPrice")?;
    Ok(vec![OrderEvent::SubstitutionProposed { proposal }])
}

/// The customer's answer, as long as the goods and the cash have not changed hands. An answer stands:
/// the same one again changes nothing, the other one is refused.
pub(super) fn answer(order: &Order, command: &DecideSubstitution, facts: &Facts) -> Decision {
    let offer = named(order, &command.proposal_id)?;
    let proposal = &offer.proposal;
    if is_repeated_answer(order, command) {
        return already_applied();
    }
    if offer.answer != Answer::Open {
        return Err(not_allowed(
            "the offer has the other answer already, which stands",
        ));
    }
    if !command.approve {
        return decline(order, proposal, DeclineCause::Customer);
    }
    if facts.now >= proposal.approve_by {
        let by = proposal.approve_by;
        let message =
            format!("the answer comes too late: it was awaited until {by}, silence is no");
        return Err(not_allowed(message));
    }
    if !is_changeable(order, proposal.line_number) {
        return Err(not_allowed(
            "the line is cancelled or delivered meanwhile: its product cannot change any more",
        ));
    }
    let figures = figures(order, proposal, facts, "")?.figures;
    Ok(vec![OrderEvent::SubstitutionApproved {
        proposal: proposal.clone(),
        figures,
    }])
}

/// The time for an answer is over.
pub(super) fn expire(order: &Order, command: &ProposalRef, facts: &Facts) -> Decision {
    let offer = named(order, &command.proposal_id)?;
    let proposal = &offer.proposal;
    if offer.answer != Answer::Open {
        return already_applied();
    }
    if facts.now < proposal.approve_by {
        let by = proposal.approve_by;
        return Err(not_possible(format!("the customer may answer until {by}")));
    }
    decline(order, proposal, DeclineCause::Timeout)
}

/// The offer is void and its line short, unless the line is cancelled or delivered meanwhile. Once
/// the parcel left the store an order is not emptied any more: what goes with it then is settled at
/// the door.
fn decline(order: &Order, proposal: &Proposal, cause: DeclineCause) -> Decision {
    let line_number = proposal.line_number;
    let mut events = vec![OrderEvent::SubstitutionDeclined {
        proposal_id: proposal.proposal_id.clone(),
        line_number,
        cause,
    }];
    if is_changeable(order, line_number) {
        let reason = match cause {
            DeclineCause::Customer => "the customer declined another product",
            DeclineCause::Timeout => "the customer did not answer the offer of another product",
        };
        let nothing = LineQuantity {
            line_number,
            quantity: Quantity::ZERO,
        };
        let short = short::cut(order, vec![nothing], reason.to_owned(), None, None)?;
        if !(short::is_emptied(&short) && order.status >= OrderStatus::Fulfilled) {
            events.extend(short);
        }
    }
    Ok(events)
}

/// Whether the line's product and quantity may still change: neither goods nor cash have changed
/// hands.
fn is_changeable(order: &Order, line_number: u16) -> bool {
    let is_open = order.line(line_number).is_some_and(LineState::is_open);
    is_open && !order.collection.is_collected() && order.status < OrderStatus::Delivered
}

fn figures(
    order: &Order,
    proposal: &Proposal,
    facts: &Facts,
    path: &str,
) -> Result<refigure::Refigured, Refusal> {
    let refigured = refigure::with_substitute(order, proposal).ok_or_else(|| out_of_range(path))?;
    let due = refigured.figures.totals.cash_due;
    let mut problems = Problems::default();
    let limit = facts.store.as_ref().and_then(|store| store.cod_limit);
    if due > order.totals.cash_due && limit.is_some_and(|limit| due > limit) {
        limits::check_cod(&mut problems, path, facts.store.as_ref(), due);
    }
    problems.finish(Some(refigured))
}

fn check(
    problems: &mut Problems,
    order: &Order,
    command: &ProposeSubstitution,
    facts: &Facts,
) -> Option<Proposal> {
    let invalid = Code::ErrInvalidLineItem;
    if clean(&command.proposal_id).is_none() {
        problems.add(
            Code::Validation,
            "proposalId",
            "proposalId must not be blank",
        );
    }
    let proposal_id = partner_id(problems, "proposalId", Some(&command.proposal_id));
    let state = check_line(problems, order, command.line_number);
    let sku = Sku::new(clean(&command.sku).unwrap_or_default());
    let sku = sku
        .map_err(|e| problems.add(invalid, "sku", format!("sku {}", e.problem)))
        .ok();
    if state.is_some_and(|s| sku.as_ref() == Some(&s.line.sku)) {
        problems.add(
            invalid,
            "sku",
            "sku must be another product than the line's",
        );
    }
    let mut name = |path, text: &Option<String>| {
        problems.optional(invalid, path, text.as_ref(), MAX_PRODUCT_NAME)
    };
    let name_th = name("nameTh", &command.name_th);
    let name_en = name("nameEn", &command.name_en);
    let reason = command.reason.as_ref();
    let reason = problems.optional(Code::Validation, "reason", reason, MAX_REASON);
    if command.unit_price.is_negative() {
        problems.add(invalid, "unitPrice", "unitPrice must not be negative");
    }
    if let Some(state) = state {
        check_terms(problems, state, command);
    }
    let (mut name_th, mut name_en) = (name_th, name_en);
    if let (Products::Known(known), Some(sku)) = (&facts.products, &sku) {
        match known.get(sku.as_str()) {
            None => problems.add(invalid, "sku", "sku: SKU is not known"),
            Some(product) => {
                fill_names(&mut name_th, &mut name_en, product);
                check_list_price(problems, order, state, product, command);
            }
        }
    }
    Some(Proposal {
        proposal_id: proposal_id?,
        line_number: state?.line.line_number,
        replacement: Replacement {
            sku: sku?,
            name_th,
            name_en,
            unit_price: command.unit_price,
            quantity: command.quantity.unwrap_or(state?.line.quantity),
        },
        approve_by: deadline(facts.now),
        via_merchant_app: command.via_merchant_app,
        reason,
    })
}

fn deadline(now: DateTime<Utc>) -> DateTime<Utc> {
    now.checked_add_signed(ANSWER_TIME)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The line, if another product may be offered for it at all.
fn check_line<'a>(problems: &mut Problems, order: &'a Order, number: i32) -> Option<&'a LineState> {
    let path = "lineNumber";
    let not_allowed = Code::SubstitutionNotAllowed;
    if !order.allow_substitution {
        let message = "the customer does not accept other products: report the line short";
        problems.add(not_allowed, "", message);
    }
    let Some(state) = u16::try_from(number).ok().and_then(|n| order.line(n)) else {
        let message = format!("lineNumber names line {number}, which the order does not have");
        problems.add(Code::ErrInvalidLineItem, path, message);
        return None;
    };
    let problem = if !state.is_open() {
        "the line is cancelled"
    } else if state.line.bundle.as_ref().is_some_and(|b| !b.substitutable) {
        "the bundle does not allow another product for this component: report the line short"
    } else if order.offers.iter().any(|offer| {
        offer.answer == Answer::Open && offer.proposal.line_number == state.line.line_number
    }) {
        "the line has an offer already: wait for its answer"
    } else {
        return Some(state);
    };
    problems.add(not_allowed, path, problem);
    Some(state)
}

/// Price and quantity, against the line's. The price may rise once over all offers of the line: its
/// base stays what the customer approved when ordering.
fn check_terms(problems: &mut Problems, state: &LineState, command: &ProposeSubstitution) {
    let (line, approved) = (&state.line, state.approved_unit_price());
    let rise = line.bundle.as_ref().map_or(MAX_RISE, |b| b.max_rise);
    if !command.via_merchant_app && rises_above(command.unit_price, approved, rise) {
        let message =
            format!("unitPrice lies more than {rise} of it above the approved price, {approved}");
        problems.add(Code::PriceIncreaseLimitExceeded, "unitPrice", message);
    }
    let Some(quantity) = command.quantity else {
        return;
    };
    let problem = if let Some(problem) = quantity_problem(quantity, line.is_weight_item) {
        problem.to_owned()
    } else if quantity.is_zero() {
        "must be above zero".to_owned()
    } else if line.bundle.is_some() && quantity != line.quantity {
        format!("must be the component's, {}", line.quantity)
    } else if quantity > line.quantity {
        format!(
            "must be at most {}, which is left of the line",
            line.quantity
        )
    } else {
        return;
    };
    problems.add(
        Code::ErrInvalidLineItem,
        "quantity",
        format!("quantity {problem}"),
    );
}

/// Channels of our own ask no more for a product than its list price, unless the app shows the price.
fn check_list_price(
    problems: &mut Problems,
    order: &Order,
    state: Option<&LineState>,
    product: &Product,
    command: &ProposeSubstitution,
) {
    let pack = state.and_then(|state| state.line.pack);
    let pieces = pack.map_or(1, |pack| pack.units_per_pack);
    if !order.channel.is_marketplace()
        && !command.via_merchant_app
        && let Some(most) = list_price(product, pieces)
        && command.unit_price > most
    {
        let message = format!("unitPrice must not exceed the list price, {most}");
        problems.add(Code::ErrInvalidLineItem, "unitPrice", message);
    }
}

/// Whether `price > base x (1 + rise)`, exactly.
fn rises_above(price: Money, base: Money, rise: Rate) -> bool {
    let scale = i128::from(SCALE);
    let highest = i128::from(base.units()) * (scale + i128::from(rise.units()));
    i128::from(price.units()) * scale > highest
}

/// Whether the command says what the offer says. A quantity left out was the line's then, and names
/// left out may be the catalogue's.
fn is_same(proposal: &Proposal, command: &ProposeSubstitution) -> bool {
    let known = &proposal.replacement;
    i32::from(proposal.line_number) == command.line_number
        && clean(&command.sku) == Some(known.sku.as_str())
        && is_same_name(&command.name_th, &known.name_th)
        && is_same_name(&command.name_en, &known.name_en)
        && command.unit_price == known.unit_price
        && command.quantity.is_none_or(|q| q == known.quantity)
        && command.via_merchant_app == proposal.via_merchant_app
        && clean_option(command.reason.as_ref()) == proposal.reason.as_deref()
}

fn is_same_name(news: &Option<String>, known: &Option<String>) -> bool {
    clean_option(news.as_ref()).is_none_or(|name| known.as_deref() == Some(name))
}

/// Whether the command repeats a known offer.
pub(super) fn is_repeated_offer(order: &Order, command: &ProposeSubstitution) -> bool {
    clean(&command.proposal_id)
        .and_then(|id| find(order, id))
        .is_some_and(|known| is_same(&known.proposal, command))
}

/// Whether the command repeats a known answer.
pub(super) fn is_repeated_answer(order: &Order, command: &DecideSubstitution) -> bool {
    let offer = clean(&command.proposal_id).and_then(|id| find(order, id));
    offer.is_some_and(|offer| match offer.answer {
        Answer::Open => false,
        Answer::Approved => command.approve,
        Answer::Declined | Answer::TimedOut => !command.approve,
    })
}

fn find<'a>(order: &'a Order, proposal_id: &str) -> Option<&'a Offer> {
    let mut offers = order.offers.iter();
    offers.find(|offer| offer.proposal.proposal_id == proposal_id)
}

fn named<'a>(order: &'a Order, proposal_id: &str) -> Result<&'a Offer, Refusal> {
    clean(proposal_id)
        .and_then(|id| find(order, id))
        .ok_or_else(|| {
            let message = "proposalId names no offer of this order";
            Refusal::one(Code::Validation, "proposalId", message)
        })
}

fn not_allowed(message: impl Into<String>) -> Refusal {
    Refusal::one(Code::SubstitutionNotAllowed, "", message)
}
