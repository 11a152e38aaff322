//! Extra items: cash that a partner hands over and nobody expected of it. Once it is accepted nobody may expect it a
//! second time, so what the ledger knows of its order decides how much of it may be.

use super::{Comparison, ItemOutcome, RemittanceFacts};
use crate::{
    ids::OrderId,
    money::Money,
    order::{Collection, CollectionStatus},
};

/// Most parts in which an order's cash is taken in as extra: each is kept with the order.
const MAX_TAKEN_IN: usize = 20;

/// The order of an item that is extra.
pub(super) fn order_of(item: &Comparison) -> Option<OrderId> {
    item.order_id.filter(|_| item.outcome == ItemOutcome::Extra)
}

/// Why so much cash cannot be accepted for an extra item, and what to do; `None` where it can. Nothing can always be
/// accepted, and so can anything for a reference that nobody knows.
pub(super) fn problem(
    facts: &RemittanceFacts,
    item: &Comparison,
    accepted: Money,
) -> Option<String> {
    let order_id = order_of(item).filter(|_| accepted.is_positive())?;
    let order = facts.extras.iter().find(|o| o.order_id == order_id)?;
    if order.store_id != *facts.id.store() {
        return Some(
            "the order belongs to another store: accept nothing here, and have the partner report it for that store"
                .into(),
        );
    }
    too_much(&order.collection, accepted)
}

/// The same, for what the ledger knows of the order's cash.
fn too_much(collection: &Collection, accepted: Money) -> Option<String> {
    if collection.parts().count() >= MAX_TAKEN_IN {
        return Some(format!(
            "extra cash was taken in for the order {MAX_TAKEN_IN} times already: accept nothing here"
        ));
    }
    match collection.status {
        CollectionStatus::Reconciled => {
            let missing = collection.amount.checked_sub(collection.accepted());
            let missing = missing.unwrap_or_default().max(Money::ZERO);
            (accepted > missing).then(|| {
                format!(
                    "the order's cash is settled: accept at most {missing}, which is missing of it"
                )
            })
        }
        CollectionStatus::Collected => Some(
            "the order's cash is collected, and expected in the remittance of its own partner and day: settle it there, and accept nothing here".into(),
        ),
        _ => collection.taken_in.as_ref().map(|part| {
            format!(
                "the order's cash was taken in as extra already, by {}: accept nothing here",
                part.remittance_id
            )
        }),
    }
}
