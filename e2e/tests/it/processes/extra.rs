//! Cash that a partner hands over before anybody says that it was collected: it is expected once, not twice.

use commands::CommandError;
use domain::{
    ids::OrderId,
    order::{CollectionStatus, Order, OrderStatus},
    remittance::{
        ItemOutcome, Remittance, RemittanceCommand, RemittanceId, RemittanceStatus, Resolution,
    },
};
use e2e::eventually;

use super::{
    day_end::{DAY, remittance},
    support::{World, collecting, try_tell},
};

/// A delivered order of 169.00, of whose cash nobody has said anything.
async fn delivered(world: &World, store: &str) -> OrderId {
    let id = world.place(store).await;
    world.reaches(id, OrderStatus::Released).await;
    world.walk(id, OrderStatus::Delivered).await;
    id
}

async fn resolve(
    world: &World,
    id: &RemittanceId,
    order: OrderId,
    accepted: &str,
) -> Result<(), CommandError> {
    let command = RemittanceCommand::Resolve {
        reference: world.order(order).await.number.to_string(),
        accepted: accepted.parse().unwrap(),
        resolution: Resolution::Agreed,
        reason: "counted".into(),
    };
    let outcome = try_tell::<Remittance>(&world.people, id.clone(), command).await;
    outcome.map(|_| ())
}

/// The partner reports the whole amount of an order after the end of the day, and the store accepts some of it.
async fn accepted(world: &World, id: &RemittanceId, order: OrderId, accepted: &str) {
    world.end_day(DAY);
    world.report(id, "R-1", &[(order, "169.00")]).await;
    world.is_at(id, RemittanceStatus::Differing).await;
    resolve(world, id, order, accepted).await.unwrap();
    world
        .tell::<Remittance>(id.clone(), RemittanceCommand::Close)
        .await;
    eventually("the order knows", || async {
        world.order(order).await.collection.taken_in
    })
    .await;
}

#[tokio::test]
async fn cash_that_was_taken_in_is_not_expected_again() {
    let world = World::open().await;
    let processes = world.program().await;
    let id = remittance("GRAB", "CFR001", DAY);
    let order = delivered(&world, "CFR001").await;
    accepted(&world, &id, order, "169.00").await;
    let collected = collecting("GRAB", "169.00", Some("2026-11-24T16:00:00Z"));
    world.tell::<Order>(order, collected).await;
    let collection = world.order(order).await.collection;
    assert_eq!(collection.status, CollectionStatus::Reconciled);
    let reconciled = collection.reconciled.unwrap();
    assert_eq!(reconciled.remittance_id, id);
    assert_eq!(reconciled.outcome, ItemOutcome::Matched);
    let next_day = DAY.succ_opt().unwrap();
    world.end_day(next_day);
    world.quiet().await;
    assert_eq!(world.rows("process_cash_item").await, 0);
    let next = remittance("GRAB", "CFR001", next_day);
    assert_eq!(world.remittance(&next).await, None);
    processes.stop().await;
}

#[tokio::test]
async fn what_was_not_taken_in_is_still_expected() {
    let world = World::open().await;
    let processes = world.program().await;
    let id = remittance("GRAB", "CFR001", DAY);
    let order = delivered(&world, "CFR001").await;
    accepted(&world, &id, order, "100.00").await;
    let collected = collecting("GRAB", "169.00", Some("2026-11-24T16:00:00Z"));
    world.tell::<Order>(order, collected).await;
    world.quiet().await;
    let next_day = DAY.succ_opt().unwrap();
    let next = remittance("GRAB", "CFR001", next_day);
    world.end_day(next_day);
    world.expects(&next, &[order]).await;
    assert_eq!(
        world.expected(&next).await[&order],
        "69.00".parse().unwrap()
    );
    processes.stop().await;
}

#[tokio::test]
async fn extra_cash_of_another_store_or_of_a_collected_order_is_not_accepted() {
    let world = World::open().await;
    let processes = world.program().await;
    let id = remittance("GRAB", "CFR001", DAY);
    let elsewhere = delivered(&world, "CFR002").await;
    let late = delivered(&world, "CFR001").await;
    world.end_day(DAY);
    let report = [(elsewhere, "169.00"), (late, "169.00")];
    world.report(&id, "R-1", &report).await;
    world.is_at(&id, RemittanceStatus::Differing).await;
    let refused = resolve(&world, &id, elsewhere, "169.00").await.unwrap_err();
    assert!(refused.to_string().contains("another store"), "{refused}");
    resolve(&world, &id, elsewhere, "0.00").await.unwrap();
    resolve(&world, &id, late, "169.00").await.unwrap();
    // It is heard of before the closing, as cash of the new day.
    world
        .tell::<Order>(late, collecting("GRAB", "169.00", None))
        .await;
    let close = RemittanceCommand::Close;
    let refused = try_tell::<Remittance>(&world.people, id.clone(), close).await;
    let refused = refused.map(|_| ()).unwrap_err().to_string();
    assert!(refused.contains("settle it there"), "{refused}");
    resolve(&world, &id, late, "0.00").await.unwrap();
    world
        .tell::<Remittance>(id.clone(), RemittanceCommand::Close)
        .await;
    let next_day = DAY.succ_opt().unwrap();
    world.end_day(next_day);
    world
        .expects(&remittance("GRAB", "CFR001", next_day), &[late])
        .await;
    processes.stop().await;
}
