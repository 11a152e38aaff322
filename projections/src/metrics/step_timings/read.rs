//! Queries over durations.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::ids::StoreId;
use sqlx::{PgConnection, Row, postgres::PgRow};
use store::Position;

use super::{Stage, StageDay, StageTime, Step, StepDay, StepTime};
use crate::{
    ReadDb, ReadError,
    metrics::{
        Wanted,
        clock::{bucket as bucket_of, quantile},
        read::{Figures, MetricsFilter, Question, snapshot},
        table::Measures,
    },
    words::text,
};

/// Durations of one kind together, in the unit of the kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Durations {
    /// How many.
    pub count: i64,
    /// All of them together.
    pub total: i64,
    /// The longest; `None` where it is not kept.
    pub longest: Option<i64>,
    /// Counts by bucket.
    buckets: BTreeMap<i16, i64>,
}

impl Durations {
    /// Durations measured one by one, their longest kept.
    pub fn measured(durations: &[u64]) -> Self {
        let mut all = Self::default();
        for duration in durations {
            let value = i64::try_from(*duration).unwrap_or(i64::MAX);
            all.add(bucket_of(*duration), 1, value);
            all.longest = all.longest.max(Some(value));
        }
        all
    }

    /// The duration that `per_mille` of 1,000 do not exceed: at most a quarter too high, and never above the longest.
    /// `None` of nothing.
    pub fn quantile(&self, per_mille: i64) -> Option<i64> {
        let buckets: Vec<(i16, i64)> = self.buckets.iter().map(|(b, n)| (*b, *n)).collect();
        let top = i64::try_from(quantile(&buckets, per_mille)?).unwrap_or(i64::MAX);
        Some(self.longest.map_or(top, |longest| top.min(longest)))
    }

    /// The mean, rounded down; `None` of nothing.
    pub const fn mean(&self) -> Option<i64> {
        if self.count > 0 {
            Some(self.total / self.count)
        } else {
            None
        }
    }

    pub(crate) fn add_stage(&mut self, bucket: i16, time: &StageTime) {
        self.add(bucket, time.count, time.total_millis);
    }

    fn add_step(&mut self, bucket: i16, time: &StepTime) {
        self.add(bucket, time.count, time.total_micros);
        self.longest = self.longest.max(Some(time.longest_micros));
    }

    fn add(&mut self, bucket: i16, count: i64, total: i64) {
        self.count = self.count.saturating_add(count);
        self.total = self.total.saturating_add(total);
        let cell = self.buckets.entry(bucket).or_default();
        *cell = cell.saturating_add(count);
    }
}

/// What durations are told apart by, besides the step or stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
pub enum TimingBy {
    /// Nothing.
    #[default]
    Total,
    /// The store.
    Store,
    /// The Bangkok day.
    Day,
}

impl TimingBy {
    const fn step_columns(self) -> &'static [&'static str] {
        match self {
            Self::Total => &["step", "bucket"],
            Self::Store => &["step", "store_id", "bucket"],
            Self::Day => &["step", "day", "bucket"],
        }
    }

    const fn stage_columns(self) -> &'static [&'static str] {
        match self {
            Self::Total => &["stage", "bucket"],
            Self::Store => &["stage", "store_id", "bucket"],
            Self::Day => &["stage", "day", "bucket"],
        }
    }
}

/// How long one step or stage took.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Timing<S> {
    /// Which.
    pub of: S,
    /// The store, where the figures are told apart by it.
    pub store_id: Option<StoreId>,
    /// The day, where the figures are told apart by it.
    pub day: Option<NaiveDate>,
    /// How long: steps in microseconds, stages in milliseconds.
    pub durations: Durations,
}

/// How long steps and stages took.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Timings {
    /// Steps, in the order of the workflow.
    pub steps: Vec<Timing<Step>>,
    /// Stages, in the order of an order's life.
    pub stages: Vec<Timing<Stage>>,
    /// The last event that the figures hold.
    pub position: Position,
}

/// Which timing a row belongs to.
type Whose<S> = (S, Option<StoreId>, Option<NaiveDate>);

struct Bucket<S, M> {
    whose: Whose<S>,
    bucket: i16,
    time: M,
}

impl Bucket<Step, StepTime> {
    fn read(row: &PgRow, wanted: Wanted) -> Result<Self, sqlx::Error> {
        let name: &str = row.try_get("step")?;
        let step = Step::ALL.into_iter().find(|s| s.name() == name);
        bucket(row, wanted, step.ok_or_else(|| unknown(name))?)
    }
}

impl Bucket<Stage, StageTime> {
    fn read(row: &PgRow, wanted: Wanted) -> Result<Self, sqlx::Error> {
        let name: &str = row.try_get("stage")?;
        let stage = Stage::ALL.into_iter().find(|s| s.name() == name);
        bucket(row, wanted, stage.ok_or_else(|| unknown(name))?)
    }
}

fn bucket<S, M: Measures>(row: &PgRow, wanted: Wanted, of: S) -> Result<Bucket<S, M>, sqlx::Error> {
    // A column that the rows are not told apart by is not there.
    let store = row.try_column("store_id").is_ok();
    let day = row.try_column("day").is_ok();
    Ok(Bucket {
        whose: (
            of,
            store.then(|| text(row, "store_id")).transpose()?,
            day.then(|| row.try_get("day")).transpose()?,
        ),
        bucket: row.try_get("bucket")?,
        time: M::from_row(row, wanted)?,
    })
}

fn unknown(name: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{name} is neither a step nor a stage").into())
}

/// How long steps and stages took in the stores the caller may see, at one position.
///
/// # Errors
/// [`ReadError::PageSize`] for too long a time, [`ReadError::TooMuch`] for too many rows; the database did not answer.
pub async fn timings(
    db: &ReadDb,
    filter: &MetricsFilter,
    by: TimingBy,
) -> Result<Timings, ReadError> {
    let mut reading = db.connection().await?;
    let mut conn = snapshot(&mut reading).await?;
    let steps = Question::of(filter, by.step_columns());
    let steps = steps
        .ask::<StepDay, _>(&mut conn, Bucket::<Step, _>::read)
        .await?;
    let stages = stages_on(&mut conn, filter, by).await?;
    conn.commit().await?;
    Ok(Timings {
        position: steps.position,
        steps: together(steps.rows, Durations::add_step),
        stages: stages.rows,
    })
}

/// The stages alone: one query.
///
/// # Errors
/// As [`timings`].
pub async fn stages(
    db: &ReadDb,
    filter: &MetricsFilter,
    by: TimingBy,
) -> Result<Figures<Timing<Stage>>, ReadError> {
    stages_on(&mut *db.connection().await?, filter, by).await
}

async fn stages_on(
    conn: &mut PgConnection,
    filter: &MetricsFilter,
    by: TimingBy,
) -> Result<Figures<Timing<Stage>>, ReadError> {
    let stages = Question::of(filter, by.stage_columns());
    let stages = stages
        .ask::<StageDay, _>(conn, Bucket::<Stage, _>::read)
        .await?;
    Ok(Figures {
        rows: together(stages.rows, Durations::add_stage),
        position: stages.position,
    })
}

/// How the database would read it: the lines of `explain` of both queries, for tests and operators.
///
/// # Errors
/// As [`timings`].
pub async fn explain(
    db: &ReadDb,
    filter: &MetricsFilter,
    by: TimingBy,
) -> Result<Vec<String>, ReadError> {
    let mut reading = db.connection().await?;
    let mut conn = snapshot(&mut reading).await?;
    let steps = Question::of(filter, by.step_columns());
    let mut lines = steps.explain::<StepDay>(&mut conn).await?;
    let stages = Question::of(filter, by.stage_columns());
    lines.extend(stages.explain::<StageDay>(&mut conn).await?);
    Ok(lines)
}

fn together<S: Ord, M>(
    rows: Vec<Bucket<S, M>>,
    add: fn(&mut Durations, i16, &M),
) -> Vec<Timing<S>> {
    let mut timings: BTreeMap<Whose<S>, Durations> = BTreeMap::new();
    for row in rows {
        add(timings.entry(row.whose).or_default(), row.bucket, &row.time);
    }
    let timings = timings.into_iter();
    timings
        .map(|((of, store_id, day), durations)| Timing {
            of,
            store_id,
            day,
            durations,
        })
        .collect()
}
