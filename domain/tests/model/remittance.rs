//! A remittance, decided and compared with what a clerk would make of the two lists.

use domain::{
    actor::Role,
    cash::{Posting, RemittanceCash},
    entity::Entity,
    ids::{OrderId, RegionId},
    money::Money,
    order::{CollectionStatus, OrderCommand, command::ReconcileCash},
    remittance::{
        Comparison, ExpectedItem, ExtraOrder, ItemOutcome, Remittance, RemittanceCommand as C,
        RemittanceEvent, RemittanceFacts, RemittanceId, RemittanceStatus, ReportedItemInput,
        Resolution,
    },
};
use rust_decimal::Decimal;

use crate::{
    commands,
    life::Life,
    naive::{cash::RemittanceMoney, money},
    placing::same,
    rng::Rng,
    tally::Tally,
    world::{World, actor, baht},
};

type Check = Result<(), String>;

#[derive(Debug)]
pub struct Settlement<'w> {
    world: &'w World,
    id: RemittanceId,
    state: Remittance,
    pub money: RemittanceMoney,
    pub events: Vec<RemittanceEvent>,
    pub postings: Vec<Posting>,
    /// References of the last report with their amounts, and the orders they name.
    reported: Vec<(String, Option<OrderId>, Decimal)>,
    /// What was expected last of each order.
    expected: Vec<(OrderId, String, Decimal)>,
}

impl<'w> Settlement<'w> {
    pub fn new(world: &'w World) -> Self {
        Self {
            world,
            id: "GRAB:CFR029:2026-03-14".parse().unwrap(),
            state: Remittance::default(),
            money: RemittanceMoney::default(),
            events: Vec::new(),
            postings: Vec::new(),
            reported: Vec::new(),
            expected: Vec::new(),
        }
    }

    pub const fn state(&self) -> &Remittance {
        &self.state
    }

    /// Nothing is left to happen.
    pub fn is_banked(&self) -> bool {
        self.state.status == RemittanceStatus::Closed
            && self.state.owed().is_zero()
            && self.state.held().is_zero()
    }

    /// One thing happens to it.
    pub fn step(&mut self, rng: &mut Rng, lives: &mut [Life<'_>], tally: &mut Tally) -> Check {
        if self.state.status == RemittanceStatus::Closed && rng.permille(900) {
            self.reconcile(rng, lives)?;
        }
        let command = self.next(rng, lives);
        self.ask(&command, lives, tally)
    }

    fn ask(&mut self, command: &C, lives: &mut [Life<'_>], tally: &mut Tally) -> Check {
        let facts = RemittanceFacts {
            id: self.id.clone(),
            now: crate::world::noon(),
            region: Some(RegionId::new("BKK-EAST").unwrap()),
            orders: lives.iter().flat_map(names).collect(),
            extras: lives.iter().map(extra).collect(),
        };
        let events = match self.state.decide(command, &actor(Role::Ops), &facts) {
            Ok(events) => events,
            Err(refusal) => {
                tally.refused_remittance(&refusal);
                return Ok(());
            }
        };
        let is_open = self.state.status != RemittanceStatus::Closed;
        for event in events {
            tally.count(domain::entity::Event::event_type(&event));
            self.take(event, lives)
                .map_err(|e| format!("{e}\nafter {command:#?}\n{self:#?}"))?;
        }
        if is_open {
            self.agrees()
                .map_err(|e| format!("{e}\nafter {command:#?}\n{self:#?}"))?;
        }
        Ok(())
    }

    fn take(&mut self, event: RemittanceEvent, lives: &mut [Life<'_>]) -> Check {
        match &event {
            RemittanceEvent::Expected { items, .. } => {
                for item in items {
                    self.expected.retain(|(id, ..)| *id != item.order_id);
                    let amount = money(item.amount);
                    self.expected
                        .push((item.order_id, item.reference.clone(), amount));
                }
            }
            RemittanceEvent::Reported { items, .. } => {
                let item = |i: &domain::remittance::ReportedItem| {
                    (i.reference.clone(), i.order_id, money(i.amount))
                };
                self.reported = items.iter().map(item).collect();
            }
            RemittanceEvent::Closed { items, .. } => {
                for item in items {
                    let (expected, accepted) = (money(item.expected), money(item.accepted));
                    let life = lives.iter_mut().find(|l| Some(l.id) == item.order_id);
                    match life {
                        Some(life) if item.outcome != ItemOutcome::Extra => {
                            life.money.settled = Some((expected, accepted));
                        }
                        _ => self.money.extra += accepted,
                    }
                }
            }
            RemittanceEvent::CashReceived {
                amount, remaining, ..
            } => {
                self.money.received += money(*amount);
                same(
                    "owed",
                    *remaining,
                    money(self.state.summary.accepted) - self.money.received,
                )?;
            }
            RemittanceEvent::Deposited {
                amount, remaining, ..
            } => {
                self.money.deposited += money(*amount);
                same(
                    "held",
                    *remaining,
                    self.money.received - self.money.deposited,
                )?;
            }
            _ => {}
        }
        let posting = RemittanceCash::post(&self.id, &event);
        let sum: i64 = posting.entries().iter().map(|e| e.amount.units()).sum();
        if sum != 0 {
            return Err(format!("does not balance: {posting:?}"));
        }
        self.postings.push(posting);
        self.state.apply(&event);
        self.events.push(event);
        Ok(())
    }

    /// The comparison is the one of the two lists.
    fn agrees(&self) -> Check {
        if !self.state.is_compared() {
            return if self.state.comparisons.is_empty() {
                Ok(())
            } else {
                Err("compared too early".into())
            };
        }
        let summary = self.state.summary;
        let sum = |amounts: &mut dyn Iterator<Item = Decimal>| amounts.sum::<Decimal>();
        let expected = sum(&mut self.expected.iter().map(|e| e.2));
        let reported = sum(&mut self.reported.iter().map(|r| r.2));
        same("expected", summary.expected, expected)?;
        same("reported", summary.reported, reported)?;
        same("variance", summary.variance, reported - expected)?;
        let mut counts = [0; 4];
        for (order_id, reference, expected) in &self.expected {
            let claims = |r: &&(String, Option<OrderId>, Decimal)| {
                r.0 == *reference || r.1 == Some(*order_id)
            };
            let Some(item) = self.state.item(reference) else {
                return Err(format!("no item {reference}"));
            };
            let outcome = match self.reported.iter().find(claims) {
                None => ItemOutcome::Missing,
                Some(r) if (r.2 - expected).abs() <= Decimal::new(1, 2) => ItemOutcome::Matched,
                Some(_) => ItemOutcome::Variance,
            };
            if item.outcome != outcome {
                return Err(format!(
                    "{reference} is {:?}, not {outcome:?}",
                    item.outcome
                ));
            }
            counts[outcome as usize] += 1;
        }
        let named = self.expected.iter();
        let belongs = |r: &(String, Option<OrderId>, Decimal)| {
            named.clone().any(|e| e.1 == r.0 || Some(e.0) == r.1)
        };
        counts[3] = self.reported.iter().filter(|r| !belongs(r)).count();
        let ours = [
            summary.matched,
            summary.differing,
            summary.missing,
            summary.extra,
        ];
        let ours = ours.map(|count| usize::try_from(count).unwrap());
        if ours != counts {
            return Err(format!("counts {ours:?}, not {counts:?}"));
        }
        let accepted = sum(&mut self.state.comparisons.iter().map(|c| money(c.accepted())));
        same("accepted", summary.accepted, accepted)
    }

    /// Tells the orders how the partner accounted for them.
    fn reconcile(&mut self, rng: &mut Rng, lives: &mut [Life<'_>]) -> Check {
        let items = self.state.comparisons.clone();
        for item in items {
            let life = lives.iter_mut().find(|l| Some(l.id) == item.order_id);
            let Some(life) = life.filter(|_| rng.permille(800)) else {
                continue;
            };
            let command = OrderCommand::ReconcileCash(ReconcileCash {
                remittance_id: self.id.clone(),
                outcome: item.outcome,
                expected: item.expected,
                accepted: item.accepted(),
            });
            let facts = commands::facts(rng, life);
            // Refused where the order has no cash, as one that the partner named by mistake.
            let _ = life.ask(&command, Role::System, &facts)?;
        }
        Ok(())
    }

    fn next(&self, rng: &mut Rng, lives: &[Life<'_>]) -> C {
        if rng.permille(100) {
            return self.anything(rng, lives);
        }
        match self.state.status {
            RemittanceStatus::Closed if self.state.owed().is_positive() => {
                receive(part(rng, self.state.owed()))
            }
            RemittanceStatus::Closed => deposit(part(rng, self.state.held())),
            _ if !self.state.is_opened => self.expect(rng, lives),
            _ if self.state.reported.is_none() => self.report(rng, lives),
            _ => match self.state.comparisons.iter().find(|c| c.is_open()) {
                Some(item) if rng.permille(900) => resolve(rng, item),
                _ => C::Close,
            },
        }
    }

    fn anything(&self, rng: &mut Rng, lives: &[Life<'_>]) -> C {
        let reference = match self.state.comparisons.len() {
            0 => "nobody".into(),
            len => self.state.comparisons[rng.index(len)].reference.clone(),
        };
        match rng.below(7) {
            0 => self.expect(rng, lives),
            1 => self.report(rng, lives),
            2 => C::Dispute {
                reference,
                reason: "not so".into(),
            },
            3 => C::Resolve {
                reference,
                accepted: baht(rng.between(-1, 90_000)),
                resolution: Resolution::Agreed,
                reason: "let it be".into(),
            },
            4 => C::Close,
            5 => receive(baht(rng.between(-1, 90_000))),
            _ => deposit(baht(rng.between(-1, 90_000))),
        }
    }

    /// The cash that riders collected: all of it, as a rule.
    fn expect(&self, rng: &mut Rng, lives: &[Life<'_>]) -> C {
        let collected = |l: &&Life<'_>| l.order.collection.status == CollectionStatus::Collected;
        let mut items = Vec::new();
        for life in lives.iter().filter(collected) {
            if rng.permille(920) {
                items.push(ExpectedItem {
                    order_id: life.id,
                    reference: life.order.number.as_str().into(),
                    amount: life.order.collection.amount,
                    rider_id: life.order.collection.rider_id.clone(),
                    collected_at: life.order.collection.collected_at.unwrap(),
                });
            }
        }
        C::Expect {
            region: self
                .world
                .facts(lives.first().map_or_else(crate::world::noon, |l| l.now))
                .store
                .unwrap()
                .region,
            items,
        }
    }

    /// The partner's list: right for most orders, under its own names for some.
    fn report(&self, rng: &mut Rng, lives: &[Life<'_>]) -> C {
        let mut items = Vec::new();
        for life in lives {
            let has_cash = life.order.collection.amount.is_positive();
            if rng.permille(if has_cash { 60 } else { 950 }) {
                continue;
            }
            let satang = life.order.collection.amount.units() / 100;
            let satang = match rng.weighted(&[85, 4, 4, 7]) {
                0 => satang,
                1 => satang + 1,
                2 => (satang - 1).max(0),
                _ => rng.between(0, satang * 2 + 10),
            };
            let name = names(life)[usize::from(rng.permille(200))].0.clone();
            items.push(ReportedItemInput {
                reference: name,
                amount: baht(satang),
            });
        }
        if rng.permille(80) {
            items.push(ReportedItemInput {
                reference: "NOBODY-KNOWS".into(),
                amount: baht(rng.between(0, 50_000)),
            });
        }
        let sum: i64 = items.iter().map(|i| i.amount.units()).sum();
        C::Report {
            report_id: format!("REPORT-{}", rng.between(1, 4)),
            items,
            total: rng
                .permille(500)
                .then(|| Money::from_units(sum + rng.between(-110, 110))),
        }
    }
}

/// What a partner may call an order: by its number, or by an id of its own.
fn names(life: &Life<'_>) -> [(String, OrderId); 2] {
    let number = life.order.number.as_str().to_owned();
    [(number.clone(), life.id), (format!("G-{number}"), life.id)]
}

fn resolve(rng: &mut Rng, item: &Comparison) -> C {
    let (resolution, accepted) = match rng.below(3) {
        0 => (Resolution::PartnerPays, item.expected),
        1 => (Resolution::WrittenOff, item.reported),
        _ => {
            let most = item.expected.max(item.reported).units() / 100;
            (Resolution::Agreed, baht(rng.between(0, most)))
        }
    };
    C::Resolve {
        reference: item.reference.clone(),
        accepted,
        resolution,
        reason: "counted again".into(),
    }
}

/// All of it, or a part.
fn part(rng: &mut Rng, amount: Money) -> Money {
    let satang = amount.units() / 100;
    if rng.permille(700) {
        amount
    } else {
        baht(rng.between(0, satang + 1))
    }
}

const fn receive(amount: Money) -> C {
    C::Receive {
        amount,
        reference: None,
    }
}

const fn deposit(amount: Money) -> C {
    C::Deposit {
        amount,
        reference: None,
    }
}

/// Where the cash of an order stands, should the partner hand over some that nobody expects.
fn extra(life: &Life<'_>) -> ExtraOrder {
    ExtraOrder {
        order_id: life.id,
        store_id: life.order.store_id.clone(),
        collection: life.order.collection.clone(),
    }
}
