//! Which commands would move an order on.

use async_graphql::Enum;
use domain::{
    actor::{Action, Role},
    order::{Order as State, OrderStatus as Status, PaymentStatus as Payment, status::Cancellable},
};

/// A command that an order may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum CommandKind {
    /// `allocateOrder`
    Allocate,
    /// `payOrder`
    Pay,
    /// `releaseOrder`
    Release,
    /// `recordPicking`
    RecordPicking,
    /// `recordShipment`
    RecordShipment,
    /// `recordDelivery`
    RecordDelivery,
    /// `cancelOrder`
    Cancel,
}

/// The commands that would move the order on, and that the role may give: what the buttons may show. The
/// decision itself is made when the command comes.
pub(super) fn allowed(order: &State, role: Role) -> Vec<CommandKind> {
    use CommandKind as K;
    let reaches = |targets: &[Status]| targets.iter().any(|to| order.status.path_to(*to).is_some());
    let paid = order.payment_status == Payment::Paid;
    let table = [
        (K::Allocate, Action::Allocate, reaches(&[Status::Allocated])),
        (
            K::Pay,
            Action::Pay,
            order.status == Status::Allocated && !paid,
        ),
        (
            K::Release,
            Action::Release,
            reaches(&[Status::Released]) && paid,
        ),
        (
            K::RecordPicking,
            Action::RecordPicking,
            reaches(&[Status::InProcess, Status::Picked, Status::Packed]),
        ),
        (
            K::RecordShipment,
            Action::RecordShipment,
            reaches(&[Status::Fulfilled, Status::Shipped]),
        ),
        (
            K::RecordDelivery,
            Action::RecordDelivery,
            reaches(&[Status::InTransit, Status::OutForDelivery, Status::Delivered]),
        ),
        (
            K::Cancel,
            Action::Cancel,
            order.status.cancellable() == Cancellable::Freely,
        ),
        (
            K::Cancel,
            Action::CancelLate,
            order.status.cancellable() == Cancellable::Late,
        ),
    ];
    let fits = |(kind, action, possible): &(K, Action, bool)| {
        (*possible && role.may(*action)).then_some(*kind)
    };
    table.iter().filter_map(fits).collect()
}
