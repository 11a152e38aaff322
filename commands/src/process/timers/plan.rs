//! Which timers an event sets and which it clears. Pure.

use chrono::{DateTime, Utc};
use domain::{
    ids::{CommandId, OrderId},
    order::{
        COLLECTION_WITHIN, OrderCommand, OrderEvent, OrderStatus, PICKING_WITHIN,
        command::ProposalRef,
    },
};
use uuid::Uuid;

use super::super::fact::Cause;
use crate::derived;

/// The process's name, which is part of its commands' ids.
pub(super) const NAME: &str = "process.timers";
/// The events that set or clear a timer.
pub(super) const WANTED: &[&str] = &[
    "order.released",
    "order.picking_recorded",
    "order.shipment_recorded",
    "order.delivery_recorded",
    "order.delivery_failed",
    "order.stuck",
    "order.substitution_proposed",
    "order.substitution_approved",
    "order.substitution_declined",
    "order.cash_collected",
    "order.collection_failed",
    "order.collection_overdue",
    "order.cancelled",
];

/// What a timer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The customer's answer to an offer.
    Approval,
    /// The begin of picking.
    Stuck,
    /// News of the cash.
    Collection,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Approval, Self::Stuck, Self::Collection];

    /// Its name in the table and in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Approval => "approval",
            Self::Stuck => "stuck",
            Self::Collection => "collection",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What is to happen at a time unless something happens before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Timer {
    pub(super) id: Uuid,
    pub(super) due_at: DateTime<Utc>,
    pub(super) kind: Kind,
    pub(super) order_id: OrderId,
    /// The offer's id.
    pub(super) detail: String,
    pub(super) cause: Cause,
}

impl Timer {
    /// The command's id: the same whoever fires the timer, and however often.
    pub(super) fn command_id(&self) -> CommandId {
        derived::command_id(NAME, &[&self.id.to_string()])
    }

    /// What happens then.
    pub(super) fn command(&self) -> OrderCommand {
        match self.kind {
            Kind::Approval => OrderCommand::ExpireSubstitution(ProposalRef {
                proposal_id: self.detail.clone(),
            }),
            Kind::Stuck => OrderCommand::FlagStuck,
            Kind::Collection => OrderCommand::FlagOverdueCollection,
        }
    }
}

/// Timers that something clears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clear {
    pub(super) order_id: OrderId,
    /// `None`: of every kind.
    pub(super) kind: Option<Kind>,
    /// `None`: whatever their detail.
    pub(super) detail: Option<String>,
}

impl Clear {
    fn covers(&self, timer: &Timer) -> bool {
        self.order_id == timer.order_id
            && self.kind.is_none_or(|kind| kind == timer.kind)
            && self.detail.as_ref().is_none_or(|d| *d == timer.detail)
    }
}

/// What a page does to the timers: first what it clears of those of before, then what it sets.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(super) clear: Vec<Clear>,
    pub(super) set: Vec<Timer>,
}

/// What one event does.
enum Change {
    Set(Kind, DateTime<Utc>, String),
    Clear(Kind, Option<String>),
}

impl Plan {
    /// Whether the page does nothing to the timers.
    pub(crate) const fn is_empty(&self) -> bool {
        self.clear.is_empty() && self.set.is_empty()
    }

    /// Takes in an event of an order, decided at a time.
    pub(crate) fn take(
        &mut self,
        order_id: OrderId,
        event: &OrderEvent,
        cause: Cause,
        decided_at: DateTime<Utc>,
    ) {
        if matches!(event, OrderEvent::Cancelled { .. }) {
            self.clear(Clear {
                order_id,
                kind: None,
                detail: None,
            });
        }
        for change in changes(event, decided_at) {
            match change {
                Change::Set(kind, due_at, detail) => self.set.push(Timer {
                    id: derived::id("timer", &[kind.as_str(), &cause.event_id.to_string()]),
                    due_at,
                    kind,
                    order_id,
                    detail,
                    cause,
                }),
                Change::Clear(kind, detail) => self.clear(Clear {
                    order_id,
                    kind: Some(kind),
                    detail,
                }),
            }
        }
    }

    fn clear(&mut self, clear: Clear) {
        self.set.retain(|timer| !clear.covers(timer));
        self.clear.push(clear);
    }
}

fn changes(event: &OrderEvent, decided_at: DateTime<Utc>) -> Vec<Change> {
    use Kind::{Approval, Collection, Stuck};
    match event {
        OrderEvent::Released { at } => {
            let due_at = at.unwrap_or(decided_at) + PICKING_WITHIN;
            vec![Change::Set(Stuck, due_at, String::new())]
        }
        OrderEvent::DeliveryRecorded { step } if step.to == OrderStatus::Delivered => {
            let delivered_at = step.occurred_at.or(step.recorded_at).unwrap_or(decided_at);
            let due_at = delivered_at + COLLECTION_WITHIN;
            vec![
                Change::Clear(Stuck, None),
                Change::Set(Collection, due_at, String::new()),
            ]
        }
        OrderEvent::PickingRecorded { .. }
        | OrderEvent::ShipmentRecorded { .. }
        | OrderEvent::DeliveryRecorded { .. }
        | OrderEvent::DeliveryFailed { .. }
        | OrderEvent::Stuck { .. } => vec![Change::Clear(Stuck, None)],
        OrderEvent::SubstitutionProposed { proposal } => {
            let offer = proposal.proposal_id.clone();
            vec![Change::Set(Approval, proposal.approve_by, offer)]
        }
        OrderEvent::SubstitutionApproved { proposal, .. } => {
            vec![Change::Clear(Approval, Some(proposal.proposal_id.clone()))]
        }
        OrderEvent::SubstitutionDeclined { proposal_id, .. } => {
            vec![Change::Clear(Approval, Some(proposal_id.clone()))]
        }
        OrderEvent::CashCollected(_)
        | OrderEvent::CollectionFailed { .. }
        | OrderEvent::CollectionOverdue { .. } => vec![Change::Clear(Collection, None)],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        entity::Event as _,
        order::{
            PaymentStatus,
            event::{DeclineCause, Proposal, Replacement, Step},
        },
    };

    use super::*;

    const ORDER: OrderId = OrderId(Uuid::from_u128(1));

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn noon() -> DateTime<Utc> {
        at("2026-11-24T05:00:00Z")
    }

    fn step(to: OrderStatus, occurred_at: Option<DateTime<Utc>>) -> Step {
        Step {
            from: OrderStatus::Released,
            to,
            skipped: Vec::new(),
            occurred_at,
            recorded_at: Some(noon()),
        }
    }

    fn proposal(id: &str) -> Proposal {
        Proposal {
            proposal_id: id.into(),
            line_number: 1,
            replacement: Replacement {
                sku: domain::ids::Sku::new("8850999220017").unwrap(),
                name_th: None,
                name_en: None,
                unit_price: "28.75".parse().unwrap(),
                quantity: "1".parse().unwrap(),
            },
            approve_by: at("2026-11-24T05:05:00Z"),
            via_merchant_app: false,
            reason: None,
        }
    }

    fn cause(n: u128) -> Cause {
        Cause {
            event_id: Uuid::from_u128(n),
            correlation_id: Uuid::from_u128(99),
        }
    }

    fn plan(events: &[OrderEvent]) -> Plan {
        let mut plan = Plan::default();
        for (n, event) in (1..).zip(events) {
            assert!(
                WANTED.contains(&event.event_type()),
                "{}",
                event.event_type()
            );
            plan.take(ORDER, event, cause(n), noon());
        }
        plan
    }

    fn released() -> OrderEvent {
        OrderEvent::Released { at: Some(noon()) }
    }

    fn set(plan: &Plan) -> Vec<(&'static str, String, &str)> {
        let line = |t: &Timer| (t.kind.as_str(), t.due_at.to_rfc3339());
        plan.set
            .iter()
            .map(|t| {
                let (kind, due) = line(t);
                (kind, due, t.detail.as_str())
            })
            .collect()
    }

    #[test]
    fn each_event_sets_its_timer() {
        let proposed = OrderEvent::SubstitutionProposed {
            proposal: proposal("P-1"),
        };
        let delivered_early = OrderEvent::DeliveryRecorded {
            step: step(OrderStatus::Delivered, Some(at("2026-11-24T04:00:00Z"))),
        };
        let delivered = OrderEvent::DeliveryRecorded {
            step: step(OrderStatus::Delivered, None),
        };
        for (event, expected) in [
            (released(), ("stuck", "2026-11-24T05:10:00+00:00", "")),
            (
                OrderEvent::Released { at: None },
                ("stuck", "2026-11-24T05:10:00+00:00", ""),
            ),
            (proposed, ("approval", "2026-11-24T05:05:00+00:00", "P-1")),
            (
                delivered_early,
                ("collection", "2026-11-25T04:00:00+00:00", ""),
            ),
            (delivered, ("collection", "2026-11-25T05:00:00+00:00", "")),
        ] {
            let plan = plan(std::slice::from_ref(&event));
            let (kind, due, detail) = expected;
            assert_eq!(set(&plan), [(kind, due.to_owned(), detail)]);
        }
    }

    #[test]
    fn each_event_clears_its_timers() {
        let picking = OrderEvent::PickingRecorded {
            step: step(OrderStatus::InProcess, None),
        };
        let declined = |id: &str| OrderEvent::SubstitutionDeclined {
            proposal_id: id.into(),
            line_number: 1,
            cause: DeclineCause::Customer,
        };
        let proposed = |id: &str| OrderEvent::SubstitutionProposed {
            proposal: proposal(id),
        };
        let cancelled = OrderEvent::Cancelled {
            from: OrderStatus::Released,
            reason: "changed her mind".into(),
            payment_status: PaymentStatus::NotApplicable,
        };
        let overdue = OrderEvent::CollectionOverdue {
            delivered_at: noon(),
        };
        let delivered = || OrderEvent::DeliveryRecorded {
            step: step(OrderStatus::Delivered, None),
        };
        assert_eq!(plan(&[released(), picking]).set, []);
        assert_eq!(plan(&[released(), delivered(), overdue]).set, []);
        assert_eq!(plan(&[proposed("P-1"), declined("P-1")]).set, []);
        assert_eq!(plan(&[released(), proposed("P-1"), cancelled]).set, []);
        let other = plan(&[proposed("P-1"), declined("P-2")]);
        assert_eq!(
            set(&other).len(),
            1,
            "another offer's answer clears nothing"
        );
        let again = plan(&[released(), delivered()]);
        assert_eq!(set(&again)[0].0, "collection");
        assert_eq!(
            again.clear.len(),
            1,
            "and what was set before this page goes"
        );
    }

    #[test]
    fn a_timer_follows_from_its_event() {
        let one = &plan(&[released()]).set[0];
        assert_eq!(one.id.to_string(), "a3bd3bbc-087a-5e4c-839f-5c4c3576d1dd");
        assert_eq!(
            one.command_id().to_string(),
            "86a02e92-ffee-5246-a95a-f5a8e687f77a"
        );
        assert_eq!(one.command(), OrderCommand::FlagStuck);
    }
}
