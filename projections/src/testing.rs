//! Events of every kind, for the tests beside the folds.

use chrono::{DateTime, Utc};
use domain::{
    entity::{Entity, Event},
    ids::{OrderId, PartnerId},
    money::{Money, Quantity},
    order::{
        OrderEvent, OrderStatus, PaymentStatus,
        event::{
            CashCollected, DeclineCause, Figures, LineFigures, LineQuantity, Proposal, Replacement,
            ReturnCause, ReturnRequested, ReturnedLine, Step, Totals,
        },
    },
    remittance::ItemOutcome,
};
use proptest::prelude::*;
use store::{Position, Recorded};
use uuid::Uuid;

const PLACED: &str = include_str!("../../domain/src/order/fixtures/order.placed.v1.json");

/// The order of the domain's golden event.
pub(crate) fn placed() -> OrderEvent {
    serde_json::from_str(PLACED).unwrap()
}

/// The lines of [`placed`] and their quantities.
pub(crate) fn lines() -> Vec<(u16, Quantity)> {
    let OrderEvent::Placed(placed) = placed() else {
        panic!("the first event places");
    };
    let lines = placed.lines.iter();
    lines.map(|l| (l.line_number, l.quantity)).collect()
}

pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
}

/// The order that the tests are about.
pub(crate) const ORDER: OrderId = OrderId(Uuid::nil());

/// An event as the log gives it back.
pub(crate) fn recorded<E: Entity>(id: &E::Id, sequence: i64, event: &E::Event) -> Recorded {
    Recorded {
        position: Position(10 * sequence),
        event_id: Uuid::from_u128(1),
        aggregate_type: E::TYPE.into(),
        aggregate_id: id.to_string(),
        sequence,
        event_type: event.event_type().into(),
        event_version: event.version().into(),
        payload: serde_json::to_string(event).unwrap(),
        metadata: "{}".into(),
        command_id: Uuid::nil(),
        recorded_at: at(sequence),
        content_hash: [0; 32],
        prev_hash: [0; 32],
        hash: [0; 32],
    }
}

/// What may follow [`placed`]: any event with any content, whether the order's rules allow it there or not.
/// Folds are total.
pub(crate) fn later() -> impl Strategy<Value = OrderEvent> {
    prop_oneof![
        moves(),
        changes(),
        cash(),
        Just(OrderEvent::Stuck {
            status: OrderStatus::Released,
            since: at(0)
        }),
        Just(OrderEvent::CollectionOverdue {
            delivered_at: at(0)
        }),
    ]
}

fn status() -> impl Strategy<Value = OrderStatus> {
    prop::sample::select(OrderStatus::ALL.to_vec())
}

fn step() -> impl Strategy<Value = Step> {
    (status(), prop::option::of(0..200_000i64), 0..200_000i64).prop_map(|(to, said, decided)| {
        Step {
            from: OrderStatus::Open,
            to,
            skipped: Vec::new(),
            occurred_at: said.map(at),
            recorded_at: Some(at(decided)),
        }
    })
}

fn moves() -> impl Strategy<Value = OrderEvent> {
    prop_oneof![
        Just(OrderEvent::Allocated {
            from: OrderStatus::Open
        }),
        Just(OrderEvent::BackOrdered {
            reason: "the store is closed".into(),
            code: None
        }),
        Just(OrderEvent::Paid {
            method: "COD".into(),
            amount: Money::from_units(3_930_000),
            rounding: Money::ZERO
        }),
        Just(OrderEvent::Released { at: Some(at(5)) }),
        step().prop_map(|step| OrderEvent::PickingRecorded { step }),
        step().prop_map(|step| OrderEvent::ShipmentRecorded {
            step,
            tracking_id: Some("TH-1".into()),
            carrier: None,
            shipment_id: None
        }),
        step().prop_map(|step| OrderEvent::DeliveryRecorded { step }),
        prop::option::of(step()).prop_map(|step| OrderEvent::DeliveryFailed {
            attempt: 1,
            attempt_id: None,
            reason: "nobody at home".into(),
            step,
            occurred_at: Some(at(7)),
        }),
        Just(OrderEvent::Cancelled {
            from: OrderStatus::Open,
            reason: "changed their mind".into(),
            payment_status: PaymentStatus::NotApplicable
        }),
    ]
}

/// New figures for some of the lines; a line of nothing is cancelled.
fn figures() -> impl Strategy<Value = Figures> {
    prop::collection::vec((0..4i64, status()), lines().len()).prop_map(|new| Figures {
        lines: lines()
            .into_iter()
            .zip(new)
            .map(|((line_number, _), (quantity, status))| LineFigures {
                line_number,
                quantity: Quantity::from_units(quantity * 10_000),
                status: if quantity == 0 {
                    OrderStatus::Cancelled
                } else {
                    status
                },
                discounts: Vec::new(),
                gross: Money::ZERO,
                discount: Money::ZERO,
                net: Money::ZERO,
                order_discount_share: Money::ZERO,
                tax_contained: Money::ZERO,
                tax_added: Money::ZERO,
            })
            .collect(),
        totals: Totals {
            cash_due: Money::from_units(1_230_000),
            ..Totals::default()
        },
        ..Figures::default()
    })
}

fn proposal() -> Proposal {
    Proposal {
        proposal_id: "P-1".into(),
        line_number: 1,
        replacement: Replacement {
            sku: domain::ids::Sku::new("8850000000009").unwrap(),
            name_th: None,
            name_en: None,
            unit_price: Money::from_units(250_000),
            quantity: Quantity::from_units(10_000),
        },
        approve_by: at(300),
        via_merchant_app: false,
        reason: None,
    }
}

fn changes() -> impl Strategy<Value = OrderEvent> {
    prop_oneof![
        figures().prop_map(|figures| OrderEvent::LinesChanged {
            reason: "the customer called".into(),
            lines: Vec::new(),
            figures
        }),
        Just(OrderEvent::SubstitutionProposed {
            proposal: proposal()
        }),
        figures().prop_map(|figures| OrderEvent::SubstitutionApproved {
            proposal: proposal(),
            figures
        }),
        Just(OrderEvent::SubstitutionDeclined {
            proposal_id: "P-1".into(),
            line_number: 1,
            cause: DeclineCause::Timeout
        }),
        figures().prop_map(|figures| OrderEvent::Shorted {
            reason: "none left".into(),
            report_id: Some("R-1".into()),
            lines: vec![LineQuantity {
                line_number: 1,
                quantity: Quantity::ZERO
            }],
            cancelled_bundles: Vec::new(),
            figures,
            occurred_at: Some(at(9)),
        }),
        prop::collection::vec(0..3i64, lines().len()).prop_map(|back| {
            let lines = lines().into_iter().zip(back);
            OrderEvent::ReturnRequested(Box::new(ReturnRequested {
                cause: ReturnCause::Customer,
                reason: "broken".into(),
                lines: lines
                    .map(|((line_number, _), quantity)| ReturnedLine {
                        line_number,
                        quantity: Quantity::from_units(quantity * 10_000),
                        value: Money::ZERO,
                    })
                    .collect(),
                fees: Money::ZERO,
                refund: Money::from_units(100_000),
                waived: Money::ZERO,
                at: at(11),
            }))
        }),
        Just(OrderEvent::ReturnReceived { at: at(12) }),
        Just(OrderEvent::Refunded {
            amount: Money::from_units(100_000),
            remaining: Money::ZERO,
            reference: None
        }),
    ]
}

fn cash() -> impl Strategy<Value = OrderEvent> {
    prop_oneof![
        (0..200_000i64, -2..3i64).prop_map(|(seconds, off)| {
            OrderEvent::CashCollected(Box::new(CashCollected {
                amount: Money::from_units(3_930_000 + off * 5_000),
                due: Money::from_units(3_930_000),
                discrepancy: Money::from_units(off * 5_000),
                discrepancy_reason: None,
                partner_id: PartnerId::new("GRAB").unwrap(),
                rider_id: Some("R-7".into()),
                collected_at: at(seconds),
                proof: None,
            }))
        }),
        (any::<bool>(), prop::option::of(0..200_000i64)).prop_map(|(is_final, said)| {
            OrderEvent::CollectionFailed {
                reason: "no cash in the house".into(),
                is_final,
                occurred_at: said.map(at),
            }
        }),
        Just(OrderEvent::CollectionCorrected {
            from: Money::from_units(3_930_000),
            to: Money::from_units(3_900_000),
            discrepancy: Money::from_units(-30_000),
            reason: "counted again".into()
        }),
        prop_oneof![Just(ItemOutcome::Matched), Just(ItemOutcome::Extra)].prop_map(|outcome| {
            OrderEvent::CashReconciled {
                remittance_id: "GRAB:CFR029:2026-11-24".parse().unwrap(),
                outcome,
                expected: Money::from_units(3_930_000),
                accepted: Money::from_units(3_930_000),
                variance: Money::ZERO,
            }
        }),
    ]
}

/// A life of an order as the log gives it back.
pub(crate) fn life(later: &[OrderEvent]) -> Vec<Recorded> {
    let first = placed();
    (1..)
        .zip(std::iter::once(&first).chain(later))
        .map(|(sequence, event)| recorded::<domain::order::Order>(&ORDER, sequence, event))
        .collect()
}
