//! What events change about the cash, and about what goes back.

use crate::{
    money::Quantity,
    order::{
        after::{CollectionStatus, Goods, Reconciled, TakenIn},
        event::{CashCollected, OrderEvent, ReturnCause, ReturnRequested},
        state::Order,
        status::{OrderStatus, PaymentStatus},
    },
    remittance::ItemOutcome,
};

impl Order {
    /// What becomes of the cash.
    pub(super) fn apply_cash(&mut self, event: &OrderEvent) {
        let collection = &mut self.collection;
        match event {
            OrderEvent::CashCollected(cash) => {
                self.is_collection_overdue = false;
                self.collect(cash);
            }
            OrderEvent::CollectionFailed {
                reason, is_final, ..
            } => {
                collection.status = CollectionStatus::Failed;
                collection.is_final = *is_final;
                collection.failure_reason = Some(reason.clone());
                self.is_collection_overdue = false;
                if *is_final {
                    self.payment_status = PaymentStatus::Failed;
                }
            }
            OrderEvent::CollectionCorrected {
                to,
                discrepancy,
                reason,
                ..
            } => {
                collection.amount = *to;
                collection.discrepancy = *discrepancy;
                collection.discrepancy_reason = Some(reason.clone());
                self.settle();
            }
            OrderEvent::CashReconciled {
                remittance_id,
                outcome: ItemOutcome::Extra,
                accepted,
                ..
            } => {
                collection.keep(TakenIn {
                    remittance_id: remittance_id.clone(),
                    accepted: *accepted,
                });
            }
            OrderEvent::CashReconciled {
                remittance_id,
                outcome,
                accepted,
                variance,
                ..
            } => {
                collection.status = CollectionStatus::Reconciled;
                collection.reconciled = Some(Reconciled {
                    remittance_id: remittance_id.clone(),
                    outcome: *outcome,
                    accepted: *accepted,
                    variance: *variance,
                });
            }
            event => self.apply_return(event),
        }
    }

    /// What becomes of goods that come back, and of the money for them.
    fn apply_return(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::ReturnRequested(request) => self.take_back(request),
            OrderEvent::ReturnReceived { at } => {
                for goods in &mut self.returns {
                    goods.received_at.get_or_insert(*at);
                }
                for line in &mut self.lines {
                    if line.status == OrderStatus::PendingReturn {
                        line.status = OrderStatus::Returned;
                    }
                }
                self.roll_up();
            }
            OrderEvent::Refunded {
                amount, remaining, ..
            } => {
                self.refunded = self.refunded.saturating_add(*amount);
                if remaining.is_zero() {
                    self.payment_status = PaymentStatus::Refunded;
                }
            }
            _ => {}
        }
    }

    fn collect(&mut self, cash: &CashCollected) {
        let collection = &mut self.collection;
        collection.status = CollectionStatus::Collected;
        collection.amount = cash.amount;
        collection.due = cash.due;
        collection.discrepancy = cash.discrepancy;
        collection.discrepancy_reason = cash.discrepancy_reason.clone();
        collection.partner_id = Some(cash.partner_id.clone());
        collection.rider_id = cash.rider_id.clone();
        collection.collected_at = Some(cash.collected_at);
        collection.proof = cash.proof.clone();
        collection.failure_reason = None;
        self.settle();
    }

    /// Brings the payment's status in line with what the customer is owed back.
    fn settle(&mut self) {
        if self.refund_promised() > self.refunded {
            self.payment_status = PaymentStatus::AwaitingRefund;
        } else if self.payment_status == PaymentStatus::AwaitingRefund {
            self.payment_status = if self.refunded.is_positive() {
                PaymentStatus::Refunded
            } else {
                PaymentStatus::Paid
            };
        }
    }

    fn take_back(&mut self, request: &ReturnRequested) {
        for back in &request.lines {
            let Some(state) = self.line_mut(back.line_number) else {
                continue;
            };
            if request.cause == ReturnCause::Customer {
                let returned = state.returned.units().saturating_add(back.quantity.units());
                state.returned = Quantity::from_units(returned);
                if state.returned < state.line.quantity {
                    continue;
                }
            }
            state.status = OrderStatus::PendingReturn;
        }
        self.returns.push(Goods {
            cause: request.cause,
            reason: request.reason.clone(),
            lines: request.lines.clone(),
            fees: request.fees,
            refund: request.refund,
            waived: request.waived,
            requested_at: request.at,
            received_at: None,
        });
        self.settle();
        let is_unpaid = self.payment_status == PaymentStatus::Paid
            && !self.collection.is_collected()
            && self.cod_due().is_zero();
        if is_unpaid && request.waived.is_positive() {
            self.payment_status = PaymentStatus::NotApplicable;
        }
        self.roll_up();
    }
}
