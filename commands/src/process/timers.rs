//! What is to happen at a time unless something happens before: an offer that nobody answers, an order that nobody
//! picks, cash that nobody speaks of.
//!
//! Events set and clear timers, which are rows; what is due is done as a command, and the order itself decides whether
//! there is anything to do. So a timer that fires late, or beside the event that clears it, does no harm, and one whose
//! program died before it removed the row fires again under the same command id, without effect.

mod plan;
mod rows;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use metrics::{counter, histogram};
use observability::names;
use sqlx::PgConnection;
use uuid::Uuid;

use self::plan::{Plan, Timer};
use super::{
    fact::{Fact, Happening},
    hands::{Answer, Hands, Trouble},
    reactor::Process,
};
use crate::facts::Clock;
use domain::order::Order;

/// Timers fired at once.
const CONCURRENCY: usize = 16;
/// Timers read at once.
const BATCH: i64 = 200;
/// When a timer that met a fault of ours fires again.
const FAULT_AFTER: TimeDelta = TimeDelta::minutes(5);

/// The timers of orders.
pub(crate) struct Timers {
    hands: Hands,
    clock: Arc<dyn Clock>,
}

impl Timers {
    pub(crate) const fn new(hands: Hands, clock: Arc<dyn Clock>) -> Self {
        Self { hands, clock }
    }

    /// Fires one; the timer's id, and when it is to fire again if it must.
    async fn fire(
        &self,
        timer: Timer,
        now: DateTime<Utc>,
    ) -> Result<(Uuid, Option<DateTime<Utc>>), Trouble> {
        let kind = timer.kind.as_str();
        let late = (now - timer.due_at).to_std().unwrap_or_default();
        histogram!(names::TIMER_LATE_SECONDS, "kind" => kind).record(late);
        let answer = self
            .hands
            .give::<Order>(
                timer.order_id,
                timer.command(),
                timer.command_id(),
                timer.cause,
            )
            .await?;
        let outcome = match &answer {
            Answer::Done(outcome) if outcome.receipt.event_ids.is_empty() => "nothing_to_do",
            Answer::Done(_) => "done",
            Answer::Refused => "refused",
            Answer::Fault => "fault",
        };
        counter!(names::TIMERS_FIRED_TOTAL, "kind" => kind, "outcome" => outcome).increment(1);
        let again = matches!(answer, Answer::Fault).then(|| now + FAULT_AFTER);
        Ok((timer.id, again))
    }
}

impl Process for Timers {
    const NAME: &'static str = plan::NAME;
    const WANTED: &'static [&'static str] = plan::WANTED;
    const LINGER: Duration = Duration::from_millis(100);
    type Rows = Plan;

    fn is_empty(rows: &Plan) -> bool {
        rows.is_empty()
    }

    async fn react(&self, page: &[Fact]) -> Result<Plan, Trouble> {
        let mut plan = Plan::default();
        for fact in page {
            if let Happening::Order(id, event) = &fact.happening {
                plan.take(*id, event, fact.cause, fact.decided_at);
            }
        }
        Ok(plan)
    }

    async fn write(&self, conn: &mut PgConnection, plan: Plan) -> Result<(), Trouble> {
        Ok(rows::save(conn, self.hands.bus().log().log_id(), &plan).await?)
    }

    async fn tick(&self) -> Result<bool, Trouble> {
        let log = self.hands.bus().log();
        let now = self.clock.now();
        let due = rows::due(log, now, BATCH).await?;
        let has_more = i64::try_from(due.len()).is_ok_and(|n| n == BATCH);
        let fired: Vec<(Uuid, Option<DateTime<Utc>>)> = stream::iter(due)
            .map(|timer| self.fire(timer, now))
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        rows::done(log, &fired).await?;
        Ok(has_more)
    }
}
