//! Which commands would move an order on.

use async_graphql::Enum;
use domain::{
    actor::{Action, Role},
    money::{Quantity, SCALE},
    order::{
        Answer, CollectionStatus, LineState, Order as State, OrderStatus as Status,
        PaymentStatus as Payment, status::Cancellable,
    },
};

/// A piece.
const ONE: Quantity = Quantity::from_units(SCALE);

/// A command that an order may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum CommandKind {
    /// `allocateOrder`
    Allocate,
    /// `changeLines`
    ChangeLines,
    /// `payOrder`
    Pay,
    /// `releaseOrder`
    Release,
    /// `recordPicking`
    RecordPicking,
    /// `reportShort`
    ReportShort,
    /// `proposeSubstitution`
    ProposeSubstitution,
    /// `decideSubstitution`
    DecideSubstitution,
    /// `recordShipment`
    RecordShipment,
    /// `recordDelivery`
    RecordDelivery,
    /// `recordFailedDelivery`
    RecordFailedDelivery,
    /// `collectCash`
    CollectCash,
    /// `failCollection`
    FailCollection,
    /// `correctCollection`
    CorrectCollection,
    /// `requestReturn`
    RequestReturn,
    /// `receiveReturn`
    ReceiveReturn,
    /// `refundOrder`
    Refund,
    /// `cancelOrder`
    Cancel,
}

impl CommandKind {
    /// Every command.
    pub const ALL: [Self; 18] = [
        Self::Allocate,
        Self::ChangeLines,
        Self::Pay,
        Self::Release,
        Self::RecordPicking,
        Self::ReportShort,
        Self::ProposeSubstitution,
        Self::DecideSubstitution,
        Self::RecordShipment,
        Self::RecordDelivery,
        Self::RecordFailedDelivery,
        Self::CollectCash,
        Self::FailCollection,
        Self::CorrectCollection,
        Self::RequestReturn,
        Self::ReceiveReturn,
        Self::Refund,
        Self::Cancel,
    ];

    /// What it asks permission for, on this order.
    const fn action(self, order: &State) -> Action {
        match self {
            Self::Allocate => Action::Allocate,
            Self::ChangeLines => Action::ChangeLines,
            Self::Pay => Action::Pay,
            Self::Release => Action::Release,
            Self::RecordPicking => Action::RecordPicking,
            Self::ReportShort | Self::ProposeSubstitution => Action::ReportShort,
            Self::DecideSubstitution => Action::DecideSubstitution,
            Self::RecordShipment => Action::RecordShipment,
            Self::RecordDelivery | Self::RecordFailedDelivery => Action::RecordDelivery,
            Self::CollectCash | Self::FailCollection => Action::CollectCash,
            Self::CorrectCollection => Action::CorrectCash,
            Self::RequestReturn => Action::RequestReturn,
            Self::ReceiveReturn => Action::ReceiveReturn,
            Self::Refund => Action::Refund,
            Self::Cancel => match order.status.cancellable() {
                Cancellable::Late => Action::CancelLate,
                _ => Action::Cancel,
            },
        }
    }

    /// Whether it would move the order on from where it stands.
    fn moves(self, order: &State) -> bool {
        let reaches =
            |targets: &[Status]| targets.iter().any(|to| order.status.path_to(*to).is_some());
        let paid = order.payment_status == Payment::Paid;
        let picking = (Status::Released..=Status::Packed).contains(&order.status);
        let with_rider = (Status::Fulfilled..Status::Delivered).contains(&order.status);
        let left = (Status::Fulfilled..Status::Cancelled).contains(&order.status);
        let collection = order.collection.status;
        match self {
            Self::Allocate => reaches(&[Status::Allocated]),
            Self::ChangeLines => order.status < Status::Released,
            Self::Pay => order.status == Status::Allocated && !paid,
            Self::Release => reaches(&[Status::Released]) && paid,
            Self::RecordPicking => reaches(&[Status::InProcess, Status::Picked, Status::Packed]),
            Self::ReportShort => {
                let is_unpaid = !order.collection.is_collected();
                picking || with_rider && is_unpaid && is_divisible(order)
            }
            Self::ProposeSubstitution => {
                picking && order.allow_substitution && has_replaceable(order)
            }
            Self::DecideSubstitution => {
                let open = order.offers.iter().any(|o| o.answer == Answer::Open);
                open && order.status != Status::Cancelled
            }
            Self::RecordShipment => reaches(&[Status::Fulfilled, Status::Shipped]),
            Self::RecordDelivery => {
                reaches(&[Status::InTransit, Status::OutForDelivery, Status::Delivered])
            }
            Self::RecordFailedDelivery => with_rider,
            Self::CollectCash => left && !order.collection.is_collected(),
            Self::FailCollection => {
                let failed = collection == CollectionStatus::Failed;
                left && !order.collection.is_collected() && !failed
            }
            Self::CorrectCollection => collection == CollectionStatus::Collected,
            Self::RequestReturn => order.lines.iter().any(is_with_customer),
            Self::ReceiveReturn => order.returns.iter().any(|r| r.received_at.is_none()),
            Self::Refund => order.refund_promised() > order.refunded,
            Self::Cancel => matches!(
                order.status.cancellable(),
                Cancellable::Freely | Cancellable::Late
            ),
        }
    }
}

/// Whether there is a line that another product may be offered for: one without an open offer.
fn has_replaceable(order: &State) -> bool {
    let is_asked = |line: &LineState| {
        let mut open = order.offers.iter().filter(|o| o.answer == Answer::Open);
        open.any(|o| o.proposal.line_number == line.line.line_number)
    };
    let is_fixed = |line: &LineState| line.line.bundle.as_ref().is_some_and(|b| !b.substitutable);
    let mut lines = order.lines.iter();
    lines.any(|line| line.is_open() && !is_fixed(line) && !is_asked(line))
}

/// Whether something of the order can be short without all of it being so: on its way it is not emptied. A bundle goes
/// as a whole.
fn is_divisible(order: &State) -> bool {
    let mut open = order.lines.iter().filter(|l| l.is_open());
    let Some(first) = open.next() else {
        return false;
    };
    let bundle = first.line.bundle.as_ref().map(|b| &b.ref_id);
    let has_parts = bundle.is_none() && (first.line.is_weight_item || first.line.quantity > ONE);
    has_parts
        || open.any(|l| bundle.is_none() || l.line.bundle.as_ref().map(|b| &b.ref_id) != bundle)
}

/// Whether the customer still has something of a line.
fn is_with_customer(line: &LineState) -> bool {
    line.status == Status::Delivered && line.line.quantity > line.returned
}

/// The commands that would move the order on, and that the role may give: what the buttons may show. The
/// decision itself is made when the command comes: it knows the time and the command's content.
pub(super) fn allowed(order: &State, role: Role) -> Vec<CommandKind> {
    let fits = |kind: &CommandKind| kind.moves(order) && role.may(kind.action(order));
    CommandKind::ALL.into_iter().filter(fits).collect()
}

#[cfg(test)]
#[path = "../../tests/allowed.rs"]
mod tests;
