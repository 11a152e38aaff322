//! A clock that is moved by hand, and what the processes take: for one order, and for the end of a day.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use chrono::{DateTime, Days, TimeDelta, Utc};
use commands::{
    BusOptions, CommandBus, Request, Target,
    facts::Clock,
    personal::Vault,
    process::{self, ProcessOptions, Processes},
    record,
};
use domain::{
    calendar::{business_day, day_start},
    entity::{Entity, Event as _},
    ids::{CommandId, OrderId, OrderNumber, PartnerId, RegionId, StoreId},
    order::{
        Facts, Order, OrderCommand, OrderEvent, OrderStatus,
        command::{CollectCash, Proof},
        event::Sealed,
        facts::StoreFacts,
    },
    remittance::{Remittance, RemittanceCommand, RemittanceId, ReportedItemInput},
    store::{Profile, Store, StoreCommand},
};
use futures_util::{StreamExt as _, stream};
use serde_json::json;
use store::{Append, Claim, Log, NewEvent, StreamId, wake::Wake};
use uuid::Uuid;

use crate::{
    Database, MASTER_KEY,
    orders::{admin, place, to_delivered},
};

/// Appends and reports under way at once while a day is made.
const CONCURRENCY: usize = 64;
/// The region of every store.
const REGION: &str = "BKK-CENTRAL";

/// A clock that shows what it was last set to.
pub struct HandClock(Mutex<DateTime<Utc>>);

impl HandClock {
    /// A clock that shows this.
    pub fn new(at: DateTime<Utc>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(at)))
    }

    /// Moves it on.
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }

    /// Sets it.
    pub fn set(&self, to: DateTime<Utc>) {
        *self.0.lock().unwrap() = to;
    }
}

impl Clock for HandClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// What the end of a day took.
#[derive(Debug, Clone, Copy)]
pub struct DayEnd {
    /// Orders whose cash was collected that day.
    pub orders: usize,
    /// Partners times stores.
    pub remittances: usize,
    /// From the first event of the day to every process having taken in the last: the processes read a whole day.
    pub taken_in: Duration,
    /// From midnight until every remittance was told of its cash and compared with its report.
    pub compared: Duration,
    /// From midnight until every remittance was closed and every order's cash settled.
    pub settled: Duration,
}

/// A day of `orders` delivered and paid orders over `stores` stores and two partners who have reported, and its end.
///
/// # Panics
/// Something does not happen within `patience`.
pub async fn day_end(
    database: &Database,
    orders: usize,
    stores: usize,
    patience: Duration,
) -> DayEnd {
    let noon = day_start(business_day(Utc::now()) - Days::new(1)) + TimeDelta::hours(12);
    let clock = HandClock::new(noon);
    let day = Day {
        bus: bus(database, &clock).await,
        at: noon,
        patience,
    };
    let remittances = day.make(orders, stores).await;
    let log = day.bus.log().clone();
    let wake = Wake::listen(log.pool().clone(), log.log_id(), Duration::from_millis(500));
    let options = ProcessOptions::default();
    let started = Instant::now();
    let processes = Processes::spawn(&day.bus, &wake, options);
    day.until("the day is taken in", async || {
        let head = log.head().await.unwrap().position;
        let status = process::status(&log).await.unwrap();
        status.iter().all(|s| s.position == head)
    })
    .await;
    let taken_in = started.elapsed();
    let midnight = Instant::now();
    clock.set(day_start(business_day(noon) + Days::new(1)));
    // Reported, expected, compared, closed.
    day.reach(remittances, 3).await;
    let compared = midnight.elapsed();
    day.reach(remittances, 4).await;
    day.until("every order is settled", async || {
        day.count("select count(*) from process_cash_item").await == 0
    })
    .await;
    let settled = midnight.elapsed();
    processes.stop().await;
    let reconciled = "select count(*) from events where event_type = 'order.cash_reconciled'";
    assert_eq!(day.count(reconciled).await, orders, "each order once");
    DayEnd {
        orders,
        remittances,
        taken_in,
        compared,
        settled,
    }
}

/// How long orders took from the log's taking them in to their release.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs)]
pub struct Runs {
    pub p50: Duration,
    pub p99: Duration,
    pub max: Duration,
}

/// Places orders one after another with a pause in between, and has them run to released by themselves.
///
/// # Panics
/// They do not within `patience`.
pub async fn runs(database: &Database, orders: usize, pause: Duration, patience: Duration) -> Runs {
    const TOOK: &str = "select (extract(epoch from r.recorded_at - p.recorded_at) * 1000000)::bigint \
         from events p join events r using (aggregate_type, aggregate_id) \
         where p.event_type = 'order.placed' and r.event_type = 'order.released' order by 1";
    let day = Day {
        bus: bus(database, &HandClock::new(Utc::now())).await,
        at: Utc::now(),
        patience,
    };
    let store = StoreId::new("CFR001").unwrap();
    let profile = profile(true);
    let open = request::<Store>(Target::Entity(store), StoreCommand::Open { profile });
    day.bus.execute(open).await.unwrap();
    let log = day.bus.log();
    let wake = Wake::listen(log.pool().clone(), log.log_id(), Duration::from_millis(500));
    let processes = Processes::spawn(&day.bus, &wake, ProcessOptions::default());
    let mut placing = tokio::task::JoinSet::new();
    let started = tokio::time::Instant::now();
    for n in 0..orders {
        let n = u32::try_from(n).unwrap();
        tokio::time::sleep_until(started + pause * n).await;
        let (bus, command) = (day.bus.clone(), OrderCommand::Place(Box::new(place())));
        placing.spawn(async move { bus.execute(request::<Order>(Target::New, command)).await });
    }
    while let Some(placed) = placing.join_next().await {
        placed.unwrap().unwrap();
    }
    let released = "select count(*) from events where event_type = 'order.released'";
    day.until("all are released", async || {
        day.count(released).await == orders
    })
    .await;
    let took: Vec<i64> = sqlx::query_scalar(TOOK)
        .fetch_all(log.pool())
        .await
        .unwrap();
    processes.stop().await;
    let at = |index: usize| Duration::from_micros(took[index.min(orders - 1)].unsigned_abs());
    Runs {
        p50: at(orders / 2),
        p99: at(orders * 99 / 100),
        max: at(orders - 1),
    }
}

/// A bus with a log of its own, as another program would have.
pub async fn bus(database: &Database, clock: &Arc<HandClock>) -> CommandBus {
    let log = database.log().await;
    let vault = Vault::new(log.clone(), &MASTER_KEY).unwrap();
    CommandBus::new(log, vault, clock.clone(), BusOptions::default())
}

/// A request of somebody who may do everything.
pub fn request<E: Entity>(target: Target<E::Id>, command: E::Command) -> Request<E> {
    Request {
        command_id: CommandId(Uuid::now_v7()),
        actor: admin(),
        expected_version: None,
        target,
        command,
        correlation_id: Uuid::now_v7(),
        causation_id: None,
        traceparent: None,
    }
}

/// What is known of a store whose orders run to released by themselves, or await a click.
pub fn profile(auto_release: bool) -> Profile {
    Profile {
        name: "A store".into(),
        region: RegionId::new(REGION).unwrap(),
        zone: "BKK".into(),
        opening: None,
        hours: None,
        cod_limit: None,
        auto_release,
    }
}

/// A day in the making.
struct Day {
    bus: CommandBus,
    at: DateTime<Utc>,
    patience: Duration,
}

impl Day {
    /// Opens the stores, appends whole lives of orders and has the partners report them; returns how many remittances
    /// that makes.
    async fn make(&self, orders: usize, stores: usize) -> usize {
        let store_ids: Vec<StoreId> = (1..=stores)
            .map(|n| StoreId::new(format!("CFR{n:03}")).unwrap())
            .collect();
        for id in &store_ids {
            let profile = profile(true);
            let command = StoreCommand::Open { profile };
            let request = request::<Store>(Target::Entity(id.clone()), command);
            self.bus.execute(request).await.unwrap();
        }
        let partners = ["GRAB", "PMP"].map(|p| PartnerId::new(p).unwrap());
        let mut cells: Vec<(RemittanceId, Vec<ReportedItemInput>)> = Vec::new();
        let mut lives = Vec::new();
        for store in &store_ids {
            for partner in &partners {
                let id = RemittanceId::new(partner.clone(), store.clone(), business_day(self.at));
                cells.push((id, Vec::new()));
            }
        }
        let count = cells.len().min(orders);
        for n in 0..orders {
            let (id, items) = &mut cells[n % count];
            let number = format!("QC-{}-{:06}", id.day(), n + 1);
            let life = life(OrderNumber::new(number.clone()).unwrap(), id, self.at);
            items.push(ReportedItemInput {
                reference: number,
                amount: life.0.totals.cash_due,
            });
            lives.push(append(&life, self.at));
        }
        let log = self.bus.log();
        stream::iter(lives)
            .for_each_concurrent(CONCURRENCY, async |life| {
                log.append(life).await.unwrap();
            })
            .await;
        stream::iter(cells.into_iter().take(count))
            .for_each_concurrent(CONCURRENCY, async |(id, items)| {
                let command = RemittanceCommand::Report {
                    report_id: "day".into(),
                    items,
                    total: None,
                };
                let request = request::<Remittance>(Target::Entity(id), command);
                self.bus.execute(request).await.unwrap();
            })
            .await;
        count
    }

    /// Waits until all remittances have so many events.
    async fn reach(&self, remittances: usize, events: i64) {
        let sql = format!(
            "select count(*) from stream_head where aggregate_type = 'remittance' and version >= {events}"
        );
        let what = format!("{remittances} remittances with {events} events");
        self.until(&what, async || self.count(&sql).await == remittances)
            .await;
    }

    async fn count(&self, sql: &str) -> usize {
        let log: &Log = self.bus.log();
        let found: i64 = sqlx::query_scalar(sql).fetch_one(log.pool()).await.unwrap();
        usize::try_from(found).unwrap()
    }

    async fn until(&self, what: &str, check: impl AsyncFn() -> bool) {
        let started = Instant::now();
        while !check().await {
            assert!(
                started.elapsed() < self.patience,
                "not within {:?}: {what}",
                self.patience
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// An order from placed to collected, by the domain's own decisions.
fn life(
    number: OrderNumber,
    remittance: &RemittanceId,
    at: DateTime<Utc>,
) -> (Order, Vec<OrderEvent>) {
    let facts = Facts {
        number: Some(number),
        sealed: Some(Sealed {
            subject: "order:sample".into(),
            sealed: "bm90aGluZw==".into(),
        }),
        ..Facts::new(at, Some(store_facts()))
    };
    let mut placing = place();
    placing.store_id = remittance.store().to_string();
    let mut commands = vec![OrderCommand::Place(Box::new(placing))];
    commands.extend(to_delivered());
    let (mut order, mut events) = (Order::default(), Vec::new());
    let mut decide = |order: &mut Order, command: &OrderCommand| {
        for event in order.decide(command, &admin(), &facts).unwrap() {
            order.apply(&event);
            events.push(event);
        }
    };
    for command in &commands {
        decide(&mut order, command);
    }
    assert_eq!(order.status, OrderStatus::Delivered);
    let collect = OrderCommand::CollectCash(CollectCash {
        amount: order.totals.cash_due,
        partner_id: remittance.partner().to_string(),
        rider_id: Some("RIDER-7".into()),
        tracking_id: None,
        collected_at: None,
        proof: Some(Proof {
            photo: Some("s3://proofs/1.jpg".into()),
            ..Proof::default()
        }),
        discrepancy_reason: None,
    });
    decide(&mut order, &collect);
    (order, events)
}

fn store_facts() -> StoreFacts {
    let store = Store {
        profile: Some(profile(true)),
        active: true,
        inactive_reason: None,
    };
    store.facts(DateTime::UNIX_EPOCH).unwrap()
}

/// One command's worth: the whole life at once.
fn append((order, events): &(Order, Vec<OrderEvent>), at: DateTime<Utc>) -> Append {
    let metadata = json!({
        record::ACTOR_ID: "sample",
        record::ACTOR_ROLE: "admin",
        record::STORE_ID: order.store_id,
        record::REGION: order.region,
        record::OCCURRED_AT: at,
        record::CORRELATION_ID: Uuid::now_v7(),
    });
    let events = events.iter().map(|event| NewEvent {
        event_id: Uuid::now_v7(),
        event_type: event.event_type().into(),
        event_version: event.version().into(),
        payload: serde_json::to_string(event).unwrap(),
        metadata: metadata.to_string(),
    });
    Append {
        command_id: Uuid::now_v7(),
        request_hash: [7; 32],
        stream: StreamId::new(Order::TYPE, OrderId(Uuid::now_v7()).to_string()),
        expected_version: 0,
        events: events.collect(),
        claims: vec![Claim {
            scope: record::NUMBER.into(),
            value: order.number.to_string(),
        }],
        subject_key: None,
    }
}
