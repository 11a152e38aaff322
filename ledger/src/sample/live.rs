//! A life in the making: each command is decided by the domain before it becomes a step.

use chrono::TimeDelta;
use domain::{
    actor::{Actor, Role, StoreScope},
    ids::CommandId,
    order::{
        Facts, Order, OrderCommand, OrderStatus,
        command::{Cancel, Pay, PlaceOrder, RecordDelivery, RecordPicking, RecordShipment},
        decide,
    },
    refusal::Refusal,
};

use super::{
    Options,
    life::{NOW, Step, facts},
    rng::Rng,
    stores::Store,
};

use OrderStatus as S;

/// Streams of numbers.
const IDS: u64 = 0xB;
/// A step between release and packing, or between hand-over and delivery, that nobody reported, in 1,000.
const SKIPPED: u64 = 60;
const REASONS: [&str; 4] = [
    "customer changed their mind",
    "wrong address",
    "ordered twice",
    "delivery takes too long",
];

/// A life so far.
pub(super) struct Live {
    ids: Rng,
    facts: Facts,
    pub(super) order: Order,
    pub(super) steps: Vec<Step>,
    /// Whether shorts, substitutions, failed deliveries, cash and returns are part of it.
    whole: bool,
}

impl Live {
    pub(super) fn new(options: &Options, index: u64, store: Store) -> Self {
        let facts = Facts {
            now: options.slots_after.unwrap_or(NOW),
            ..facts(&store)
        };
        let ids = Rng::new(options.seed, &[IDS, index]);
        Self {
            ids,
            facts,
            order: Order::default(),
            steps: Vec::new(),
            whole: options.whole,
        }
    }

    /// Has the domain decide the command, takes its events in and keeps it as the next step.
    pub(super) fn step(
        &mut self,
        role: Role,
        after: TimeDelta,
        command: OrderCommand,
    ) -> Result<(), Refusal> {
        let actor = Actor {
            id: "sample".into(),
            role,
            stores: StoreScope::All,
        };
        for event in decide(&self.order, &command, &actor, &self.facts)? {
            self.order.apply(&event);
        }
        self.steps.push(Step {
            command_id: CommandId(self.ids.uuid()),
            role,
            after,
            command,
        });
        Ok(())
    }

    pub(super) fn run(
        &mut self,
        rng: &mut Rng,
        mut place: PlaceOrder,
        end: S,
    ) -> Result<(), Refusal> {
        let placed_by = match place.channel.as_str() {
            "STORE" => Role::StoreStaff,
            _ => Role::Channel,
        };
        if place.channel == "WEB" {
            place.expected_total = Some(self.total_of(&place)?);
        }
        self.step(
            placed_by,
            TimeDelta::zero(),
            OrderCommand::Place(Box::new(place)),
        )?;
        let cancel_at = (end == S::Cancelled)
            .then(|| *rng.pick(&[S::Open, S::Allocated, S::Released, S::InProcess]));
        let end = cancel_at.unwrap_or(end);
        self.allocate(rng, end)?;
        if end >= S::Released {
            self.pay_and_release(rng)?;
        }
        self.prepare(rng, end)?;
        self.deliver(rng, end)?;
        if self.whole && end >= S::Delivered && end != S::Cancelled {
            self.after_delivery(rng, end)?;
        }
        if let Some(at) = cancel_at {
            let role = if at > S::Released {
                Role::Ops
            } else {
                Role::CustomerService
            };
            let reason = (*rng.pick(&REASONS)).to_owned();
            self.step(
                role,
                seconds(rng, 20, 120),
                OrderCommand::Cancel(Cancel { reason }),
            )?;
        }
        Ok(())
    }

    /// What the order comes to.
    fn total_of(&self, place: &PlaceOrder) -> Result<domain::money::Money, Refusal> {
        let actor = Actor {
            id: "sample".into(),
            role: Role::Channel,
            stores: StoreScope::All,
        };
        let command = OrderCommand::Place(Box::new(place.clone()));
        let mut order = Order::default();
        for event in decide(&order, &command, &actor, &self.facts)? {
            order.apply(&event);
        }
        Ok(order.totals.order_total)
    }

    fn allocate(&mut self, rng: &mut Rng, end: S) -> Result<(), Refusal> {
        if end == S::Open {
            return Ok(());
        }
        if let Some(store) = &mut self.facts.store {
            store.active = end != S::BackOrdered;
        }
        self.step(Role::Ops, millis(rng, 800, 1_500), OrderCommand::Allocate)
    }

    fn pay_and_release(&mut self, rng: &mut Rng) -> Result<(), Refusal> {
        let pay = Pay {
            method: "COD".into(),
            amount: self.order.totals.cash_due,
        };
        self.step(Role::Ops, seconds(rng, 10, 25), OrderCommand::Pay(pay))?;
        self.step(
            Role::StoreManager,
            seconds(rng, 1, 4),
            OrderCommand::Release,
        )
    }

    fn prepare(&mut self, rng: &mut Rng, end: S) -> Result<(), Refusal> {
        for (status, after) in [
            (S::InProcess, (3, 9)),
            (S::Picked, (60, 240)),
            (S::Packed, (180, 480)),
        ] {
            let after = seconds(rng, after.0, after.1);
            if self.whole && status == S::Packed && end > S::Packed {
                self.pick_otherwise(rng)?;
            }
            if status <= end && (status == end || !rng.chance(SKIPPED)) {
                let news = RecordPicking {
                    status,
                    occurred_at: None,
                };
                self.step(Role::Slick, after, OrderCommand::RecordPicking(news))?;
            }
        }
        if end < S::Fulfilled || self.order.status == S::Cancelled {
            return Ok(());
        }
        let fulfilled = RecordShipment {
            status: S::Fulfilled,
            tracking_id: Some(format!("GE{:010}TH", rng.below(10_000_000_000))),
            carrier: Some("GRAB".into()),
            shipment_id: Some(format!("SHP{:010}", rng.below(10_000_000_000))),
            occurred_at: None,
        };
        self.step(
            Role::Slick,
            seconds(rng, 5, 40),
            OrderCommand::RecordShipment(fulfilled),
        )
    }

    fn deliver(&mut self, rng: &mut Rng, end: S) -> Result<(), Refusal> {
        let tracking_id = self.order.tracking_id.clone();
        if self.order.status == S::Cancelled {
            return Ok(());
        }
        if end >= S::Shipped && (end == S::Shipped || !rng.chance(SKIPPED)) {
            let status = S::Shipped;
            let news = RecordShipment {
                status,
                tracking_id: tracking_id.clone(),
                carrier: None,
                shipment_id: None,
                occurred_at: None,
            };
            self.step(
                Role::Slick,
                seconds(rng, 300, 900),
                OrderCommand::RecordShipment(news),
            )?;
        }
        let stages = [
            (S::InTransit, Role::Grab, (30, 120)),
            (S::OutForDelivery, Role::Grab, (30, 180)),
            (S::Delivered, Role::Pmp, (600, 1_800)),
        ];
        for (status, role, (low, high)) in stages {
            let after = seconds(rng, low, high);
            if self.whole && status == S::Delivered && end >= S::Delivered {
                self.fail_deliveries(rng, end)?;
                if self.order.status > S::Delivered {
                    break;
                }
            }
            if status <= end && (status == end || !rng.chance(SKIPPED)) {
                let news = RecordDelivery {
                    status,
                    tracking_id: tracking_id.clone(),
                    occurred_at: None,
                };
                self.step(role, after, OrderCommand::RecordDelivery(news))?;
            }
        }
        Ok(())
    }
}

pub(super) fn seconds(rng: &mut Rng, low: i64, high: i64) -> TimeDelta {
    millis(rng, low * 1_000, high * 1_000)
}

fn millis(rng: &mut Rng, low: i64, high: i64) -> TimeDelta {
    TimeDelta::milliseconds(rng.between(low, high))
}
