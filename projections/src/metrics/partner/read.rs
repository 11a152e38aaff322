//! Queries over partners.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::ids::{PartnerId, StoreId};
use sqlx::{Row, postgres::PgRow};

use super::{Partner, PartnerDay};
use crate::{
    ReadDb, ReadError,
    metrics::{
        Wanted,
        read::{Figures, MetricsFilter, Question, snapshot},
        step_timings::{Durations, Stage, StageDay, StageTime},
        table::Measures,
    },
    words::text,
};

/// What partners' figures are told apart by, besides the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
pub enum PartnerBy {
    /// Nothing.
    #[default]
    Total,
    /// The store.
    Store,
    /// The Bangkok day.
    Day,
}

impl PartnerBy {
    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Total => &["partner_id"],
            Self::Store => &["partner_id", "store_id"],
            Self::Day => &["partner_id", "day"],
        }
    }

    const fn ride_columns(self) -> &'static [&'static str] {
        match self {
            Self::Total => &["partner_id", "bucket"],
            Self::Store => &["partner_id", "store_id", "bucket"],
            Self::Day => &["partner_id", "day", "bucket"],
        }
    }
}

/// Whose figures a row has.
type Whose = (Option<PartnerId>, Option<StoreId>, Option<NaiveDate>);

/// How a partner performed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PartnerRow {
    /// The partner; `None` for orders of which nobody is known.
    pub partner_id: Option<PartnerId>,
    /// The store, where the figures are told apart by it.
    pub store_id: Option<StoreId>,
    /// The day on which the orders were handed over, where the figures are told apart by it.
    pub day: Option<NaiveDate>,
    /// The figures.
    pub figures: Partner,
    /// From handed over to delivered, in milliseconds.
    pub rides: Durations,
}

struct Counted(Whose, Partner);

impl Counted {
    fn read(row: &PgRow, wanted: Wanted) -> Result<Self, sqlx::Error> {
        Ok(Self(whose(row)?, Partner::from_row(row, wanted)?))
    }
}

struct Ride(Whose, i16, StageTime);

impl Ride {
    fn read(row: &PgRow, wanted: Wanted) -> Result<Self, sqlx::Error> {
        let bucket = row.try_get("bucket")?;
        Ok(Self(whose(row)?, bucket, StageTime::from_row(row, wanted)?))
    }
}

fn whose(row: &PgRow) -> Result<Whose, sqlx::Error> {
    // A column that the rows are not told apart by is not there.
    let store = row.try_column("store_id").is_ok();
    let day = row.try_column("day").is_ok();
    let is_known = !row.try_get::<&str, _>("partner_id")?.is_empty();
    Ok((
        is_known.then(|| text(row, "partner_id")).transpose()?,
        store.then(|| text(row, "store_id")).transpose()?,
        day.then(|| row.try_get("day")).transpose()?,
    ))
}

/// How partners performed in the stores the caller may see, at one position; one partner only where given.
///
/// # Errors
/// [`ReadError::PageSize`] for too long a time, [`ReadError::TooMuch`] for too many rows; the database did not answer.
pub async fn performance(
    db: &ReadDb,
    filter: &MetricsFilter,
    by: PartnerBy,
    partner: Option<&PartnerId>,
) -> Result<Figures<PartnerRow>, ReadError> {
    let mut reading = db.connection().await?;
    let mut conn = snapshot(&mut reading).await?;
    let counted = counts(filter, by, partner);
    let counted = counted
        .ask::<PartnerDay, _>(&mut conn, Counted::read)
        .await?;
    let rides = rides(filter, by, partner);
    let rides = rides.ask::<StageDay, _>(&mut conn, Ride::read).await?;
    conn.commit().await?;
    let mut rows: BTreeMap<Whose, (Partner, Durations)> = BTreeMap::new();
    for Counted(whose, figures) in counted.rows {
        rows.entry(whose).or_default().0 = figures;
    }
    for Ride(whose, bucket, time) in rides.rows {
        rows.entry(whose).or_default().1.add_stage(bucket, &time);
    }
    let rows = rows.into_iter().map(|(whose, (figures, rides))| {
        let (partner_id, store_id, day) = whose;
        PartnerRow {
            partner_id,
            store_id,
            day,
            figures,
            rides,
        }
    });
    Ok(Figures {
        rows: rows.collect(),
        position: counted.position,
    })
}

/// How the database would read it: the lines of `explain` of both queries, for tests and operators.
///
/// # Errors
/// As [`performance`].
pub async fn explain(
    db: &ReadDb,
    filter: &MetricsFilter,
    by: PartnerBy,
    partner: Option<&PartnerId>,
) -> Result<Vec<String>, ReadError> {
    let mut reading = db.connection().await?;
    let mut conn = snapshot(&mut reading).await?;
    let counts = counts(filter, by, partner);
    let mut lines = counts.explain::<PartnerDay>(&mut conn).await?;
    let rides = rides(filter, by, partner);
    lines.extend(rides.explain::<StageDay>(&mut conn).await?);
    Ok(lines)
}

fn counts<'a>(
    filter: &'a MetricsFilter,
    by: PartnerBy,
    partner: Option<&PartnerId>,
) -> Question<'a> {
    Question {
        only: partner
            .map(|id| ("partner_id", id.to_string()))
            .into_iter()
            .collect(),
        ..Question::of(filter, by.columns())
    }
}

fn rides<'a>(
    filter: &'a MetricsFilter,
    by: PartnerBy,
    partner: Option<&PartnerId>,
) -> Question<'a> {
    let mut question = counts(filter, by, partner);
    question.by = by.ride_columns();
    question.only.push(("stage", Stage::Ride.name().to_owned()));
    question
}
