//! What an order's events move.
//!
//! | event | moves | why |
//! |---|---|---|
//! | `order.paid` | `Sales` -> `Receivable`, the cash due | from now on the customer owes it |
//! | `order.lines_changed`, `order.shorted`, `order.substitution_approved` | `Sales` -> `Receivable`, the cash due now less the cash due before | the customer owes another amount; before the payment nobody owes anything yet |
//! | `order.cancelled`, `order.collection_failed` (final), `order.return_requested` (undelivered) | `Receivable` -> `Sales`, all that is receivable | nothing was sold; the second of two such events finds nothing to move |
//! | `order.cash_collected` | `Receivable` -> `Rider`, all that is receivable; `Variance` -> `Rider`, what came beyond it | the customer owes nothing any more: what they paid too little is missing (`Variance` +), what they paid too much is left over (`Variance` -) |
//! | `order.collection_corrected` | `Variance` -> `Rider`, the correction | the rider has another amount than was said; what the customer owed does not change |
//! | `order.collection_failed` (not final) | nothing | it is tried again |
//! | `order.cash_reconciled` | `Rider` -> `Variance`, what the remittance did not expect | the remittance took the expected amount from the rider; a correction that came too late for it will never be handed over, and cash that was handed over as extra before it was heard of is balanced with the variance that it left. Not for an extra item: its remittance expected nothing of the rider |
//! | `order.return_requested` (by the customer) | what is waived: `Receivable` -> `Sales`, then `Variance` -> `Sales` as far as the customer paid too little | see below; one of undelivered goods waives the same way what was paid too little for them |
//! | `order.refunded` | `Store` -> `Sales`, as far as returns promised it and something is sold; `Store` -> `Variance`, the rest | paid from the store's cash: the sale shrinks. The rest was never sold: cash that came though it was not due goes back. A return that comes after such a refund takes it over: `Variance` -> `Sales` |
//! | any other | nothing | |
//!
//! A return promises two things. The *refund* moves when the cash does, with `order.refunded`: until then the store has
//! it and the sale stands. What is *waived* moves at once: with the promise the customer owes less, no later event says
//! so again, and a collection after it asks for the smaller amount.

use serde::{Deserialize, Serialize};

use super::{
    Account::{self, Receivable, Rider, Sales, Store, Variance},
    Balances, Posting,
    posting::About,
};
use crate::{
    ids::{OrderId, PartnerId},
    money::Money,
    order::{
        OrderEvent,
        event::{ReturnCause, ReturnRequested},
    },
    remittance::ItemOutcome,
};

/// What is booked for one order so far: the state that its next posting depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderCash {
    /// What the order's own events moved. What remittances move of it further on is not here.
    balances: Balances,
    /// The cash due that is booked as sold; `None` while there is no sale.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    due: Option<Money>,
    /// What returns promised back in cash.
    #[serde(default)]
    promised: Money,
    /// How much of what was refunded is booked against the sale.
    #[serde(default)]
    given_back: Money,
    /// What the remittance did not expect of the rider: part of the variance, and none of the customer's doing.
    #[serde(default)]
    unexpected: Money,
    /// Whose rider has or had the cash.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    partner_id: Option<PartnerId>,
}

/// An amount on its way: out of an account, into another.
type Move = (Account, Account, Money);

impl OrderCash {
    /// What the order's own events moved so far; adds up to zero.
    pub const fn balances(&self) -> &Balances {
        &self.balances
    }

    /// Books one event of the order, in the order of its stream, and answers what it moves.
    ///
    /// Total, as the fold of the events is: after any events at all the books balance. Amounts that would take an
    /// account beyond DECIMAL(18,4) move nothing.
    pub fn post(&mut self, order_id: OrderId, event: &OrderEvent) -> Posting {
        let mut after = self.clone();
        let moves = after.moves(event);
        let about = About {
            order_id: Some(order_id),
            partner_id: after.partner_id.as_ref(),
        };
        let mut posting = Posting::default();
        for (from, into, amount) in moves {
            posting.transfer(from, into, amount, about);
        }
        let Some(balances) = self.balances.checked_add(&posting) else {
            return Posting::default();
        };
        *self = Self { balances, ..after };
        posting
    }

    fn moves(&mut self, event: &OrderEvent) -> Vec<Move> {
        match event {
            OrderEvent::Paid { amount, .. } => self.sell(*amount),
            OrderEvent::LinesChanged { figures, .. }
            | OrderEvent::Shorted { figures, .. }
            | OrderEvent::SubstitutionApproved { figures, .. }
                if self.due.is_some() =>
            {
                self.sell(figures.totals.cash_due)
            }
            OrderEvent::Cancelled { .. } | OrderEvent::CollectionFailed { is_final: true, .. } => {
                self.undo_sale()
            }
            OrderEvent::CashCollected(cash) => {
                self.partner_id = Some(cash.partner_id.clone());
                self.collect(cash.amount)
            }
            OrderEvent::CollectionCorrected { to, .. } => {
                vec![(Variance, Rider, to.saturating_sub(self.balances.of(Rider)))]
            }
            OrderEvent::CashReconciled {
                outcome, expected, ..
            } if *outcome != ItemOutcome::Extra => {
                let rest = self.balances.of(Rider).saturating_sub(*expected);
                self.unexpected = Money::ZERO.checked_add(rest).unwrap_or_default();
                vec![(Rider, Variance, rest)]
            }
            OrderEvent::ReturnRequested(request) => self.take_back(request),
            OrderEvent::Refunded { amount, .. } => self.refund(*amount),
            _ => Vec::new(),
        }
    }

    /// The cash due is this now.
    fn sell(&mut self, due: Money) -> Vec<Move> {
        let Some(due) = Money::ZERO.checked_add(due) else {
            return Vec::new();
        };
        let before = self.due.replace(due).unwrap_or_default();
        vec![(Sales, Receivable, due.saturating_sub(before))]
    }

    fn undo_sale(&mut self) -> Vec<Move> {
        self.due = None;
        vec![(Receivable, Sales, self.balances.of(Receivable))]
    }

    fn collect(&self, amount: Money) -> Vec<Move> {
        let receivable = self.balances.of(Receivable);
        vec![
            (Receivable, Rider, receivable),
            (Variance, Rider, amount.saturating_sub(receivable)),
        ]
    }

    fn take_back(&mut self, request: &ReturnRequested) -> Vec<Move> {
        let promised = self.promised.checked_add(request.refund);
        self.promised = promised.unwrap_or(self.promised);
        let receivable = self.balances.of(Receivable);
        let of_claim = match request.cause {
            ReturnCause::Customer => part(request.waived, receivable),
            ReturnCause::Undelivered => {
                self.due = None;
                receivable
            }
        };
        let rest = request.waived.saturating_sub(of_claim);
        let of_missing = part(
            rest,
            self.balances.of(Variance).saturating_sub(self.unexpected),
        );
        let waived = vec![(Receivable, Sales, of_claim), (Variance, Sales, of_missing)];
        let sold = self
            .sold()
            .saturating_sub(of_claim)
            .saturating_sub(of_missing);
        let before = self.give_back(Money::ZERO, sold);
        [waived, vec![(Variance, Sales, before)]].concat()
    }

    fn refund(&mut self, amount: Money) -> Vec<Move> {
        let of_sale = self.give_back(amount, self.sold());
        vec![
            (Store, Sales, of_sale),
            (Store, Variance, amount.saturating_sub(of_sale)),
        ]
    }

    /// What counts against the sale now: all that is refunded, as far as returns promised it, no matter which came
    /// first, less what counts already.
    fn give_back(&mut self, amount: Money, sold: Money) -> Money {
        let refunded = amount.saturating_sub(self.balances.of(Store));
        let of_sale = part(
            refunded.min(self.promised).saturating_sub(self.given_back),
            sold,
        );
        self.given_back = of_sale
            .checked_add(self.given_back)
            .unwrap_or(self.given_back);
        of_sale
    }

    fn sold(&self) -> Money {
        Money::ZERO.saturating_sub(self.balances.of(Sales))
    }
}

/// As much of `wanted` as there is; nothing of what is negative.
fn part(wanted: Money, available: Money) -> Money {
    wanted.min(available).max(Money::ZERO)
}
