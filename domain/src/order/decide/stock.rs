//! Allocating an order at its store, and handing it over to picking.

use super::{Decision, already_applied, not_possible};
use crate::order::{
    event::OrderEvent,
    facts::Facts,
    state::Order,
    status::{OrderStatus, PaymentStatus},
};

/// Reserves every line by force: stock never refuses, only a store that does not trade does, and
/// then the order waits as back-ordered until somebody allocates again.
pub(super) fn allocate(order: &Order, facts: &Facts) -> Decision {
    if order.status >= OrderStatus::Allocated {
        return already_applied();
    }
    let obstacle = match &facts.store {
        Some(store) if store.active => {
            return Ok(vec![OrderEvent::Allocated { from: order.status }]);
        }
        Some(_) => "inactive",
        None => "unknown",
    };
    if order.status == OrderStatus::BackOrdered {
        return already_applied();
    }
    let reason = format!("store {} is {obstacle}", order.store_id);
    Ok(vec![OrderEvent::BackOrdered { reason }])
}

/// The one release: after allocation and payment.
pub(super) fn release(order: &Order) -> Decision {
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
    Ok(vec![OrderEvent::Released {}])
}
