//! What goes otherwise than straight: shorts, other products, failed deliveries, the cash, returns.

use domain::{
    actor::Role,
    ids::Sku,
    money::{Money, Quantity, SCALE},
    order::{
        OrderCommand, OrderStatus,
        command::{
            CollectCash, DecideSubstitution, LineQuantityInput, Proof, ProposeSubstitution,
            RecordFailedDelivery, Refund, ReportShort, RequestReturn,
        },
    },
    refusal::Refusal,
};

use super::{
    catalogue::{PRODUCTS, sku},
    live::{Live, seconds},
    rng::Rng,
};

use OrderStatus as S;

/// Orders with a short line, in 1,000.
const SHORT: u64 = 20;
/// Orders with an offer of another product, in 1,000 of those that allow it.
const SUBSTITUTED: u64 = 75;
/// Offers that customers take, in 1,000.
const APPROVED: u64 = 800;
/// Deliveries that fail at first, in 1,000.
const FAILED_AT_FIRST: u64 = 50;
/// Delivered orders of whose cash nobody hears, in 1,000.
const NO_NEWS: u64 = 8;
/// Collections of another amount than the one due, in 1,000.
const DISCREPANCY: u64 = 4;
/// Failed deliveries after which the goods go back.
const LAST_ATTEMPT: usize = 3;

impl Live {
    /// A line that is not there, or another product for it.
    pub(super) fn pick_otherwise(&mut self, rng: &mut Rng) -> Result<(), Refusal> {
        let (short, offer, which) = (
            rng.chance(SHORT),
            rng.chance(SUBSTITUTED),
            rng.below(1_000_000),
        );
        let ordinary: Vec<(i32, Quantity, Money, Sku)> = self
            .order
            .lines
            .iter()
            .filter(|l| l.is_open() && l.line.bundle.is_none() && l.line.pack.is_none())
            .map(|l| {
                let line = &l.line;
                let number = i32::from(line.line_number);
                (number, line.quantity, line.unit_price, line.sku.clone())
            })
            .collect();
        let at = usize::try_from(which).unwrap_or_default() % ordinary.len().max(1);
        let Some((line_number, quantity, price, own)) = ordinary.get(at).cloned() else {
            return Ok(());
        };
        if short && self.order.lines.len() > 1 {
            let whole_half = quantity.units() / 2 / SCALE * SCALE;
            let line = LineQuantityInput {
                line_number,
                quantity: Quantity::from_units(whole_half),
            };
            let report = ReportShort {
                lines: vec![line],
                reason: "not on the shelf".into(),
                report_id: Some(format!("SHORT-{which:06}")),
                occurred_at: None,
            };
            return self.step(
                Role::Slick,
                seconds(rng, 20, 60),
                OrderCommand::ReportShort(report),
            );
        }
        if offer && self.order.allow_substitution {
            return self.offer_another(rng, line_number, price, &own, which);
        }
        Ok(())
    }

    fn offer_another(
        &mut self,
        rng: &mut Rng,
        line_number: i32,
        price: Money,
        own: &Sku,
        which: u64,
    ) -> Result<(), Refusal> {
        let limit = price.units() + price.units() / 5;
        let other = PRODUCTS.iter().enumerate().find(|(index, product)| {
            let units = product.price().units();
            sku(*index) != own.as_str() && units <= limit && units * 5 >= price.units() * 4
        });
        let Some((index, product)) = other else {
            return Ok(());
        };
        let proposal_id = format!("SUB-{which:06}");
        let proposal = ProposeSubstitution {
            proposal_id: proposal_id.clone(),
            line_number,
            sku: sku(index),
            name_th: Some(product.name_th.to_owned()),
            name_en: Some(product.name_en.to_owned()),
            unit_price: product.price(),
            quantity: None,
            via_merchant_app: false,
            reason: Some("sold out".into()),
        };
        let command = OrderCommand::ProposeSubstitution(proposal);
        self.step(Role::Slick, seconds(rng, 10, 60), command)?;
        let answer = DecideSubstitution {
            proposal_id,
            approve: rng.chance(APPROVED),
        };
        let command = OrderCommand::DecideSubstitution(answer);
        self.step(Role::CustomerService, seconds(rng, 20, 200), command)
    }

    /// Riders who come for nothing: once, or, where the goods go back, to the last attempt.
    pub(super) fn fail_deliveries(&mut self, rng: &mut Rng, end: S) -> Result<(), Refusal> {
        let goes_back = end == S::PendingReturn;
        let attempts = match (goes_back, rng.chance(FAILED_AT_FIRST)) {
            (true, _) => LAST_ATTEMPT,
            (false, true) => 1,
            (false, false) => 0,
        };
        for attempt in 1..=attempts {
            let failed = RecordFailedDelivery {
                attempt_id: Some(format!("TRY-{attempt}")),
                reason: "nobody at home".into(),
                tracking_id: self.order.tracking_id.clone(),
                occurred_at: None,
            };
            let command = OrderCommand::RecordFailedDelivery(failed);
            self.step(Role::Grab, seconds(rng, 300, 900), command)?;
        }
        Ok(())
    }

    /// The cash, and goods that come back.
    pub(super) fn after_delivery(&mut self, rng: &mut Rng, end: S) -> Result<(), Refusal> {
        if self.order.status != S::Delivered {
            return Ok(());
        }
        if end == S::Delivered && rng.chance(NO_NEWS) {
            return Ok(());
        }
        self.collect(rng)?;
        if end != S::Returned {
            return Ok(());
        }
        let back = RequestReturn {
            lines: Vec::new(),
            refund_fees: true,
            reason: "damaged on the way".into(),
        };
        let command = OrderCommand::RequestReturn(back);
        self.step(Role::CustomerService, seconds(rng, 600, 1_800), command)?;
        let received = OrderCommand::ReceiveReturn;
        self.step(Role::StoreManager, seconds(rng, 600, 1_200), received)?;
        let amount = self.order.refund_promised();
        let reference = Some(format!("RF{:08}", rng.below(100_000_000)));
        let refund = OrderCommand::Refund(Refund { amount, reference });
        self.step(Role::StoreManager, seconds(rng, 60, 300), refund)
    }

    fn collect(&mut self, rng: &mut Rng) -> Result<(), Refusal> {
        let due = self.order.cod_due();
        let is_off = rng.chance(DISCREPANCY);
        let less = if is_off { rng.between(1, 5) * SCALE } else { 0 };
        let which = rng.below(1_000_000_000);
        let collected = CollectCash {
            amount: Money::from_units((due.units() - less).max(SCALE)),
            partner_id: "GRAB".into(),
            rider_id: Some(format!("R-{:03}", which % 400)),
            tracking_id: self.order.tracking_id.clone(),
            collected_at: None,
            proof: Some(Proof {
                photo: Some(format!("photos/{which:09}.jpg")),
                ..Proof::default()
            }),
            discrepancy_reason: is_off.then(|| "customer had no more change".to_owned()),
        };
        let command = OrderCommand::CollectCash(collected);
        self.step(Role::Pmp, seconds(rng, 5, 120), command)
    }
}
