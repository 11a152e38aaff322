//! A database from before stores were aggregates keeps its stores.

use commands::{CommandBus, Target, derived, stores::adopt};
use domain::{
    ids::StoreId,
    store::{Store, StoreCommand},
};
use e2e::{Database, fresh_database, orders::*, stores::profile};

async fn old_stores(database: &Database) {
    let pool = database.superuser_pool().await;
    sqlx::query(
        "INSERT INTO store (store_id, name, region, zone, active, cod_limit) VALUES \
         ('CFR001', 'Store CFR001', 'BKK-CENTRAL', 'BKK', true, NULL), \
         ('CFR002', 'Store CFR002', 'BKK-EAST', 'UPC', true, 1500.50), \
         ('CFR009', 'Store CFR009', 'BKK-CENTRAL', 'BKK', false, NULL)",
    )
    .execute(&pool)
    .await
    .unwrap();
}

async fn load(bus: &CommandBus, id: &str) -> commands::Loaded<Store> {
    let id = StoreId::new(id).unwrap();
    bus.load::<Store>(&id).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_old_store_is_opened_once() {
    let database = fresh_database().await;
    old_stores(&database).await;
    let (bus, other) = (database.bus().await, database.bus().await);
    let (one, two) = tokio::join!(adopt(&bus), adopt(&other));
    assert_eq!(one.unwrap() + two.unwrap(), 3, "both at once, each once");
    assert_eq!(adopt(&bus).await.unwrap(), 0);

    let second = load(&bus, "CFR002").await;
    let known = second.state.profile.clone().unwrap();
    assert_eq!((second.version, second.state.active), (1, true));
    assert_eq!(
        (known.region.as_str(), known.zone.as_str()),
        ("BKK-EAST", "UPC")
    );
    assert_eq!(known.cod_limit.unwrap().to_string(), "1500.5000");
    let closed = load(&bus, "CFR009").await;
    assert_eq!((closed.version, closed.state.active), (2, false));
    placed(&bus).await;
    let error = {
        let mut order = place();
        order.store_id = "CFR009".into();
        let command = domain::order::OrderCommand::Place(Box::new(order));
        execute(&bus, Target::New, command).await.unwrap_err()
    };
    assert_eq!(error.outcome(), "refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crash_left_half_done_is_finished_and_what_people_did_since_stands() {
    let database = fresh_database().await;
    old_stores(&database).await;
    let bus = database.bus().await;
    // As if the process had died after opening the closed store.
    let id = StoreId::new("CFR009").unwrap();
    let mut open = request_for::<Store>(
        Target::Entity(id.clone()),
        StoreCommand::Open {
            profile: profile("Store CFR009"),
        },
    );
    open.command_id = derived::command_id("adopt-store", &["open", "CFR009"]);
    bus.execute(open).await.unwrap();
    // And somebody opened a store of the table in their own way.
    e2e::stores::open(&bus, "CFR001", profile("Renamed")).await;
    assert_eq!(adopt(&bus).await.unwrap(), 1);
    assert!(!load(&bus, "CFR009").await.state.active);
    let renamed = load(&bus, "CFR001").await;
    assert_eq!(renamed.state.profile.as_ref().unwrap().name, "Renamed");

    execute_on::<Store>(&bus, id, StoreCommand::Activate)
        .await
        .unwrap();
    assert_eq!(adopt(&bus).await.unwrap(), 0);
    assert!(load(&bus, "CFR009").await.state.active, "opened by people");
}
