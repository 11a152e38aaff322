//! The second life from the shelf to the closed remittance.

use super::*;
use crate::{
    ids::PartnerId,
    order::event::{CashCollected, ReturnCause, ReturnRequested, ReturnedLine},
    remittance::ItemOutcome,
};

pub(super) fn all() -> Vec<Sample<OrderEvent>> {
    let mut samples = delivery();
    samples.extend(returning());
    samples
}

fn delivery() -> Vec<Sample<OrderEvent>> {
    vec![
        Sample::variant(
            "time",
            OrderEvent::PickingRecorded {
                step: step(S::Released, S::InProcess, &[]),
            },
        ),
        Sample::variant(
            "time",
            OrderEvent::ShipmentRecorded {
                step: step(S::InProcess, S::Fulfilled, &[S::Picked, S::Packed]),
                tracking_id: Some("TH-1".into()),
                carrier: Some("GRAB".into()),
                shipment_id: Some("SH-1".into()),
            },
        ),
        Sample::only(OrderEvent::DeliveryFailed {
            attempt: 1,
            attempt_id: Some("ATTEMPT-1".into()),
            reason: "nobody at home".into(),
            step: Some(step(
                S::Fulfilled,
                S::OutForDelivery,
                &[S::Shipped, S::InTransit],
            )),
            occurred_at: Some(in_minutes(40)),
        }),
        Sample::only(OrderEvent::CollectionFailed {
            reason: "nobody at home".into(),
            is_final: false,
            occurred_at: Some(in_minutes(40)),
        }),
        Sample::variant(
            "time",
            OrderEvent::DeliveryRecorded {
                step: step(S::OutForDelivery, S::Delivered, &[]),
            },
        ),
        Sample::only(OrderEvent::CollectionOverdue {
            delivered_at: in_minutes(20),
        }),
        Sample::only(OrderEvent::CashCollected(Box::new(CashCollected {
            amount: baht("222"),
            due: baht("222.30"),
            discrepancy: baht("-0.30"),
            discrepancy_reason: Some("no change".into()),
            partner_id: PartnerId::new("GRAB").unwrap(),
            rider_id: Some("R-7".into()),
            collected_at: in_minutes(60),
            proof: Some(sealed("cHJvb2Y=")),
        }))),
        Sample::only(OrderEvent::CollectionCorrected {
            from: baht("222"),
            to: baht("222.30"),
            discrepancy: Money::ZERO,
            reason: "the photo shows the coins".into(),
        }),
    ]
}

fn returning() -> Vec<Sample<OrderEvent>> {
    [
        OrderEvent::ReturnRequested(Box::new(ReturnRequested {
            cause: ReturnCause::Customer,
            reason: "sour".into(),
            lines: vec![ReturnedLine {
                line_number: 4,
                quantity: quantity("1"),
                value: baht("28.4400"),
            }],
            fees: Money::ZERO,
            refund: baht("28.44"),
            waived: Money::ZERO,
            at: in_minutes(1_000),
        })),
        OrderEvent::ReturnReceived {
            at: in_minutes(1_100),
        },
        OrderEvent::Refunded {
            amount: baht("20"),
            remaining: baht("8.44"),
            reference: Some("RECEIPT-1".into()),
        },
        OrderEvent::CashReconciled {
            remittance_id: "GRAB:CFR029:2026-03-14".parse().unwrap(),
            outcome: ItemOutcome::Variance,
            expected: baht("222.30"),
            accepted: baht("222"),
            variance: baht("-0.30"),
        },
    ]
    .map(Sample::only)
    .into()
}
