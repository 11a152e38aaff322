//! Health, metrics, the work bench, and the listener itself.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::fake::{FixedParts, World};
use super::*;
use crate::{ServeOptions, context::Peer, health::Part, serve};

async fn get(world: &World, path: &str) -> fake::Answer {
    world
        .send(HttpRequest::get(path).body(Body::empty()).unwrap())
        .await
}

fn part(name: &str, ok: bool, required: bool) -> Part {
    Part {
        name: name.into(),
        ok,
        required,
        detail: String::new(),
    }
}

#[tokio::test]
async fn readiness_names_the_part_in_the_way() {
    for (parts, status, word) in [
        (vec![part("database", true, true)], 200, "ready"),
        (
            vec![
                part("database", true, true),
                part("order_view", false, false),
            ],
            200,
            "degraded",
        ),
        (vec![part("database", false, true)], 503, "failing"),
    ] {
        let world = World::with(|state| state.parts = Arc::new(FixedParts(parts)));
        let answer = get(&world, "/readyz").await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["status"].as_str()),
            (status, Some(word))
        );
        assert!(answer.json()["parts"][0]["name"].is_string());
        assert_eq!(get(&world, "/livez").await.status, StatusCode::OK);
        world.state.lifecycle.stop();
        let stopping = get(&world, "/readyz").await;
        assert_eq!(
            (stopping.status.as_u16(), stopping.json()["status"].as_str()),
            (503, Some("stopping"))
        );
    }
}

#[tokio::test]
async fn metrics_are_for_this_machine_or_for_operators() {
    let world = World::new();
    let ask = async |peer: Option<&str>, token: Option<String>| {
        let mut request = HttpRequest::get("/metrics");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut request = request.body(Body::empty()).unwrap();
        if let Some(peer) = peer {
            request
                .extensions_mut()
                .insert(Peer(peer.parse::<SocketAddr>().unwrap()));
        }
        world.send(request).await.status.as_u16()
    };
    assert_eq!(ask(Some("127.0.0.1:1"), None).await, 200);
    assert_eq!(ask(Some("192.0.2.1:1"), None).await, 401);
    assert_eq!(ask(None, None).await, 401);
    assert_eq!(
        ask(Some("192.0.2.1:1"), Some(world.token(Role::Auditor, &[]))).await,
        403
    );
    assert_eq!(
        ask(Some("192.0.2.1:1"), Some(world.token(Role::Ops, &[]))).await,
        200
    );
}

#[tokio::test]
async fn the_work_bench_needs_no_other_host() {
    let world = World::new();
    for path in [
        "/graphiql",
        "/graphiql/graphiql.js",
        "/graphiql/graphiql.css",
        "/graphiql/licenses.txt",
    ] {
        let answer = get(&world, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("script-src 'self';"),
            "{policy}"
        );
    }
    assert!(!get(&world, "/graphiql").await.body.contains("://"));
    let off = World::with(|state| state.graphiql = false);
    assert_eq!(get(&off, "/graphiql").await.status, StatusCode::NOT_FOUND);
    let missing = get(&world, "/nowhere").await;
    assert_eq!(
        (missing.status, missing.json()["code"].as_str()),
        (StatusCode::NOT_FOUND, Some("REQ-007"))
    );
    let known = get(&world, "/problems/ORD-002").await.body;
    assert!(known.contains("exists already") && known.contains("HTTP status 409"));
    let unknown = get(&world, "/problems/x").await;
    assert_eq!(
        (unknown.status, unknown.header("content-type")),
        (StatusCode::NOT_FOUND, "application/problem+json")
    );
    assert_eq!(unknown.json()["detail"], "no problem has this code");
    assert_eq!(unknown.json()["traceId"], unknown.header("x-trace-id"));
}

/// A served world and the way to stop it.
async fn served(
    change: impl FnOnce(&mut ServeOptions),
) -> (
    World,
    SocketAddr,
    tokio::sync::oneshot::Sender<()>,
    tokio::task::JoinHandle<()>,
) {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let mut options = ServeOptions {
        limits: world.state.limits,
        rates: world.state.rates.clone(),
        tls: None,
        lifecycle: world.state.lifecycle.clone(),
        notice: Duration::ZERO,
        drain: Duration::from_secs(5),
    };
    change(&mut options);
    let router = world.router.clone();
    let task = tokio::spawn(async move {
        serve(listener, router, options, async { stopped.await.unwrap() })
            .await
            .unwrap();
    });
    (world, address, stop, task)
}

async fn read_some(stream: &mut TcpStream) -> String {
    let mut buffer = vec![0; 64 * 1024];
    let n = stream.read(&mut buffer).await.unwrap();
    String::from_utf8_lossy(&buffer[..n]).into_owned()
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let (_world, address, stop, task) = served(|_| {}).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    for _ in 0..3 {
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
    // HTTP/2 by prior knowledge: the server answers the preface with its settings.
    let mut h2 = TcpStream::connect(address).await.unwrap();
    h2.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    let mut frame = [0; 9];
    h2.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[3], 4);
    drop(h2);
    stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(4), task)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn slow_headers_are_cut_off() {
    let (_world, address, _stop, _task) =
        served(|o| o.limits.header_timeout = Duration::from_millis(100)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream
        .write_all(b"GET /livez HTTP/1.1\r\nHost:")
        .await
        .unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(3), stream.read(&mut [0; 64])).await;
    assert!(ended.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn who_does_not_say_which_http_it_speaks_is_cut_off() {
    let (_world, address, _stop, _task) =
        served(|o| o.limits.header_timeout = Duration::from_millis(100)).await;
    for said in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(3), stream.read(&mut [0; 64])).await;
        assert!(ended.is_ok(), "{said:?} keeps its connection");
    }
}

#[tokio::test]
async fn a_first_line_in_pieces_is_put_together() {
    let (_world, address, _stop, _task) = served(|_| {}).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    // As the preface of HTTP/2 begins, too.
    for piece in ["P", "R", "OPFIND /metrics HTTP/1.1\r\n", "Host: x\r\n\r\n"] {
        stream.write_all(piece.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(read_some(&mut stream).await.starts_with("HTTP/1.1 405"));
}

#[tokio::test]
async fn requests_in_work_are_finished_before_the_end() {
    let (world, address, stop, task) = served(|o| o.notice = Duration::from_millis(200)).await;
    *world.fake.slow.lock().unwrap() = Duration::from_millis(600);
    let body =
        serde_json::json!({ "query": fake::PLACE, "variables": { "input": fake::place_input() } })
            .to_string();
    let token = world.token(Role::Admin, &[]);
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    // During the notice the door is open and readiness is not.
    let mut probe = TcpStream::connect(address).await.unwrap();
    probe
        .write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    assert!(read_some(&mut probe).await.starts_with("HTTP/1.1 503"));
    let answer = read_some(&mut stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("\"problems\":[]"),
        "{answer}"
    );
    tokio::time::timeout(Duration::from_secs(4), task)
        .await
        .unwrap()
        .unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
