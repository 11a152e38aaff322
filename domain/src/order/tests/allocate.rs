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
        code: None,
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

/// An order of one bundle in three lines.
fn bundled() -> Scenario {
    let command = place(order_of(bundles::listed("B1", "1")));
    nothing().with(vec![bundles::breakfast()]).and(command)
}

fn broken(reason: &str) -> OrderEvent {
    OrderEvent::BackOrdered {
        reason: reason.into(),
        code: Some(Code::ErrBundleAllocationFailed),
    }
}

#[test]
fn a_whole_bundle_is_allocated() {
    assert_eq!(bundled().when(allocate()).0.unwrap().len(), 1);
    // A bundle that is cancelled is whole in its way.
    let mut given = bundled();
    given
        .order
        .lines
        .push(order_at(OrderStatus::Open).order.lines.remove(0));
    for line in given.order.lines.iter_mut().take(3) {
        line.status = OrderStatus::Cancelled;
    }
    given.when(allocate()).happens(OrderEvent::Allocated {
        from: OrderStatus::Open,
    });
}

#[test]
fn a_broken_bundle_back_orders() {
    let reason = "bundle B1 is not whole: cancel it";
    let mut cancelled = bundled();
    cancelled.order.lines[1].status = OrderStatus::Cancelled;
    cancelled.when(allocate()).happens(broken(reason));
    let mut lost = bundled();
    lost.order.lines.truncate(2);
    lost.when(allocate()).happens(broken(reason));
    lost.order.lines.clear();
    lost.when(allocate()).happens(broken(reason));
    let closed = cancelled.given(inactive);
    let both = format!("store CFR029 is inactive; {reason}");
    closed.when(allocate()).happens(broken(&both));
    let waiting = closed.and(allocate());
    assert_eq!(waiting.order.status, OrderStatus::BackOrdered);
    waiting.when(allocate()).nothing_happens();
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
