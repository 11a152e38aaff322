//! Reading sums: what the queries over the tables have in common.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    actor::StoreScope,
    calendar::day_start,
    ids::{RegionId, StoreId},
};
use sqlx::{
    Connection as _, PgConnection, Postgres, QueryBuilder, Row, Transaction, postgres::PgRow,
};
use store::{LogId, Position, connect::BEGIN_SNAPSHOT};

use super::{
    clock::hour,
    table::{Measures, Merge, Table, Wanted},
};
use crate::{
    Model, ReadError,
    model::hold_tables,
    read_db::{allowed_ids, push_any},
};

/// The most days of one query.
pub const MAX_DAYS: i64 = 92;
/// The most hours of one query: a week.
pub const MAX_HOURS: i64 = 168;
/// The most rows of one query: a week of hours of a hundred stores.
pub const MAX_ROWS: i64 = 20_000;

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Span {
    /// Bangkok business days, both included, at most [`MAX_DAYS`].
    Days {
        /// The first.
        from: NaiveDate,
        /// The last; nothing when it is before the first.
        to: NaiveDate,
    },
    /// Hours that begin in a stretch of time, at most [`MAX_HOURS`].
    Hours {
        /// From here on.
        from: DateTime<Utc>,
        /// Not from here on any more.
        until: DateTime<Utc>,
    },
}

impl Span {
    /// The hours of business days.
    pub fn hours_of(from: NaiveDate, to: NaiveDate) -> Self {
        Self::Hours {
            from: day_start(from),
            until: day_start(to.succ_opt().unwrap_or(to)),
        }
    }

    /// So many hours, up to the one that a moment lies in, and when that one begins; `None` at the end of time.
    pub fn last_hours(at: DateTime<Utc>, hours: i64) -> Option<(Self, DateTime<Utc>)> {
        let hour = hour(at.timestamp_micros());
        let until = hour.checked_add_signed(TimeDelta::hours(1))?;
        let from = until.checked_sub_signed(TimeDelta::try_hours(hours)?)?;
        Some((Self::Hours { from, until }, hour))
    }

    /// How many days or hours, and how many there may be.
    fn length(self) -> (i64, i64) {
        match self {
            Self::Days { from, to } => (to.signed_duration_since(from).num_days() + 1, MAX_DAYS),
            Self::Hours { from, until } => {
                (until.signed_duration_since(from).num_hours(), MAX_HOURS)
            }
        }
    }

    /// The stretch of the same length that ends where this one begins.
    pub fn before(self) -> Self {
        match self {
            Self::Days { from, to } => {
                let days = TimeDelta::days(self.length().0.clamp(0, MAX_DAYS));
                let back = |day: NaiveDate| day.checked_sub_signed(days).unwrap_or(day);
                Self::Days {
                    from: back(from),
                    to: back(to),
                }
            }
            Self::Hours { from, until } => {
                let length = until.signed_duration_since(from);
                Self::Hours {
                    from: from.checked_sub_signed(length).unwrap_or(from),
                    until: from,
                }
            }
        }
    }

    /// The stretch before and this one.
    fn with_before(self) -> Self {
        match (self.before(), self) {
            (Self::Days { from, .. }, Self::Days { to, .. }) => Self::Days { from, to },
            (Self::Hours { from, .. }, Self::Hours { until, .. }) => Self::Hours { from, until },
            // Never: the time before is told as this one is.
            (_, this) => this,
        }
    }

    /// Adds the condition that a row is of a time before this one.
    fn push_is_before(self, sql: &mut QueryBuilder<'_, Postgres>) {
        match self {
            Self::Days { from, .. } => sql.push("day < ").push_bind(from),
            Self::Hours { from, .. } => sql.push("hour < ").push_bind(from),
        };
    }
}

/// Whose figures of which time to read.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct MetricsFilter {
    /// The stores the caller may see. Not a wish but a limit: there is no default.
    pub allowed: StoreScope,
    /// Any of these stores.
    pub stores: Option<Vec<StoreId>>,
    /// Orders of this region.
    pub region: Option<RegionId>,
    /// When.
    pub span: Span,
}

impl MetricsFilter {
    /// Everything inside the scope.
    pub const fn within(allowed: StoreScope, span: Span) -> Self {
        Self {
            allowed,
            stores: None,
            region: None,
            span,
        }
    }

    /// The same of another time.
    pub fn at(&self, span: Span) -> Self {
        Self {
            span,
            ..self.clone()
        }
    }

    /// Whether the stretch of time is empty.
    ///
    /// # Errors
    /// [`ReadError::PageSize`] when it is too long.
    fn is_empty(&self) -> Result<bool, ReadError> {
        let (asked, max) = self.span.length();
        if asked > max {
            return Err(ReadError::PageSize { asked, max });
        }
        Ok(asked < 1)
    }

    /// Adds the conditions; `false`: no row can meet them.
    fn push(&self, sql: &mut QueryBuilder<'_, Postgres>) -> bool {
        match self.span {
            Span::Days { from, to } => sql
                .push(" and day >= ")
                .push_bind(from)
                .push(" and day <= ")
                .push_bind(to),
            Span::Hours { from, until } => sql
                .push(" and hour >= ")
                .push_bind(from)
                .push(" and hour < ")
                .push_bind(until),
        };
        if let Some(region) = &self.region {
            sql.push(" and region = ").push_bind(region.to_string());
        }
        let stores = allowed_ids(&self.allowed, self.stores.as_deref());
        push_any(sql, "store_id", stores)
    }
}

/// Sums as of one position of the log.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Figures<R> {
    /// Rows, sorted by what they are told apart by.
    pub rows: Vec<R>,
    /// The last event that they hold.
    pub position: Position,
}

/// A transaction in which every query sees the same: sums of several tables at one position.
pub(super) async fn snapshot(
    conn: &mut PgConnection,
) -> Result<Transaction<'_, Postgres>, sqlx::Error> {
    let mut tx = conn.begin_with(BEGIN_SNAPSHOT).await?;
    // Not with the statement before: a transaction that is begun by then is ended when this is broken off.
    hold_tables(&mut tx, &[Model::Metrics]).await?;
    Ok(tx)
}

/// A query over a table of sums.
#[derive(Debug, Clone)]
pub(super) struct Question<'a> {
    pub(super) filter: &'a MetricsFilter,
    /// The columns that rows are told apart by.
    pub(super) by: &'a [&'static str],
    /// Further columns that must have these values.
    pub(super) only: Vec<(&'static str, String)>,
    /// The measures that are looked at.
    pub(super) wanted: Wanted,
    /// Whether to sum up the equally long time before as well, each row told by [`IS_BEFORE`].
    pub(super) beside: bool,
}

/// The column that says whether a row sums up the time before the one that is asked for.
pub(super) const IS_BEFORE: &str = "is_before";

impl<'a> Question<'a> {
    /// All measures of everything that the filter lets through.
    pub(super) const fn of(filter: &'a MetricsFilter, by: &'a [&'static str]) -> Self {
        Self {
            filter,
            by,
            only: Vec::new(),
            wanted: Wanted::ALL,
            beside: false,
        }
    }

    /// The answer, from one snapshot of the database.
    ///
    /// # Errors
    /// [`ReadError::PageSize`] for too long a time, [`ReadError::TooMuch`] for too many rows; the database did not answer.
    pub(super) async fn ask<T: Table, R>(
        &self,
        conn: &mut PgConnection,
        read: impl Fn(&PgRow, Wanted) -> Result<R, sqlx::Error>,
    ) -> Result<Figures<R>, ReadError> {
        let nothing = self.filter.is_empty()?;
        let rows: Vec<PgRow> = self
            .sql::<T>("", nothing)
            .build()
            // Kept as a prepared statement: each shape has an index that is right for every filter, while to plan two
            // dozen sums takes as long as to form them. The connection bounds how many.
            .fetch_all(conn)
            .await?;
        if i64::try_from(rows.len()).unwrap_or(i64::MAX) > MAX_ROWS {
            return Err(ReadError::TooMuch { max: MAX_ROWS });
        }
        let mut figures = Figures {
            rows: Vec::with_capacity(rows.len()),
            position: Position::START,
        };
        for row in &rows {
            figures.position = Position(row.try_get("at_position")?);
            // The one row without figures says only the position.
            if row.try_get::<Option<bool>, _>("is_present")?.is_some() {
                figures.rows.push(read(row, self.wanted)?);
            }
        }
        Ok(figures)
    }

    /// How the database would answer: the lines of `explain`.
    pub(super) async fn explain<T: Table>(
        &self,
        conn: &mut PgConnection,
    ) -> Result<Vec<String>, ReadError> {
        let nothing = self.filter.is_empty()?;
        Ok(self
            .sql::<T>("explain ", nothing)
            .build_query_scalar()
            .persistent(false)
            .fetch_all(conn)
            .await?)
    }

    fn sql<T: Table>(
        &self,
        prefix: &'static str,
        nothing: bool,
    ) -> QueryBuilder<'static, Postgres> {
        let mut sql = QueryBuilder::new(prefix);
        sql.push(
            "select c.position as at_position, f.* from \
             (select coalesce(max(position), 0) as position from projection_checkpoint where log_id = ",
        )
        .push_bind(LogId::DEFAULT.0)
        .push(" and name = ")
        .push_bind(Model::Metrics.checkpoint())
        .push(") as c left join (select true as is_present");
        let mut by = self.by.join(", ");
        let mut filter = self.filter.clone();
        sql.push(", ").push(&by);
        if self.beside {
            filter.span.push_is_before(sql.push(", "));
            sql.push(" as ").push(IS_BEFORE);
            by = format!("{by}, {IS_BEFORE}");
            filter.span = filter.span.with_before();
        }
        let columns = T::Measures::COLUMNS.iter().enumerate();
        for (_, (column, merge)) in columns.filter(|(n, _)| self.wanted.has(*n)) {
            match merge {
                Merge::Sum => sql.push(format_args!(", ledger_sum({column}) as {column}")),
                Merge::Max => sql.push(format_args!(", max({column}) as {column}")),
            };
        }
        sql.push(" from ").push(T::NAME).push(" where true");
        if nothing || !filter.push(&mut sql) {
            sql.push(" and false");
        }
        for (column, value) in &self.only {
            sql.push(" and ")
                .push(column)
                .push(" = ")
                .push_bind(value.clone());
        }
        // In no order: the planner, which does not know how long a stretch is asked for, would sort all rows to get it.
        sql.push(format_args!(" group by {by} limit "))
            .push_bind(MAX_ROWS + 1)
            .push(format_args!(") as f on true order by {by}"));
        sql
    }
}
