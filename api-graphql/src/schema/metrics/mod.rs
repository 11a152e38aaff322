//! Metrics: how orders flow, bundles sell, partners deliver and steps take, of the stores the caller may see.

pub mod bundles;
pub mod flow;
pub mod partners;
pub mod query;
pub mod timings;
pub mod trend;

use async_graphql::{Error, ID};
use chrono::{Datelike, NaiveDate};
use domain::money::Money;
use projections::metrics::{MAX_DAYS, MAX_HOURS, MetricsFilter, Span};

use super::{
    access::{Access, invalid, parsed},
    order::filter::store_ids,
    scalars::{Date, Decimal},
};

/// The most Bangkok days of which figures by the hour may be asked for.
const MAX_HOUR_DAYS: i64 = MAX_HOURS / 24;

/// The years that may be asked about; the database knows no day of some that a date can name.
const YEARS: std::ops::RangeInclusive<i32> = 2000..=2199;

/// A count as GraphQL has it.
fn number(n: i64) -> i32 {
    i32::try_from(n).unwrap_or(if n < 0 { i32::MIN } else { i32::MAX })
}

/// An amount of 1/10,000 THB, or a quantity of 1/10,000.
const fn decimal(units: i64) -> Decimal {
    Decimal(Money::from_units(units))
}

/// Bangkok days, both included.
///
/// # Errors
/// INVALID_INPUT when the last is before the first, or they are too many.
fn days(from: Date, to: Date) -> Result<Span, Error> {
    check(from.0, to.0, MAX_DAYS)?;
    Ok(Span::Days {
        from: from.0,
        to: to.0,
    })
}

/// The hours of Bangkok days, both included.
///
/// # Errors
/// As [`days`].
fn hours(from: Date, to: Date) -> Result<Span, Error> {
    check(from.0, to.0, MAX_HOUR_DAYS)?;
    Ok(Span::hours_of(from.0, to.0))
}

/// Days that a reader may ask for, both included.
///
/// # Errors
/// As [`days`].
pub(super) fn check(from: NaiveDate, to: NaiveDate, max: i64) -> Result<(), Error> {
    for (field, day) in [("from", from), ("to", to)] {
        if !YEARS.contains(&day.year()) {
            let (first, last) = (YEARS.start(), YEARS.end());
            let problem = format!("must be a day of the years {first} to {last}");
            return Err(invalid(field, problem));
        }
    }
    let later = to.signed_duration_since(from).num_days();
    if (0..max).contains(&later) {
        Ok(())
    } else {
        let problem = format!("must be `from` or up to {} days later", max - 1);
        Err(invalid("to", problem))
    }
}

/// Whose figures are asked for: of the stores the caller may see. Others that are named are left out, and audited.
///
/// # Errors
/// INVALID_INPUT for what is no region, no store, or too many stores.
async fn filter(
    access: &Access<'_>,
    span: Span,
    region: Option<String>,
    stores: Option<Vec<ID>>,
) -> Result<MetricsFilter, Error> {
    let stores = stores.map(|ids| store_ids("storeIds", &ids)).transpose()?;
    let region = parsed("region", region)?;
    access.asks_for(stores.as_deref()).await;
    Ok(MetricsFilter {
        stores,
        region,
        ..MetricsFilter::within(access.actor().stores.clone(), span)
    })
}
