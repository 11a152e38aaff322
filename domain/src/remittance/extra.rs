//! Extra items: cash that a partner hands over and nobody expected of it. Once it is accepted nobody may expect it a
//! second time, so what the ledger knows of its order decides how much of it may be.

use super::{Comparison, ItemOutcome, RemittanceFacts, RemittanceId};
use crate::{
    ids::OrderId,
    money::Money,
    order::{Collection, CollectionStatus},
};

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
    let most = acceptable(&facts.id, &order.collection)?;
    (accepted > most).then(|| match order.collection.status {
        CollectionStatus::Reconciled => format!(
            "the order's cash is settled: accept at most {most}, which is missing of it"
        ),
        CollectionStatus::Collected => {
            "the order's cash is collected, and expected in the remittance of its own partner and day: settle it there, and accept nothing here".into()
        }
        _ => "the order's cash was taken in as extra already: accept nothing here".into(),
    })
}

/// The most that may be accepted; `None` for any amount.
fn acceptable(id: &RemittanceId, collection: &Collection) -> Option<Money> {
    match collection.status {
        CollectionStatus::Reconciled => {
            let reconciled = collection.reconciled.as_ref().map(|r| r.accepted);
            let missing = collection
                .amount
                .checked_sub(reconciled.unwrap_or_default());
            Some(missing.unwrap_or_default().max(Money::ZERO))
        }
        CollectionStatus::Collected => Some(Money::ZERO),
        _ => {
            let taken_in = collection.taken_in.as_ref();
            taken_in
                .is_some_and(|t| t.remittance_id != *id)
                .then_some(Money::ZERO)
        }
    }
}
