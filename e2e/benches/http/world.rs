//! The two ledgers, and what is asked.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use e2e::{Api, Certificate, Program, ProgramOptions, Trust, bench::processor_time, free_port};
use serde::Serialize;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    Cell, Plan,
    h2load::{Load, Way},
};

/// What a client asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Question {
    /// One order with its lines.
    Order,
    /// A page of a list.
    Orders,
}

impl Question {
    pub(crate) const ALL: [Self; 2] = [Self::Order, Self::Orders];

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Order => {
                "query($id: ID!) { order(id: $id) { id number status placedAt totals { orderTotal cashDue } \
                 lines { lineNumber sku quantity unitPrice } } }"
            }
            Self::Orders => {
                "{ orders(first: 25) { edges { node { id number status placedAt totals { orderTotal } } } } }"
            }
        }
    }
}

/// One ledger under load.
struct Door {
    program: Program,
    token: String,
    /// Plain, whatever the API is.
    operations: Api,
    /// The request of each question, as it goes over the wire.
    bodies: [PathBuf; Question::ALL.len()],
}

pub(crate) struct World {
    plain: Door,
    tls: Door,
    _files: TempDir,
}

impl World {
    pub(crate) async fn start() -> Result<Self> {
        let files = tempfile::tempdir()?;
        let certificate = Certificate::make(files.path(), "bench");
        let trust = certificate.trust(&[]);
        let shown = certificate.environment().to_vec();
        Ok(Self {
            plain: Door::open("plain", Vec::new(), None, &files).await?,
            tls: Door::open("tls", shown, Some(&trust), &files).await?,
            _files: files,
        })
    }

    pub(crate) async fn measure(
        &self,
        plan: &Plan,
        round: usize,
        question: Question,
        way: Way,
    ) -> Result<Cell> {
        let door = if way.is_tls() { &self.tls } else { &self.plain };
        let load = Load {
            way,
            address: &door.program.address,
            token: &door.token,
            body: &door.bodies[question as usize],
        };
        let requests = load.warm_up(plan.seconds).await?;
        let before = door.counted().await?;
        let seen = load.send(requests).await?;
        let after = door.counted().await?;
        let requests = after.requests - before.requests;
        // The second look came over one, too.
        let connections = after.connections - before.connections - 1.0;
        ensure!(requests > 0.0 && connections > 0.0, "nothing was counted");
        Ok(Cell {
            round,
            question,
            way,
            seen,
            requests_per_connection: requests / connections,
            ledger_micros: (after.busy - before.busy).as_secs_f64() * 1e6 / requests,
        })
    }
}

/// What a ledger says of itself, and the system of it.
struct Counted {
    requests: f64,
    connections: f64,
    busy: Duration,
}

impl Door {
    async fn open(
        name: &str,
        mut env: Vec<(&'static str, String)>,
        trust: Option<&Trust>,
        files: &TempDir,
    ) -> Result<Self> {
        let operations = format!("127.0.0.1:{}", free_port());
        env.extend([
            ("LEDGER_DEMO", "true".to_owned()),
            ("LEDGER_OPS_LISTEN", operations.clone()),
            ("LEDGER_CACHE_BACK_END", "memory".to_owned()),
            ("LEDGER_CACHE_REDIS_URL", String::new()),
            ("LEDGER_LOG_LEVEL", "warn".to_owned()),
            // Nobody asks as much in a minute: what is measured must not be turned away for that.
            ("LEDGER_LIMITS_REQUESTS_LOAD", "0".to_owned()),
            ("LEDGER_LIMITS_POINTS_LOAD", "0".to_owned()),
        ]);
        let program = Program::start(ProgramOptions {
            database: None,
            data_dir: None,
            env,
        })
        .await;
        let token = program.load_token("admin");
        let mut api = program.api(&token);
        if let Some(trust) = trust {
            api = api.over_tls(trust);
        }
        let first = api
            .graphql("{ orders(first: 1) { edges { node { id } } } }", json!({}))
            .await;
        let order = &first["orders"]["edges"][0]["node"]["id"];
        ensure!(order.is_string(), "the demo has no orders: {first}");
        let mut bodies = Vec::new();
        for question in Question::ALL {
            let variables = match question {
                Question::Order => json!({ "id": order }),
                Question::Orders => json!({}),
            };
            let answer = api.graphql(question.text(), variables.clone()).await;
            ensure!(
                answer.to_string().contains("orderTotal"),
                "{question:?}: {answer}"
            );
            let path = files.path().join(format!("{name}-{question:?}.json"));
            let body = json!({ "query": question.text(), "variables": variables });
            std::fs::write(&path, body.to_string())?;
            bodies.push(path);
        }
        Ok(Self {
            program,
            token,
            operations: Api::new(operations, String::new()),
            bodies: bodies.try_into().ok().context("a body each")?,
        })
    }

    async fn counted(&self) -> Result<Counted> {
        let answer = self.operations.try_get("/metrics").await?;
        let text = String::from_utf8_lossy(&answer.body);
        let sum = |name: &str| {
            let lines = text.lines().filter(|line| {
                let rest = line.strip_prefix(name);
                rest.is_some_and(|rest| rest.starts_with([' ', '{']))
            });
            let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
            values.sum()
        };
        Ok(Counted {
            requests: sum("ledger_api_request_seconds_count"),
            connections: sum("ledger_api_connections_total"),
            busy: processor_time(self.program.pid()),
        })
    }
}
