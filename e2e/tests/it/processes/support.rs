//! Programs that run the processes over one database, and a clock that the tests move.

use std::{sync::Arc, time::Duration};

use commands::{
    CommandBus, CommandError, Kind, Outcome, Request, Target,
    load::stream_id,
    process::{ProcessOptions, Processes},
};
use domain::{
    actor::{Actor, Role, StoreScope},
    decode,
    ids::{OrderId, PartnerId, StoreId},
    order::{
        Order, OrderCommand, OrderEvent, OrderStatus,
        command::{CollectCash, LineInput, PlaceOrder, Proof},
    },
    store::{Store, StoreCommand},
};
use e2e::{
    Database, PATIENCE, eventually, fresh_database,
    orders::progress,
    processes::{HandClock, bus, profile, request},
};
use store::{Log, Recorded, wake::Wake};

/// How often the processes of a test look for what is due.
const TICK: Duration = Duration::from_millis(30);
/// Long enough for everything that is due to have happened, several times over.
const QUIET: Duration = Duration::from_millis(400);

/// One database, and a clock for every program on it.
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) clock: Arc<HandClock>,
    /// A program that runs no processes: people and partners.
    pub(crate) people: CommandBus,
}

/// Noon in Bangkok, and what the first business day of a test is called.
pub(crate) const NOON: &str = "2026-11-24T05:00:00Z";

impl World {
    /// Three trading stores, `CFR001` to `CFR003`.
    pub(crate) async fn open() -> Self {
        let database = fresh_database().await;
        let clock = HandClock::new(NOON.parse().unwrap());
        let people = bus(&database, &clock).await;
        for id in ["CFR001", "CFR002", "CFR003"] {
            let profile = profile(true);
            tell::<Store>(&people, store(id), StoreCommand::Open { profile }).await;
        }
        Self {
            database,
            clock,
            people,
        }
    }

    /// A program that runs the processes.
    pub(crate) async fn program(&self) -> Processes {
        let bus = bus(&self.database, &self.clock).await;
        start(&bus)
    }

    pub(crate) fn log(&self) -> &Log {
        self.people.log()
    }

    pub(crate) async fn tell<E: Kind>(&self, id: E::Id, command: E::Command) -> Outcome<E> {
        tell(&self.people, id, command).await
    }

    /// Places an order of 169.00 at a store.
    pub(crate) async fn place(&self, store: &str) -> OrderId {
        self.place_for(store, "62.00").await
    }

    /// Places an order of 45.00 and two of a price.
    pub(crate) async fn place_for(&self, store: &str, price: &str) -> OrderId {
        let command = OrderCommand::Place(Box::new(placing(store, price)));
        let request = request::<Order>(Target::New, command);
        let outcome = self.people.execute(request).await.unwrap();
        outcome.receipt.id
    }

    /// The request that places an order of 169.00.
    pub(crate) fn placing(&self, store: &str) -> Request<Order> {
        let command = OrderCommand::Place(Box::new(placing(store, "62.00")));
        request::<Order>(Target::New, command)
    }

    /// The order as it is now.
    pub(crate) async fn order(&self, id: OrderId) -> Order {
        let loaded = self.people.load::<Order>(&id).await.unwrap().unwrap();
        (*loaded.state).clone()
    }

    /// Waits until an order stands somewhere.
    pub(crate) async fn reaches(&self, id: OrderId, status: OrderStatus) {
        eventually(&format!("{id} at {}", status.code()), || async {
            (self.order(id).await.status == status).then_some(())
        })
        .await;
    }

    /// The order's records.
    pub(crate) async fn records(&self, id: OrderId) -> Vec<Recorded> {
        let stream = stream_id::<Order>(&id);
        self.log().stream(&stream, 0, 100).await.unwrap()
    }

    /// The types of an order's events, short of `order.`.
    pub(crate) async fn life(&self, id: OrderId) -> Vec<String> {
        let records = self.records(id).await;
        records
            .iter()
            .map(|r| r.event_type.trim_start_matches("order.").to_owned())
            .collect()
    }

    /// An order's events.
    pub(crate) async fn events(&self, id: OrderId) -> Vec<OrderEvent> {
        let records = self.records(id).await;
        records
            .iter()
            .map(|r| decode::decode(&r.event_type, &r.event_version, &r.payload).unwrap())
            .collect()
    }

    /// Moves a released order on to a status.
    pub(crate) async fn walk(&self, id: OrderId, to: OrderStatus) {
        use OrderStatus::{
            Delivered, Fulfilled, InProcess, InTransit, OutForDelivery, Packed, Picked, Shipped,
        };
        let road = [
            InProcess,
            Picked,
            Packed,
            Fulfilled,
            Shipped,
            InTransit,
            OutForDelivery,
            Delivered,
        ];
        for status in road.into_iter().filter(|s| *s <= to) {
            self.tell::<Order>(id, progress(status)).await;
        }
    }

    /// Everything that the log has is done, and nothing more comes of it.
    pub(crate) async fn quiet(&self) {
        let mut seen = self.log().head().await.unwrap().position;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            tokio::time::sleep(QUIET).await;
            let head = self.log().head().await.unwrap().position;
            if head == seen {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "never quiet");
            seen = head;
        }
    }
}

/// Starts the processes of a program.
pub(crate) fn start(bus: &CommandBus) -> Processes {
    let log = bus.log();
    let wake = Wake::listen(log.pool().clone(), log.log_id(), Duration::from_millis(500));
    Processes::spawn(bus, &wake, ProcessOptions { tick: TICK })
}

/// Gives a command that must be carried out.
pub(crate) async fn tell<E: Kind>(bus: &CommandBus, id: E::Id, command: E::Command) -> Outcome<E> {
    let what = format!("{} {id}: {command:?}", E::TYPE);
    try_tell(bus, id, command)
        .await
        .unwrap_or_else(|e| panic!("{what}: {e}"))
}

/// Gives a command.
pub(crate) async fn try_tell<E: Kind>(
    bus: &CommandBus,
    id: E::Id,
    command: E::Command,
) -> Result<Outcome<E>, CommandError> {
    bus.execute(request::<E>(Target::Entity(id), command)).await
}

/// The ledger's own actor.
pub(crate) fn system() -> Actor {
    Actor {
        id: commands::process::ACTOR_ID.into(),
        role: Role::System,
        stores: StoreScope::All,
    }
}

pub(crate) fn store(id: &str) -> StoreId {
    StoreId::new(id).unwrap()
}

pub(crate) fn partner(id: &str) -> PartnerId {
    PartnerId::new(id).unwrap()
}

fn placing(store: &str, price: &str) -> PlaceOrder {
    let line = |line_number, sku: &str, quantity: &str, price: &str| LineInput {
        line_number,
        sku: sku.into(),
        quantity: quantity.parse().unwrap(),
        unit_price: price.parse().unwrap(),
        ..LineInput::default()
    };
    PlaceOrder {
        channel: "GRAB".into(),
        store_id: store.into(),
        is_force_allocation: Some(true),
        allow_substitution: true,
        lines: vec![
            line(1, "8850999220017", "1", "45.00"),
            line(2, "8850999320021", "2", price),
        ],
        ..PlaceOrder::default()
    }
}

/// Cash that a partner's rider collected.
pub(crate) fn collecting(partner: &str, amount: &str, at: Option<&str>) -> OrderCommand {
    OrderCommand::CollectCash(CollectCash {
        amount: amount.parse().unwrap(),
        partner_id: partner.into(),
        rider_id: Some("RIDER-7".into()),
        tracking_id: None,
        collected_at: at.map(|at| at.parse().unwrap()),
        proof: Some(Proof {
            photo: Some("s3://proofs/1.jpg".into()),
            ..Proof::default()
        }),
        discrepancy_reason: None,
    })
}
