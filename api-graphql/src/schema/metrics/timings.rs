//! How long steps and stages take.

use async_graphql::{Enum, ID, SimpleObject};
use projections::metrics::step_timings::{
    Durations, Stage as ReadStage, Step as ReadStep, Timing, TimingBy as By, Timings,
};

use super::{decimal, number};
use crate::schema::scalars::{Date, Decimal, Position};

/// A step that the ledger takes on the way of an order to its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "ReadStep")]
pub enum WorkflowStep {
    /// Checking what was asked.
    Validate,
    /// Looking products up and adding what is known of them.
    Enrich,
    /// Bundles, prices, sums.
    Calculate,
    /// Reserving the lines.
    Allocate,
    /// Recording the payment.
    Pay,
    /// Handing the release to picking.
    Release,
}

/// A stage of an order's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "ReadStage")]
pub enum OrderStage {
    /// From placed to released to picking.
    Intake,
    /// From released to packed.
    Picking,
    /// From packed to handed to the rider.
    Pickup,
    /// From handed to the rider to delivered.
    Ride,
    /// From placed to delivered.
    Whole,
}

/// What timings are told apart by, besides the step or stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "By")]
pub enum TimingBy {
    /// Nothing.
    Total,
    /// The store.
    Store,
    /// The Bangkok day.
    Day,
}

/// Durations in milliseconds. Quantiles come from counts by bucket: they are never too low, and at most a quarter too
/// high.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct DurationFigures {
    /// How many.
    pub count: i32,
    /// The mean, rounded down; null where there is none.
    pub mean_ms: Option<Decimal>,
    /// What half of them do not exceed.
    pub p50_ms: Option<Decimal>,
    /// What 95 of 100 do not exceed.
    pub p95_ms: Option<Decimal>,
    /// What 99 of 100 do not exceed.
    pub p99_ms: Option<Decimal>,
    /// The longest; null for stages, where it is not kept.
    pub max_ms: Option<Decimal>,
}

impl DurationFigures {
    /// Durations kept in milliseconds.
    pub(super) fn of_millis(durations: &Durations) -> Self {
        Self::of(durations, 10_000)
    }

    /// Durations kept in microseconds.
    fn of_micros(durations: &Durations) -> Self {
        Self::of(durations, 10)
    }

    /// `scale`: how many 1/10,000 ms the unit is.
    fn of(durations: &Durations, scale: i64) -> Self {
        let show = |duration: Option<i64>| duration.map(|d| decimal(d.saturating_mul(scale)));
        Self {
            count: number(durations.count),
            mean_ms: show(durations.mean()),
            p50_ms: show(durations.quantile(500)),
            p95_ms: show(durations.quantile(950)),
            p99_ms: show(durations.quantile(990)),
            max_ms: show(durations.longest),
        }
    }
}

/// How long a step took.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct StepTiming {
    /// The step.
    pub step: WorkflowStep,
    /// The store, where the timings are told apart by it.
    pub store_id: Option<ID>,
    /// The day of the decision, where the timings are told apart by it.
    pub day: Option<Date>,
    /// How long.
    pub durations: DurationFigures,
}

/// How long a stage took.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct StageTiming {
    /// The stage.
    pub stage: OrderStage,
    /// The store, where the timings are told apart by it.
    pub store_id: Option<ID>,
    /// The day on which the stage began, where the timings are told apart by it.
    pub day: Option<Date>,
    /// How long.
    pub durations: DurationFigures,
}

impl From<&Timing<ReadStage>> for StageTiming {
    fn from(t: &Timing<ReadStage>) -> Self {
        Self {
            stage: t.of.into(),
            store_id: t.store_id.as_ref().map(|id| ID::from(id.as_str())),
            day: t.day.map(Date),
            durations: DurationFigures::of_millis(&t.durations),
        }
    }
}

impl From<&Timing<ReadStep>> for StepTiming {
    fn from(t: &Timing<ReadStep>) -> Self {
        Self {
            step: t.of.into(),
            store_id: t.store_id.as_ref().map(|id| ID::from(id.as_str())),
            day: t.day.map(Date),
            durations: DurationFigures::of_micros(&t.durations),
        }
    }
}

/// How long steps and stages take.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct StepTimings {
    /// What the ledger does, by the day of the decision.
    pub steps: Vec<StepTiming>,
    /// What orders go through, by the day on which it began.
    pub stages: Vec<StageTiming>,
    /// The position of the log at which the figures hold.
    pub position: Position,
}

impl From<Timings> for StepTimings {
    fn from(t: Timings) -> Self {
        Self {
            steps: t.steps.iter().map(StepTiming::from).collect(),
            stages: t.stages.iter().map(StageTiming::from).collect(),
            position: Position(t.position),
        }
    }
}
