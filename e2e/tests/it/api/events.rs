//! The log over GraphQL: the same events as the feed, to the same callers.

use e2e::Api;
use serde_json::{Value, json};

use super::support::{ask, code, done, input, placed, world};

const EVENTS: &str = "query($after: Position, $first: Int!, $filter: LogEventFilter) {
    events(after: $after, first: $first, filter: $filter) {
        pageInfo { hasNextPage endCursor }
        nodes { id type position subjectId subjectVersion storeId recordedAt actor { role } data hash previousHash } } }";

/// Every event that fits, page by page.
async fn walk(api: &Api, filter: Value, first: i32) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), Value::Null);
    for _ in 0..200 {
        let variables = json!({ "after": after, "first": first, "filter": filter });
        let page = api.graphql(EVENTS, variables).await["events"].clone();
        all.extend(page["nodes"].as_array().unwrap().clone());
        if page["pageInfo"]["hasNextPage"] == false {
            return all;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    panic!("the log does not end")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connection_is_the_feed() {
    let world = world().await;
    let (id, _) = placed(&world.admin, json!({})).await;
    done(&world.admin, "allocateOrder", input(&id, json!({}))).await;
    let (other, _) = placed(&world.admin, json!({ "storeId": "CFR002" })).await;
    let feed = world.admin.get("/v1/events?limit=100").await.json();
    let feed = feed.as_array().unwrap();
    for first in [1, 2, 100] {
        let seen = walk(&world.admin, Value::Null, first).await;
        assert_eq!(seen.len(), feed.len(), "{first}");
        for (event, published) in seen.iter().zip(feed) {
            for (ours, theirs) in [
                ("id", "id"),
                ("type", "type"),
                ("position", "position"),
                ("subjectId", "subject"),
                ("data", "data"),
            ] {
                assert_eq!(event[ours], published[theirs]);
            }
        }
        for pair in seen.windows(2) {
            assert_eq!(pair[1]["previousHash"], pair[0]["hash"], "the chain");
        }
    }
    let of = |events: &[Value]| {
        let subjects = events.iter().map(|e| e["subjectId"].clone());
        subjects.collect::<Vec<Value>>()
    };
    let placed_only = walk(&world.admin, json!({ "types": ["order.placed"] }), 1).await;
    assert_eq!(of(&placed_only), [json!(id), json!(other)]);
    // A store's people see their store's events and no others, whatever they ask for.
    let manager = world.caller("store-manager", &["CFR001"]);
    let own = walk(&manager, Value::Null, 100).await;
    assert_eq!(of(&own), [json!(id), json!(id)]);
    assert_eq!(
        walk(&manager, json!({ "storeId": "CFR002" }), 100).await,
        Vec::<Value>::new()
    );
    let staff = world.caller("store-staff", &["CFR001"]);
    let refused = ask(&staff, EVENTS, json!({ "first": 1 })).await;
    assert_eq!(code(&refused), "FORBIDDEN");
    let ahead = ask(&world.admin, EVENTS, json!({ "first": 1, "after": "9999" })).await;
    assert_eq!(code(&ahead), "INVALID_INPUT");
}
