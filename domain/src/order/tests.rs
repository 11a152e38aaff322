//! given / when / then over the decisions, one module per command.

mod allocate;
mod attempt;
mod bundle_limits;
mod bundle_marketplaces;
mod bundle_properties;
mod bundle_refusals;
mod bundles;
mod cancel;
mod catalogue;
mod change;
mod collection;
mod collection_changes;
mod commands;
mod events;
mod extra;
mod flags;
mod matched;
mod names;
mod pay;
mod place;
mod place_sums;
mod pricing;
mod progress;
mod refigure;
mod release;
mod returns;
mod returns_bundles;
mod rules;
pub(crate) mod samples;
mod short;
mod substitution;
mod substitution_answer;
mod times;

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::{
    Facts, Order, OrderCommand, OrderEvent, OrderStatus,
    command::{
        AdjustmentInput, BundleInput, Cancel, CollectCash, LineInput, LineQuantityInput, PackInput,
        Pay, PlaceOrder, Proof, RecordDelivery, RecordFailedDelivery, RecordPicking,
        RecordShipment, Refund, RequestReturn,
    },
    decide,
    event::{Placed, Sealed},
    facts::{Standing, StoreFacts},
};
use crate::{
    actor::{Actor, Role, StoreScope},
    bundle::{
        self, BundleId, BundleKind, BundleRules, Component, Definition, ReturnPolicy, Schedule,
    },
    ids::{OrderNumber, RegionId, Sku},
    money::{Money, Quantity, Rate},
    refusal::{Code, Refusal},
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
    let store = StoreFacts {
        region,
        active: true,
        cod_limit: Some(baht("5000")),
        auto_release: true,
    };
    Facts {
        number: Some(OrderNumber::new("QC-2026-03-14-000001").unwrap()),
        placed_at: Some(now()),
        ..Facts::new(now(), Some(store))
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

/// The Grab order of the vectors: 199, 65 and 129 instead of 140, all of it 393.00.
fn grab_order() -> PlaceOrder {
    let promoted = LineInput {
        original_unit_price: Some(baht("140")),
        ..line(3, "129", "1")
    };
    order_of(vec![line(1, "199", "1"), line(2, "65", "1"), promoted])
}

/// Line 5, two pieces at 28.50, and lines 6, 7 and 8, the bundle `B`: two of three products, 45 + 39 +
/// 25 sold at 89. All of it 235.00.
fn bundle_order() -> Scenario {
    let offer = bundle::Offer {
        id: BundleId::new("BREAKFAST").unwrap(),
        version: 3,
        active: true,
        definition: breakfast(),
    };
    let whole = LineInput {
        sku: "BREAKFAST-SET".into(),
        bundle: Some(BundleInput {
            bundle_id: "BREAKFAST".into(),
            ref_id: "B".into(),
        }),
        ..line(1, "89", "2")
    };
    let command = PlaceOrder {
        allow_substitution: true,
        ..order_of(vec![whole, line(5, "28.50", "2")])
    };
    nothing()
        .given(|facts| facts.bundles = Arc::new(vec![offer]))
        .and(place(command))
}

/// Its first component may be replaced by a product up to 10% dearer.
fn breakfast() -> Definition {
    let component = |sku: &str, price: &str| Component {
        sku: Sku::new(sku).unwrap(),
        name_th: None,
        name_en: None,
        quantity: quantity("1"),
        unit_price: baht(price),
        role: bundle::Role::Main,
        tax_rate: None,
        substitutable: sku == "COFFEE",
        max_rise: (sku == "COFFEE").then_some(Rate::from_units(1_000)),
    };
    Definition {
        sku: Sku::new("BREAKFAST-SET").unwrap(),
        name_th: Some("ชุดอาหารเช้า".into()),
        name_en: None,
        kind: BundleKind::BreakfastCombo,
        components: vec![
            component("COFFEE", "45"),
            component("SANDWICH", "39"),
            component("BANANA", "25"),
        ],
        pricing: BundleRules::FixedPrice { price: baht("89") },
        schedule: Schedule::default(),
        stores: Vec::new(),
        priority: 0,
        match_lines: false,
        returns: ReturnPolicy::Whole,
    }
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

/// What is left of each line and its status; sub-total, order total, cash due and VAT inside.
fn shape(order: &Order) -> (String, String) {
    let lines = order.lines.iter().map(|l| {
        let (line, quantity) = (&l.line, l.line.quantity.to_string());
        let quantity = quantity.strip_suffix(".0000").unwrap_or(&quantity);
        format!("{}:{quantity}@{}", line.line_number, l.status.code())
    });
    let t = &order.totals;
    let totals = format!(
        "{} {} {} {}",
        t.sub_total, t.order_total, t.cash_due, t.informational_taxes
    );
    (lines.collect::<Vec<_>>().join(" "), totals)
}

#[track_caller]
fn assert_shape(order: &Order, lines: &str, totals: &str) {
    assert_eq!(shape(order), (lines.to_owned(), totals.to_owned()));
}

/// Lines and quantities as commands name them.
fn named(lines: &[(i32, &str)]) -> Vec<LineQuantityInput> {
    let lines = lines.iter().map(|(line_number, pieces)| LineQuantityInput {
        line_number: *line_number,
        quantity: quantity(pieces),
    });
    lines.collect()
}

fn sealed() -> Sealed {
    Sealed {
        subject: "order:1".into(),
        sealed: "c2VhbGVk".into(),
    }
}

/// Cash that a rider of GRAB's took, with a photo.
fn cash(amount: &str) -> CollectCash {
    CollectCash {
        amount: baht(amount),
        partner_id: "GRAB".into(),
        rider_id: Some("R-7".into()),
        tracking_id: None,
        collected_at: None,
        proof: Some(Proof {
            photo: Some("photos/1.jpg".into()),
            ..Proof::default()
        }),
        discrepancy_reason: None,
    }
}

fn collect(amount: &str) -> OrderCommand {
    OrderCommand::CollectCash(cash(amount))
}

fn attempt(attempt_id: Option<&str>) -> OrderCommand {
    OrderCommand::RecordFailedDelivery(RecordFailedDelivery {
        attempt_id: attempt_id.map(str::to_owned),
        reason: "nobody at home".into(),
        tracking_id: None,
        occurred_at: None,
    })
}

fn take_back(lines: &[(i32, &str)], refund_fees: bool) -> OrderCommand {
    OrderCommand::RequestReturn(RequestReturn {
        lines: named(lines),
        refund_fees,
        reason: "does not want it".into(),
    })
}

fn refund(amount: &str) -> OrderCommand {
    OrderCommand::Refund(Refund {
        amount: baht(amount),
        reference: Some("RF-1".into()),
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
    walked(nothing().and(any_order()), status)
}

/// A new order, walked to `status` in single steps.
fn walked(mut given: Scenario, status: OrderStatus) -> Scenario {
    use OrderStatus as S;
    if status == S::BackOrdered {
        given.facts.store = None;
        given = given.and(OrderCommand::Allocate);
        given.facts = facts();
    }
    if status == S::Cancelled {
        given = given.and(cancel("changed my mind"));
    }
    let due = given.order.totals.cash_due.to_string();
    let walk = [
        (S::Allocated, OrderCommand::Allocate),
        (S::Released, pay(&due)),
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
        let from = given.order.status;
        for (_, command) in walk
            .into_iter()
            .filter(|(reached, _)| *reached <= status && *reached > from)
        {
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

    /// So many minutes later.
    fn after(self, minutes: i64) -> Self {
        self.given(|facts| facts.now += Duration::minutes(minutes))
    }

    /// The same order, so many minutes later.
    fn given_at(&self, minutes: i64) -> Self {
        let scenario = Self {
            order: self.order.clone(),
            actor: self.actor.clone(),
            facts: self.facts.clone(),
        };
        scenario.after(minutes)
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

    fn with(self, offers: Vec<bundle::Offer>) -> Self {
        self.given(|facts| facts.bundles = Arc::new(offers))
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

    /// These and no other events, in this order.
    #[track_caller]
    fn events(self) -> Vec<OrderEvent> {
        self.0.unwrap()
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
