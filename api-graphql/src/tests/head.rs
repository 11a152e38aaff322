//! HEAD is answered as GET is, without a body (RFC 9110, 9.3.2).

use axum::{
    body::Bytes,
    http::{HeaderMap, Method, header},
};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::{
    fake::World,
    feed::{self, Memory},
    *,
};
use crate::limits::MAX_FEED_STREAMS_PER_TOKEN;

const QUERY: &str = "/graphql?query=%7B__typename%7D";
const SUBSCRIPTION: &str = "/graphql?query=subscription%7BstoreBoard%7BisWhole%7D%7D";
const STREAM: &str = "/v1/events/stream";
const EVENTS: &str = "text/event-stream";

fn world() -> World {
    feed::world(&Memory::new(3))
}

fn asked(
    world: &World,
    method: &Method,
    path: &str,
    more: &[(header::HeaderName, &str)],
) -> HttpRequest<Body> {
    let token = world.token(Role::Admin, &[]);
    let mut request = HttpRequest::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"));
    for (name, value) in more {
        request = request.header(name, *value);
    }
    request.body(Body::empty()).unwrap()
}

/// Whose body may be compressed, and is bytes.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

async fn send(world: &World, request: HttpRequest<Body>) -> Answer {
    let response = world.router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

async fn ask(
    world: &World,
    method: Method,
    path: &str,
    more: &[(header::HeaderName, &str)],
) -> Answer {
    send(world, asked(world, &method, path, more)).await
}

/// What differs between any two requests.
fn comparable(mut headers: HeaderMap) -> HeaderMap {
    for name in ["x-request-id", "x-trace-id", "ratelimit"] {
        headers.remove(name);
    }
    headers
}

#[tokio::test]
async fn whatever_is_got_can_be_asked_for_its_headers() {
    let world = world();
    for path in [
        "/livez",
        "/readyz",
        "/graphiql",
        "/graphiql/graphiql.js",
        "/problems/ORD-002",
        "/problems/x",
        "/nowhere",
        "/v1/events",
        "/v1/events?limit=2",
        "/v1/events?after=99",
        "/v1/seals",
        QUERY,
        "/graphql",
        "/graphql?query=%7B",
    ] {
        for encoding in ["identity", "gzip"] {
            let more = [(header::ACCEPT_ENCODING, encoding)];
            let got = ask(&world, Method::GET, path, &more).await;
            let head = ask(&world, Method::HEAD, path, &more).await;
            assert_eq!(head.status, got.status, "{path}");
            assert!(head.body.is_empty(), "{path}");
            let (head, got) = (comparable(head.headers), comparable(got.headers));
            assert_eq!(head, got, "{path} {encoding}");
        }
    }
    // Figures differ from one look to the next; a tag that is known, a stranger, and a command do not.
    let metrics = ask(&world, Method::HEAD, "/metrics", &[]).await;
    assert_eq!(metrics.status, StatusCode::OK);
    let tag = [(header::IF_NONE_MATCH, "*")];
    let known = ask(&world, Method::HEAD, QUERY, &tag).await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    let stranger = HttpRequest::head("/v1/events").body(Body::empty()).unwrap();
    let stranger = send(&world, stranger).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    let mutation = "/graphql?query=mutation%7BforgetCustomer(input:%7BcustomerId:%22x%22%7D)%7Bproblems%7Bcode%7D%7D%7D";
    let command = ask(&world, Method::HEAD, mutation, &[]).await;
    assert_eq!(command.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn no_stream_is_opened_for_headers_alone() {
    let world = world();
    for (path, more) in [
        (STREAM, vec![]),
        (SUBSCRIPTION, vec![(header::ACCEPT, EVENTS)]),
    ] {
        let mut open = Vec::new();
        for _ in 0..MAX_FEED_STREAMS_PER_TOKEN {
            let request = asked(&world, &Method::GET, path, &more);
            open.push(world.router.clone().oneshot(request).await.unwrap());
        }
        let full = ask(&world, Method::GET, path, &more).await;
        assert_eq!(full.status, StatusCode::TOO_MANY_REQUESTS, "{path}");
        // Needs no place, since it opens nothing.
        let head = ask(&world, Method::HEAD, path, &more).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
        let streamed = comparable(open.remove(0).headers().clone());
        assert_eq!(comparable(head.headers), streamed, "{path}");
    }
    let upgrade = [
        (header::UPGRADE, "websocket"),
        (header::CONNECTION, "upgrade"),
    ];
    let head = ask(&world, Method::HEAD, QUERY, &upgrade).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
}
