//! Operations answered as server-sent events: what they may take of the server.

use std::time::Duration;

use domain::actor::Role;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::fake::{PLACE, World, place_input};
use super::*;
use crate::limits;

const BOARD: &str = "subscription { storeBoard { isWhole } }";

async fn open(
    world: &World,
    token: &str,
    query: &str,
    variables: Value,
) -> axum::response::Response {
    let body = json!({ "query": query, "variables": variables }).to_string();
    let request = HttpRequest::post("/graphql")
        .header("content-type", "application/json")
        .header("accept", "text/event-stream")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::from(body))
        .unwrap();
    world.router.clone().oneshot(request).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_client_that_takes_nothing_gives_up_its_place() {
    let world = World::new();
    let token = world.token(Role::Admin, &[]);
    let mut held = Vec::new();
    for _ in 0..limits::MAX_FEED_STREAMS_PER_TOKEN {
        held.push(open(&world, &token, BOARD, json!({})).await);
    }
    assert!(held.iter().all(|stream| stream.status() == StatusCode::OK));
    let refused = open(&world, &token, BOARD, json!({})).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    // The first answer fills the stream; the next, a sign of life, finds no room.
    tokio::time::sleep(limits::LIVE_HEARTBEAT + limits::LIVE_SEND_LIMIT + Duration::from_secs(1))
        .await;
    let next = open(&world, &token, BOARD, json!({})).await;
    assert_eq!(next.status(), StatusCode::OK);
    drop(held);
}

#[tokio::test]
async fn an_operation_has_as_long_as_one_that_is_answered_at_once() {
    let world = World::with(|state| state.limits.request_timeout = Duration::from_millis(150));
    *world.fake.slow.lock().unwrap() = Duration::from_secs(5);
    let token = world.token(Role::Admin, &[]);
    let stream = open(&world, &token, PLACE, json!({ "input": place_input() })).await;
    let body = stream.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let (first, rest) = text.split_once("\n\n").unwrap();
    let answer: Value =
        serde_json::from_str(first.strip_prefix("event: next\ndata: ").unwrap()).unwrap();
    assert_eq!(
        answer["errors"][0]["extensions"]["code"], "TIMEOUT",
        "{answer}"
    );
    assert_eq!(rest, "event: complete\ndata:\n\n");
}
