//! An order's life as a row of commands, each accepted by the domain before it is handed out.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    actor::{Actor, Role, StoreScope},
    ids::{CommandId, OrderNumber, RegionId},
    order::{
        Facts, Order, OrderCommand, OrderStatus, Refusal,
        command::{Cancel, Pay, PlaceOrder, RecordDelivery, RecordPicking, RecordShipment},
        decide,
        event::SealedContact,
        facts::{Standing, StoreFacts},
    },
};

use super::{
    BACK_ORDER_STORE, Options, order,
    rng::Rng,
    stores::{STORES, Store},
};

use OrderStatus as S;

/// Streams of numbers.
const CONTENT: u64 = 0xA;
const IDS: u64 = 0xB;
const DECK: u64 = 0xD;

/// How many of a hundred lives end where.
const ENDS: [(S, usize); 13] = [
    (S::Open, 2),
    (S::BackOrdered, 2),
    (S::Allocated, 2),
    (S::Released, 3),
    (S::InProcess, 4),
    (S::Picked, 3),
    (S::Packed, 4),
    (S::Fulfilled, 4),
    (S::Shipped, 4),
    (S::InTransit, 5),
    (S::OutForDelivery, 6),
    (S::Delivered, 60),
    (S::Cancelled, 1),
];
/// Lives in one shuffled deck of [`ENDS`].
const DECK_SIZE: u64 = 100;
/// A step between release and packing, or between hand-over and delivery, that nobody reported, in 1,000.
const SKIPPED: u64 = 60;
/// What a decision sees as now; only delivery slots depend on it.
const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
/// Stands in for the number that the ledger assigns.
const SOME_NUMBER: &str = "QC-2026-01-01-000001";
const REASONS: [&str; 4] = [
    "customer changed their mind",
    "wrong address",
    "ordered twice",
    "delivery takes too long",
];

/// The life of one order.
#[derive(Debug, Clone)]
pub struct Life {
    /// The order's store.
    pub store: Store,
    /// Its commands, placing first.
    pub steps: Vec<Step>,
    /// Where it ends.
    pub end: S,
    /// The order at the end; its contact is a stand-in.
    pub order: Order,
}

/// One command of a life.
#[derive(Debug, Clone)]
pub struct Step {
    /// Names the command, derived from the seed.
    pub command_id: CommandId,
    /// Who would send it.
    pub role: Role,
    /// How long after the step before.
    pub after: TimeDelta,
    /// The command.
    pub command: OrderCommand,
}

/// A sample order that the domain does not accept: the two have grown apart.
#[derive(Debug, thiserror::Error)]
#[error("sample order {index} is not acceptable: {source}")]
pub struct SampleError {
    /// Which one, from 0.
    pub index: u64,
    /// Why.
    pub source: Refusal,
}

/// The life at a place in the sequence.
pub(super) fn life(options: &Options, index: u64) -> Result<Life, SampleError> {
    let end = end(options, index);
    let mut rng = Rng::new(options.seed, &[CONTENT, index]);
    let store = if end == S::BackOrdered {
        back_order_store()
    } else {
        store(&mut rng)
    };
    let place = order::place(&mut rng, options, index, &store);
    let mut live = Live::new(options, index, store);
    live.run(&mut rng, place, end)
        .map_err(|source| SampleError { index, source })?;
    Ok(Life {
        store,
        steps: live.steps,
        end,
        order: live.order,
    })
}

/// Every hundred lives have exactly the ends that [`ENDS`] says, in an order of their own.
fn end(options: &Options, index: u64) -> S {
    let mut deck: Vec<S> = ENDS
        .iter()
        .flat_map(|(end, count)| std::iter::repeat_n(*end, *count))
        .collect();
    Rng::new(options.seed, &[DECK, index / DECK_SIZE]).shuffle(&mut deck);
    let place = usize::try_from(index % DECK_SIZE).unwrap_or_default();
    match deck.get(place) {
        Some(S::BackOrdered) if !options.back_orders => S::Open,
        end => end.copied().unwrap_or(S::Open),
    }
}

fn store(rng: &mut Rng) -> Store {
    let all = STORES.iter().map(|s| u64::from(s.weight)).sum();
    let mut draw = rng.below(all);
    for store in STORES {
        match draw.checked_sub(u64::from(store.weight)) {
            Some(rest) => draw = rest,
            None => return store,
        }
    }
    STORES[0]
}

fn back_order_store() -> Store {
    STORES
        .into_iter()
        .find(|s| s.id == BACK_ORDER_STORE)
        .unwrap_or(STORES[0])
}

/// What a decision about a sample order sees of the world: a store that trades, stand-ins for what the ledger
/// assigns and seals, and 1970 as now.
pub fn facts(store: &Store) -> Facts {
    let record = store.record();
    let region = RegionId::new(record.region).ok();
    let cod_limit = record.cod_limit.and_then(|limit| limit.parse().ok());
    Facts {
        now: NOW,
        store: region.map(|region| StoreFacts {
            region,
            active: true,
            cod_limit,
        }),
        number: OrderNumber::new(SOME_NUMBER).ok(),
        contact: Some(SealedContact {
            subject: "sample".into(),
            sealed: String::new(),
        }),
        customer: Standing::NotChecked,
        membership: Standing::NotChecked,
    }
}

/// A life so far.
struct Live {
    ids: Rng,
    facts: Facts,
    order: Order,
    steps: Vec<Step>,
}

impl Live {
    fn new(options: &Options, index: u64, store: Store) -> Self {
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
        }
    }

    /// Has the domain decide the command, takes its events in and keeps it as the next step.
    fn step(&mut self, role: Role, after: TimeDelta, command: OrderCommand) -> Result<(), Refusal> {
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

    fn run(&mut self, rng: &mut Rng, mut place: PlaceOrder, end: S) -> Result<(), Refusal> {
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
            if status <= end && (status == end || !rng.chance(SKIPPED)) {
                let news = RecordPicking {
                    status,
                    occurred_at: None,
                };
                self.step(Role::Slick, after, OrderCommand::RecordPicking(news))?;
            }
        }
        if end < S::Fulfilled {
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

fn seconds(rng: &mut Rng, low: i64, high: i64) -> TimeDelta {
    millis(rng, low * 1_000, high * 1_000)
}

fn millis(rng: &mut Rng, low: i64, high: i64) -> TimeDelta {
    TimeDelta::milliseconds(rng.between(low, high))
}
