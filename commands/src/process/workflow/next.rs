//! What an order needs next. Pure.

use domain::{
    ids::{CommandId, OrderId, StoreId},
    order::{Order, OrderCommand, OrderStatus, PaymentStatus, command::Pay},
};
use uuid::Uuid;

use crate::derived;

/// The process's name, which is part of its commands' ids.
pub(super) const NAME: &str = "process.workflow";

/// A step on the way to released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Allocate,
    Pay,
    Release,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    Do(Step),
    Stop(Ending),
}

/// Where a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// The order is released, or further.
    Released,
    /// Its store has somebody click the release.
    AwaitsRelease,
    /// It could not be allocated at this store.
    BackOrdered(StoreId),
    /// It is cancelled.
    Cancelled,
    /// A step was refused.
    Refused,
    /// Nobody knows it, or it cannot be read.
    Unknown,
    /// A fault of ours, about an order of this store.
    Fault(StoreId),
}

impl Ending {
    /// One word for the metric.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::AwaitsRelease => "awaits_release",
            Self::BackOrdered(_) => "back_ordered",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::Fault(_) => "fault",
        }
    }
}

/// What an order needs next, given the last step that was carried out in this run: a step that changed nothing is not
/// taken twice.
pub(super) fn next(order: &Order, auto_release: bool, done: Option<Step>) -> Next {
    let step = match order.status {
        OrderStatus::Open | OrderStatus::BackOrdered => Step::Allocate,
        OrderStatus::Allocated if order.payment_status != PaymentStatus::Paid => Step::Pay,
        OrderStatus::Allocated if auto_release => Step::Release,
        OrderStatus::Allocated => return Next::Stop(Ending::AwaitsRelease),
        OrderStatus::Cancelled => return Next::Stop(Ending::Cancelled),
        _ => return Next::Stop(Ending::Released),
    };
    match step {
        _ if done != Some(step) => Next::Do(step),
        Step::Allocate => Next::Stop(Ending::BackOrdered(order.store_id.clone())),
        Step::Pay | Step::Release => Next::Stop(Ending::Refused),
    }
}

impl Step {
    /// One word for the metric.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Allocate => "allocate",
            Self::Pay => "pay",
            Self::Release => "release",
        }
    }

    /// The command's id: the same for a step with the same cause, whoever takes it.
    pub(super) fn command_id(self, cause: Uuid, id: OrderId, order: &Order) -> CommandId {
        let words = [cause.to_string(), id.to_string(), self.name(order)];
        derived::command_id(NAME, &words.each_ref().map(String::as_str))
    }

    /// What tells this step from another one with the same cause. An allocation that put the order on back order is
    /// over; a payment is of one amount.
    fn name(self, order: &Order) -> String {
        match self {
            Self::Allocate if order.status == OrderStatus::BackOrdered => "reallocate".to_owned(),
            Self::Pay => format!("pay {}", order.totals.cash_due),
            step => step.as_str().to_owned(),
        }
    }

    /// The command that takes the step.
    pub(super) fn command(self, order: &Order) -> OrderCommand {
        match self {
            Self::Allocate => OrderCommand::Allocate,
            Self::Pay => OrderCommand::Pay(Pay {
                method: order.payment_method.clone(),
                amount: order.totals.cash_due,
            }),
            Self::Release => OrderCommand::Release,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ending as E, OrderStatus as O, PaymentStatus as P, Step as S, *};

    fn order(status: O, payment: P) -> Order {
        Order {
            status,
            payment_status: payment,
            store_id: StoreId::new("CFR029").unwrap(),
            payment_method: "COD".into(),
            ..Order::default()
        }
    }

    #[test]
    fn each_state_has_its_next_step() {
        let store = || StoreId::new("CFR029").unwrap();
        let (unpaid, paid) = (P::NotApplicable, P::Paid);
        for (status, payment, auto_release, done, expected) in [
            (O::Open, unpaid, true, None, Next::Do(S::Allocate)),
            (O::BackOrdered, unpaid, true, None, Next::Do(S::Allocate)),
            (
                O::BackOrdered,
                unpaid,
                true,
                Some(S::Allocate),
                Next::Stop(E::BackOrdered(store())),
            ),
            (O::Allocated, unpaid, true, None, Next::Do(S::Pay)),
            (
                O::Allocated,
                unpaid,
                true,
                Some(S::Allocate),
                Next::Do(S::Pay),
            ),
            (
                O::Allocated,
                unpaid,
                false,
                Some(S::Allocate),
                Next::Do(S::Pay),
            ),
            (
                O::Allocated,
                unpaid,
                true,
                Some(S::Pay),
                Next::Stop(E::Refused),
            ),
            (O::Allocated, paid, true, Some(S::Pay), Next::Do(S::Release)),
            (O::Allocated, paid, true, None, Next::Do(S::Release)),
            (
                O::Allocated,
                paid,
                false,
                Some(S::Pay),
                Next::Stop(E::AwaitsRelease),
            ),
            (O::Released, paid, false, None, Next::Stop(E::Released)),
            (O::Delivered, paid, true, None, Next::Stop(E::Released)),
            (O::Cancelled, unpaid, true, None, Next::Stop(E::Cancelled)),
        ] {
            let found = next(&order(status, payment), auto_release, done);
            assert_eq!(
                found, expected,
                "{status:?} {payment:?} {auto_release} {done:?}"
            );
        }
    }

    #[test]
    fn ids_never_change() {
        let mut order = order(O::Open, P::NotApplicable);
        order.totals.cash_due = "169.00".parse().unwrap();
        let (cause, id) = (Uuid::from_u128(1), OrderId(Uuid::from_u128(2)));
        for (step, golden) in [
            (S::Allocate, "ea70222a-dd23-5f70-9383-786cad1fae6c"),
            (S::Pay, "881e0920-a525-5a5f-88cf-5b22cf30d9c3"),
        ] {
            assert_eq!(step.command_id(cause, id, &order).to_string(), golden);
        }
    }

    #[test]
    fn a_step_is_told_from_another_by_what_it_does() {
        let mut order = order(O::Open, P::NotApplicable);
        assert_eq!(S::Allocate.name(&order), "allocate");
        order.status = O::BackOrdered;
        assert_eq!(S::Allocate.name(&order), "reallocate");
        order.totals.cash_due = "169.00".parse().unwrap();
        assert_eq!(S::Pay.name(&order), "pay 169.0000");
        let OrderCommand::Pay(pay) = S::Pay.command(&order) else {
            panic!("a payment");
        };
        assert_eq!(
            (pay.method.as_str(), pay.amount),
            ("COD", order.totals.cash_due)
        );
    }
}
