//! Snapshots of long streams: written off the command path, checked against the events, never believed blindly.

use commands::{BusOptions, Target, load::stream_id, snapshot};
use domain::{ids::OrderId, order::Order};
use e2e::{
    Database, eventually, fresh_database,
    orders::{execute, placed, to_delivered},
};

const EVERY_THIRD: BusOptions = BusOptions {
    deadline: std::time::Duration::from_secs(10),
    hot_orders: 10,
    snapshot_every: 3,
};

async fn snapshot_version(database: &Database, id: OrderId) -> Option<i64> {
    let pool = database.superuser_pool().await;
    let stream = stream_id::<Order>(&id);
    sqlx::query_scalar("SELECT version FROM snapshots WHERE aggregate_id = $1")
        .bind(&stream.aggregate_id)
        .fetch_optional(&pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_loads_the_same_with_and_without_its_snapshot() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus_with(EVERY_THIRD).await;
    let id = placed(&bus).await;
    for command in to_delivered() {
        execute(&bus, Target::Entity(id), command).await.unwrap();
    }
    eventually("a snapshot of the finished order", || async {
        snapshot_version(&database, id).await.filter(|v| *v == 12)
    })
    .await;
    let with = database
        .bus_with(EVERY_THIRD)
        .await
        .load::<Order>(&id)
        .await
        .unwrap()
        .unwrap();
    let without = database
        .bus()
        .await
        .load::<Order>(&id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(with, without);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_lies_is_found_and_deleted() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = placed(&bus).await;
    for command in to_delivered().into_iter().take(4) {
        execute(&bus, Target::Entity(id), command).await.unwrap();
    }
    let log = database.log().await;
    snapshot::take::<Order>(&log, &id).await.unwrap();
    let pool = database.superuser_pool().await;
    sqlx::query("UPDATE snapshots SET state = replace(state::text, '45.0000', '46.0000')::json")
        .execute(&pool)
        .await
        .unwrap();
    // The order moves on; the next snapshot checks the one before it.
    execute(&bus, Target::Entity(id), to_delivered()[4].clone())
        .await
        .unwrap();
    snapshot::take::<Order>(&log, &id).await.unwrap();
    let state: String = sqlx::query_scalar("SELECT state::text FROM snapshots")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert!(!state.contains("46.0000"));
    assert_eq!(snapshot_version(&database, id).await, Some(6));
    assert_eq!(
        database
            .bus_with(EVERY_THIRD)
            .await
            .load::<Order>(&id)
            .await
            .unwrap(),
        database.bus().await.load::<Order>(&id).await.unwrap(),
    );
}
