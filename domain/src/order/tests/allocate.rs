use super::*;

fn allocate() -> OrderCommand {
    OrderCommand::Allocate
}

fn inactive(facts: &mut Facts) {
    facts.store = facts.store.take().map(|store| StoreFacts {
        active: false,
        ..store
    });
}

#[test]
fn an_open_order_is_allocated() {
    order_at(OrderStatus::Open)
        .when(allocate())
        .happens(OrderEvent::Allocated {
            from: OrderStatus::Open,
        });
}

#[test]
fn a_store_that_does_not_trade_back_orders() {
    let back_ordered = |reason: &str| OrderEvent::BackOrdered {
        reason: reason.into(),
    };
    order_at(OrderStatus::Open)
        .given(inactive)
        .when(allocate())
        .happens(back_ordered("store CFR029 is inactive"));
    order_at(OrderStatus::Open)
        .given(|facts| facts.store = None)
        .when(allocate())
        .happens(back_ordered("store CFR029 is unknown"));
}

#[test]
fn a_back_ordered_order_is_allocated_once_its_store_trades() {
    let given = order_at(OrderStatus::BackOrdered);
    assert!(given.order.back_order_reason.is_some());
    let solved = given.and(allocate());
    assert_eq!(solved.order.status, OrderStatus::Allocated);
    assert_eq!(solved.order.back_order_reason, None);
    order_at(OrderStatus::BackOrdered)
        .when(allocate())
        .happens(OrderEvent::Allocated {
            from: OrderStatus::BackOrdered,
        });
    order_at(OrderStatus::BackOrdered)
        .given(inactive)
        .when(allocate())
        .nothing_happens();
}

#[test]
fn repeating_it_changes_nothing() {
    for status in [
        OrderStatus::Allocated,
        OrderStatus::Released,
        OrderStatus::Delivered,
    ] {
        order_at(status).when(allocate()).nothing_happens();
        order_at(status)
            .given(inactive)
            .when(allocate())
            .nothing_happens();
    }
}

#[test]
fn a_cancelled_order_is_final() {
    order_at(OrderStatus::Cancelled)
        .when(allocate())
        .is_refused(&[(Code::ErrOrderNotModifiable, "")]);
}

#[test]
fn an_order_must_be_placed_first() {
    use OrderStatus as S;
    for command in [
        allocate(),
        pay("1"),
        OrderCommand::Release,
        picking(S::Picked),
        shipment(S::Fulfilled, None),
        delivery(S::Delivered),
        cancel("why"),
    ] {
        nothing()
            .when(command)
            .is_refused(&[(Code::ErrInvalidTransition, "")]);
    }
}
