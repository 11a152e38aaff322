//! Rules A to G, and the fields of the order as a whole.

use super::super::{pay::COD, times};
use crate::{
    actor::Actor,
    ids::{CustomerId, InvalidId, OrderNumber, RegionId, StoreId, check_visible},
    order::{
        command::PlaceOrder,
        event::{Channel, ExternalRef, Sealed, System},
        facts::{Facts, Standing},
    },
    refusal::Code,
    validate::{Problems, clean, clean_option},
};

/// Longest channel, order type, external id or Slick reference.
const MAX_REFERENCE: usize = 50;
/// Longest loyalty membership or number.
const MAX_T1: usize = 20;

/// The order without its lines and sums.
pub(super) struct Header {
    pub(super) number: OrderNumber,
    pub(super) channel: Channel,
    pub(super) order_type: Option<String>,
    pub(super) refs: Vec<ExternalRef>,
    pub(super) store_id: StoreId,
    pub(super) region: RegionId,
    pub(super) customer_id: Option<CustomerId>,
    pub(super) t1_membership_id: Option<String>,
    pub(super) t1_number: Option<String>,
    pub(super) contact: Option<Sealed>,
    pub(super) payment_method: String,
    pub(super) warnings: Vec<String>,
}

/// Checks all of it; `None` where something without which there is no order is wrong.
pub(super) fn check(
    problems: &mut Problems,
    command: &PlaceOrder,
    actor: &Actor,
    facts: &Facts,
) -> Option<Header> {
    let mut warnings = Vec::new();
    let number = number(problems, command, facts);
    let channel = channel(problems, command);
    let order_type = command.order_type.as_ref();
    let order_type = problems.optional(Code::Validation, "orderType", order_type, MAX_REFERENCE);
    let refs = references(problems, command, channel);
    let location = location(problems, command, actor, facts);
    if command.is_force_allocation != Some(true) {
        let message = "isForceAllocation must be present and true";
        problems.add(
            Code::ErrForceAllocationRequired,
            "isForceAllocation",
            message,
        );
    }
    let customer_id = customer(problems, &mut warnings, command, facts);
    let t1_membership_id = membership(problems, &mut warnings, command, facts);
    let t1_number = command.t1_number.as_ref();
    let t1_number = problems.name(Code::ErrInvalidT1Number, "t1Number", t1_number, MAX_T1);
    let contact = contact(problems, command, facts);
    let payment_method = payment_method(problems, command);
    times(problems, command, facts);
    let (store_id, region) = location?;
    Some(Header {
        number: number?,
        channel: channel?,
        order_type,
        refs,
        store_id,
        region,
        customer_id,
        t1_membership_id,
        t1_number,
        contact,
        payment_method: payment_method?,
        warnings,
    })
}

/// Rule A: a number is checked only where the caller brings one; ours is right by construction.
fn number(problems: &mut Problems, command: &PlaceOrder, facts: &Facts) -> Option<OrderNumber> {
    let code = Code::ErrInvalidOrderId;
    match clean_option(command.number.as_ref()) {
        Some(text) => keep(problems, code, "number", OrderNumber::new(text)),
        None => {
            if facts.number.is_none() {
                problems.add(code, "number", "no number could be assigned: try again");
            }
            facts.number.clone()
        }
    }
}

/// The channel that the command names, if there is one of that name.
pub(super) fn named_channel(command: &PlaceOrder) -> Option<Channel> {
    let name = clean(&command.channel)?;
    let mut channels = Channel::ALL.iter().copied();
    channels.find(|c| c.as_str().eq_ignore_ascii_case(name))
}

/// The store that the command names, known or not.
pub(super) fn named_store(command: &PlaceOrder) -> Option<StoreId> {
    StoreId::new(clean(&command.store_id)?).ok()
}

fn channel(problems: &mut Problems, command: &PlaceOrder) -> Option<Channel> {
    let channel = named_channel(command);
    if channel.is_none() {
        let names: Vec<&str> = Channel::ALL.iter().map(|c| c.as_str()).collect();
        let message = format!("channel must be one of {}", names.join(", "));
        problems.add(Code::Validation, "channel", message);
    }
    channel
}

/// Rule F, and the channel's own id.
fn references(
    problems: &mut Problems,
    command: &PlaceOrder,
    channel: Option<Channel>,
) -> Vec<ExternalRef> {
    let theirs = command.alternate_order_id.as_ref();
    let theirs = problems.name(Code::Validation, "alternateOrderId", theirs, MAX_REFERENCE);
    let slick = command.cust_ref.as_ref();
    let slick = problems.name(Code::ErrInvalidCustRef, "custRef", slick, MAX_REFERENCE);
    let theirs = channel
        .zip(theirs)
        .map(|(channel, reference)| (channel.system(), reference));
    let slick = slick.map(|reference| (System::Slick, reference));
    let reference = |(system, reference)| ExternalRef { system, reference };
    theirs.into_iter().chain(slick).map(reference).collect()
}

/// Rule B, and that somebody bound to stores orders for those only.
fn location(
    problems: &mut Problems,
    command: &PlaceOrder,
    actor: &Actor,
    facts: &Facts,
) -> Option<(StoreId, RegionId)> {
    let (code, path) = (Code::ErrInvalidLocation, "storeId");
    let store_id = clean(&command.store_id).unwrap_or_default();
    let store_id = keep(problems, code, path, StoreId::new(store_id))?;
    if !actor.stores.covers(&store_id) {
        let message = format!("you may not place orders for store {store_id}");
        problems.add(Code::LocationRestricted, path, message);
        return None;
    }
    match &facts.store {
        Some(store) if store.active => Some((store_id, store.region.clone())),
        Some(_) => {
            problems.add(
                code,
                path,
                format!("store {store_id} is not active: choose another"),
            );
            None
        }
        None => {
            problems.add(
                code,
                path,
                format!("store {store_id} is not known: choose another"),
            );
            None
        }
    }
}

/// Rule G.
fn customer(
    problems: &mut Problems,
    warnings: &mut Vec<String>,
    command: &PlaceOrder,
    facts: &Facts,
) -> Option<CustomerId> {
    let (code, path) = (Code::ErrInvalidCustomer, "customerId");
    let text = clean_option(command.customer_id.as_ref())?;
    let id = keep(problems, code, path, CustomerId::new(text))?;
    if let Err(problem) = check_visible(text) {
        problems.add(code, path, format!("{path} {problem}"));
        return None;
    }
    check_standing(problems, warnings, code, path, facts.customer);
    Some(id)
}

/// Rule D.
fn membership(
    problems: &mut Problems,
    warnings: &mut Vec<String>,
    command: &PlaceOrder,
    facts: &Facts,
) -> Option<String> {
    let (code, path) = (Code::ErrInvalidT1Member, "t1MembershipId");
    let id = problems.name(code, path, command.t1_membership_id.as_ref(), MAX_T1)?;
    check_standing(problems, warnings, code, path, facts.membership);
    Some(id)
}

fn check_standing(
    problems: &mut Problems,
    warnings: &mut Vec<String>,
    code: Code,
    path: &str,
    standing: Standing,
) {
    match standing {
        Standing::NotChecked | Standing::Active => {}
        Standing::Inactive => problems.add(code, path, format!("{path} is not active")),
        Standing::Unknown => problems.add(code, path, format!("{path} is not known")),
        Standing::Unreachable => {
            warnings.push(format!(
                "{path} was not checked: the directory was out of reach"
            ));
        }
    }
}

fn contact(problems: &mut Problems, command: &PlaceOrder, facts: &Facts) -> Option<Sealed> {
    let contact = command.contact.as_ref()?.normalised()?;
    problems.contact(&contact);
    if facts.sealed.is_none() {
        let message = "the contact could not be protected, so it is not stored: try again";
        problems.add(Code::Validation, "contact", message);
    }
    facts.sealed.clone()
}

fn payment_method(problems: &mut Problems, command: &PlaceOrder) -> Option<String> {
    let method = clean_option(command.payment_method.as_ref()).unwrap_or(COD);
    if method == COD {
        return Some(COD.to_owned());
    }
    let message = format!("paymentMethod must be {COD}");
    problems.add(Code::ErrInvalidPaymentMethod, "paymentMethod", message);
    None
}

fn times(problems: &mut Problems, command: &PlaceOrder, facts: &Facts) {
    problems.time("promisedAt", command.promised_at);
    times::check_not_to_come(problems, "capturedAt", command.captured_at, facts.now);
    let Some(slot) = command.requested_slot else {
        return;
    };
    problems.time("requestedSlot.from", Some(slot.from));
    problems.time("requestedSlot.to", Some(slot.to));
    if slot.from >= slot.to {
        let message = "requestedSlot.to must come after requestedSlot.from";
        problems.add(Code::Validation, "requestedSlot.to", message);
    }
    if slot.to <= facts.now {
        let message = "requestedSlot is over: ask for a later one";
        problems.add(Code::Validation, "requestedSlot", message);
    }
    if command
        .promised_at
        .is_some_and(|promised| promised < slot.from)
    {
        let message = "promisedAt must not come before requestedSlot.from";
        problems.add(Code::Validation, "promisedAt", message);
    }
}

/// The identifier, or its problem.
fn keep<T>(problems: &mut Problems, code: Code, path: &str, id: Result<T, InvalidId>) -> Option<T> {
    id.map_err(|e| problems.add(code, path, format!("{path} {}", e.problem)))
        .ok()
}
