//! Callers that place orders and walk them, repeat what was not answered, and write down what they were told.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use e2e::Api;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value;
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

use super::{
    history::{Issued, Told},
    steps::{STEPS, Step},
};

/// A request without an answer this long after it was sent breaks the API's own limit of 10 s.
const ANSWER_LIMIT: Duration = Duration::from_secs(15);
/// A command that nobody answers for so long, however often it is repeated, is a failure.
const RETRY_LIMIT: Duration = Duration::from_secs(60);
/// The longest pause before a command is repeated.
const LONGEST_PAUSE_MS: u64 = 100;
/// One unanswered placing in so many is given up: its outcome stays unknown.
const GIVEN_UP: u32 = 4;

/// What the callers saw together.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) acknowledged: AtomicU64,
    /// Requests whose connection was refused or broke.
    pub(super) silent: AtomicU64,
    /// Typed answers that ask for a repeat.
    pub(super) try_again: AtomicU64,
    /// The longest wait for an answer, in milliseconds.
    pub(super) slowest_ms: AtomicU64,
    /// Answers that should never be given.
    pub(super) wrong: Mutex<Vec<String>>,
}

/// The running callers.
pub(super) struct Callers {
    stop: Arc<AtomicBool>,
    pub(super) tally: Arc<Tally>,
    tasks: Vec<JoinHandle<Caller>>,
}

/// What the callers have when they are done.
pub(super) struct Outcome {
    pub(super) history: Vec<Issued>,
    /// The last state of each order that its caller was shown.
    pub(super) states: BTreeMap<String, Value>,
}

impl Callers {
    /// Starts so many; each asks whatever API is current.
    pub(super) fn start(count: u64, seed: u64, api: &watch::Receiver<Api>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let tally = Arc::new(Tally::default());
        let tasks = (0..count).map(|n| {
            let caller = Caller {
                api: api.clone(),
                stop: Arc::clone(&stop),
                tally: Arc::clone(&tally),
                random: StdRng::seed_from_u64(seed ^ (n + 1)),
                history: Vec::new(),
                states: BTreeMap::new(),
            };
            tokio::spawn(caller.run())
        });
        Self {
            tasks: tasks.collect(),
            stop: Arc::clone(&stop),
            tally: Arc::clone(&tally),
        }
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.tally.acknowledged.load(Ordering::Relaxed)
    }

    /// Lets every caller get its answer, and no new command begin.
    pub(super) async fn finish(self) -> Outcome {
        self.stop.store(true, Ordering::Relaxed);
        let (mut history, mut states) = (Vec::new(), BTreeMap::new());
        for task in self.tasks {
            let caller = task.await.expect("a caller does not panic");
            history.extend(caller.history);
            states.extend(caller.states);
        }
        Outcome { history, states }
    }
}

struct Caller {
    api: watch::Receiver<Api>,
    stop: Arc<AtomicBool>,
    tally: Arc<Tally>,
    random: StdRng,
    history: Vec<Issued>,
    states: BTreeMap<String, Value>,
}

/// What became of one request.
enum Answer {
    Done(Told, Value),
    TryAgain,
    Silence,
    Wrong(String),
}

impl Caller {
    async fn run(mut self) -> Self {
        while !self.stop.load(Ordering::Relaxed) {
            self.walk().await;
        }
        self
    }

    /// Takes one order as far as the callers' time allows.
    async fn walk(&mut self) {
        let mut order: Option<String> = None;
        for step in &STEPS {
            if order.is_some() && self.stop.load(Ordering::Relaxed) {
                return;
            }
            let command_id = Uuid::now_v7();
            let told = self
                .until_answered(step, command_id, order.as_deref())
                .await;
            let next = told.as_ref().map(|told| told.order_id.clone());
            self.history.push(Issued { command_id, told });
            let Some(next) = next else { return };
            order = Some(next);
        }
    }

    /// Repeats the command until it is answered; `None` when it was given up or answered wrongly.
    async fn until_answered(
        &mut self,
        step: &Step,
        command_id: Uuid,
        order: Option<&str>,
    ) -> Option<Told> {
        let (query, variables) = (step.query(), step.variables(command_id, order));
        let began = Instant::now();
        while began.elapsed() < RETRY_LIMIT {
            let api = self.api.borrow().clone();
            let sent = Instant::now();
            let request = tokio::time::timeout(ANSWER_LIMIT, api.try_graphql(&query, &variables));
            let answer = match request.await {
                Ok(Ok(response)) if response.status == 503 => Answer::TryAgain,
                Ok(Ok(response)) => read(step, command_id, response.status, &response.body),
                Ok(Err(_)) => Answer::Silence,
                Err(_) => Answer::Wrong(format!("no answer within {ANSWER_LIMIT:?}")),
            };
            let waited = u64::try_from(sent.elapsed().as_millis()).unwrap();
            self.tally.slowest_ms.fetch_max(waited, Ordering::Relaxed);
            match answer {
                Answer::Done(told, state) => {
                    self.states.insert(told.order_id.clone(), state);
                    self.tally.acknowledged.fetch_add(1, Ordering::Relaxed);
                    return Some(told);
                }
                Answer::TryAgain => self.tally.try_again.fetch_add(1, Ordering::Relaxed),
                Answer::Silence => self.tally.silent.fetch_add(1, Ordering::Relaxed),
                Answer::Wrong(what) => {
                    self.wrong(format!("{} {command_id}: {what}", step.field));
                    return None;
                }
            };
            if order.is_none() && self.random.random_ratio(1, GIVEN_UP) {
                return None;
            }
            let pause = self.random.random_range(10..=LONGEST_PAUSE_MS);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        self.wrong(format!(
            "{} {command_id}: not answered within {RETRY_LIMIT:?}",
            step.field
        ));
        None
    }

    fn wrong(&self, what: String) {
        // One wrong answer is enough to fail; the load goes on without this order.
        self.tally.wrong.lock().unwrap().push(what);
    }
}

/// Everything but a receipt that fits the command, or a typed request to repeat it, is wrong.
fn read(step: &Step, command_id: Uuid, status: u16, body: &[u8]) -> Answer {
    let text = || format!("{status}: {}", String::from_utf8_lossy(body));
    let Ok(answer) = serde_json::from_slice::<Value>(body) else {
        return Answer::Wrong(text());
    };
    let payload = &answer["data"][step.field];
    if status != 200 || !answer["errors"].is_null() || payload.is_null() {
        return Answer::Wrong(text());
    }
    let problems = payload["problems"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    if !problems.is_empty() {
        let again = problems.iter().all(|p| p["retryable"] == true) && payload["receipt"].is_null();
        return if again {
            Answer::TryAgain
        } else {
            Answer::Wrong(text())
        };
    }
    let (Some(told), state) = (told(&payload["receipt"]), &payload["order"]) else {
        return Answer::Wrong(text());
    };
    let fits = payload["receipt"]["commandId"] == command_id.to_string()
        && state["id"] == told.order_id.as_str()
        && state["version"] == told.version
        && state["statusCode"] == step.status;
    if fits {
        Answer::Done(told, state.clone())
    } else {
        Answer::Wrong(text())
    }
}

fn told(receipt: &Value) -> Option<Told> {
    let ids = receipt["eventIds"].as_array()?;
    Some(Told {
        order_id: receipt["orderId"].as_str()?.to_owned(),
        version: receipt["version"].as_i64()?,
        position: receipt["position"].as_str()?.parse().ok()?,
        event_ids: ids
            .iter()
            .map(|id| id.as_str()?.parse().ok())
            .collect::<Option<_>>()?,
    })
}
