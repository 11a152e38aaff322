//! How long the steps of the workflow took is kept with their events.

use commands::{Target, load::stream_id, record::STEP_MICROS};
use domain::order::Order;
use e2e::{fresh_database, orders::*};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn each_event_of_the_workflow_tells_what_it_took() {
    let database = fresh_database().await.with_stores().await;
    let bus = database.bus().await;
    let id = placed(&bus).await;
    for command in to_delivered().into_iter().take(4) {
        execute(&bus, Target::Entity(id), command).await.unwrap();
    }
    let events = bus
        .log()
        .stream(&stream_id::<Order>(&id), 0, 10)
        .await
        .unwrap();
    let steps: Vec<Vec<String>> = events
        .iter()
        .map(|event| {
            let metadata: Value = serde_json::from_str(&event.metadata).unwrap();
            let steps = metadata.get(STEP_MICROS).and_then(Value::as_object);
            let steps = steps.cloned().unwrap_or_default();
            assert!(steps.values().all(Value::is_u64), "{steps:?}");
            steps.keys().cloned().collect()
        })
        .collect();
    let expected: [&[&str]; 5] = [
        &["calculate", "enrich", "validate"],
        &["allocate"],
        &["pay"],
        &["release"],
        &[],
    ];
    assert_eq!(steps, expected);
}
