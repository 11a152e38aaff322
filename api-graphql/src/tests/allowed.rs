//! What the buttons show is what the domain would do: for every order of some whole lives, and every command with
//! good content.

use chrono::Utc;
use domain::{
    actor::{Actor, StoreScope},
    ids::{OrderNumber, RegionId},
    money::Money,
    order::{
        Facts, OrderCommand,
        command::{
            Cancel, ChangeLines, CollectCash, CorrectCollection, DecideSubstitution,
            FailCollection, LineInput, LineQuantityInput, Pay, PlaceOrder, Proof,
            ProposeSubstitution, RecordDelivery, RecordFailedDelivery, RecordPicking,
            RecordShipment, Refund, ReportShort, RequestReturn,
        },
        decide,
        event::Sealed,
        facts::StoreFacts,
    },
};

use super::*;

fn facts() -> Facts {
    let store = StoreFacts {
        region: RegionId::new("BKK").unwrap(),
        active: true,
        cod_limit: Some(Money::from_units(50_000_000)),
        auto_release: false,
    };
    Facts {
        number: Some(OrderNumber::new("QC-2026-01-31-000001").unwrap()),
        sealed: Some(Sealed {
            subject: "order:1".into(),
            sealed: "c2VhbGVk".into(),
        }),
        ..Facts::new(Utc::now(), Some(store))
    }
}

fn events(order: &State, command: &OrderCommand) -> usize {
    let actor = Actor {
        id: "tester".into(),
        role: Role::Admin,
        stores: StoreScope::All,
    };
    decide(order, command, &actor, &facts()).map_or(0, |events| events.len())
}

fn give(order: &mut State, command: &OrderCommand) {
    let actor = Actor {
        id: "tester".into(),
        role: Role::Admin,
        stores: StoreScope::All,
    };
    let events =
        decide(order, command, &actor, &facts()).unwrap_or_else(|e| panic!("{command:?}: {e}"));
    events.iter().for_each(|event| order.apply(event));
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn quantity(line_number: i32, units: i64) -> LineQuantityInput {
    LineQuantityInput {
        line_number,
        quantity: Quantity::from_units(units),
    }
}

fn placing() -> OrderCommand {
    let line = |line_number| LineInput {
        line_number,
        sku: format!("88509992200{line_number}"),
        quantity: "2".parse().unwrap(),
        unit_price: "28.50".parse().unwrap(),
        ..LineInput::default()
    };
    OrderCommand::Place(Box::new(PlaceOrder {
        channel: text("GRAB"),
        store_id: text("CFR029"),
        is_force_allocation: Some(true),
        allow_substitution: true,
        lines: vec![line(1), line(2)],
        ..PlaceOrder::default()
    }))
}

fn picking(status: Status) -> OrderCommand {
    OrderCommand::RecordPicking(RecordPicking {
        status,
        occurred_at: None,
    })
}

fn shipment(status: Status) -> OrderCommand {
    OrderCommand::RecordShipment(RecordShipment {
        status,
        tracking_id: Some(text("T")),
        carrier: Some(text("GRAB")),
        shipment_id: None,
        occurred_at: None,
    })
}

fn delivery(status: Status) -> OrderCommand {
    OrderCommand::RecordDelivery(RecordDelivery {
        status,
        tracking_id: None,
        occurred_at: None,
    })
}

fn pay(order: &State) -> OrderCommand {
    OrderCommand::Pay(Pay {
        method: text("COD"),
        amount: order.totals.cash_due,
    })
}

fn collect(amount: &str) -> OrderCommand {
    OrderCommand::CollectCash(CollectCash {
        amount: amount.parse().unwrap(),
        partner_id: text("GRAB"),
        rider_id: None,
        tracking_id: None,
        collected_at: None,
        proof: Some(Proof {
            photo: Some(text("s3://1")),
            ..Proof::default()
        }),
        discrepancy_reason: None,
    })
}

fn propose(proposal_id: &str, line_number: i32) -> OrderCommand {
    OrderCommand::ProposeSubstitution(ProposeSubstitution {
        proposal_id: text(proposal_id),
        line_number,
        sku: text("8850999220099"),
        name_th: None,
        name_en: Some(text("Other")),
        unit_price: "28.50".parse().unwrap(),
        quantity: None,
        via_merchant_app: false,
        reason: None,
    })
}

fn decline(proposal_id: &str) -> OrderCommand {
    OrderCommand::DecideSubstitution(DecideSubstitution {
        proposal_id: text(proposal_id),
        approve: false,
    })
}

fn attempt(id: &str) -> OrderCommand {
    OrderCommand::RecordFailedDelivery(RecordFailedDelivery {
        attempt_id: Some(text(id)),
        reason: text("nobody there"),
        tracking_id: None,
        occurred_at: None,
    })
}

fn fail() -> OrderCommand {
    OrderCommand::FailCollection(FailCollection {
        reason: text("no cash"),
        occurred_at: None,
    })
}

fn give_back() -> OrderCommand {
    OrderCommand::RequestReturn(RequestReturn {
        lines: Vec::new(),
        refund_fees: false,
        reason: text("cold"),
    })
}

fn cancel() -> OrderCommand {
    OrderCommand::Cancel(Cancel {
        reason: text("changed"),
    })
}

/// Commands of a kind with content that fits the order as far as any can.
fn good(kind: CommandKind, order: &State) -> Vec<OrderCommand> {
    use CommandKind as K;
    let all = |command: fn(Status) -> OrderCommand, statuses: &[Status]| {
        statuses.iter().map(|status| command(*status)).collect()
    };
    let line = order.lines.iter().find(|l| l.is_open());
    let line = line.map_or(1, |l| i32::from(l.line.line_number));
    match kind {
        K::Allocate => vec![OrderCommand::Allocate],
        K::ChangeLines => vec![OrderCommand::ChangeLines(ChangeLines {
            lines: vec![quantity(line, 30_000)],
            reason: text("x"),
        })],
        K::Pay => vec![pay(order)],
        K::Release => vec![OrderCommand::Release],
        K::RecordPicking => all(
            picking,
            &[Status::InProcess, Status::Picked, Status::Packed],
        ),
        K::ReportShort => [0, 10_000]
            .map(|units| {
                OrderCommand::ReportShort(ReportShort {
                    lines: vec![quantity(line, units)],
                    reason: text("none left"),
                    report_id: None,
                    occurred_at: None,
                })
            })
            .into(),
        K::ProposeSubstitution => vec![propose("new", 1), propose("new", 2)],
        K::DecideSubstitution => vec![decline("P1")],
        K::RecordShipment => all(shipment, &[Status::Fulfilled, Status::Shipped]),
        K::RecordDelivery => all(
            delivery,
            &[Status::InTransit, Status::OutForDelivery, Status::Delivered],
        ),
        K::RecordFailedDelivery => vec![attempt("new")],
        K::CollectCash => vec![collect("57.00")],
        K::FailCollection => vec![fail()],
        K::CorrectCollection => vec![OrderCommand::CorrectCollection(CorrectCollection {
            amount: "99.00".parse().unwrap(),
            reason: text("counted again"),
        })],
        K::RequestReturn => vec![give_back()],
        K::ReceiveReturn => vec![OrderCommand::ReceiveReturn],
        K::Refund => vec![OrderCommand::Refund(Refund {
            amount: order.refund_promised().checked_sub(order.refunded).unwrap(),
            reference: None,
        })],
        K::Cancel => vec![cancel()],
    }
}

fn check(order: &State, after: &str) {
    for kind in CommandKind::ALL {
        let does = good(kind, order)
            .iter()
            .any(|command| events(order, command) > 0);
        assert_eq!(kind.moves(order), does, "{kind:?} after {after}");
        let shown = allowed(order, Role::Admin).contains(&kind);
        assert_eq!(shown, does, "{kind:?} after {after}");
    }
    assert!(allowed(order, Role::Auditor).is_empty());
}

/// What happens next, from where the order stands.
type Step = fn(&State) -> OrderCommand;

fn live(steps: &[Step]) {
    let mut order = State::default();
    give(&mut order, &placing());
    check(&order, "placing");
    for step in steps {
        let command = step(&order);
        give(&mut order, &command);
        check(&order, &format!("{command:?}"));
    }
}

#[test]
fn what_is_shown_is_what_would_move_the_order_on() {
    const TO_PICKING: [Step; 3] = [|_| OrderCommand::Allocate, pay, |_| OrderCommand::Release];
    let lives: [&[Step]; 4] = [
        &[
            |_| propose("P1", 1),
            |_| picking(Status::Picked),
            |_| decline("P1"),
            |_| picking(Status::Packed),
            |_| shipment(Status::Fulfilled),
            |_| delivery(Status::OutForDelivery),
            |_| fail(),
            |_| collect("57.00"),
            |_| delivery(Status::Delivered),
            |_| give_back(),
            |_| OrderCommand::ReceiveReturn,
            |order| good(CommandKind::Refund, order).remove(0),
        ],
        &[
            |_| shipment(Status::Fulfilled),
            |_| attempt("A1"),
            |_| attempt("A2"),
            |_| attempt("A3"),
            |_| OrderCommand::ReceiveReturn,
        ],
        &[|_| picking(Status::InProcess), |_| cancel()],
        &[|_| propose("P1", 1), |_| cancel()],
    ];
    for life in lives {
        let steps: Vec<_> = TO_PICKING.iter().chain(life).copied().collect();
        live(&steps);
    }
    live(&[|_| cancel()]);
}
