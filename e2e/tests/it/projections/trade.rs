//! Orders that are placed and live on at random, by a seed, with what a chain does about them: partners that account
//! for their cash, stores, bundles, and messages that could not be placed.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    entity::Entity,
    ids::OrderId,
    order::{Order, OrderEvent, OrderStatus},
};
use projections::Runner;
use rand::{Rng, SeedableRng, rngs::StdRng};
use store::{Append, Log};
use uuid::Uuid;

use super::{
    lives,
    others::Others,
    support::{TestDb, append, fresh_db},
};

/// What sixty random orders live through in a test, most of them to their end.
pub(crate) const MOVES: u32 = 1_500;

/// A database with sixty orders and what became of them in so many moves, and the read models that have seen all of it.
pub(crate) async fn traded(seed: u64, moves: u32) -> (TestDb, Runner, Trade) {
    let db = fresh_db().await;
    let mut trade = Trade::new(seed);
    let runner = db.run();
    trade.run(&db.log, 60, moves).await;
    db.caught_up().await;
    (db, runner, trade)
}

/// An order somewhere in its life.
#[derive(Clone)]
pub(crate) struct Life {
    pub(crate) id: OrderId,
    pub(crate) version: i64,
    pub(crate) order: Order,
    /// When its goods are with the customer.
    pub(crate) delivered_at: DateTime<Utc>,
}

impl Life {
    pub(crate) fn status(&self) -> OrderStatus {
        self.order.status
    }

    /// Lives on, and says so to the log.
    pub(crate) fn tell(&mut self, events: &[OrderEvent]) -> Append {
        let append = append::<Order>(&self.id, self.version, events);
        for event in events {
            Entity::apply(&mut self.order, event);
            self.version += 1;
        }
        append
    }
}

/// Everything that lives at random.
pub(crate) struct Trade {
    rng: StdRng,
    pub(crate) orders: Vec<Life>,
    pub(crate) others: Others,
    next: u32,
}

impl Trade {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            orders: Vec::new(),
            others: Others::default(),
            next: 0,
        }
    }

    /// Places `orders` orders and makes `moves` moves, many at once so that commands share commits.
    pub(crate) async fn run(&mut self, log: &Log, orders: u32, moves: u32) {
        let mut placing = tokio::task::JoinSet::new();
        for _ in 0..orders {
            let append = self.place();
            let log = log.clone();
            placing.spawn(async move { log.append(append).await.unwrap() });
        }
        placing.join_all().await;
        for _ in 0..moves {
            for append in self.advance() {
                log.append(append).await.unwrap();
            }
        }
    }

    fn place(&mut self) -> Append {
        self.next += 1;
        let placed = lives::placed(&mut self.rng, self.next);
        let start: DateTime<Utc> = "2026-01-05T02:00:00Z".parse().unwrap();
        let mut life = Life {
            id: OrderId(Uuid::now_v7()),
            version: 0,
            order: Order::default(),
            delivered_at: start + TimeDelta::minutes(self.rng.random_range(0..14_400)),
        };
        let append = life.tell(&[OrderEvent::Placed(Box::new(placed))]);
        self.orders.push(life);
        append
    }

    /// A random allowed move of something; nothing when a chosen order is at its end.
    fn advance(&mut self) -> Vec<Append> {
        if self.rng.random_ratio(1, 8) {
            return self.others.advance(&mut self.rng, &mut self.orders);
        }
        let at = self.rng.random_range(0..self.orders.len());
        let life = &mut self.orders[at];
        let events = lives::next(&mut self.rng, life);
        if events.is_empty() {
            return Vec::new();
        }
        vec![life.tell(&events)]
    }
}
