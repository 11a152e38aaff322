//! given / when / then over the decisions, one module per command.

mod allocate;
mod cancel;
mod events;
mod pay;
mod place;
mod place_sums;
mod pricing;
mod progress;
mod properties;
mod release;

use chrono::{DateTime, Duration, Utc};

use super::{
    Code, Facts, Order, OrderCommand, OrderEvent, OrderStatus, Refusal,
    command::{
        AdjustmentInput, Cancel, LineInput, PackInput, Pay, PlaceOrder, RecordDelivery,
        RecordPicking, RecordShipment,
    },
    decide,
    event::Placed,
    facts::{Standing, StoreFacts},
};
use crate::{
    actor::{Actor, Role, StoreScope},
    ids::{OrderNumber, RegionId},
    money::{Money, Quantity},
};

fn baht(text: &str) -> Money {
    text.parse().unwrap()
}

fn quantity(text: &str) -> Quantity {
    text.parse().unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-03-14T03:30:00Z".parse().unwrap()
}

fn in_minutes(minutes: i64) -> DateTime<Utc> {
    now() + Duration::minutes(minutes)
}

fn actor(role: Role) -> Actor {
    Actor {
        id: "someone".into(),
        role,
        stores: StoreScope::All,
    }
}

fn facts() -> Facts {
    let region = RegionId::new("BKK-EAST").unwrap();
    Facts {
        now: now(),
        store: Some(StoreFacts {
            region,
            active: true,
            cod_limit: Some(baht("5000")),
        }),
        number: Some(OrderNumber::new("QC-2026-03-14-000001").unwrap()),
        contact: None,
        customer: Standing::NotChecked,
        membership: Standing::NotChecked,
    }
}

/// Pieces at a price.
fn line(line_number: i32, unit_price: &str, pieces: &str) -> LineInput {
    LineInput {
        line_number,
        sku: format!("885000000000{line_number}"),
        quantity: quantity(pieces),
        unit_price: baht(unit_price),
        ..LineInput::default()
    }
}

fn pack(line_number: i32, price: &str, ordered: i32, units_per_pack: i32) -> LineInput {
    let unit_price = baht(price);
    LineInput {
        pack: Some(PackInput {
            unit_price,
            ordered,
            units_per_pack,
        }),
        ..line(line_number, price, &ordered.to_string())
    }
}

fn weighed(line_number: i32, price: &str, kilograms: &str) -> LineInput {
    LineInput {
        is_weight_item: true,
        ..line(line_number, price, kilograms)
    }
}

fn adjustment(kind: &str, amount: &str) -> AdjustmentInput {
    AdjustmentInput {
        kind: kind.into(),
        amount: baht(amount),
        ..AdjustmentInput::default()
    }
}

/// A valid order of these lines.
fn order_of(lines: Vec<LineInput>) -> PlaceOrder {
    PlaceOrder {
        channel: "WEB".into(),
        store_id: "CFR029".into(),
        is_force_allocation: Some(true),
        lines,
        ..PlaceOrder::default()
    }
}

fn place(command: PlaceOrder) -> OrderCommand {
    OrderCommand::Place(Box::new(command))
}

/// A valid order: 100.00 of VAT-inclusive goods.
fn any_order() -> OrderCommand {
    place(order_of(vec![line(1, "100", "1")]))
}

fn pay(amount: &str) -> OrderCommand {
    OrderCommand::Pay(Pay {
        method: "COD".into(),
        amount: baht(amount),
    })
}

fn picking(status: OrderStatus) -> OrderCommand {
    OrderCommand::RecordPicking(RecordPicking {
        status,
        occurred_at: None,
    })
}

fn shipment(status: OrderStatus, tracking_id: Option<&str>) -> OrderCommand {
    OrderCommand::RecordShipment(RecordShipment {
        status,
        tracking_id: tracking_id.map(str::to_owned),
        carrier: tracking_id.map(|_| "GRAB".to_owned()),
        shipment_id: None,
        occurred_at: None,
    })
}

fn delivery(status: OrderStatus) -> OrderCommand {
    OrderCommand::RecordDelivery(RecordDelivery {
        status,
        tracking_id: None,
        occurred_at: None,
    })
}

fn cancel(reason: &str) -> OrderCommand {
    OrderCommand::Cancel(Cancel {
        reason: reason.into(),
    })
}

/// An order, who acts on it, and the world around them.
struct Scenario {
    order: Order,
    actor: Actor,
    facts: Facts,
}

/// An order that is not placed, and an administrator.
fn nothing() -> Scenario {
    Scenario {
        order: Order::default(),
        actor: actor(Role::Admin),
        facts: facts(),
    }
}

/// The order of [`any_order`], walked to `status`.
fn order_at(status: OrderStatus) -> Scenario {
    use OrderStatus as S;
    let mut given = nothing().and(any_order());
    if status == S::BackOrdered {
        given.facts.store = None;
        given = given.and(OrderCommand::Allocate);
        given.facts = facts();
    }
    if status == S::Cancelled {
        given = given.and(cancel("changed my mind"));
    }
    let walk = [
        (S::Allocated, OrderCommand::Allocate),
        (S::Released, pay("100")),
        (S::Released, OrderCommand::Release),
        (S::InProcess, picking(S::InProcess)),
        (S::Picked, picking(S::Picked)),
        (S::Packed, picking(S::Packed)),
        (S::Fulfilled, shipment(S::Fulfilled, Some("TH-1"))),
        (S::Shipped, shipment(S::Shipped, None)),
        (S::InTransit, delivery(S::InTransit)),
        (S::OutForDelivery, delivery(S::OutForDelivery)),
        (S::Delivered, delivery(S::Delivered)),
    ];
    if status != S::Cancelled {
        for (_, command) in walk.into_iter().filter(|(reached, _)| *reached <= status) {
            given = given.and(command);
        }
    }
    assert_eq!(given.order.status, status);
    given
}

impl Scenario {
    /// After this command, too.
    fn and(mut self, command: OrderCommand) -> Self {
        for event in self.decide(&command).unwrap() {
            self.order.apply(&event);
        }
        self
    }

    fn by(mut self, role: Role) -> Self {
        self.actor = actor(role);
        self
    }

    fn given(mut self, change: impl FnOnce(&mut Facts)) -> Self {
        change(&mut self.facts);
        self
    }

    fn decide(&self, command: &OrderCommand) -> Result<Vec<OrderEvent>, Refusal> {
        decide(&self.order, command, &self.actor, &self.facts)
    }

    fn when(&self, command: OrderCommand) -> Then {
        Then(self.decide(&command))
    }
}

/// What came of a command.
#[derive(Debug)]
struct Then(Result<Vec<OrderEvent>, Refusal>);

impl Then {
    #[track_caller]
    fn happens(self, expected: OrderEvent) {
        assert_eq!(self.0.unwrap(), [expected]);
    }

    #[track_caller]
    fn nothing_happens(self) {
        assert_eq!(self.0.unwrap(), []);
    }

    /// Exactly these problems, in this order.
    #[track_caller]
    fn is_refused(&self, expected: &[(Code, &str)]) {
        let refusal = self.0.as_ref().unwrap_err();
        let found: Vec<(Code, &str)> = refusal
            .problems
            .iter()
            .map(|p| (p.code, p.path.as_str()))
            .collect();
        assert_eq!(found, expected, "{refusal}");
    }

    #[track_caller]
    fn placed(self) -> Placed {
        match self.0.unwrap().pop() {
            Some(OrderEvent::Placed(placed)) => *placed,
            other => panic!("not placed: {other:?}"),
        }
    }
}
