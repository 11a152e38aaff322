//! A ledger that reads from replicas, and readers who never stop.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use e2e::{
    Api, Program, ProgramOptions, Response, eventually, orders,
    servers::{Primary, Replica},
};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use tokio::task::JoinHandle;
use uuid::Uuid;

/// A position that no log of a test reaches.
pub(super) const FAR: i64 = 1_000_000;

const PLACE: &str = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) {
    order { id } receipt { position } problems { code message } } }";
const ORDER: &str =
    "query($id: ID!, $fresh: Fresh) { order(id: $id, fresh: $fresh) { id number } }";

/// A primary, a replica of it, and a ledger that reads from the replica.
pub(super) struct World {
    // The ledger goes first, then its servers.
    pub(super) program: Program,
    pub(super) admin: Api,
    pub(super) replica: Replica,
    pub(super) primary: Primary,
}

/// The world, when the replica is read from.
pub(super) async fn world(max_lag: &str) -> World {
    world_with(max_lag, &[]).await
}

/// As [`world`], with nothing kept: what was read on the primary would be found again.
pub(super) async fn forgetful_world(max_lag: &str) -> World {
    world_with(max_lag, &[("LEDGER_CACHE_BACK_END", "none")]).await
}

/// As [`world`], with one connection to the replica and nothing kept: who reads takes the connection.
pub(super) async fn narrow_world(max_lag: &str) -> World {
    world_with(
        max_lag,
        &[
            ("LEDGER_REPLICA_POOL_MAX", "1"),
            ("LEDGER_CACHE_BACK_END", "none"),
        ],
    )
    .await
}

async fn world_with(max_lag: &str, more: &[(&'static str, &str)]) -> World {
    let primary = Primary::start().await;
    let replica = Replica::of(&primary).await;
    let program = ledger_with(&primary, &[replica.app()], max_lag, more).await;
    let world = World {
        admin: program.admin(),
        program,
        replica,
        primary,
    };
    world.until("ready").await;
    world
}

/// A ledger on a primary that reads from replicas.
pub(super) async fn ledger(
    primary: &Primary,
    replicas: &[PgConnectOptions],
    max_lag: &str,
) -> Program {
    ledger_with(primary, replicas, max_lag, &[]).await
}

async fn ledger_with(
    primary: &Primary,
    replicas: &[PgConnectOptions],
    max_lag: &str,
    more: &[(&'static str, &str)],
) -> Program {
    let mut env = primary.environment(replicas);
    env.push(("LEDGER_REPLICA_MAX_LAG", max_lag.to_owned()));
    env.extend(more.iter().map(|&(name, value)| (name, value.to_owned())));
    Program::start(ProgramOptions {
        database: None,
        data_dir: None,
        env,
    })
    .await
}

/// Why a part of the ledger is how it is, as `/readyz` has it.
pub(super) async fn part(api: &Api, name: &str) -> String {
    let ready = api.get("/readyz").await.json();
    let parts = ready["parts"].as_array().unwrap();
    let part = parts.iter().find(|part| part["name"] == name);
    part.unwrap_or_else(|| panic!("no part {name}: {ready}"))["detail"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// A metric's value; 0 where it has none yet. The labels as `a="b",c="d"`, in any order.
pub(super) async fn metric(api: &Api, name: &str, labels: &[&str]) -> f64 {
    let answer = api.get("/metrics").await;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let lines = text.lines().filter(|line| line.starts_with(name));
    lines
        .filter(|line| labels.iter().all(|label| line.contains(label)))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

impl World {
    /// Waits until the replica stands so.
    pub(super) async fn until(&self, standing: &str) {
        let what = format!("the replica is {standing}");
        eventually(&what, async || {
            let detail = part(&self.admin, "replica-1").await;
            detail.starts_with(&format!("{standing};")).then_some(())
        })
        .await;
    }

    /// Places an order; its id and the position of its receipt.
    pub(super) async fn place(&self) -> (String, i64) {
        let mut input = serde_json::to_value(orders::place()).unwrap();
        input["commandId"] = json!(Uuid::now_v7());
        let placed = self.admin.graphql(PLACE, json!({ "input": input })).await;
        let placed = &placed["placeOrder"];
        let position = placed["receipt"]["position"].as_str();
        let position = position.unwrap_or_else(|| panic!("{placed}"));
        (
            placed["order"]["id"].as_str().unwrap().to_owned(),
            position.parse().unwrap(),
        )
    }

    /// Reads an order, at least as of a position.
    pub(super) async fn order(&self, id: &str, min_position: i64, wait_ms: i64) -> Response {
        let fresh = json!({ "minPosition": min_position.to_string(), "waitMs": wait_ms });
        let variables = json!({ "id": id, "fresh": fresh });
        self.admin.try_graphql(ORDER, &variables).await.unwrap()
    }

    /// Whether an order is shown to somebody who demands nothing.
    pub(super) async fn shows(&self, id: &str) -> bool {
        let data = self.admin.graphql(ORDER, json!({ "id": id })).await;
        data["order"]["id"] == *id
    }

    /// Fields that a node has answered.
    pub(super) async fn reads(&self, node: &str) -> f64 {
        let node = format!("node=\"{node}\"");
        metric(&self.admin, "ledger_reads_total", &[&node]).await
    }

    /// Fields that a node has answered for a reason.
    pub(super) async fn reads_because(&self, node: &str, reason: &str) -> f64 {
        let labels = [format!("node=\"{node}\""), format!("reason=\"{reason}\"")];
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        metric(&self.admin, "ledger_reads_total", &labels).await
    }
}

/// Readers of lists, boards and metrics, each as fast as it is answered.
pub(super) struct Load {
    over: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    wrong: Arc<Mutex<Vec<String>>>,
    readers: Vec<JoinHandle<()>>,
}

/// How many orders stand where.
pub(super) const BOARD: &str = "{ storeBoard { storeId status count } }";

/// What the readers ask for in turn.
const QUESTIONS: [&str; 4] = [
    "{ orders(first: 20) { edges { node { id number } } } }",
    BOARD,
    "{ regions(from: \"2026-01-01\", to: \"2026-02-01\") { position } }",
    "{ cashBalances { total } }",
];

impl Load {
    /// Starts `readers` of everything; their answers only have to be there.
    pub(super) fn start(api: &Api, readers: usize) -> Self {
        Self::of(api, readers, &QUESTIONS, |_| true)
    }

    /// Starts `readers`; `right` says of each answer's data whether it may be.
    pub(super) fn of(
        api: &Api,
        readers: usize,
        questions: &'static [&str],
        right: fn(&Value) -> bool,
    ) -> Self {
        let mut load = Self {
            over: Arc::default(),
            answered: Arc::default(),
            wrong: Arc::default(),
            readers: Vec::new(),
        };
        for first in 0..readers {
            let api = api.clone();
            let (over, answered, wrong) = (
                Arc::clone(&load.over),
                Arc::clone(&load.answered),
                Arc::clone(&load.wrong),
            );
            load.readers.push(tokio::spawn(async move {
                for question in questions.iter().cycle().skip(first) {
                    if over.load(Ordering::SeqCst) {
                        break;
                    }
                    match api.try_graphql(question, &json!({})).await {
                        Ok(answer) => {
                            let json = answer.json();
                            if json.get("errors").is_some() || !right(&json["data"]) {
                                wrong.lock().unwrap().push(json.to_string());
                            }
                        }
                        Err(error) => wrong.lock().unwrap().push(error.to_string()),
                    }
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            }));
        }
        load
    }

    /// Waits until so many more answers came.
    pub(super) async fn answers(&self, more: u64) {
        let enough = self.answered.load(Ordering::SeqCst) + more;
        eventually("the readers are answered", async || {
            (self.answered.load(Ordering::SeqCst) >= enough).then_some(())
        })
        .await;
    }

    /// Ends the readers: not one answer was wrong.
    pub(super) async fn end(self) {
        self.over.store(true, Ordering::SeqCst);
        for reader in self.readers {
            tokio::time::timeout(Duration::from_secs(30), reader)
                .await
                .expect("the readers end")
                .unwrap();
        }
        let wrong = self.wrong.lock().unwrap();
        assert!(
            wrong.is_empty(),
            "{} of {} answers were wrong, the first: {}",
            wrong.len(),
            self.answered.load(Ordering::SeqCst),
            wrong[0]
        );
    }
}
