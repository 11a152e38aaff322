//! A database of its own for each test, and orders that live through random lives.

use std::time::Duration;

use domain::{
    ids::{CustomerId, OrderId, OrderNumber, RegionId, Sku, StoreId},
    money::{Money, Quantity, Rate},
    order::{
        OrderEvent, OrderStatus, PaymentStatus,
        event::{Channel, ExternalRef, Line, Placed, Step, System, Totals},
    },
};
use e2e::{Database, fresh_database};
use projections::{Model, ReadDb, Runner, check};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use sqlx::PgPool;
use store::{Append, AppendOptions, Log, LogId, NewEvent, Position, StreamId, wake::Wake};
use uuid::Uuid;

/// Longest time a test waits for a read model.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A migrated database of its own.
pub(crate) struct TestDb {
    database: Database,
    /// As the superuser, for what the service must not do.
    pub(crate) admin: PgPool,
    /// As the service.
    pub(crate) pool: PgPool,
    pub(crate) log: Log,
    pub(crate) db: ReadDb,
}

pub(crate) async fn fresh_db() -> TestDb {
    TestDb::open(fresh_database().await).await
}

impl TestDb {
    async fn open(database: Database) -> Self {
        let pool = database.pool().await;
        let log = Log::open(pool.clone(), LogId::DEFAULT, AppendOptions::default())
            .await
            .unwrap();
        Self {
            admin: database.superuser_pool().await,
            db: ReadDb::new(pool.clone()),
            database,
            pool,
            log,
        }
    }

    /// Another process on the same database.
    pub(crate) async fn another(&self) -> Self {
        let name = self.database.name.clone();
        Self::open(Database { name }).await
    }

    pub(crate) fn run(&self) -> Runner {
        let wake = Wake::listen(
            self.pool.clone(),
            LogId::DEFAULT,
            Duration::from_millis(500),
        );
        Runner::spawn(&Model::ALL, self.log.clone(), wake)
    }

    /// Waits until every model has applied the whole log.
    pub(crate) async fn caught_up(&self) {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let head = self.log.head().await.unwrap().position;
            let status = projections::freshness::status(&self.db, LogId::DEFAULT)
                .await
                .unwrap();
            if status.iter().all(|s| s.position == head) {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "behind: {status:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The read models equal a fold of the log.
    pub(crate) async fn assert_clean(&self) {
        let report = check::check(&self.pool, LogId::DEFAULT).await.unwrap();
        assert!(report.is_clean(), "{report:?}");
    }

    /// Every row of every read model as text.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for table in [
            "order_view",
            "order_ref",
            "order_history",
            "store_board_order",
            "store_board",
        ] {
            let zero = if table == "store_board" {
                "where orders > 0"
            } else {
                ""
            };
            let sql = format!("select t::text from {table} as t {zero} order by 1");
            let rows: Vec<String> = sqlx::query_scalar(&sql)
                .fetch_all(&self.pool)
                .await
                .unwrap();
            lines.extend(rows);
        }
        lines
    }
}

/// An order somewhere in its life.
#[derive(Clone)]
pub(crate) struct Life {
    pub(crate) id: OrderId,
    pub(crate) version: i64,
    pub(crate) status: OrderStatus,
}

/// Orders that are placed and moved on at random, by a seed.
pub(crate) struct Trade {
    rng: StdRng,
    pub(crate) orders: Vec<Life>,
    next: u32,
}

pub(crate) fn store_id(n: u32) -> StoreId {
    StoreId::new(format!("CFR{n:03}")).unwrap()
}

impl Trade {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
            orders: Vec::new(),
            next: 0,
        }
    }

    /// Places `orders` orders and makes `moves` moves, many at once so that commands share commits.
    pub(crate) async fn run(&mut self, log: &Log, orders: u32, moves: u32) {
        let mut placing = tokio::task::JoinSet::new();
        for _ in 0..orders {
            let (life, append) = self.place();
            self.orders.push(life);
            let log = log.clone();
            placing.spawn(async move { log.append(append).await.unwrap() });
        }
        placing.join_all().await;
        for _ in 0..moves {
            if let Some(append) = self.advance() {
                log.append(append).await.unwrap();
            }
        }
    }

    fn place(&mut self) -> (Life, Append) {
        self.next += 1;
        let id = OrderId(Uuid::now_v7());
        let placed = self.placed();
        let life = Life {
            id,
            version: 1,
            status: OrderStatus::Open,
        };
        (life, append(id, 0, &OrderEvent::Placed(Box::new(placed))))
    }

    /// A random allowed move of a random order; `None` when that order is at its end.
    fn advance(&mut self) -> Option<Append> {
        let at = self.rng.random_range(0..self.orders.len());
        let from = self.orders[at].status;
        let targets: Vec<OrderStatus> = OrderStatus::ALL
            .iter()
            .copied()
            .filter(|to| *to != OrderStatus::PendingReturn && *to != OrderStatus::Returned)
            .filter(|to| from.path_to(*to).is_some())
            .filter(|to| *to != OrderStatus::Cancelled || self.rng.random_ratio(1, 5))
            .collect();
        let to = *targets.choose(&mut self.rng)?;
        let life = &mut self.orders[at];
        let append = append(life.id, life.version, &event(from, to));
        life.version += 1;
        life.status = to;
        Some(append)
    }

    fn placed(&mut self) -> Placed {
        let n = self.next;
        let rng = &mut self.rng;
        let store = rng.random_range(1..=8);
        let channel = *Channel::ALL.choose(rng).unwrap();
        // Few distinct amounts, so that equal totals occur.
        let total = Money::from_units(rng.random_range(1..=20) * 250_000);
        let refs = if channel == Channel::Grab {
            vec![ExternalRef {
                system: System::Grab,
                reference: format!("GF-{n}"),
            }]
        } else {
            Vec::new()
        };
        Placed {
            number: OrderNumber::new(format!("QC-2026-01-{:02}-{n:06}", 1 + n % 5)).unwrap(),
            channel,
            order_type: None,
            refs,
            store_id: store_id(store),
            region: RegionId::new(format!("R{}", 1 + store % 3)).unwrap(),
            customer_id: rng
                .random_bool(0.7)
                .then(|| CustomerId::new(format!("C{}", rng.random_range(1..=20))).unwrap()),
            t1_membership_id: None,
            t1_number: None,
            contact: None,
            lines: vec![line(1, total)],
            order_discounts: Vec::new(),
            fees: Vec::new(),
            totals: Totals {
                order_total: total,
                cash_due: total,
                sub_total: total,
                ..Totals::default()
            },
            payment_method: "COD".into(),
            requested_slot: None,
            promised_at: None,
            captured_at: None,
            allow_substitution: true,
            warnings: Vec::new(),
        }
    }
}

fn line(line_number: u16, net: Money) -> Line {
    Line {
        line_number,
        sku: Sku::new("8850999320007").unwrap(),
        name_th: Some("ข้าวกล่อง 🍱".into()),
        name_en: None,
        uom: None,
        quantity: Quantity::from_units(10_000),
        is_weight_item: false,
        pack: None,
        unit_price: net,
        original_unit_price: net,
        discounts: Vec::new(),
        is_gift: false,
        promotion_id: None,
        tax_rate: Rate::from_units(700),
        is_tax_included: true,
        gross: net,
        discount: Money::ZERO,
        net,
        order_discount_share: Money::ZERO,
        tax_contained: Money::ZERO,
        tax_added: Money::ZERO,
    }
}

fn event(from: OrderStatus, to: OrderStatus) -> OrderEvent {
    let skipped = from.path_to(to).unwrap_or_default().to_vec();
    let step = Step {
        from,
        to,
        skipped,
        occurred_at: None,
    };
    match to.code() {
        1500 => OrderEvent::BackOrdered {
            reason: "out of stock".into(),
        },
        2000 => OrderEvent::Allocated { from },
        3000 => OrderEvent::Released {},
        3500..=3700 => OrderEvent::PickingRecorded { step },
        7000..=7100 => OrderEvent::ShipmentRecorded {
            step,
            tracking_id: Some("TH0001".into()),
            carrier: Some("GRAB".into()),
            shipment_id: None,
        },
        7200..=7500 => OrderEvent::DeliveryRecorded { step },
        _ => OrderEvent::Cancelled {
            from,
            reason: "customer changed their mind".into(),
            payment_status: PaymentStatus::NotApplicable,
        },
    }
}

pub(crate) fn append(id: OrderId, expected_version: i64, event: &OrderEvent) -> Append {
    let mut record = new_event(event.event_type(), serde_json::to_string(event).unwrap());
    record.event_version = event.version().into();
    append_raw(id, expected_version, record)
}

pub(crate) fn new_event(event_type: &str, payload: String) -> NewEvent {
    NewEvent {
        event_id: Uuid::now_v7(),
        event_type: event_type.into(),
        event_version: "1".into(),
        payload,
        metadata: r#"{"actorId":"somchai","actorRole":"store-staff","storeId":"CFR001"}"#.into(),
    }
}

pub(crate) fn append_raw(id: OrderId, expected_version: i64, event: NewEvent) -> Append {
    Append {
        command_id: Uuid::now_v7(),
        request_hash: [7; 32],
        stream: StreamId::new("order", id.to_string()),
        expected_version,
        events: vec![event],
        claims: Vec::new(),
        subject_key: None,
    }
}

/// The checkpoint of a model.
pub(crate) async fn checkpoint(db: &TestDb, model: Model) -> Position {
    store::checkpoint::load(&db.pool, LogId::DEFAULT, model.name())
        .await
        .unwrap()
}
