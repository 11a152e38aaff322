//! Queries over the flow.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    calendar::day_start,
    ids::{RegionId, StoreId},
};
use sqlx::{Row, postgres::PgRow};
use store::Position;

use super::{Flow, FlowDay, FlowHour};
use crate::{
    ReadDb, ReadError,
    metrics::{
        Wanted,
        read::{Figures, IS_BEFORE, MetricsFilter, Question, Span},
        table::Measures,
    },
    words::text,
};

/// What the flow is told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub enum FlowBy {
    /// The region.
    Region,
    /// Store and region.
    Store,
    /// Store and region, and the hour or day.
    StoreTime,
}

impl FlowBy {
    const fn columns(self, span: Span) -> &'static [&'static str] {
        match (self, span) {
            (Self::Region, _) => &["region"],
            (Self::Store, _) => &["region", "store_id"],
            (Self::StoreTime, Span::Days { .. }) => &["region", "store_id", "day"],
            (Self::StoreTime, Span::Hours { .. }) => &["region", "store_id", "hour"],
        }
    }
}

/// The flow of a time beside that of the equally long time before it, at one position.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FlowBeside {
    /// Of the time asked for.
    pub now: Vec<FlowRow>,
    /// Of the time before.
    pub before: Vec<FlowRow>,
    /// The last event that both hold.
    pub position: Position,
}

/// The flow of one of what it is told apart by.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FlowRow {
    /// The region the store had when the orders were placed.
    pub region: RegionId,
    /// The store; `None` when summed over stores.
    pub store_id: Option<StoreId>,
    /// When the hour or the day begins; `None` when summed over time.
    pub at: Option<DateTime<Utc>>,
    /// The figures.
    pub flow: Flow,
}

impl FlowRow {
    fn read(row: &PgRow, wanted: Wanted) -> Result<Self, sqlx::Error> {
        // A column that the rows are not told apart by is not there.
        let has = |name: &str| row.try_column(name).is_ok();
        let at = if has("hour") {
            Some(row.try_get("hour")?)
        } else if has("day") {
            Some(day_start(row.try_get::<NaiveDate, _>("day")?))
        } else {
            None
        };
        Ok(Self {
            region: text(row, "region")?,
            store_id: if has("store_id") {
                Some(text(row, "store_id")?)
            } else {
                None
            },
            at,
            flow: Flow::from_row(row, wanted)?,
        })
    }
}

/// The flow of the stores the caller may see; of the figures only those that are wanted, the others are 0.
///
/// # Errors
/// [`ReadError::PageSize`] for too long a time, [`ReadError::TooMuch`] for too many rows; the database did not answer.
pub async fn flow(
    db: &ReadDb,
    filter: &MetricsFilter,
    by: FlowBy,
    wanted: Wanted,
) -> Result<Figures<FlowRow>, ReadError> {
    let question = question(filter, by, wanted, false);
    ask(db, &question, FlowRow::read).await
}

/// The same beside the equally long time before: both from one snapshot.
///
/// # Errors
/// As [`flow`].
pub async fn beside(
    db: &ReadDb,
    filter: &MetricsFilter,
    by: FlowBy,
    wanted: Wanted,
) -> Result<FlowBeside, ReadError> {
    let question = question(filter, by, wanted, true);
    let figures = ask(db, &question, |row, wanted| {
        Ok((row.try_get(IS_BEFORE)?, FlowRow::read(row, wanted)?))
    });
    let figures = figures.await?;
    let (mut now, mut before) = (Vec::new(), Vec::new());
    for (is_before, row) in figures.rows {
        if is_before { &mut before } else { &mut now }.push(row);
    }
    Ok(FlowBeside {
        now,
        before,
        position: figures.position,
    })
}

async fn ask<R>(
    db: &ReadDb,
    question: &Question<'_>,
    read: impl Fn(&PgRow, Wanted) -> Result<R, sqlx::Error>,
) -> Result<Figures<R>, ReadError> {
    let mut conn = db.connection().await?;
    match question.filter.span {
        Span::Days { .. } => question.ask::<FlowDay, _>(&mut conn, read).await,
        Span::Hours { .. } => question.ask::<FlowHour, _>(&mut conn, read).await,
    }
}

/// How the database would read it, the time before as well: the lines of `explain`, for tests and operators.
///
/// # Errors
/// As [`flow`].
pub async fn explain(
    db: &ReadDb,
    filter: &MetricsFilter,
    by: FlowBy,
) -> Result<Vec<String>, ReadError> {
    let question = question(filter, by, Wanted::ALL, true);
    let mut conn = db.connection().await?;
    match filter.span {
        Span::Days { .. } => question.explain::<FlowDay>(&mut conn).await,
        Span::Hours { .. } => question.explain::<FlowHour>(&mut conn).await,
    }
}

fn question(filter: &MetricsFilter, by: FlowBy, wanted: Wanted, beside: bool) -> Question<'_> {
    Question {
        wanted,
        beside,
        ..Question::of(filter, by.columns(filter.span))
    }
}
