//! What the metrics keep of an order, as a fold of its events.
//!
//! Small enough to be written with every event. The order's own fold says the same and much more; the tests hold the
//! two together. It is kept as JSON: a change of its form is a new shape of the model (`Model::checkpoint`).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::{
    ids::{PartnerId, Sku},
    money::{Money, Quantity},
    order::{
        OrderEvent, OrderStatus,
        event::{Figures, Line, LineFigures, Placed, ReturnCause, ReturnRequested, Step},
    },
    remittance::ItemOutcome,
};
use serde::{Deserialize, Serialize};

use crate::{
    decode::{OrderRecord, Poison},
    order_view::{occurred_at, status_of},
    store_board::Standing,
};

/// Microseconds since 1970: as exact as the database's own moments.
pub(crate) type Micros = i64;

/// An order as far as metrics are made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Life {
    /// The number of its events so far.
    pub(crate) version: i64,
    /// Store, region, status, and where its lines stand.
    pub(crate) standing: Standing,
    /// When it was first in each status, the statuses stepped over included.
    pub(crate) reached: BTreeMap<OrderStatus, Micros>,
    pub(crate) money: OrderMoney,
    /// Every line, in the order of placing.
    pub(crate) lines: Vec<LineMoney>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(crate) bundles: Vec<Sold>,
    pub(crate) delivery: Delivery,
}

/// What an order comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderMoney {
    total: Money,
    cash_due: Money,
    /// What need not be paid any more because goods came back unpaid.
    waived: Money,
    /// No cash is due any more: the goods go back.
    is_final: bool,
}

/// What a line comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LineMoney {
    number: u16,
    /// What the customer pays for it: net of its share of the order's discounts, with VAT where it comes on top.
    pub(crate) value: Money,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) part: Option<Part>,
}

/// What makes a line a component of a bundle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Part {
    ref_id: String,
    /// The product sold: another one's after a substitution.
    pub(crate) sku: Sku,
    /// The bundle's discount on the line.
    pub(crate) saving: Money,
    /// What came back of it is worth.
    pub(crate) returned: Money,
}

/// A bundle of the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Sold {
    ref_id: String,
    pub(crate) bundle_id: String,
    pub(crate) quantity: i64,
    /// What the components of one cost apart.
    pub(crate) apart: Money,
}

/// What became of the delivery and of its cash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    /// Who carries it, as the shipment says.
    carrier: Option<PartnerId>,
    /// Who collected the cash.
    collector: Option<PartnerId>,
    /// Attempts that failed.
    pub(crate) failed: i64,
    /// The goods go back without having reached the customer.
    pub(crate) is_undelivered: bool,
    pub(crate) collected_at: Option<Micros>,
    /// Collected less due.
    pub(crate) discrepancy: Money,
    /// What the partner accounted for less what was expected of it, once settled.
    pub(crate) variance: Option<Money>,
}

/// An event as the tables look at it.
#[derive(Debug)]
pub(crate) struct Happened<'a> {
    pub(crate) event: &'a OrderEvent,
    /// When it happened: as its sender said, else when it was decided.
    pub(crate) at: Micros,
    /// When it was decided.
    pub(crate) decided_at: Micros,
    /// The statuses that the order reached by it for the first time.
    pub(crate) reached: Vec<OrderStatus>,
    /// How long the steps that led to it took, in microseconds by name.
    pub(crate) steps: &'a [(String, u64)],
}

impl Life {
    /// An order before its first event counts; `None` for any other event.
    pub(crate) fn placed(record: &OrderRecord<'_>) -> Option<Self> {
        let OrderEvent::Placed(placed) = record.event else {
            return None;
        };
        Some(Self {
            version: 0,
            standing: Standing::placed(record.event)?,
            reached: BTreeMap::new(),
            money: OrderMoney {
                total: placed.totals.order_total,
                cash_due: placed.totals.cash_due,
                waived: Money::ZERO,
                is_final: false,
            },
            lines: placed.lines.iter().map(LineMoney::placed).collect(),
            bundles: sold(placed),
            delivery: Delivery::default(),
        })
    }

    /// Takes in the order's next event.
    pub(crate) fn advance<'a>(&mut self, record: &OrderRecord<'a>) -> Result<Happened<'a>, Poison> {
        let sequence = record.recorded.sequence;
        if sequence != self.version + 1 {
            return Err(record.poison(format!(
                "it is event {sequence} of its order, the metrics stand at {}; rebuild the metrics",
                self.version
            )));
        }
        self.version = sequence;
        let metadata = record.metadata;
        let decided = metadata.occurred_at.unwrap_or(record.recorded.recorded_at);
        let at = happened_at(record.event)
            .unwrap_or(decided)
            .timestamp_micros();
        let before = self.standing.cell.status;
        if sequence > 1 {
            self.standing.apply(record.event);
            self.follow(record.event);
        }
        let mut reached = self.step_over(record.event, at);
        if (sequence == 1 || self.standing.cell.status != before)
            && let Ok(status) = status_of(self.standing.cell.status)
            && self.reach(status, at)
        {
            reached.push(status);
        }
        Ok(Happened {
            event: record.event,
            at,
            decided_at: decided.timestamp_micros(),
            reached,
            steps: &metadata.step_micros,
        })
    }

    /// When the order was placed.
    pub(crate) fn placed_at(&self) -> Micros {
        self.at(OrderStatus::Open).unwrap_or_default()
    }

    /// When the order first reached a status.
    pub(crate) fn at(&self, status: OrderStatus) -> Option<Micros> {
        self.reached.get(&status).copied()
    }

    /// When the rider took it over.
    pub(crate) fn handed_over_at(&self) -> Option<Micros> {
        use OrderStatus as S;
        [S::Shipped, S::InTransit, S::OutForDelivery, S::Delivered]
            .into_iter()
            .find_map(|status| self.at(status))
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        status_of(self.standing.cell.status).is_ok_and(|s| s == OrderStatus::Cancelled)
    }

    /// What the order comes to; nothing once cancelled.
    pub(crate) fn value(&self) -> Money {
        if self.is_cancelled() {
            Money::ZERO
        } else {
            self.money.total
        }
    }

    /// The cash to collect at the door, as [`domain::order::Order::cod_due`] has it.
    pub(crate) fn cash_due(&self) -> Money {
        let OrderMoney {
            cash_due,
            waived,
            is_final,
            ..
        } = self.money;
        if self.is_cancelled() || is_final {
            return Money::ZERO;
        }
        Money::from_units(cash_due.units().saturating_sub(waived.units()).max(0))
    }

    /// The delivery partner: who collected the cash, else who carries the order; empty when nobody is known.
    pub(crate) fn partner(&self) -> String {
        let known = self
            .delivery
            .collector
            .as_ref()
            .or(self.delivery.carrier.as_ref());
        known.map(ToString::to_string).unwrap_or_default()
    }

    /// Whether a bundle is cancelled: all of its lines are.
    pub(crate) fn lost(&self, bundle: &Sold) -> bool {
        let statuses = self.parts(bundle).filter_map(|(line, _)| {
            let (status, _) = self.standing.line_of(line.number)?;
            Some(status)
        });
        OrderStatus::roll_up(statuses).map_or_else(
            || self.is_cancelled(),
            |status| status == OrderStatus::Cancelled,
        )
    }

    /// The lines of a bundle.
    pub(crate) fn parts<'a>(
        &'a self,
        bundle: &'a Sold,
    ) -> impl Iterator<Item = (&'a LineMoney, &'a Part)> {
        let parts = self
            .lines
            .iter()
            .filter_map(|l| Some((l, l.part.as_ref()?)));
        parts.filter(|(_, part)| part.ref_id == bundle.ref_id)
    }

    /// What is left of a line: nothing of one that is cancelled.
    pub(crate) fn left(&self, line: &LineMoney) -> Option<Quantity> {
        let (status, quantity) = self.standing.line_of(line.number)?;
        (status != OrderStatus::Cancelled).then_some(quantity)
    }

    fn reach(&mut self, status: OrderStatus, at: Micros) -> bool {
        let is_new = !self.reached.contains_key(&status);
        self.reached.entry(status).or_insert(at);
        is_new
    }

    fn step_over(&mut self, event: &OrderEvent, at: Micros) -> Vec<OrderStatus> {
        let skipped = step_of(event).map_or(&[][..], |step| &step.skipped);
        let new = skipped.iter().copied();
        new.filter(|status| self.reach(*status, at)).collect()
    }

    fn follow(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::LinesChanged { figures, .. } | OrderEvent::Shorted { figures, .. } => {
                self.refigure(figures);
            }
            OrderEvent::SubstitutionApproved { proposal, figures } => {
                if let Some(part) = self.part(proposal.line_number) {
                    part.sku = proposal.replacement.sku.clone();
                }
                self.refigure(figures);
            }
            OrderEvent::ReturnRequested(request) => self.take_back(request),
            event => {
                self.money.follow(event);
                self.delivery.follow(event);
            }
        }
    }

    fn refigure(&mut self, figures: &Figures) {
        for new in &figures.lines {
            let mut lines = self.lines.iter_mut();
            if let Some(line) = lines.find(|l| l.number == new.line_number) {
                line.refigure(new);
            }
        }
        self.money.total = figures.totals.order_total;
        self.money.cash_due = figures.totals.cash_due;
    }

    fn take_back(&mut self, request: &ReturnRequested) {
        for back in &request.lines {
            if let Some(part) = self.part(back.line_number) {
                part.returned = part.returned.saturating_add(back.value);
            }
        }
        self.money.waived = self.money.waived.saturating_add(request.waived);
        self.delivery.is_undelivered |= request.cause == ReturnCause::Undelivered;
    }

    fn part(&mut self, number: u16) -> Option<&mut Part> {
        let line = self.lines.iter_mut().find(|l| l.number == number)?;
        line.part.as_mut()
    }
}

impl OrderMoney {
    fn follow(&mut self, event: &OrderEvent) {
        if let OrderEvent::CollectionFailed { is_final, .. } = event {
            self.is_final = *is_final;
        }
    }
}

impl LineMoney {
    fn placed(line: &Line) -> Self {
        let part = line.bundle.as_ref().map(|bundle| Part {
            ref_id: bundle.ref_id.clone(),
            sku: line.sku.clone(),
            saving: line.discount,
            returned: Money::ZERO,
        });
        Self {
            number: line.line_number,
            value: value(line.net, line.order_discount_share, line.tax_added),
            part,
        }
    }

    fn refigure(&mut self, new: &LineFigures) {
        self.value = value(new.net, new.order_discount_share, new.tax_added);
        if let Some(part) = &mut self.part {
            part.saving = new.discount;
        }
    }
}

impl Delivery {
    fn follow(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::ShipmentRecorded {
                carrier: Some(carrier),
                ..
            } => {
                // A carrier that has not the form of a partner's id names no partner that we know.
                if let Ok(partner) = PartnerId::new(carrier.trim().to_uppercase()) {
                    self.carrier = Some(partner);
                }
            }
            OrderEvent::DeliveryFailed { .. } => self.failed += 1,
            OrderEvent::CashCollected(cash) => {
                self.collector = Some(cash.partner_id.clone());
                self.collected_at = Some(cash.collected_at.timestamp_micros());
                self.discrepancy = cash.discrepancy;
            }
            OrderEvent::CollectionCorrected { discrepancy, .. } => self.discrepancy = *discrepancy,
            // Extra cash settles nothing: it makes up for what was missing, if that is known already.
            OrderEvent::CashReconciled {
                outcome: ItemOutcome::Extra,
                variance,
                ..
            } => {
                self.variance = self
                    .variance
                    .map(|missing| missing.saturating_add(*variance))
            }
            OrderEvent::CashReconciled { variance, .. } => self.variance = Some(*variance),
            _ => {}
        }
    }
}

fn sold(placed: &Placed) -> Vec<Sold> {
    let bundles = placed.bundles.iter().map(|bundle| Sold {
        ref_id: bundle.ref_id.clone(),
        bundle_id: bundle.bundle_id.to_string(),
        quantity: bundle.quantity.into(),
        apart: bundle.individual_price,
    });
    bundles.collect()
}

fn value(net: Money, order_discount_share: Money, tax_added: Money) -> Money {
    net.saturating_sub(order_discount_share)
        .saturating_add(tax_added)
}

const fn step_of(event: &OrderEvent) -> Option<&Step> {
    match event {
        OrderEvent::PickingRecorded { step }
        | OrderEvent::ShipmentRecorded { step, .. }
        | OrderEvent::DeliveryRecorded { step }
        | OrderEvent::DeliveryFailed {
            step: Some(step), ..
        } => Some(step),
        _ => None,
    }
}

/// When an event says that it happened, else when it was recorded as a step.
fn happened_at(event: &OrderEvent) -> Option<DateTime<Utc>> {
    occurred_at(event).or_else(|| match event {
        OrderEvent::Released { at } => *at,
        OrderEvent::ReturnReceived { at } => Some(*at),
        OrderEvent::ReturnRequested(request) => Some(request.at),
        event => step_of(event).and_then(|step| step.occurred_at.or(step.recorded_at)),
    })
}
