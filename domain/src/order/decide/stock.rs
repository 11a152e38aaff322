//! Allocating an order at its store, and handing it over to picking.

use super::{Decision, already_applied, not_possible};
use crate::{
    order::{
        event::{OrderEvent, OrderedBundle},
        facts::Facts,
        state::Order,
        status::{OrderStatus, PaymentStatus},
    },
    refusal::Code,
};

/// Reserves every line by force: stock never refuses. Only a store that does not trade and a broken bundle do,
/// and then the order waits as back-ordered until somebody allocates again.
pub(super) fn allocate(order: &Order, facts: &Facts) -> Decision {
    if order.status >= OrderStatus::Allocated {
        return already_applied();
    }
    let obstacle = match &facts.store {
        Some(store) if store.active => None,
        Some(_) => Some(format!("store {} is inactive", order.store_id)),
        None => Some(format!("store {} is unknown", order.store_id)),
    };
    let broken = broken_bundles(order);
    let code = (!broken.is_empty()).then_some(Code::ErrBundleAllocationFailed);
    let obstacles: Vec<String> = obstacle.into_iter().chain(broken).collect();
    if obstacles.is_empty() {
        return Ok(vec![OrderEvent::Allocated { from: order.status }]);
    }
    if order.status == OrderStatus::BackOrdered {
        return already_applied();
    }
    let reason = obstacles.join("; ");
    Ok(vec![OrderEvent::BackOrdered { reason, code }])
}

/// Force allocation skips the stock, not the completeness of bundles: all of a bundle's lines are there, and all
/// or none of them cancelled.
fn broken_bundles(order: &Order) -> Vec<String> {
    let is_broken = |bundle: &&OrderedBundle| {
        let lines = order.bundle_lines(&bundle.ref_id).count();
        let open = order
            .bundle_lines(&bundle.ref_id)
            .filter(|l| l.is_open())
            .count();
        lines != usize::from(bundle.components) || (open != 0 && open != lines)
    };
    let broken = order.bundles.iter().filter(is_broken);
    broken
        .map(|b| format!("bundle {} is not whole: cancel it", b.ref_id))
        .collect()
}

/// The one release: after allocation and payment.
pub(super) fn release(order: &Order, facts: &Facts) -> Decision {
    if order.status >= OrderStatus::Released {
        return already_applied();
    }
    if order.status != OrderStatus::Allocated {
        return Err(not_possible(format!(
            "an order is released at 2000, this one stands at {}: allocate it first",
            order.status.code()
        )));
    }
    if order.payment_status != PaymentStatus::Paid {
        return Err(not_possible(
            "an order is released once it is paid: record the payment first",
        ));
    }
    Ok(vec![OrderEvent::Released {
        at: Some(facts.now),
    }])
}
