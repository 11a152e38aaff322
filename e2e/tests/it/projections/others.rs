//! What a chain does besides its orders: partners account for their cash, stores and bundles change, messages cannot
//! be placed.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use domain::{
    actor::{Actor, Role, StoreScope},
    bundle::{
        Bundle, BundleEvent, BundleKind, BundleRules, Component, Definition, ReturnPolicy,
        Role as Part, Schedule,
    },
    calendar::day_start,
    entity::Entity,
    ids::{BundleId, IntakeId, OrderId, PartnerId, RegionId, Sku, StoreId},
    intake::{Intake, IntakeEvent, Message},
    money::{Money, Quantity},
    order::{CollectionStatus, OrderEvent, command::PlaceOrder, event::Sealed},
    refusal::{Code, Problem},
    remittance::{
        ExpectedItem, ItemOutcome, Remittance, RemittanceCommand, RemittanceEvent, RemittanceFacts,
        RemittanceId, RemittanceStatus, ReportedItemInput, Resolution,
    },
    store::{Profile, Store, StoreEvent},
};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use store::Append;
use uuid::Uuid;

use super::{
    lives::{baht, region},
    support::{append, store_id},
    trade::Life,
};

/// An aggregate and the number of its events.
pub(crate) struct Kept<E: Entity> {
    pub(crate) id: E::Id,
    pub(crate) version: i64,
    pub(crate) state: E,
}

impl<E: Entity> Kept<E> {
    fn new(id: E::Id) -> Self {
        Self {
            id,
            version: 0,
            state: E::default(),
        }
    }

    fn tell(&mut self, events: &[E::Event]) -> Append {
        let append = append::<E>(&self.id, self.version, events);
        for event in events {
            self.state.apply(event);
            self.version += 1;
        }
        append
    }
}

#[derive(Default)]
pub(crate) struct Others {
    pub(crate) remittances: Vec<Kept<Remittance>>,
    pub(crate) bundles: Vec<Kept<Bundle>>,
    pub(crate) stores: Vec<Kept<Store>>,
    pub(crate) letters: Vec<Kept<Intake>>,
}

fn profile(name: String, region: RegionId) -> Profile {
    Profile {
        name,
        region,
        zone: "BKK".into(),
        opening: None,
        hours: None,
        cod_limit: None,
        auto_release: true,
    }
}

impl Others {
    pub(super) fn advance(&mut self, rng: &mut StdRng, orders: &mut [Life]) -> Vec<Append> {
        match rng.random_range(0..8) {
            0 => vec![self.store(rng)],
            1 => vec![self.bundle(rng)],
            2 => vec![self.letter(rng)],
            3 => self.expect(orders),
            _ => self.settle(rng, orders),
        }
    }

    /// A store lies in another region from now on.
    pub(crate) fn move_store(&mut self, n: u32, to: RegionId) -> Append {
        let profile = profile(format!("Store {n}"), to);
        let store = found(&mut self.stores, &store_id(n));
        store.tell(&[if store.state.exists() {
            StoreEvent::Changed { profile }
        } else {
            StoreEvent::Opened { profile }
        }])
    }

    fn store(&mut self, rng: &mut StdRng) -> Append {
        let n = rng.random_range(1..=8);
        let profile = profile(format!("Store {n} {}", rng.random_range(0..100)), region(n));
        let store = found(&mut self.stores, &store_id(n));
        let event = match (store.state.exists(), rng.random_range(0..3)) {
            (false, _) => StoreEvent::Opened { profile },
            (_, 0) => StoreEvent::Changed { profile },
            (_, 1) => StoreEvent::Activated {},
            _ => StoreEvent::Deactivated {
                reason: "being rebuilt".into(),
            },
        };
        store.tell(&[event])
    }

    fn bundle(&mut self, rng: &mut StdRng) -> Append {
        let n = rng.random_range(1..=12);
        let component = |sku: &str| Component {
            sku: Sku::new(sku).unwrap(),
            name_th: None,
            name_en: None,
            quantity: Quantity::from_units(10_000),
            unit_price: baht(45),
            role: Part::Main,
            tax_rate: None,
            substitutable: true,
            max_rise: None,
        };
        let definition = Definition {
            sku: Sku::new(format!("88509998{n:05}")).unwrap(),
            name_th: Some("ชุดอาหารเช้า".into()),
            name_en: None,
            kind: BundleKind::BreakfastCombo,
            components: vec![component("8850999320007"), component("8850999320014")],
            pricing: BundleRules::FixedPrice {
                price: baht(rng.random_range(40..90)),
            },
            schedule: Schedule::default(),
            stores: Vec::new(),
            priority: 1,
            match_lines: true,
            returns: ReturnPolicy::Whole,
        };
        let bundle = found(&mut self.bundles, &BundleId::new(format!("B-{n}")).unwrap());
        let event = match (bundle.state.exists(), rng.random_range(0..3)) {
            (false, _) => BundleEvent::Defined { definition },
            (_, 0) => BundleEvent::Retired {
                reason: "out of season".into(),
            },
            (_, 1) => BundleEvent::Activated {},
            _ => BundleEvent::Revised {
                version: bundle.state.version + 1,
                definition,
            },
        };
        bundle.tell(&[event])
    }

    fn letter(&mut self, rng: &mut StdRng) -> Append {
        let n = rng.random_range(1..=30);
        let letter = found(&mut self.letters, &IntakeId(Uuid::from_u128(n)));
        let rejected = IntakeEvent::Rejected {
            message: Message {
                source: format!("order.create.v{}", 1 + n % 3),
                message_id: format!("m-{n}"),
                order: Box::new(PlaceOrder {
                    // What nobody may send, and what comes all the same.
                    channel: "GRAB\0".into(),
                    store_id: "CFR999".into(),
                    ..PlaceOrder::default()
                }),
                contact: Some(Sealed {
                    subject: format!("intake:{n}"),
                    sealed: "c2VhbGVk".into(),
                }),
            },
            problems: vec![Problem {
                code: Code::ErrInvalidLocation,
                path: "storeId".into(),
                message: "nobody knows the store".into(),
            }],
            attempt: letter.state.attempts + 1,
        };
        let event = match (letter.state.exists(), rng.random_range(0..3)) {
            (true, 0) => IntakeEvent::Placed {
                order_id: OrderId(Uuid::now_v7()),
                reason: "the store is open now".into(),
            },
            (true, 1) => IntakeEvent::Dismissed {
                reason: "a test message".into(),
            },
            _ => rejected,
        };
        letter.tell(&[event])
    }

    /// The day is over: what the riders of each partner and store have is expected of the partner.
    fn expect(&mut self, orders: &[Life]) -> Vec<Append> {
        let mut items: BTreeMap<(PartnerId, StoreId), Vec<ExpectedItem>> = BTreeMap::new();
        for life in orders {
            let cash = &life.order.collection;
            let is_expected = self.remittances.iter().any(|r| {
                let mut items = r.state.expected.iter();
                items.any(|item| item.order_id == life.id)
            });
            if cash.status == CollectionStatus::Collected && !is_expected {
                let key = (
                    cash.partner_id.clone().unwrap(),
                    life.order.store_id.clone(),
                );
                items.entry(key).or_default().push(ExpectedItem {
                    order_id: life.id,
                    reference: life.order.number.to_string(),
                    amount: cash.amount,
                    rider_id: cash.rider_id.clone(),
                    collected_at: cash.collected_at.unwrap(),
                });
            }
        }
        let first = NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
        let mut appends = Vec::new();
        for ((partner, store), items) in items {
            let day = first + Days::new(self.remittances.len() as u64);
            let number: u32 = store.as_str()[3..].parse().unwrap();
            let id = RemittanceId::new(partner, store, day);
            let mut remittance = Kept::<Remittance>::new(id);
            let expect = RemittanceCommand::Expect {
                region: region(number),
                items,
            };
            let events = decide(&remittance, &expect);
            appends.push(remittance.tell(&events));
            self.remittances.push(remittance);
        }
        appends
    }

    /// One remittance goes one step on.
    fn settle(&mut self, rng: &mut StdRng, orders: &mut [Life]) -> Vec<Append> {
        let Some(remittance) = self.remittances.choose_mut(rng) else {
            return Vec::new();
        };
        let command = step(rng, remittance);
        let events = command.map_or_else(Vec::new, |command| decide(remittance, &command));
        if events.is_empty() {
            return Vec::new();
        }
        let mut appends = vec![remittance.tell(&events)];
        for event in &events {
            if let RemittanceEvent::Closed { items, .. } = event {
                for item in items.iter().filter(|i| i.outcome != ItemOutcome::Extra) {
                    let life = orders.iter_mut().find(|o| Some(o.id) == item.order_id);
                    appends.push(life.unwrap().tell(&[OrderEvent::CashReconciled {
                        remittance_id: remittance.id.clone(),
                        outcome: item.outcome,
                        expected: item.expected,
                        accepted: item.accepted,
                        variance: Money::from_units(item.accepted.units() - item.expected.units()),
                    }]));
                }
            }
        }
        appends
    }
}

trait ChooseMut<T> {
    fn choose_mut(&mut self, rng: &mut StdRng) -> Option<&mut T>;
}

impl<T> ChooseMut<T> for Vec<T> {
    fn choose_mut(&mut self, rng: &mut StdRng) -> Option<&mut T> {
        let at = rng.random_range(0..self.len().max(1));
        self.get_mut(at)
    }
}

/// The next command of a remittance's life.
fn step(rng: &mut StdRng, remittance: &Kept<Remittance>) -> Option<RemittanceCommand> {
    let state = &remittance.state;
    if state.reported.is_none() {
        return Some(report(rng, remittance));
    }
    match state.status {
        RemittanceStatus::Closed if state.owed().is_positive() => {
            Some(RemittanceCommand::Receive {
                amount: state.owed(),
                reference: Some("RC-1".into()),
            })
        }
        RemittanceStatus::Closed if state.held().is_positive() => {
            Some(RemittanceCommand::Deposit {
                amount: state.held(),
                reference: None,
            })
        }
        RemittanceStatus::Closed | RemittanceStatus::Awaiting => None,
        RemittanceStatus::Matched => Some(RemittanceCommand::Close),
        RemittanceStatus::Differing => {
            let item = state.comparisons.iter().find(|item| item.is_open())?;
            if item.dispute.is_none() && rng.random_ratio(1, 3) {
                return Some(RemittanceCommand::Dispute {
                    reference: item.reference.clone(),
                    reason: "the rider says otherwise".into(),
                });
            }
            let (resolution, accepted) = *[
                (Resolution::PartnerPays, item.expected),
                (Resolution::WrittenOff, item.reported),
            ]
            .choose(rng)?;
            Some(RemittanceCommand::Resolve {
                reference: item.reference.clone(),
                accepted,
                resolution,
                reason: "agreed by telephone".into(),
            })
        }
    }
}

/// Mostly what is expected; now and then less, nothing, or something that nobody expects.
fn report(rng: &mut StdRng, remittance: &Kept<Remittance>) -> RemittanceCommand {
    let mut items = Vec::new();
    for item in &remittance.state.expected {
        let amount = match rng.random_range(0..10) {
            0 => continue,
            1 => Money::from_units((item.amount.units() - 5_000).max(0)),
            _ => item.amount,
        };
        items.push(ReportedItemInput {
            reference: item.reference.clone(),
            amount,
        });
    }
    if rng.random_ratio(1, 5) {
        items.push(ReportedItemInput {
            reference: "GF-UNKNOWN".into(),
            amount: baht(77),
        });
    }
    RemittanceCommand::Report {
        report_id: "REP-1".into(),
        items,
        total: None,
    }
}

fn decide(remittance: &Kept<Remittance>, command: &RemittanceCommand) -> Vec<RemittanceEvent> {
    let number: u32 = remittance.id.store().as_str()[3..].parse().unwrap();
    let expected = remittance.state.expected.iter();
    let facts = RemittanceFacts {
        id: remittance.id.clone(),
        now: day_start(remittance.id.day()),
        region: Some(region(number)),
        orders: expected
            .map(|item| (item.reference.clone(), item.order_id))
            .collect(),
        extras: Vec::new(),
    };
    let actor = Actor {
        id: "desk".into(),
        role: Role::Ops,
        stores: StoreScope::All,
    };
    remittance.state.decide(command, &actor, &facts).unwrap()
}

fn found<'a, E: Entity>(kept: &'a mut Vec<Kept<E>>, id: &E::Id) -> &'a mut Kept<E> {
    let at = kept.iter().position(|k| k.id == *id).unwrap_or_else(|| {
        kept.push(Kept::new(id.clone()));
        kept.len() - 1
    });
    &mut kept[at]
}
