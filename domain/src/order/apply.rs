//! How each event changes an order.

mod cash;

use super::{
    after::{Answer, Attempt, CollectionStatus, LineState, Offer, Original, Payment, ShortReport},
    event::{Figures, LineQuantity, OrderEvent, Placed, Proposal, Step},
    state::Order,
    status::{OrderStatus, PaymentStatus},
};
use crate::money::{Quantity, SCALE};

impl Order {
    /// Takes in one event. Total: whatever the log holds, it neither fails nor panics, because the
    /// decision was made when the event was written.
    pub fn apply(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::Placed(placed) => *self = Self::placed(placed),
            OrderEvent::Allocated { .. } => {
                self.back_order_reason = None;
                self.advance(OrderStatus::Allocated);
            }
            OrderEvent::BackOrdered { reason, .. } => {
                self.back_order_reason = Some(reason.clone());
                self.advance(OrderStatus::BackOrdered);
            }
            OrderEvent::LinesChanged { lines, figures, .. } => {
                for wanted in lines {
                    if let Some(state) = self.line_mut(wanted.line_number) {
                        state.ordered = state.ordered.max(wanted.quantity);
                    }
                }
                self.refigure(figures);
            }
            OrderEvent::Paid {
                method,
                amount,
                rounding,
            } => {
                self.payment_status = PaymentStatus::Paid;
                self.payment = Some(Payment {
                    method: method.clone(),
                    amount: *amount,
                    rounding: *rounding,
                });
            }
            OrderEvent::Released { at } => {
                self.released_at = *at;
                self.advance(OrderStatus::Released);
            }
            OrderEvent::PickingRecorded { step } => {
                self.is_stuck = false;
                self.advance(step.to);
            }
            OrderEvent::DeliveryRecorded { step } => self.deliver(step),
            OrderEvent::ShipmentRecorded {
                step,
                tracking_id,
                carrier,
                shipment_id,
            } => {
                self.is_stuck = false;
                self.ship(step, tracking_id, carrier, shipment_id);
            }
            OrderEvent::Cancelled {
                reason,
                payment_status,
                ..
            } => {
                self.cancel_reason = Some(reason.clone());
                self.payment_status = *payment_status;
                self.is_stuck = false;
                self.advance(OrderStatus::Cancelled);
            }
            OrderEvent::Stuck { .. } => self.is_stuck = true,
            OrderEvent::CollectionOverdue { .. } => self.is_collection_overdue = true,
            event => self.apply_exception(event),
        }
    }

    /// What goes another way than the straight one.
    fn apply_exception(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::SubstitutionProposed { proposal } => self.offers.push(Offer {
                proposal: proposal.clone(),
                answer: Answer::Open,
            }),
            OrderEvent::SubstitutionApproved { proposal, figures } => {
                self.answer(&proposal.proposal_id, Answer::Approved);
                self.substitute(proposal);
                self.refigure(figures);
            }
            OrderEvent::SubstitutionDeclined {
                proposal_id, cause, ..
            } => self.answer(proposal_id, (*cause).into()),
            OrderEvent::Shorted {
                reason,
                report_id,
                lines,
                figures,
                occurred_at,
                ..
            } => {
                let report = report_id.clone().map(|report_id| ShortReport {
                    report_id,
                    reason: reason.clone(),
                    lines: lines.clone(),
                    occurred_at: *occurred_at,
                });
                self.short_reports.extend(report);
                self.short(lines);
                self.refigure(figures);
            }
            OrderEvent::DeliveryFailed {
                attempt_id,
                reason,
                step,
                occurred_at,
                ..
            } => {
                self.attempts.push(Attempt {
                    attempt_id: attempt_id.clone(),
                    reason: reason.clone(),
                    occurred_at: *occurred_at,
                });
                if let Some(step) = step {
                    self.deliver(step);
                }
            }
            event => self.apply_cash(event),
        }
    }

    fn placed(placed: &Placed) -> Self {
        Self {
            number: placed.number.clone(),
            channel: placed.channel,
            order_type: placed.order_type.clone(),
            refs: placed.refs.clone(),
            store_id: placed.store_id.clone(),
            region: placed.region.clone(),
            customer_id: placed.customer_id.clone(),
            t1_membership_id: placed.t1_membership_id.clone(),
            t1_number: placed.t1_number.clone(),
            contact: placed.contact.clone(),
            lines: placed.lines.iter().map(LineState::new).collect(),
            bundles: placed.bundles.clone(),
            order_discounts: placed.order_discounts.clone(),
            fees: placed.fees.clone(),
            totals: placed.totals,
            payment_method: placed.payment_method.clone(),
            requested_slot: placed.requested_slot,
            promised_at: placed.promised_at,
            captured_at: placed.captured_at,
            allow_substitution: placed.allow_substitution,
            warnings: placed.warnings.clone(),
            ..Self::default()
        }
    }

    /// Moves every line that is not cancelled, and the order with them.
    fn advance(&mut self, to: OrderStatus) {
        for line in self.lines.iter_mut().filter(|l| l.is_open()) {
            line.status = to;
        }
        self.status = OrderStatus::roll_up(self.lines.iter().map(|l| l.status)).unwrap_or(to);
    }

    fn roll_up(&mut self) {
        self.status =
            OrderStatus::roll_up(self.lines.iter().map(|l| l.status)).unwrap_or(self.status);
    }

    fn ship(
        &mut self,
        step: &Step,
        tracking_id: &Option<String>,
        carrier: &Option<String>,
        shipment_id: &Option<String>,
    ) {
        for (field, news) in [
            (&mut self.tracking_id, tracking_id),
            (&mut self.carrier, carrier),
            (&mut self.shipment_id, shipment_id),
        ] {
            if news.is_some() {
                field.clone_from(news);
            }
        }
        self.advance(step.to);
    }

    fn deliver(&mut self, step: &Step) {
        if step.to >= OrderStatus::OutForDelivery
            && self.collection.status == CollectionStatus::Pending
        {
            self.collection.status = CollectionStatus::InTransit;
        }
        if step.to == OrderStatus::Delivered {
            self.delivered_at = step.occurred_at.or(step.recorded_at);
        }
        self.advance(step.to);
    }

    /// Takes over figures; lines that they do not name stay as they are.
    fn refigure(&mut self, figures: &Figures) {
        for new in &figures.lines {
            let Some(state) = self.line_mut(new.line_number) else {
                continue;
            };
            state.status = new.status;
            let line = &mut state.line;
            line.quantity = new.quantity;
            line.gross = new.gross;
            line.discount = new.discount;
            line.discounts.clone_from(&new.discounts);
            if let Some(pack) = &mut line.pack {
                // Packs are whole, and their number is bounded far below the type's.
                pack.ordered = i32::try_from(new.quantity.units() / SCALE).unwrap_or(i32::MAX);
            }
            line.net = new.net;
            line.order_discount_share = new.order_discount_share;
            line.tax_contained = new.tax_contained;
            line.tax_added = new.tax_added;
        }
        self.order_discounts.clone_from(&figures.order_discounts);
        self.fees.clone_from(&figures.fees);
        self.totals = figures.totals;
        if let Some(payment) = &mut self.payment {
            payment.amount = figures.totals.cash_due;
            payment.rounding = figures.totals.cash_rounding;
        }
        self.roll_up();
    }

    /// Counts what is missing, against what was left of each line before.
    fn short(&mut self, lines: &[LineQuantity]) {
        for left in lines {
            if let Some(state) = self.line_mut(left.line_number) {
                let missing = minus(state.line.quantity, left.quantity);
                state.short = Quantity::from_units(state.short.units().saturating_add(missing));
            }
        }
    }

    fn answer(&mut self, proposal_id: &str, answer: Answer) {
        for offer in &mut self.offers {
            if offer.proposal.proposal_id == proposal_id {
                offer.answer = answer;
            }
        }
    }

    fn substitute(&mut self, proposal: &Proposal) {
        let Some(state) = self.line_mut(proposal.line_number) else {
            return;
        };
        let (line, new) = (&mut state.line, &proposal.replacement);
        state.original.get_or_insert_with(|| Original {
            sku: line.sku.clone(),
            name_th: line.name_th.clone(),
            name_en: line.name_en.clone(),
            unit_price: line.unit_price,
            quantity: line.quantity,
        });
        let missing = minus(line.quantity, new.quantity);
        state.short = Quantity::from_units(state.short.units().saturating_add(missing));
        line.sku = new.sku.clone();
        line.name_th.clone_from(&new.name_th);
        line.name_en.clone_from(&new.name_en);
        line.short_description = None;
        line.image_url = None;
        line.unit_price = new.unit_price;
        line.original_unit_price = new.unit_price;
        if let Some(pack) = &mut line.pack {
            pack.unit_price = new.unit_price;
        }
    }

    fn line_mut(&mut self, number: u16) -> Option<&mut LineState> {
        self.lines.iter_mut().find(|l| l.line.line_number == number)
    }
}

fn minus(a: Quantity, b: Quantity) -> i64 {
    a.units().saturating_sub(b.units()).max(0)
}
