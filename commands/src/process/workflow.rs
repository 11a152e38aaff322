//! Runs a valid order to released by itself: allocate, pay, release.
//!
//! It remembers no step. Each time it looks at the order's own state and does what is missing, so it goes on where
//! another program stopped, and a person may do any step in between. It stops where the store has somebody click the
//! release, where allocation has put the order on back order, and where a step is refused.
//!
//! An order on back order waits in the workflow's table until its store changes. As another program may know of that
//! change a little earlier than this one, a waiting order is tried once more some seconds later.

mod next;
mod rows;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    ids::{OrderId, StoreId},
    order::{Order, OrderEvent},
    store::StoreEvent,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use metrics::{counter, histogram};
use observability::names;
use sqlx::PgConnection;

use self::{
    next::{Ending, Next, Step, next},
    rows::Waiting,
};
use super::{
    fact::{Cause, Fact, Happening},
    hands::{Answer, Hands, Trouble},
    reactor::Process,
};
use crate::{directory, facts::Clock, load::Loaded};

/// Orders worked on at once.
const CONCURRENCY: usize = 32;
/// Looks at one order in one run: three steps, and as many again for people who get in between.
const MAX_LOOKS: usize = 6;
/// Waiting orders read at once.
const PAGE_WAITING: i64 = 200;
/// When an order on back order is tried once more: every program knows of a change by then.
const RETRY_AFTER: Duration = directory::MAX_AGE.saturating_add(Duration::from_secs(5));
/// When an order that met a fault of ours is tried again.
const FAULT_AFTER: Duration = Duration::from_secs(300);

/// The workflow of orders.
pub(crate) struct Workflow {
    hands: Hands,
    clock: Arc<dyn Clock>,
}

/// One order to be run, and why.
#[derive(Debug, Clone, Copy)]
struct Run {
    order_id: OrderId,
    cause: Cause,
    /// When it was placed, where this is its first run.
    placed_at: Option<DateTime<Utc>>,
    /// It waited, and its time came.
    is_retry: bool,
}

/// What a page leaves to remember: the orders that wait, and `None` for those that wait no more.
#[derive(Default)]
pub(crate) struct Rows(HashMap<OrderId, Option<Waiting>>);

impl Workflow {
    pub(crate) const fn new(hands: Hands, clock: Arc<dyn Clock>) -> Self {
        Self { hands, clock }
    }

    /// Runs orders, several at once.
    async fn run_all(&self, runs: Vec<Run>, rows: &mut Rows) -> Result<(), Trouble> {
        let endings: Vec<(Run, Ending)> = stream::iter(runs)
            .map(|run| async move { self.run(run).await.map(|ending| (run, ending)) })
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        for (run, ending) in endings {
            counter!(names::WORKFLOW_ORDERS_TOTAL, "outcome" => ending.as_str()).increment(1);
            let waiting = self.waiting(&run, ending);
            // An order in its first run has not waited.
            if waiting.is_some() || run.placed_at.is_none() {
                rows.0.insert(run.order_id, waiting);
            }
        }
        Ok(())
    }

    fn waiting(&self, run: &Run, ending: Ending) -> Option<Waiting> {
        let after = |pause| {
            let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::zero());
            Some(self.clock.now() + pause)
        };
        let (store_id, retry_at) = match ending {
            Ending::BackOrdered(store) if run.is_retry => (store, None),
            Ending::BackOrdered(store) => (store, after(RETRY_AFTER)),
            Ending::Fault(store) => (store, after(FAULT_AFTER)),
            _ => return None,
        };
        Some(Waiting {
            order_id: run.order_id,
            store_id,
            cause: run.cause,
            retry_at,
        })
    }

    /// Runs one order as far as it goes.
    async fn run(&self, run: Run) -> Result<Ending, Trouble> {
        let Some(mut order) = self.hands.recall::<Order>(&run.order_id).await? else {
            return Ok(Ending::Unknown);
        };
        let (mut done, mut auto_release) = (None, None);
        for _ in 0..MAX_LOOKS {
            let releases = match auto_release {
                Some(known) => known,
                None => *auto_release.insert(self.releases(&order.state.store_id).await?),
            };
            let step = match next(&order.state, releases, done) {
                Next::Stop(ending) => {
                    note_released(&run, &ending, done);
                    return Ok(ending);
                }
                Next::Do(step) => step,
            };
            match self.take(&run, step, &order).await? {
                Answer::Done(outcome) => (order, done) = (outcome.entity, Some(step)),
                Answer::Fault => return Ok(Ending::Fault(order.state.store_id.clone())),
                // Refused because somebody got in between? Then look again.
                Answer::Refused => match self.hands.load::<Order>(&run.order_id).await? {
                    Some(newest) if newest.version != order.version => order = newest,
                    _ => return Ok(Ending::Refused),
                },
            }
        }
        Ok(Ending::Refused)
    }

    async fn take(
        &self,
        run: &Run,
        step: Step,
        order: &Loaded<Order>,
    ) -> Result<Answer<Order>, Trouble> {
        let started = Instant::now();
        let command = step.command(&order.state);
        let command_id = step.command_id(run.cause.event_id, run.order_id, &order.state);
        let answer = self
            .hands
            .give::<Order>(run.order_id, command, command_id, run.cause)
            .await;
        histogram!(names::WORKFLOW_STEP_SECONDS, "step" => step.as_str()).record(started.elapsed());
        answer
    }

    /// Whether the store's orders are released without a click.
    async fn releases(&self, store: &StoreId) -> Result<bool, Trouble> {
        let facts = self
            .hands
            .bus()
            .stores()
            .facts(store, self.clock.now())
            .await?;
        // Of a store that nobody knows nothing is released by itself.
        Ok(facts.is_some_and(|f| f.auto_release))
    }

    /// Lets a store's waiting orders go on.
    async fn run_store(
        &self,
        store: &StoreId,
        cause: Cause,
        rows: &mut Rows,
    ) -> Result<(), Trouble> {
        self.hands.bus().stores().refresh().await?;
        let log = self.hands.bus().log();
        let mut after = None;
        // Ends: every page but the last moves on, and the rows are finite.
        loop {
            let page = rows::of_store(log, store, after, PAGE_WAITING).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.order_id);
            let runs = page.iter().map(|waiting| Run {
                order_id: waiting.order_id,
                // The event is the store's; what belongs together is the order's.
                cause: Cause {
                    event_id: cause.event_id,
                    ..waiting.cause
                },
                placed_at: None,
                is_retry: false,
            });
            self.run_all(runs.collect(), rows).await?;
        }
    }
}

impl Process for Workflow {
    const NAME: &'static str = next::NAME;
    const WANTED: &'static [&'static str] = &[
        "order.placed",
        "order.allocated",
        "order.paid",
        "order.lines_changed",
        "order.released",
        "order.cancelled",
        "store.activated",
        "store.changed",
    ];
    const LINGER: Duration = Duration::ZERO;
    type Rows = Rows;

    fn is_empty(rows: &Rows) -> bool {
        rows.0.is_empty()
    }

    async fn react(&self, page: &[Fact]) -> Result<Rows, Trouble> {
        let mut rows = Rows::default();
        let (runs, stores) = called_for(page, &mut rows);
        self.run_all(runs, &mut rows).await?;
        for (store, cause) in stores {
            self.run_store(&store, cause, &mut rows).await?;
        }
        Ok(rows)
    }

    async fn write(&self, conn: &mut PgConnection, rows: Rows) -> Result<(), Trouble> {
        let log_id = self.hands.bus().log().log_id();
        let (waiting, done): (Vec<_>, Vec<_>) = rows
            .0
            .into_iter()
            .partition(|(_, waiting)| waiting.is_some());
        let done: Vec<OrderId> = done.into_iter().map(|(id, _)| id).collect();
        let waiting: Vec<Waiting> = waiting.into_iter().filter_map(|(_, w)| w).collect();
        rows::remove(conn, log_id, &done).await?;
        rows::save(conn, log_id, &waiting).await?;
        Ok(())
    }

    async fn tick(&self) -> Result<bool, Trouble> {
        let log = self.hands.bus().log();
        let due = rows::due(log, self.clock.now(), PAGE_WAITING).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let has_more = i64::try_from(due.len()).is_ok_and(|n| n == PAGE_WAITING);
        let runs = due.iter().map(|waiting| Run {
            order_id: waiting.order_id,
            cause: waiting.cause,
            placed_at: None,
            is_retry: true,
        });
        let mut rows = Rows::default();
        self.run_all(runs.collect(), &mut rows).await?;
        let mut tx = log.pool().begin().await?;
        self.write(&mut tx, rows).await?;
        tx.commit().await?;
        Ok(has_more)
    }
}

/// The orders that a page's events set going, each once, and the stores whose orders need not wait any more. What the
/// workflow itself did sets nothing going.
fn called_for(page: &[Fact], rows: &mut Rows) -> (Vec<Run>, Vec<(StoreId, Cause)>) {
    let mut runs: Vec<Run> = Vec::new();
    let mut stores = Vec::new();
    let mut seen = HashSet::new();
    let mut ended = HashSet::new();
    for fact in page {
        match &fact.happening {
            Happening::Order(id, event) => {
                let is_placed = matches!(**event, OrderEvent::Placed(_));
                match **event {
                    OrderEvent::Released { .. } => {
                        ended.insert(*id);
                    }
                    OrderEvent::Cancelled { .. } => {
                        ended.insert(*id);
                        rows.0.insert(*id, None);
                    }
                    _ if (fact.is_ours && !is_placed) || !seen.insert(*id) => {}
                    _ => runs.push(Run {
                        order_id: *id,
                        cause: fact.cause,
                        placed_at: is_placed.then_some(fact.recorded_at),
                        is_retry: false,
                    }),
                }
            }
            Happening::Store(id, event) => {
                if matches!(
                    **event,
                    StoreEvent::Activated {} | StoreEvent::Changed { .. }
                ) {
                    stores.push((id.clone(), fact.cause));
                }
            }
            Happening::Remittance(..) => {}
        }
    }
    runs.retain(|run| !ended.contains(&run.order_id));
    (runs, stores)
}

/// Measures an order that this run has released, from the log's taking it in to its release.
fn note_released(run: &Run, ending: &Ending, done: Option<Step>) {
    if let (Some(placed_at), Ending::Released, Some(Step::Release)) = (run.placed_at, ending, done)
    {
        let elapsed = (Utc::now() - placed_at).to_std().unwrap_or_default();
        histogram!(names::WORKFLOW_SECONDS).record(elapsed);
    }
}
