//! Events as they are stored, with every field filled: what the golden files hold.

mod second_life;

use super::*;
use crate::{
    contract::Sample,
    order::{
        PaymentStatus,
        command::{Contact, Slot},
        event::{Sealed, Step},
    },
};
use OrderStatus as S;

/// Every sample: the first life, then the second.
pub(crate) fn all() -> Vec<Sample<OrderEvent>> {
    let mut samples: Vec<_> = first_life().into_iter().map(Sample::only).collect();
    samples.extend(second_life::all());
    samples
}

/// The life of an order as the first program wrote it.
pub(super) fn first_life() -> Vec<OrderEvent> {
    let step = |from, to, skipped: &[S]| Step {
        from,
        to,
        skipped: skipped.to_vec(),
        occurred_at: Some(in_minutes(20)),
        recorded_at: None,
    };
    vec![
        OrderEvent::Placed(Box::new(full_order())),
        OrderEvent::BackOrdered {
            reason: "store CFR029 is inactive".into(),
            code: None,
        },
        OrderEvent::Allocated {
            from: S::BackOrdered,
        },
        OrderEvent::Paid {
            method: "COD".into(),
            amount: baht("894.78"),
            rounding: baht("-0.005"),
        },
        OrderEvent::Released { at: None },
        OrderEvent::PickingRecorded {
            step: step(S::Released, S::Packed, &[S::InProcess, S::Picked]),
        },
        OrderEvent::ShipmentRecorded {
            step: step(S::Packed, S::Fulfilled, &[]),
            tracking_id: Some("TH-1".into()),
            carrier: Some("GRAB".into()),
            shipment_id: Some("SH-1".into()),
        },
        OrderEvent::DeliveryRecorded {
            step: step(
                S::Fulfilled,
                S::Delivered,
                &[S::Shipped, S::InTransit, S::OutForDelivery],
            ),
        },
        OrderEvent::Cancelled {
            from: S::Released,
            reason: "ลูกค้ายกเลิก".into(),
            payment_status: PaymentStatus::NotApplicable,
        },
    ]
}

/// Placed through the decision, so that its sums are right.
fn full_order() -> Placed {
    let command = PlaceOrder {
        number: Some("QC-2026-03-14-000123".into()),
        channel: "GRAB".into(),
        order_type: Some("MKP-HD-STD".into()),
        alternate_order_id: Some("123456789-C7NVLG".into()),
        cust_ref: Some("SL-1".into()),
        customer_id: Some("C-1".into()),
        t1_membership_id: Some("T1-1".into()),
        t1_number: Some("0012345".into()),
        contact: Some(Contact {
            name: Some("สมชาย".into()),
            ..Contact::default()
        }),
        order_discounts: vec![adjustment("MEMBER", "15")],
        fees: vec![adjustment("SHIPPING", "40")],
        requested_slot: Some(Slot {
            from: in_minutes(30),
            to: in_minutes(90),
        }),
        promised_at: Some(in_minutes(60)),
        captured_at: Some(in_minutes(-1)),
        allow_substitution: true,
        ..order_of(vec![
            LineInput {
                original_unit_price: Some(baht("140")),
                discounts: vec![adjustment("PROMOTION", "11")],
                name_th: Some("น้ำปลา".into()),
                name_en: Some("Fish sauce".into()),
                uom: Some("EA".into()),
                promotion_id: Some("PROMO-1".into()),
                ..line(1, "129", "1")
            },
            pack(2, "299.99", 2, 3),
            weighed(3, "189", "0.745"),
        ])
    };
    let sealed = Sealed {
        subject: "customer:C-1".into(),
        sealed: "c2VhbGVk".into(),
    };
    nothing()
        .given(|facts| facts.sealed = Some(sealed))
        .given(|facts| facts.customer = Standing::Unreachable)
        .when(place(command))
        .placed()
}
