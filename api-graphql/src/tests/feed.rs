//! The event feed over a log in memory: what is said over HTTP, and when a stream ends.

use std::{
    sync::Mutex,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use http_body_util::BodyExt;
use store::{
    Position, Recorded, StoreError,
    feed::{Scan, Scanned},
    wake::Wake,
};
use tokio::sync::watch;
use tower::ServiceExt;
use uuid::Uuid;

use super::fake::{Answer, World};
use super::*;
use crate::{EventSource, FeedState, limits};

/// A log of order events.
pub(super) struct Memory {
    events: Mutex<Vec<Recorded>>,
    newest: watch::Sender<Position>,
    /// Whether its end is told as it was one event ago.
    late: std::sync::atomic::AtomicBool,
}

impl Memory {
    pub(super) fn new(events: i64) -> Arc<Self> {
        let memory = Self {
            events: Mutex::default(),
            newest: watch::Sender::new(Position::START),
            late: std::sync::atomic::AtomicBool::new(false),
        };
        for _ in 0..events {
            memory.grow("{\"type\":\"order.paid\"}".to_owned());
        }
        Arc::new(memory)
    }

    fn grow(&self, payload: String) {
        let mut events = self.events.lock().unwrap();
        let position = i64::try_from(events.len()).unwrap() + 1;
        events.push(Recorded {
            position: Position(position),
            event_id: Uuid::from_u128(position.unsigned_abs().into()),
            aggregate_type: "order".into(),
            aggregate_id: Uuid::from_u128(7).to_string(),
            sequence: position,
            event_type: "order.paid".into(),
            event_version: "1".into(),
            payload,
            metadata:
                "{\"storeId\":\"CFR001\",\"correlationId\":\"c\",\"traceparent\":\"00-a-b-01\"}"
                    .into(),
            command_id: Uuid::nil(),
            recorded_at: SystemTime::UNIX_EPOCH.into(),
            content_hash: [0; 32],
            prev_hash: [0; 32],
            hash: [0; 32],
        });
        self.newest.send_replace(Position(position));
    }
}

#[async_trait]
impl EventSource for Memory {
    async fn head(&self) -> Result<Position, StoreError> {
        let events = self.events.lock().unwrap();
        let behind = i64::from(self.late.load(std::sync::atomic::Ordering::Relaxed));
        Ok(Position(i64::try_from(events.len()).unwrap() - behind))
    }

    async fn scan(&self, scan: &Scan<'_>) -> Result<Scanned, StoreError> {
        let head = self.head().await?;
        let limit = usize::try_from(scan.limit).unwrap();
        let events = self.events.lock().unwrap();
        let behind = events.iter().filter(|e| e.position > scan.after);
        let events: Vec<Recorded> = behind.take(limit).cloned().collect();
        let is_full = events.len() == limit;
        Ok(Scanned {
            next: events.last().map_or(scan.after, |e| e.position),
            events,
            head,
            is_settled: is_full,
        })
    }

    async fn seals(
        &self,
        _: Option<Position>,
        _: i64,
    ) -> Result<Vec<store::seal::Seal>, StoreError> {
        Ok(Vec::new())
    }

    fn wake(&self) -> Wake {
        Wake::fed(self.newest.subscribe(), Duration::from_millis(500))
    }
}

pub(super) fn world(memory: &Arc<Memory>) -> World {
    World::with(|state| {
        state.feed = Some(FeedState {
            events: Arc::clone(memory) as Arc<dyn EventSource>,
            environment: "test".into(),
        });
    })
}

fn ask(path: &str, token: &str, more: &[(&str, &str)]) -> HttpRequest<Body> {
    let mut request = HttpRequest::get(path).header("authorization", format!("Bearer {token}"));
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

async fn get(world: &World, path: &str, more: &[(&str, &str)]) -> Answer {
    let token = world.token(Role::Auditor, &[]);
    world.send(ask(path, &token, more)).await
}

#[tokio::test]
async fn a_page_that_cannot_change_may_be_kept_for_good() {
    let world = world(&Memory::new(3));
    let full = get(&world, "/v1/events?limit=2", &[]).await;
    assert_eq!(full.status, StatusCode::OK);
    assert_eq!(
        full.header("content-type"),
        "application/cloudevents-batch+json"
    );
    assert_eq!(
        full.header("cache-control"),
        "private, max-age=31536000, immutable"
    );
    assert_eq!(full.header("x-next-cursor"), "2");
    assert_eq!(
        full.header("link"),
        "</v1/events?after=2&limit=2>; rel=\"next\""
    );
    let event = &full.json()[1];
    assert_eq!(
        *event,
        serde_json::json!({
            "specversion": "1.0", "id": "00000000-0000-0000-0000-000000000002", "source": "/ledger/test",
            "type": "order.paid", "subject": "00000000-0000-0000-0000-000000000007",
            "time": "1970-01-01T00:00:00.000000Z", "datacontenttype": "application/json",
            "dataschema": "urn:order-ledger:schema:order.paid.v1",
            "position": "2", "sequence": "0000000002",
            "partitionkey": "00000000-0000-0000-0000-000000000007", "storeid": "CFR001",
            "correlationid": "c", "traceparent": "00-a-b-01", "data": { "type": "order.paid" },
        })
    );
    let tag = full.header("etag").to_owned();
    let again = get(&world, "/v1/events?limit=2", &[("if-none-match", &tag)]).await;
    assert_eq!((again.status.as_u16(), again.body.as_str()), (304, ""));
    assert_eq!(again.header("x-next-cursor"), "2");
    let short = get(
        &world,
        "/v1/events?after=2&limit=2",
        &[("if-none-match", "*")],
    )
    .await;
    assert_eq!(short.status, StatusCode::OK);
    assert_eq!(short.header("cache-control"), "private, no-store");
    assert_eq!(short.header("etag"), "");
}

#[tokio::test]
async fn a_page_has_a_bound_in_bytes() {
    let memory = Memory::new(0);
    let large = format!("\"{}\"", "x".repeat(limits::MAX_FEED_BYTES / 2));
    for _ in 0..3 {
        memory.grow(large.clone());
    }
    let world = world(&memory);
    let page = get(&world, "/v1/events", &[]).await;
    assert_eq!(page.json().as_array().unwrap().len(), 1);
    assert_eq!(page.header("x-next-cursor"), "1");
    assert!(page.header("cache-control").contains("immutable"));
}

#[tokio::test]
async fn who_may_not_read_the_feed_is_told_and_audited() {
    let world = world(&Memory::new(3));
    let admin = |scope: &str| world.scoped(Role::Admin, &[], Some(scope));
    for (token, status) in [
        (world.token(Role::StoreStaff, &["CFR001"]), 403),
        (world.token(Role::CustomerService, &[]), 403),
        (admin("orders:read orders:write"), 403),
        (admin("events:read"), 200),
        (world.token(Role::StoreManager, &["CFR001"]), 200),
        (world.token(Role::Grab, &[]), 200),
        ("nonsense".to_owned(), 401),
    ] {
        for path in ["/v1/events", "/v1/events/stream", "/v1/seals"] {
            let request = ask(path, &token, &[]);
            let response = world.router.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{path}");
        }
    }
    let refused = world.fake.refused.lock().unwrap();
    let reasons: Vec<_> = refused.iter().map(|r| (r.action, r.reason)).collect();
    let expected = [["role"; 3], ["role"; 3], ["token scope"; 3]].concat();
    let expected: Vec<_> = expected
        .into_iter()
        .map(|reason| ("read-events", reason))
        .collect();
    assert_eq!(reasons, expected);
}

#[tokio::test]
async fn what_is_wrong_has_a_code() {
    let world = world(&Memory::new(3));
    for (path, status, code) in [
        ("/v1/events?limit=0", 400, "FEED-001"),
        ("/v1/events/stream?after=x", 400, "FEED-001"),
        ("/v1/events?after=4", 409, "FEED-002"),
        ("/v1/events/stream?after=4", 409, "FEED-002"),
        ("/v1/seals?limit=1001", 400, "FEED-001"),
        ("/v1/seals?types=order.paid", 400, "FEED-001"),
    ] {
        let answer = get(&world, path, &[]).await;
        let body = answer.json();
        assert_eq!(
            (answer.status.as_u16(), body["code"].as_str()),
            (status, Some(code)),
            "{body}"
        );
        let explained = get(&world, &format!("/problems/{code}"), &[]).await;
        assert_eq!(explained.status, StatusCode::OK);
    }
    let post = HttpRequest::post("/v1/events").body(Body::empty()).unwrap();
    assert_eq!(world.send(post).await.status.as_u16(), 405);
}

#[tokio::test(start_paused = true)]
async fn a_read_waits_for_news_as_long_as_asked_and_not_into_the_end() {
    let memory = Memory::new(3);
    let world = world(&memory);
    let nothing = get(&world, "/v1/events?after=3&wait=30", &[]).await;
    assert_eq!(
        (nothing.body.as_str(), nothing.header("x-next-cursor")),
        ("[]", "3")
    );
    let (answer, ()) = tokio::join!(get(&world, "/v1/events?after=3&wait=30", &[]), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        memory.grow("{}".to_owned());
    });
    assert_eq!(answer.header("x-next-cursor"), "4");
    let (ended, ()) = tokio::join!(get(&world, "/v1/events?after=4&wait=30", &[]), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.state.lifecycle.stop();
    });
    assert_eq!((ended.status.as_u16(), ended.body.as_str()), (200, "[]"));
}

async fn open(world: &World, token: &str) -> axum::response::Response {
    let request = ask("/v1/events/stream", token, &[]);
    world.router.clone().oneshot(request).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_idle_stream_beats_and_ends_with_its_token() {
    let world = world(&Memory::new(2));
    let token = world.token(Role::Auditor, &[]);
    let stream = open(&world, &token).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    // The token is good for a minute and half a minute of leeway; nobody waits for it here.
    let body = stream.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    assert!(
        text.starts_with("retry: 2000\n\nid: 1\ndata: {\"specversion\""),
        "{text}"
    );
    assert_eq!(text.matches("\nid: 2\ndata: ").count(), 1, "{text}");
    let beats = text.matches(": \n\n").count();
    assert!((4..=6).contains(&beats), "{beats}: {text}");
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_takes_nothing_is_left() {
    let memory = Memory::new(2_000);
    let world = world(&memory);
    let token = world.token(Role::Auditor, &[]);
    let stream = open(&world, &token).await;
    tokio::time::sleep(limits::FEED_SEND_LIMIT + Duration::from_secs(1)).await;
    let body = stream.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    // What was handed over before the reader stopped, and nothing that was waiting for room.
    assert!(
        text.matches("\ndata: ").count() <= 100,
        "more than one page was kept"
    );
}

#[tokio::test]
async fn a_token_has_only_so_many_streams() {
    let world = world(&Memory::new(1));
    let token = world.token(Role::Auditor, &[]);
    let mut streams = Vec::new();
    for _ in 0..limits::MAX_FEED_STREAMS_PER_TOKEN {
        streams.push(open(&world, &token).await);
    }
    let refused = world.send(ask("/v1/events/stream", &token, &[])).await;
    assert_eq!(refused.status.as_u16(), 429);
    assert_eq!(refused.json()["code"], "FEED-003");
    assert_eq!(refused.header("retry-after"), "5");
    assert_eq!(
        open(&world, &world.token(Role::Ops, &[])).await.status(),
        200
    );
    drop(streams);
    let again = async {
        loop {
            if open(&world, &token).await.status() == 200 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let closed = tokio::time::timeout(Duration::from_secs(20), again).await;
    assert!(closed.is_ok(), "closed streams make room");
}

const EVENTS: &str = "query($after: Position, $first: Int! = 2, $filter: LogEventFilter) {
    events(after: $after, first: $first, filter: $filter) { head
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        edges { cursor node { position } }
        nodes { id type schemaVersion subjectType subjectId subjectVersion storeId data hash } } }";

#[tokio::test]
async fn the_log_is_a_connection_for_who_may_read_events() {
    let world = world(&Memory::new(3));
    let auditor = world.token(Role::Auditor, &[]);
    let first = world
        .query_as(&auditor, EVENTS, serde_json::json!({}))
        .await;
    let page = first.json()["data"]["events"].clone();
    assert_eq!(
        page["pageInfo"],
        serde_json::json!({ "hasNextPage": true, "hasPreviousPage": false, "startCursor": "1", "endCursor": "2" }),
        "{}",
        first.body
    );
    assert_eq!(page["head"], "3");
    assert_eq!(
        page["edges"][1],
        serde_json::json!({ "cursor": "2", "node": { "position": "2" } })
    );
    assert_eq!(
        page["nodes"][1],
        serde_json::json!({ "id": "00000000-0000-0000-0000-000000000002", "type": "order.paid",
            "schemaVersion": "1", "subjectType": "order", "subjectId": "00000000-0000-0000-0000-000000000007",
            "subjectVersion": 2, "storeId": "CFR001", "data": { "type": "order.paid" }, "hash": "0".repeat(64) })
    );
    let rest = serde_json::json!({ "after": page["pageInfo"]["endCursor"] });
    let rest = world.query_as(&auditor, EVENTS, rest).await.json()["data"]["events"].clone();
    assert_eq!(rest["pageInfo"]["hasNextPage"], false);
    assert_eq!(rest["pageInfo"]["endCursor"], "3");
    // An empty page keeps its place.
    let end = world
        .query_as(&auditor, EVENTS, serde_json::json!({ "after": "3" }))
        .await;
    let end = end.json()["data"]["events"]["pageInfo"].clone();
    assert_eq!(
        (&end["startCursor"], &end["endCursor"]),
        (&serde_json::Value::Null, &serde_json::json!("3"))
    );
    for wrong in [
        serde_json::json!({ "after": "4" }),
        serde_json::json!({ "first": 101 }),
        serde_json::json!({ "first": 0 }),
        serde_json::json!({ "filter": { "types": ["order.plcaed"] } }),
        serde_json::json!({ "filter": { "storeId": "Bangkok" } }),
    ] {
        let answer = world.query_as(&auditor, EVENTS, wrong.clone()).await;
        assert_eq!(answer.code(), "INVALID_INPUT", "{wrong}: {}", answer.body);
    }
}

#[tokio::test]
async fn the_log_is_for_no_other_eyes() {
    let world = world(&Memory::new(1));
    let events = |token: String| async {
        let token = token;
        world
            .query_as(&token, EVENTS, serde_json::json!({}))
            .await
            .code()
    };
    assert_eq!(
        events(world.token(Role::CustomerService, &[])).await,
        "FORBIDDEN"
    );
    let reader = world.scoped(Role::Auditor, &[], Some("orders:read"));
    assert_eq!(events(reader).await, "FORBIDDEN");
    let events_only = world.scoped(Role::Auditor, &[], Some("events:read"));
    assert_eq!(events(events_only).await, "");
    assert_eq!(world.fake.refused.lock().unwrap().len(), 2);
    // Asking for a foreign store is answered with nothing, and audited.
    let manager = world.token(Role::StoreManager, &["CFR002"]);
    let foreign = serde_json::json!({ "filter": { "storeId": "CFR001" } });
    let answer = world.query_as(&manager, EVENTS, foreign).await;
    assert!(answer.json().get("errors").is_none(), "{}", answer.body);
    let refused = world.fake.refused.lock().unwrap().pop().unwrap();
    assert_eq!((refused.action, refused.reason), ("read-events", "store"));
}

#[tokio::test]
async fn a_page_depends_on_its_address_alone() {
    let memory = Memory::new(4);
    let world = world(&memory);
    let plain = get(&world, "/v1/events?limit=2", &[]).await;
    let other = get(&world, "/v1/events?limit=2", &[("last-event-id", "2")]).await;
    assert_eq!(plain.body, other.body);
    let weak = format!("W/{}", plain.header("etag"));
    let known = get(&world, "/v1/events?limit=2", &[("if-none-match", &weak)]).await;
    assert_eq!(known.status.as_u16(), 304);
}

#[tokio::test(start_paused = true)]
async fn what_was_waited_for_and_what_is_latest_is_not_kept() {
    for path in [
        "/v1/events?after=3&limit=1&wait=30",
        "/v1/events?after=latest&limit=1&wait=30",
    ] {
        let memory = Memory::new(3);
        let world = world(&memory);
        let (answer, ()) = tokio::join!(get(&world, path, &[]), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            memory.grow("{}".to_owned());
        });
        assert_eq!(answer.header("x-next-cursor"), "4");
        assert_eq!(answer.header("cache-control"), "private, no-store");
        assert_eq!(answer.header("etag"), "");
    }
    // The end of the log may move between the question where it is and the read.
    let memory = Memory::new(3);
    memory
        .late
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let raced = get(&world(&memory), "/v1/events?after=latest&limit=1", &[]).await;
    assert_eq!(raced.header("x-next-cursor"), "3");
    assert_eq!(raced.header("cache-control"), "private, no-store");
}

#[tokio::test]
async fn one_token_that_waits_leaves_room_for_the_others() {
    let memory = Memory::new(1);
    let world = world(&memory);
    let token = world.token(Role::Auditor, &[]);
    let path = "/v1/events?after=1&wait=30";
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..=limits::MAX_FEED_STREAMS_PER_TOKEN {
        let sent = world.router.clone().oneshot(ask(path, &token, &[]));
        waiting.spawn(async move { sent.await.unwrap().status().as_u16() });
    }
    assert_eq!(waiting.join_next().await.unwrap().unwrap(), 429);
    let own = world.send(ask("/v1/events", &token, &[])).await;
    assert_eq!(own.status, StatusCode::OK, "a read that does not wait");
    let seals = world.send(ask("/v1/seals", &token, &[])).await;
    assert_eq!(seals.status, StatusCode::OK);
    let other = world.token(Role::Ops, &[]);
    let sent = world.router.clone().oneshot(ask(path, &other, &[]));
    waiting.spawn(async move { sent.await.unwrap().status().as_u16() });
    tokio::task::yield_now().await;
    memory.grow("{}".to_owned());
    let ended = waiting.join_all().await;
    assert!(ended.iter().all(|status| *status == 200), "{ended:?}");
}
