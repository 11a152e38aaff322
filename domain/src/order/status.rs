//! The order's and the payment's status codes and the moves between them.

use serde::{Deserialize, Serialize};

use self::OrderStatus as S;

/// Where an order stands. The numbers are the chain's own codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u16", try_from = "u16")]
#[repr(u16)]
#[allow(missing_docs)]
pub enum OrderStatus {
    Open = 1000,
    BackOrdered = 1500,
    Allocated = 2000,
    Released = 3000,
    InProcess = 3500,
    Picked = 3600,
    Packed = 3700,
    Fulfilled = 7000,
    Shipped = 7100,
    InTransit = 7200,
    OutForDelivery = 7300,
    Delivered = 7500,
    PendingReturn = 8000,
    Returned = 8500,
    Cancelled = 9000,
}

/// Where the payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "u16", try_from = "u16")]
#[repr(u16)]
#[allow(missing_docs)]
pub enum PaymentStatus {
    NotApplicable = 0,
    AwaitingInfo = 1000,
    AwaitingAuthorisation = 2000,
    Authorised = 3000,
    AwaitingSettlement = 4000,
    Paid = 5000,
    AwaitingRefund = 6000,
    Refunded = 7000,
    Failed = 9000,
}

/// A number that is no status code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a status code")]
pub struct UnknownCode(pub u16);

macro_rules! codes {
    ($name:ident: $($variant:ident),+) => {
        impl $name {
            /// Every status, in the order of its code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The chain's numeric code.
            pub const fn code(self) -> u16 {
                self as u16
            }
        }

        impl From<$name> for u16 {
            fn from(status: $name) -> u16 {
                status.code()
            }
        }

        impl TryFrom<u16> for $name {
            type Error = UnknownCode;
            fn try_from(code: u16) -> Result<Self, UnknownCode> {
                Self::ALL.iter().copied().find(|s| s.code() == code).ok_or(UnknownCode(code))
            }
        }
    };
}

codes!(OrderStatus: Open, BackOrdered, Allocated, Released, InProcess, Picked, Packed, Fulfilled,
    Shipped, InTransit, OutForDelivery, Delivered, PendingReturn, Returned, Cancelled);
codes!(PaymentStatus: NotApplicable, AwaitingInfo, AwaitingAuthorisation, Authorised, AwaitingSettlement,
    Paid, AwaitingRefund, Refunded, Failed);

/// The road of the goods from release to delivery, in order: the only statuses that a later event
/// may step over.
const ROAD: [OrderStatus; 9] = [
    S::Released,
    S::InProcess,
    S::Picked,
    S::Packed,
    S::Fulfilled,
    S::Shipped,
    S::InTransit,
    S::OutForDelivery,
    S::Delivered,
];
/// Where [`S::Fulfilled`] stands on the road. No event steps over it: it brings the tracking id.
const FULFILLED: usize = 4;

/// Whether and for whom an order can still be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancellable {
    /// Up to 3000: everybody who may cancel.
    Freely,
    /// 3500 and 3600: only with [`crate::actor::Action::CancelLate`].
    Late,
    /// It is cancelled: repeating is harmless.
    Already,
    /// From 3700 on: never; after delivery there are returns.
    No,
}

impl OrderStatus {
    /// Whether one event may move an order from here to `to`, and if so the statuses it steps over,
    /// in order. `None` means that the move does not exist, `from == to` included.
    pub fn path_to(self, to: Self) -> Option<&'static [Self]> {
        match (self, to) {
            (S::Open, S::BackOrdered | S::Allocated)
            | (S::BackOrdered, S::Allocated)
            | (S::Allocated, S::Released)
            | (S::OutForDelivery | S::Delivered, S::PendingReturn)
            | (S::PendingReturn, S::Returned) => Some(&[]),
            (from, S::Cancelled) => {
                let asked = matches!(from.cancellable(), Cancellable::Freely | Cancellable::Late);
                // Nobody cancels a packed order, but it is cancelled if none of it is there.
                (asked || from == S::Packed).then_some(&[] as &[Self])
            }
            (from, to) => road(from, to),
        }
    }

    /// Whether an order in this status can be cancelled.
    pub const fn cancellable(self) -> Cancellable {
        match self {
            S::Open | S::BackOrdered | S::Allocated | S::Released => Cancellable::Freely,
            S::InProcess | S::Picked => Cancellable::Late,
            S::Cancelled => Cancellable::Already,
            _ => Cancellable::No,
        }
    }

    /// An order's status from its lines': the least advanced. Being the highest code, Cancelled
    /// never drags an order down, and only an order of cancelled lines is Cancelled.
    /// `None` for no lines.
    pub fn roll_up(lines: impl IntoIterator<Item = Self>) -> Option<Self> {
        lines.into_iter().min()
    }
}

/// The part of the road strictly between `from` and `to`, unless it steps over 7000 or goes back.
fn road(from: OrderStatus, to: OrderStatus) -> Option<&'static [OrderStatus]> {
    let at = |status| ROAD.iter().position(|s| *s == status);
    let (from, to) = (at(from)?, at(to)?);
    let steps_over_fulfilled = from < FULFILLED && to > FULFILLED;
    if from < to && !steps_over_fulfilled {
        ROAD.get(from + 1..to)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows from, columns to, both in the order of the codes. `x` = one step, a digit = that many
    /// statuses stepped over, `.` = no such move.
    const MOVES: &str = "\
        1000 .xx...........x
        1500 ..x...........x
        2000 ...x..........x
        3000 ....x123......x
        3500 .....x12......x
        3600 ......x1......x
        3700 .......x......x
        7000 ........x123...
        7100 .........x12...
        7200 ..........x1...
        7300 ...........xx..
        7500 ............x..
        8000 .............x.
        8500 ...............
        9000 ...............";

    #[test]
    fn every_move_and_no_other() {
        let actual: Vec<String> = S::ALL
            .iter()
            .map(|from| {
                let row = S::ALL.iter().map(|to| match from.path_to(*to) {
                    None => ".".to_owned(),
                    Some([]) => "x".to_owned(),
                    Some(skipped) => skipped.len().to_string(),
                });
                format!("{} {}", from.code(), row.collect::<String>())
            })
            .collect();
        let expected: Vec<&str> = MOVES.lines().map(str::trim).collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn a_skip_names_what_lies_between() {
        let skipped: &[S] = &[S::InProcess, S::Picked, S::Packed];
        assert_eq!(S::Released.path_to(S::Fulfilled), Some(skipped));
        let skipped: &[S] = &[S::Shipped, S::InTransit, S::OutForDelivery];
        assert_eq!(S::Fulfilled.path_to(S::Delivered), Some(skipped));
    }

    #[test]
    fn lines_roll_up_to_the_least_advanced() {
        for (lines, expected) in [
            (vec![], None),
            (vec![S::Cancelled, S::Cancelled], Some(S::Cancelled)),
            (vec![S::Delivered, S::Delivered], Some(S::Delivered)),
            (vec![S::Cancelled, S::Delivered], Some(S::Delivered)),
            (
                vec![S::Picked, S::Released, S::Cancelled],
                Some(S::Released),
            ),
        ] {
            assert_eq!(S::roll_up(lines), expected);
        }
    }

    #[test]
    fn codes_round_trip_and_unknown_ones_are_refused() {
        for status in S::ALL {
            assert_eq!(S::try_from(status.code()), Ok(*status));
        }
        for status in PaymentStatus::ALL {
            assert_eq!(PaymentStatus::try_from(status.code()), Ok(*status));
        }
        assert_eq!(S::try_from(5000), Err(UnknownCode(5000)));
        assert_eq!(PaymentStatus::try_from(9999), Err(UnknownCode(9999)));
    }
}
