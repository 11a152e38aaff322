//! Orders as they were.

use async_graphql::{Error, OneofObject};
use chrono::{TimeDelta, Utc};
use domain::ids::OrderId;
use projections::as_of::{self, AsOfError, Found};

use super::Order;
use crate::schema::{
    access::{Access, coded, invalid},
    record::{Record, Standing},
    scalars::{DateTime, Position},
};

/// Clocks of the ledger and its database may differ by less, and an append takes less.
const SETTLED_AFTER: TimeDelta = TimeDelta::minutes(5);

/// A moment of an order: exactly one of these.
#[derive(Debug, Clone, Copy, OneofObject)]
pub enum AsOf {
    /// After so many of its events; 0 is before the first.
    Version(i32),
    /// After what was recorded then or before: see `recordedAt` of its history. A time to come is now.
    Time(DateTime),
    /// After the event at this position of the log, whichever order's it is.
    Position(Position),
}

impl AsOf {
    /// # Errors
    /// INVALID_INPUT for a version below 0.
    fn moment(self, path: &str) -> Result<as_of::AsOf, Error> {
        Ok(match self {
            Self::Version(version) if version < 0 => {
                return Err(invalid(&format!("{path}.version"), "must be 0 or more"));
            }
            Self::Version(version) => as_of::AsOf::Version(i64::from(version)),
            Self::Time(time) => as_of::AsOf::Time(time.0),
            Self::Position(position) => as_of::AsOf::Position(position.0),
        })
    }
}

impl AsOf {
    /// Whether what there was then can never be another: what was found for a version or a position is settled, a time
    /// once no event can be recorded with it any more.
    pub(super) fn is_settled(self) -> bool {
        match self {
            Self::Version(_) | Self::Position(_) => true,
            Self::Time(time) => time.0 < Utc::now() - SETTLED_AFTER,
        }
    }
}

/// What there was of an order at a moment, whatever its store.
///
/// # Errors
/// INVALID_INPUT for a moment that the log has not; TOO_MUCH for a history beyond the bound; a fault of ours.
pub(super) async fn found(
    access: &Access<'_>,
    id: OrderId,
    as_of: AsOf,
    path: &str,
) -> Result<Found, Error> {
    let found = access
        .backend
        .order_as_of(id, Some(as_of.moment(path)?))
        .await;
    found.map_err(|error| refused(access, error, path))
}

/// What there is of an order now, in the log, whatever its store.
///
/// # Errors
/// As [`found`].
pub(super) async fn now(access: &Access<'_>, id: OrderId) -> Result<Found, Error> {
    let found = access.backend.order_as_of(id, None).await;
    found.map_err(|error| refused(access, error, ""))
}

fn refused(access: &Access<'_>, error: AsOfError, path: &str) -> Error {
    match error {
        // How far the log goes is not everybody's to know.
        AsOfError::Ahead { .. } => invalid(
            &format!("{path}.position"),
            "is beyond the end of the log; take one from a receipt, an order or an event",
        ),
        AsOfError::TooLong { .. } => coded("TOO_MUCH", error.to_string()),
        AsOfError::Poison(poison) => access.fault(&poison.to_string()),
        AsOfError::Store(error) => access.log_failed(error),
    }
}

/// An order as it was; `None` where there was none that the caller may see.
///
/// # Errors
/// As [`found`].
pub(super) async fn past(
    access: &Access<'_>,
    id: OrderId,
    as_of: AsOf,
) -> Result<Option<Order>, Error> {
    let Some(row) = found(access, id, as_of, "asOf").await?.row() else {
        return Ok(None);
    };
    let visible = access.sees(&row.order.store_id, &row.id.to_string()).await;
    let then = Record {
        standing: Standing::Past,
        ..Record::from(row)
    };
    Ok(visible.then(|| Order::from(then)))
}
