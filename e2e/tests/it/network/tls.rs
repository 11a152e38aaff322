//! The listener over TLS, with a real certificate in real files.

use std::time::{Duration, Instant};

use e2e::{
    Api, Certificate, Database, Program, Trust, eventually, free_port, fresh_database, orders,
};
use rustls::version::{TLS12, TLS13};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use uuid::Uuid;

use super::{figure, operated};

const H2: &str = "h2";
const H1: &str = "http/1.1";
const ASK: &str = "{ orders(first: 1) { edges { node { id } } } }";
const PLACE: &str = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) { order { id } problems { code } } }";
const WATCH: &str = "subscription { storeBoard(storeIds: [\"CFR001\"]) { counts { storeId } } }";
/// The ledger's own bound for a handshake, and a margin for a busy machine.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
const MARGIN: Duration = Duration::from_secs(20);

/// A ledger that speaks TLS, and tells plainly how it is on a port of its own.
struct World {
    database: Database,
    directory: TempDir,
    certificate: Certificate,
    program: Program,
    operations: Api,
    token: String,
}

impl World {
    async fn start(more: &[(&'static str, &str)]) -> Self {
        let database = fresh_database().await.with_stores().await;
        let directory = tempfile::tempdir().unwrap();
        let certificate = Certificate::make(directory.path(), "first");
        let mut settings = Vec::from(certificate.environment());
        settings.extend(
            more.iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        let (program, operations) = operated(&database, settings).await;
        Self {
            token: program.load_token("admin"),
            operations,
            database,
            directory,
            certificate,
            program,
        }
    }

    fn api(&self, protocols: &[&str]) -> Api {
        self.api_that(&self.certificate.trust(protocols))
    }

    fn api_that(&self, trust: &Trust) -> Api {
        self.program.api(&self.token).over_tls(trust)
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.program.address).await.unwrap()
    }

    /// A counter or gauge, as the operations port tells it.
    async fn figure(&self, name: &str) -> f64 {
        figure(&self.operations, name).await
    }

    async fn refused(&self, reason: &str) -> f64 {
        self.figure(&format!(
            "ledger_api_tls_refused_total{{reason=\"{reason}\"}}"
        ))
        .await
    }
}

async fn place(api: &Api) {
    let mut input = serde_json::to_value(orders::place()).unwrap();
    input["commandId"] = json!(Uuid::now_v7());
    let placed = api.graphql(PLACE, json!({ "input": input })).await;
    assert!(placed["placeOrder"]["order"]["id"].is_string(), "{placed}");
}

/// The rest of what comes, until the peer closes.
async fn rest(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut all = Vec::new();
    // A reset is an end, too.
    let _ = tokio::time::timeout(MARGIN, stream.read_to_end(&mut all))
        .await
        .expect("the connection ends");
    String::from_utf8_lossy(&all).into_owned()
}

#[tokio::test]
async fn both_protocols_are_agreed_on_and_answer() {
    let world = World::start(&[]).await;
    for (offered, wanted) in [
        (&[H2, H1][..], Some(H2)),
        (&[H1, H2], Some(H2)),
        (&[H2], Some(H2)),
        (&[H1], Some(H1)),
        (&[], None),
    ] {
        let trust = world.certificate.trust(offered);
        let stream = trust.connect(world.connect().await).await.unwrap();
        let agreed = stream.get_ref().1.alpn_protocol();
        assert_eq!(agreed, wanted.map(str::as_bytes), "{offered:?}");
        world.api_that(&trust).graphql(ASK, json!({})).await;
    }
    for version in [&TLS12, &TLS13] {
        let trust = world.certificate.trust_in(&[H2], &[version]);
        place(&world.api_that(&trust)).await;
    }
    let strange = world.certificate.trust(&["spdy/1"]);
    assert!(strange.connect(world.connect().await).await.is_err());
    let stranger = Certificate::make(world.directory.path(), "stranger");
    let trust = stranger.trust(&[H2]);
    assert!(trust.connect(world.connect().await).await.is_err());
    eventually("both are counted", async || {
        (world.refused("failed").await >= 2.0).then_some(())
    })
    .await;
    // None of it is worth a line at the level of operation.
    assert!(
        !world.program.log().contains("handshake"),
        "{}",
        world.program.log()
    );
}

#[tokio::test]
async fn heads_have_one_bound_by_either_protocol() {
    let world = World::start(&[]).await;
    let body = json!({ "query": ASK }).to_string();
    for protocol in [H1, H2] {
        let api = world.api(&[protocol]);
        let send = async |bytes: usize| {
            let padding = "x".repeat(bytes);
            let headers = [
                ("content-type", "application/json"),
                ("x-padding", &padding),
            ];
            let sent = api.request(hyper::Method::POST, "/graphql", &headers, body.clone());
            sent.await.map(|answer| answer.status)
        };
        assert_eq!(send(40 * 1024).await.unwrap(), 200, "{protocol}");
        assert_eq!(send(80 * 1024).await.unwrap(), 431, "{protocol}");
    }
}

#[tokio::test]
async fn plain_http_is_told_where_to_go() {
    let world = World::start(&[]).await;
    let plain = world.program.api(&world.token);
    let answer = plain.get("/livez").await;
    let said = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(
        (answer.status, said.contains("https://")),
        (400, true),
        "{said}"
    );
    let posted = plain.try_graphql(ASK, &json!({})).await.unwrap();
    assert_eq!(posted.status, 400);
    let mut h2 = world.connect().await;
    h2.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await
        .unwrap();
    assert!(rest(&mut h2).await.starts_with("HTTP/1.1 400"));
    let mut noise = world.connect().await;
    noise.write_all(&[0; 64]).await.unwrap();
    assert_eq!(rest(&mut noise).await, "");
    eventually("each is counted", async || {
        (world.refused("plain").await >= 4.0).then_some(())
    })
    .await;
    drop(world.connect().await);
    eventually("who leaves at once is counted", async || {
        (world.refused("closed").await >= 1.0).then_some(())
    })
    .await;
    // Health has its own port, which stays plain.
    assert_eq!(world.operations.get("/livez").await.status, 200);
    world.api(&[H1]).graphql(ASK, json!({})).await;
}

#[tokio::test]
async fn who_never_ends_a_handshake_keeps_nobody_out_for_long() {
    // Room for four: three of them say nothing, or half of a greeting.
    let world = World::start(&[("LEDGER_LIMITS_CONNECTIONS", "4")]).await;
    let started = Instant::now();
    let mut slow = Vec::new();
    for said in [&b""[..], b"\x16\x03\x01", b"\x16\x03\x01\x01\x00\x01"] {
        let mut stream = world.connect().await;
        stream.write_all(said).await.unwrap();
        slow.push(stream);
    }
    eventually("handshakes are connections, too", async || {
        (world.figure("ledger_api_connections").await >= 3.0).then_some(())
    })
    .await;
    // They do not stand in the way of the fourth.
    world.api(&[H1]).graphql(ASK, json!({})).await;
    assert!(
        started.elapsed() < HANDSHAKE_LIMIT,
        "{:?}",
        started.elapsed()
    );
    let fourth = world.connect().await;
    // The fifth waits outside until the first of them is dropped.
    world.api(&[H1]).graphql(ASK, json!({})).await;
    let waited = started.elapsed();
    assert!(
        waited > HANDSHAKE_LIMIT / 2 && waited < HANDSHAKE_LIMIT + MARGIN,
        "{waited:?}"
    );
    for mut stream in slow {
        rest(&mut stream).await;
    }
    drop(fourth);
    assert!(world.refused("slow").await >= 3.0);
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_up_and_a_bad_one_is_not() {
    let world = World::start(&[]).await;
    let old = world.certificate.trust(&[H2]);
    // Has no session to come back to, which would need no certificate.
    let newcomer = world.certificate.trust(&[H2]);
    let kept = old.connect(world.connect().await).await.unwrap();
    let used = &world.certificate;

    // Half of a pair, and then no certificate at all: the old one stays, and the log says why, once for each.
    let renewed = Certificate::make_for(world.directory.path(), "renewed", 3);
    let key = std::fs::read(&used.key).unwrap();
    std::fs::copy(&renewed.key, &used.key).unwrap();
    warned(&world, 1).await;
    std::fs::write(&used.cert, "none").unwrap();
    warned(&world, 2).await;
    assert!(world.program.log().contains("BEGIN CERTIFICATE"));
    std::fs::write(&used.key, key).unwrap();
    warned(&world, 3).await;
    std::fs::remove_file(&used.cert).unwrap();
    warned(&world, 4).await;
    place(&world.api_that(&old)).await;

    // When it ends can be watched: within two days, as it was made.
    let first = world.figure("ledger_api_tls_certificate_end_seconds").await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let left = first - now.unwrap().as_secs_f64();
    assert!((0.0..=2.0 * 86_400.0).contains(&left), "{left}");

    used.replace_by(&renewed);
    let new = renewed.trust(&[H2]);
    eventually("the renewed certificate is shown", async || {
        new.connect(world.connect().await).await.ok()
    })
    .await;
    place(&world.api_that(&new)).await;
    assert!(newcomer.connect(world.connect().await).await.is_err());
    assert!(
        world
            .program
            .log()
            .contains("a renewed certificate is in use")
    );
    // It ends a day later.
    let second = world.figure("ledger_api_tls_certificate_end_seconds").await;
    assert!(second >= first + 86_400.0, "{first} {second}");
    // Who was connected stays so.
    drop(kept);
}

async fn warned(world: &World, times: usize) {
    eventually("the bad files are told of", async || {
        let log = world.program.log();
        let told = log.matches("the certificate in use stays").count();
        assert!(told <= times, "{log}");
        (told == times).then_some(())
    })
    .await;
}

#[tokio::test]
async fn subscriptions_work_over_tls() {
    let world = World::start(&[]).await;
    for protocol in [H1, H2] {
        let mut answers = world.api(&[protocol]).subscribe(WATCH).await;
        answers.next_data().await;
        place(&world.api(&[H2])).await;
        let told = answers.next_data().await;
        assert_eq!(
            told["storeBoard"]["counts"][0]["storeId"], "CFR001",
            "{protocol}"
        );
    }
    let trust = world.certificate.trust(&[H1]);
    let mut socket = trust.connect(world.connect().await).await.unwrap();
    let head = format!(
        "GET /graphql HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n",
        world.program.address
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let init = json!({ "type": "connection_init",
        "payload": { "authorization": format!("Bearer {}", world.token) } });
    socket.write_all(&text_frame(&init)).await.unwrap();
    let (mut said, mut piece) = (String::new(), [0; 4096]);
    while !said.contains("connection_ack") {
        let read = tokio::time::timeout(MARGIN, socket.read(&mut piece));
        let read = read.await.unwrap().unwrap();
        assert!(read > 0, "{said}");
        said.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    assert!(said.starts_with("HTTP/1.1 101"), "{said}");
}

/// A masked text frame of a client (RFC 6455, 5.2); a mask of zeros leaves the text as it is.
fn text_frame(message: &Value) -> Vec<u8> {
    let text = message.to_string();
    let length = u16::try_from(text.len()).unwrap();
    let mut frame = vec![0x81, 0x80 | 126];
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(text.bytes());
    frame
}

#[tokio::test]
async fn a_stop_ends_handshakes_and_loses_no_request() {
    let mut world = World::start(&[]).await;
    let mut shaking = world.connect().await;
    shaking.write_all(b"\x16\x03\x01").await.unwrap();
    let api = world.api(&[H2]);
    // Waits for an event that does not come: in work when the stop begins.
    let asked = tokio::spawn(async move { api.try_get("/v1/events?after=latest&wait=2").await });
    eventually("it is in work", async || {
        (world.figure("ledger_api_feed_waiting").await >= 1.0).then_some(())
    })
    .await;
    let started = Instant::now();
    let status = world.program.stop().await;
    assert!(status.success(), "{}", world.program.log());
    let answer = asked.await.unwrap().unwrap();
    assert!(answer.status < 500, "{answer:?}");
    assert!(
        started.elapsed() < HANDSHAKE_LIMIT,
        "{:?}",
        started.elapsed()
    );
    assert!(
        !world.program.log().contains("did not finish"),
        "{}",
        world.program.log()
    );
    assert_eq!(rest(&mut shaking).await, "");
    drop(world.database);
}

#[tokio::test]
async fn what_is_no_pair_is_refused_before_anything_starts() {
    let directory = tempfile::tempdir().unwrap();
    let good = Certificate::make(directory.path(), "good");
    let other = Certificate::make(directory.path(), "other");
    let open = directory.path().join("open.key");
    std::fs::copy(&good.key, &open).unwrap();
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let missing = directory.path().join("missing");
    for (cert, key, said) in [
        (&missing, &good.key, "tls_cert: "),
        (&good.cert, &missing, "tls_key: "),
        (&good.cert, &open, "chmod o-rwx"),
        (&good.key, &good.key, "BEGIN CERTIFICATE"),
        (&good.cert, &good.cert, "readable by every account"),
        (&good.cert, &other.key, "are no pair"),
    ] {
        let env = [
            (
                "LEDGER_DATA_DIR",
                directory.path().join("data").display().to_string(),
            ),
            ("LEDGER_TLS_CERT", cert.display().to_string()),
            ("LEDGER_TLS_KEY", key.display().to_string()),
        ];
        let mut command = crate::start::ledger(&env);
        let output = command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{error}");
        assert!(error.contains(said), "{said}: {error}");
        assert!(!directory.path().join("data").exists());
    }
}

#[test]
fn the_program_tells_its_address_with_its_scheme() {
    let directory = e2e::reachable_directory();
    let good = Certificate::make(directory.path(), "good");
    let [cert, key] = good.environment();
    let data = directory.path().join("data").display().to_string();
    let mut command = crate::start::ledger(&[("LEDGER_DATA_DIR", data), cert, key]);
    let address = format!("127.0.0.1:{}", free_port());
    let mut child = command
        .args(["serve", "--demo", "--listen", &address])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let printed = std::io::BufReader::new(child.stdout.take().unwrap());
    let url = std::io::BufRead::lines(printed)
        .map_while(Result::ok)
        .find(|line| line.contains("ready"));
    let pid = child.id().to_string();
    let stopped = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status();
    assert!(stopped.unwrap().success() && child.wait().unwrap().success());
    let url = url.expect("it becomes ready");
    assert!(url.contains(&format!("https://{address}")), "{url}");
}
