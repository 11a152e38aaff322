use super::*;
use crate::order::command::FailCollection;
use OrderStatus as S;

const STUCK: OrderCommand = OrderCommand::FlagStuck;
const OVERDUE: OrderCommand = OrderCommand::FlagOverdueCollection;
const DAY: i64 = 24 * 60;

#[test]
fn picking_that_does_not_begin_in_ten_minutes_is_flagged_once() {
    let given = order_at(S::Released);
    given.when(STUCK).nothing_happens();
    let almost = given
        .given_at(10)
        .given(|facts| facts.now -= Duration::milliseconds(1));
    almost.when(STUCK).nothing_happens();
    let given = given.after(10);
    given.when(STUCK).happens(OrderEvent::Stuck {
        status: S::Released,
        since: now(),
    });
    let given = given.and(STUCK).after(60);
    assert!(given.order.is_stuck);
    given.when(STUCK).nothing_happens();
    assert!(!given.given_at(0).and(picking(S::InProcess)).order.is_stuck);
    assert!(
        !given
            .given_at(0)
            .and(shipment(S::Fulfilled, Some("TH-1")))
            .order
            .is_stuck
    );
    assert!(!given.and(cancel("give up")).order.is_stuck);
}

#[test]
fn only_a_released_order_is_stuck() {
    for status in [
        S::Open,
        S::Allocated,
        S::InProcess,
        S::Packed,
        S::Delivered,
        S::Cancelled,
    ] {
        order_at(status).after(DAY).when(STUCK).nothing_happens();
    }
    // An old event does not say when the order was released.
    let mut given = order_at(S::Released).after(DAY);
    given.order.released_at = None;
    given.when(STUCK).nothing_happens();
}

#[test]
fn cash_that_nobody_speaks_of_for_a_day_is_flagged_once_and_never_collected() {
    let given = order_at(S::Delivered);
    given.given_at(DAY - 1).when(OVERDUE).nothing_happens();
    let given = given.after(DAY);
    given.when(OVERDUE).happens(OrderEvent::CollectionOverdue {
        delivered_at: now(),
    });
    let given = given.and(OVERDUE);
    assert!(given.order.is_collection_overdue);
    assert_eq!(given.order.cod_due(), baht("100"));
    given.when(OVERDUE).nothing_happens();
    let given = given.given(|facts| facts.sealed = Some(sealed()));
    assert!(
        !given
            .given_at(0)
            .and(collect("100"))
            .order
            .is_collection_overdue
    );
    let failed = OrderCommand::FailCollection(FailCollection {
        reason: "no money at hand".into(),
        occurred_at: None,
    });
    let failed = given.and(failed);
    assert!(!failed.order.is_collection_overdue);
    failed.after(DAY).when(OVERDUE).nothing_happens();
}

#[test]
fn cash_is_overdue_only_where_some_is_due_and_nothing_is_known() {
    for status in [S::Released, S::OutForDelivery, S::Cancelled] {
        order_at(status).after(DAY).when(OVERDUE).nothing_happens();
    }
    let given = order_at(S::Delivered).given(|facts| facts.sealed = Some(sealed()));
    let collected = given.given_at(0).and(collect("90")).after(DAY);
    collected.when(OVERDUE).nothing_happens();
    let returned = given.and(take_back(&[], true)).after(DAY);
    returned.when(OVERDUE).nothing_happens();
}

#[test]
fn the_partners_time_of_delivery_counts() {
    let delivered = OrderCommand::RecordDelivery(RecordDelivery {
        status: S::Delivered,
        tracking_id: None,
        occurred_at: Some(now()),
    });
    order_at(S::OutForDelivery)
        .after(DAY)
        .and(delivered)
        .when(OVERDUE)
        .happens(OrderEvent::CollectionOverdue {
            delivered_at: now(),
        });
}
