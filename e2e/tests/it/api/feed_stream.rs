//! The event feed as a stream of a running ledger: live, resumable, and over when the ledger is.

use e2e::{PATIENCE, Stream};
use serde_json::{Value, json};

use super::support::{placed, world};

async fn next(stream: &mut Stream) -> (String, Value) {
    let frame = tokio::time::timeout(PATIENCE, stream.next()).await;
    let frame = frame.expect("in time").unwrap().expect("not the end");
    let data = serde_json::from_str(&frame.data).unwrap_or(Value::Null);
    (frame.id, data)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_the_past_then_the_present_and_goes_on_where_it_was() {
    let mut world = world().await;
    let (past, _) = placed(&world.admin, json!({})).await;
    let path = "/v1/events/stream?types=order.placed";
    let mut stream = world.admin.stream(path, &[]).await.unwrap().unwrap();
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert!(!stream.headers.contains_key("content-encoding"));
    let (id, event) = next(&mut stream).await;
    assert_eq!(event["subject"], past.as_str());
    assert_eq!(event["position"], id.as_str());
    let (present, receipt) = placed(&world.admin, json!({})).await;
    let (id, event) = next(&mut stream).await;
    assert_eq!(event["subject"], present.as_str());
    assert_eq!(
        id,
        receipt["position"]
            .as_str()
            .map_or(receipt["position"].to_string(), str::to_owned)
    );
    drop(stream);

    let (missed, _) = placed(&world.admin, json!({ "storeId": "CFR002" })).await;
    let resumed = [("last-event-id", id.as_str())];
    let mut stream = world.admin.stream(path, &resumed).await.unwrap().unwrap();
    let (_, event) = next(&mut stream).await;
    assert_eq!(event["subject"], missed.as_str());

    // What the filter leaves out moves the cursor all the same.
    let none = "/v1/events/stream?types=order.refunded";
    let mut idle = world.admin.stream(none, &[]).await.unwrap().unwrap();
    let head = world.database.log().await.head().await.unwrap().position;
    assert_eq!(next(&mut idle).await, (head.to_string(), Value::Null));

    world.program.terminate();
    for stream in [&mut stream, &mut idle] {
        let end = tokio::time::timeout(PATIENCE, stream.next()).await;
        assert_eq!(end.expect("in time").unwrap(), None, "a clean end");
    }
    assert!(world.program.wait().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_a_store_has_nothing_of_another() {
    let world = world().await;
    placed(&world.admin, json!({})).await;
    let (own, _) = placed(&world.admin, json!({ "storeId": "CFR002" })).await;
    let manager = world.caller("store-manager", &["CFR002"]);
    let path = "/v1/events/stream?types=order.placed&limit=1";
    let mut stream = manager.stream(path, &[]).await.unwrap().unwrap();
    assert_eq!(next(&mut stream).await.1["subject"], own.as_str());
    let refused = world.caller("store-staff", &["CFR002"]);
    let refused = refused.stream(path, &[]).await.unwrap().unwrap_err();
    assert_eq!(refused.status, 403);
}
