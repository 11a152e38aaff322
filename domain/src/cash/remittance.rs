//! What a remittance's events move.
//!
//! | event | moves | why |
//! |---|---|---|
//! | `remittance.closed` | per item `Rider` -> `Partner`, what is accepted; `Rider` -> `Variance`, what is expected beyond it | the rider is rid of all that was expected, the partner owes what it accounts for, the rest is missing |
//! | the same, an extra item | `Variance` -> `Partner`, what is accepted | no rider is known to have had it |
//! | `remittance.cash_received` | `Partner` -> `Store` | the partner owes it no more |
//! | `remittance.deposited` | `Store` -> `Deposited` | |
//! | any other | nothing | reports and disputes are claims, not cash |
//!
//! Closing is final: no item is booked twice.

use super::{
    Account::{Deposited, Partner, Rider, Store, Variance},
    Posting,
    posting::About,
};
use crate::remittance::{RemittanceEvent, RemittanceId};

/// What is booked for one remittance: nothing is remembered, its events say all.
#[derive(Debug, Clone, Copy, Default)]
pub struct RemittanceCash;

impl RemittanceCash {
    /// What one event of the remittance moves. Total, as [`super::OrderCash::post`] is.
    pub fn post(id: &RemittanceId, event: &RemittanceEvent) -> Posting {
        let mut posting = Posting::default();
        let whole = About {
            order_id: None,
            partner_id: Some(id.partner()),
        };
        match event {
            RemittanceEvent::Closed { items, .. } => {
                for item in items {
                    let about = About {
                        order_id: item.order_id,
                        ..whole
                    };
                    // For an extra item nothing is expected: the two moves over the rider's
                    // account cancel out there, and leave the partner against the variance.
                    posting.transfer(Rider, Partner, item.accepted, about);
                    posting.transfer(
                        Rider,
                        Variance,
                        item.expected.saturating_sub(item.accepted),
                        about,
                    );
                }
            }
            RemittanceEvent::CashReceived { amount, .. } => {
                posting.transfer(Partner, Store, *amount, whole);
            }
            RemittanceEvent::Deposited { amount, .. } => {
                posting.transfer(Store, Deposited, *amount, whole);
            }
            _ => {}
        }
        posting
    }
}
