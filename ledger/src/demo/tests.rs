//! The plan keeps to its own rules, and the domain takes every command of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use domain::{
    entity::Command,
    order::{Order, OrderStatus, decide},
};

use super::{plan::*, *};
use crate::sample::facts;

/// Every step with its order and whether the store of the back-orders trades then.
fn steps(plan: &Plan) -> Vec<(bool, usize, &Planned)> {
    let mut all = Vec::new();
    for phase in &plan.phases {
        let trades = phase.back_order_store_trades.unwrap_or(true);
        for (order, steps) in phase.windows.iter().flatten() {
            all.extend(steps.iter().map(|step| (trades, *order, step)));
        }
    }
    all
}

/// The orders as the plan leaves them.
fn outcome(plan: &Plan) -> BTreeMap<usize, Order> {
    let mut orders: BTreeMap<usize, Order> = BTreeMap::new();
    for (trades, index, step) in steps(plan) {
        let store = STORES.iter().find(|s| s.id == step.store).unwrap();
        let mut facts = facts(store);
        facts.store.as_mut().unwrap().active = trades || step.store != BACK_ORDER_STORE;
        let order = orders.entry(index).or_default();
        let events = decide(order, &step.command, &actor(step.role, step.store), &facts).unwrap();
        assert!(
            !events.is_empty(),
            "order {index}: {:?} changes nothing",
            step.command
        );
        for event in events {
            order.apply(&event);
        }
    }
    orders
}

#[test]
fn every_command_is_accepted_and_every_status_appears() {
    let plan = Plan::make(ORDERS).unwrap();
    let orders = outcome(&plan);
    assert_eq!(orders.len(), ORDERS);
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for order in orders.values() {
        *statuses.entry(order.status.code()).or_default() += 1;
    }
    let expected = [
        1000, 1500, 2000, 3000, 3500, 3600, 3700, 7000, 7100, 7200, 7300, 7500, 8000, 8500, 9000,
    ];
    assert_eq!(statuses.keys().copied().collect::<Vec<_>>(), expected);
    assert_eq!(
        statuses[&OrderStatus::BackOrdered.code()],
        1,
        "one is left back-ordered"
    );
    let stores: BTreeSet<_> = orders.values().map(|o| o.store_id.to_string()).collect();
    assert_eq!(stores.len(), STORES.len());
}

#[test]
fn roles_may_do_what_the_plan_has_them_do() {
    for (_, _, step) in steps(&Plan::make(ORDERS).unwrap()) {
        assert!(step.role.may(step.command.action()), "{step:?}");
    }
}

#[test]
fn times_run_forward_within_an_order_and_end_before_now() {
    let plan = Plan::make(ORDERS).unwrap();
    let mut last: BTreeMap<usize, TimeDelta> = BTreeMap::new();
    for (_, order, step) in steps(&plan) {
        assert!(
            step.at < TimeDelta::zero() && step.at > TimeDelta::hours(-30),
            "{step:?}"
        );
        let before = last.insert(order, step.at);
        assert!(
            before.is_none_or(|before| before <= step.at),
            "order {order}: {step:?}"
        );
    }
}

#[test]
fn the_plan_is_the_same_every_time_and_marked_at_both_ends() {
    let (one, two) = (Plan::make(ORDERS).unwrap(), Plan::make(ORDERS).unwrap());
    let ids = |plan: &Plan| -> Vec<_> {
        steps(plan)
            .into_iter()
            .map(|(_, order, step)| (order, step.command_id, step.command.clone()))
            .collect()
    };
    let (one, two) = (ids(&one), ids(&two));
    assert_eq!(one, two);
    assert_eq!(one.first().map(|s| s.1), Some(FIRST_COMMAND));
    assert_eq!(one.last().map(|s| s.1), Some(LAST_COMMAND));
    let unique: BTreeSet<_> = one.iter().map(|s| s.1).collect();
    assert_eq!(unique.len(), one.len());
}

#[tokio::test]
async fn simulated_time_ends_with_its_work() {
    let then = "2026-03-01T10:00:00Z".parse().unwrap();
    assert_eq!(at_time(then, async { SimulatedClock.now() }).await, then);
    assert_ne!(SimulatedClock.now(), then);
}
