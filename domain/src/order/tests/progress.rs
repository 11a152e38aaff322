use super::*;
use crate::order::event::Step;
use OrderStatus as S;

fn step(from: S, to: S, skipped: &[S]) -> Step {
    Step {
        from,
        to,
        skipped: skipped.to_vec(),
        occurred_at: None,
        recorded_at: Some(now()),
    }
}

#[test]
fn picking_moves_on_step_by_step_and_in_one_leap() {
    order_at(S::Released)
        .when(picking(S::InProcess))
        .happens(OrderEvent::PickingRecorded {
            step: step(S::Released, S::InProcess, &[]),
        });
    order_at(S::Released)
        .when(picking(S::Packed))
        .happens(OrderEvent::PickingRecorded {
            step: step(S::Released, S::Packed, &[S::InProcess, S::Picked]),
        });
}

#[test]
fn news_of_the_past_is_acknowledged() {
    for status in [S::Picked, S::Packed, S::Fulfilled, S::Delivered] {
        order_at(status)
            .when(picking(S::InProcess))
            .nothing_happens();
        order_at(status).when(picking(S::Picked)).nothing_happens();
    }
    order_at(S::Shipped)
        .when(shipment(S::Fulfilled, None))
        .nothing_happens();
    order_at(S::Shipped)
        .when(shipment(S::Shipped, Some("TH-1")))
        .nothing_happens();
    order_at(S::Delivered)
        .when(delivery(S::InTransit))
        .nothing_happens();
    order_at(S::Delivered)
        .when(delivery(S::Delivered))
        .nothing_happens();
}

#[test]
fn picking_begins_with_the_release() {
    for status in [S::Open, S::BackOrdered, S::Allocated] {
        order_at(status)
            .when(picking(S::InProcess))
            .is_refused(&[(Code::ErrInvalidTransition, "")]);
    }
}

#[test]
fn a_shipment_brings_its_tracking_id_and_carrier() {
    let given = order_at(S::Packed);
    given.when(shipment(S::Fulfilled, None)).is_refused(&[
        (Code::Validation, "trackingId"),
        (Code::Validation, "carrier"),
    ]);
    let dirty = OrderCommand::RecordShipment(RecordShipment {
        status: S::Fulfilled,
        tracking_id: Some(" TH-1 ".into()),
        carrier: Some("undefined".into()),
        shipment_id: Some("x\u{0}".into()),
        occurred_at: None,
    });
    given.when(dirty).is_refused(&[
        (Code::Validation, "shipmentId"),
        (Code::Validation, "carrier"),
    ]);
    given
        .when(shipment(S::Fulfilled, Some(" TH-1 ")))
        .happens(OrderEvent::ShipmentRecorded {
            step: step(S::Packed, S::Fulfilled, &[]),
            tracking_id: Some("TH-1".into()),
            carrier: Some("GRAB".into()),
            shipment_id: None,
        });
    let shipped = given
        .and(shipment(S::Fulfilled, Some("TH-1")))
        .and(shipment(S::Shipped, None));
    assert_eq!(shipped.order.tracking_id.as_deref(), Some("TH-1"));
    assert_eq!(shipped.order.carrier.as_deref(), Some("GRAB"));
}

#[test]
fn fulfilment_may_leap_over_picking_but_nothing_leaps_over_fulfilment() {
    order_at(S::Released)
        .when(shipment(S::Fulfilled, Some("TH-1")))
        .happens(OrderEvent::ShipmentRecorded {
            step: step(
                S::Released,
                S::Fulfilled,
                &[S::InProcess, S::Picked, S::Packed],
            ),
            tracking_id: Some("TH-1".into()),
            carrier: Some("GRAB".into()),
            shipment_id: None,
        });
    let refused = [(Code::ErrInvalidTransition, "")];
    order_at(S::Packed)
        .when(shipment(S::Shipped, Some("TH-1")))
        .is_refused(&refused);
    order_at(S::Packed)
        .when(delivery(S::Delivered))
        .is_refused(&refused);
    order_at(S::Allocated)
        .when(shipment(S::Fulfilled, Some("TH-1")))
        .is_refused(&refused);
}

#[test]
fn delivery_moves_on_step_by_step_and_in_one_leap() {
    order_at(S::Shipped)
        .when(delivery(S::InTransit))
        .happens(OrderEvent::DeliveryRecorded {
            step: step(S::Shipped, S::InTransit, &[]),
        });
    order_at(S::Fulfilled)
        .when(delivery(S::Delivered))
        .happens(OrderEvent::DeliveryRecorded {
            step: step(
                S::Fulfilled,
                S::Delivered,
                &[S::Shipped, S::InTransit, S::OutForDelivery],
            ),
        });
}

#[test]
fn news_of_another_parcel_moves_nothing() {
    let of = |tracking_id: &str| {
        OrderCommand::RecordDelivery(RecordDelivery {
            status: S::Delivered,
            tracking_id: Some(tracking_id.into()),
            occurred_at: None,
        })
    };
    let given = order_at(S::OutForDelivery);
    given
        .when(of("TH-2"))
        .is_refused(&[(Code::Validation, "trackingId")]);
    given
        .when(of("TH-1"))
        .happens(OrderEvent::DeliveryRecorded {
            step: step(S::OutForDelivery, S::Delivered, &[]),
        });
    order_at(S::Fulfilled)
        .when(shipment(S::Shipped, Some("TH-2")))
        .is_refused(&[(Code::Validation, "trackingId")]);
}

#[test]
fn each_command_has_its_own_statuses() {
    let refused = [(Code::Validation, "status")];
    for status in S::ALL.iter().copied() {
        if !matches!(status, S::InProcess | S::Picked | S::Packed) {
            order_at(S::Released)
                .when(picking(status))
                .is_refused(&refused);
        }
        if !matches!(status, S::Fulfilled | S::Shipped) {
            order_at(S::Packed)
                .when(shipment(status, Some("TH-1")))
                .is_refused(&refused);
        }
        if !matches!(status, S::InTransit | S::OutForDelivery | S::Delivered) {
            order_at(S::Shipped)
                .when(delivery(status))
                .is_refused(&refused);
        }
    }
}

#[test]
fn a_cancelled_order_is_final() {
    let refused = [(Code::ErrOrderNotModifiable, "")];
    order_at(S::Cancelled)
        .when(picking(S::InProcess))
        .is_refused(&refused);
    order_at(S::Cancelled)
        .when(shipment(S::Fulfilled, Some("TH-1")))
        .is_refused(&refused);
    order_at(S::Cancelled)
        .when(delivery(S::Delivered))
        .is_refused(&refused);
}

#[test]
fn the_senders_time_is_kept_if_it_makes_sense() {
    let at = |time: &str| {
        OrderCommand::RecordPicking(RecordPicking {
            status: S::InProcess,
            occurred_at: Some(time.parse().unwrap()),
        })
    };
    let given = order_at(S::Released);
    let event = given.when(at("2026-03-14T03:35:00Z")).0.unwrap().pop();
    let Some(OrderEvent::PickingRecorded { step }) = event else {
        panic!("{event:?}")
    };
    assert_eq!(step.occurred_at, Some(in_minutes(5)));
    // Partners send Bangkok time as UTC: seven hours ahead.
    given
        .when(at("2026-03-14T10:30:00Z"))
        .is_refused(&[(Code::Validation, "occurredAt")]);
    given
        .when(at("+12026-01-01T00:00:00Z"))
        .is_refused(&[(Code::Validation, "occurredAt")]);
    given
        .when(at("1970-01-01T00:00:00Z"))
        .is_refused(&[(Code::Validation, "occurredAt")]);
}

#[test]
fn news_of_what_comes_back_is_acknowledged() {
    let back = order_at(S::Delivered).and(take_back(&[], false));
    let received = order_at(S::Delivered)
        .and(take_back(&[], false))
        .and(OrderCommand::ReceiveReturn);
    for given in [back, received] {
        given.when(picking(S::Packed)).nothing_happens();
        given
            .when(shipment(S::Fulfilled, Some("TH-1")))
            .nothing_happens();
        given.when(delivery(S::OutForDelivery)).nothing_happens();
        given.when(delivery(S::Delivered)).nothing_happens();
    }
}

#[test]
fn cancelled_lines_take_no_part_in_a_leap() {
    let short = OrderCommand::ReportShort(crate::order::command::ReportShort {
        lines: named(&[(2, "0")]),
        reason: "not on the shelf".into(),
        report_id: None,
        occurred_at: None,
    });
    let given = walked(nothing().and(place(grab_order())), S::Released).and(short);
    given
        .when(picking(S::Packed))
        .happens(OrderEvent::PickingRecorded {
            step: step(S::Released, S::Packed, &[S::InProcess, S::Picked]),
        });
    let given = given.and(picking(S::Packed));
    assert_eq!(shape(&given.order).0, "1:1@3700 2:0@9000 3:1@3700");
    given.when(picking(S::Picked)).nothing_happens();
}
