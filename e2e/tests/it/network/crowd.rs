//! What one address, and one client that reads nothing, can hold of the server.

use std::time::{Duration, Instant};

use bytes::Bytes;
use e2e::{Api, Program, eventually, fresh_database};
use http_body_util::{BodyExt, Empty};
use hyper::{Request, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinHandle,
};

use super::{figure, operated};

/// The ledger's own bound, and a margin for a busy machine.
const SEND_LIMIT: Duration = Duration::from_secs(30);
const MARGIN: Duration = Duration::from_secs(20);
/// More than a megabyte, and asked for without a token.
const LARGE: &str = "/graphiql/graphiql.js";

async fn start(more: &[(&'static str, &str)]) -> (Program, Api) {
    let settings = more
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()));
    operated(&fresh_database().await, settings.collect()).await
}

/// How many connections were closed for a reason.
async fn closed(operations: &Api, reason: &str) -> f64 {
    let name = format!("ledger_api_connections_closed_total{{reason=\"{reason}\"}}");
    figure(operations, &name).await
}

/// A connection from an address of this machine.
async fn connect(program: &Program, from: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let address = program.address.parse().unwrap();
    socket.connect(address).await.unwrap()
}

/// Whether the server answers on a connection, which stays open.
async fn is_answered(stream: &mut TcpStream) -> bool {
    let asked = stream.write_all(b"GET /problems/ORD-002 HTTP/1.1\r\nHost: x\r\n\r\n");
    if asked.await.is_err() {
        return false;
    }
    let mut head = [0; 12];
    // A reset is an end, too.
    stream.read_exact(&mut head).await.is_ok() && head == *b"HTTP/1.1 200"
}

type Asker = http2::SendRequest<Empty<Bytes>>;

/// An HTTP/2 connection that answers pings and has room for `window` bytes of each answer; the task ends with it.
async fn by_http2(stream: TcpStream, window: u32) -> (Asker, JoinHandle<()>) {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(window);
    let (asker, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    let ended = tokio::spawn(async move {
        // A reset is an end, too.
        let _ = connection.await;
    });
    (asker, ended)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_cannot_hold_every_connection() {
    let (program, operations) = start(&[
        ("LEDGER_LIMITS_CONNECTIONS_PER_ADDRESS", "3"),
        ("LEDGER_LIMITS_REQUESTS_LOOPBACK", "true"),
        ("LEDGER_LIMITS_TRUSTED_PROXIES", "127.0.0.3"),
    ])
    .await;
    // Whoever asked before the program was ready is gone.
    eventually("nothing is open", async || {
        let text = operations.get("/metrics").await.body;
        // One is this very look.
        String::from_utf8_lossy(&text)
            .contains("ledger_api_connections 1\n")
            .then_some(())
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(by_http2(connect(&program, "127.0.0.1").await, 65_535).await);
    }
    // A WebSocket is one of them as well.
    let mut socket = connect(&program, "127.0.0.1").await;
    let upgrade = "GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n";
    socket.write_all(upgrade.as_bytes()).await.unwrap();
    let mut head = [0; 12];
    socket.read_exact(&mut head).await.unwrap();
    assert_eq!(head, *b"HTTP/1.1 101");

    let mut fourth = connect(&program, "127.0.0.1").await;
    assert!(!is_answered(&mut fourth).await);
    assert!(closed(&operations, "address").await >= 1.0);
    // Nobody else is held up, and a proxy has as many as it likes.
    assert!(is_answered(&mut connect(&program, "127.0.0.2").await).await);
    let mut of_proxy = Vec::new();
    for _ in 0..5 {
        let mut stream = connect(&program, "127.0.0.3").await;
        assert!(is_answered(&mut stream).await);
        of_proxy.push(stream);
    }
    drop(socket);
    eventually("there is room again", async || {
        let mut next = connect(&program, "127.0.0.1").await;
        is_answered(&mut next).await.then_some(())
    })
    .await;
    assert!(held.iter().all(|(_, ended)| !ended.is_finished()));
}

/// By HTTP/1.1: asks for far more than the systems on both ends keep, and reads nothing.
async fn reads_nothing_by_http1(program: &Program) -> Duration {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket
        .connect(program.address.parse().unwrap())
        .await
        .unwrap();
    let request = format!("GET {LARGE} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream
        .write_all(request.repeat(20).as_bytes())
        .await
        .unwrap();
    let started = Instant::now();
    // Writing on tells when the other end is gone; what comes is left where it is.
    while stream.write_all(b"\r\n").await.is_ok() {
        let waited = started.elapsed();
        assert!(waited < SEND_LIMIT + MARGIN, "it is open after {waited:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    started.elapsed()
}

/// By HTTP/2: lets come what its window holds, and no more; pings are answered all the time.
async fn reads_nothing_by_http2(program: &Program, window: u32) -> Duration {
    let (mut asker, ended) = by_http2(connect(program, "127.0.0.1").await, window).await;
    let request = Request::get(format!("http://{}{LARGE}", program.address));
    let request = request.body(Empty::new()).unwrap();
    let mut response = asker.send_request(request).await.unwrap();
    assert_eq!(response.status(), 200);
    let started = Instant::now();
    tokio::time::timeout(SEND_LIMIT + MARGIN, ended)
        .await
        .expect("it is closed")
        .unwrap();
    let waited = started.elapsed();
    // What was kept of it is not the whole.
    let mut taken = 0;
    while let Some(Ok(frame)) = response.frame().await {
        taken += frame.into_data().map_or(0, |data| data.len());
    }
    assert!(taken < 1_000_000, "{taken}");
    waited
}

/// Takes its time, but takes all.
async fn reads_slowly(program: &Program) {
    let (mut asker, _) = by_http2(connect(program, "127.0.0.1").await, 400_000).await;
    let request = Request::get(format!("http://{}{LARGE}", program.address));
    let request = request.body(Empty::new()).unwrap();
    let mut response = asker.send_request(request).await.unwrap();
    let (started, mut taken, mut pause) = (Instant::now(), 0, 0);
    while let Some(frame) = response.frame().await {
        taken += frame.unwrap().into_data().map_or(0, |data| data.len());
        // Thrice within the answer, and longer in all than nothing may be taken.
        if taken / 300_000 > pause {
            pause += 1;
            tokio::time::sleep(SEND_LIMIT / 2).await;
        }
    }
    assert!(taken > 1_000_000 && started.elapsed() > SEND_LIMIT);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_nothing_of_an_answer_is_cut_off() {
    let (program, operations) = start(&[]).await;
    let (by_http1, shut, narrow, ()) = tokio::join!(
        reads_nothing_by_http1(&program),
        reads_nothing_by_http2(&program, 0),
        reads_nothing_by_http2(&program, 10_000),
        reads_slowly(&program),
    );
    for waited in [by_http1, shut, narrow] {
        assert!(waited > SEND_LIMIT / 2, "{waited:?}");
    }
    // Each of the three is counted once.
    assert_eq!(closed(&operations, "unread").await.to_string(), "3");
}
