//! Moments of the log: "as of" a time or a position, as people write them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use domain::calendar::day_start;
use sqlx::PgPool;
use store::{Head, LogId, Position, feed};

use crate::database::failure;
use crate::exit::{Exit, Failure};

/// A moment of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Behind the event at this position.
    Position(Position),
    /// Behind the last event that was recorded then or before.
    Time(DateTime<Utc>),
}

/// Reads a time: RFC 3339, or a day or a day and a time of Bangkok. A day alone is its beginning.
///
/// # Errors
/// In words, for the command line.
pub fn time(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(time) = text.parse::<DateTime<Utc>>() {
        return Ok(time);
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Ok(day_start(day));
    }
    let forms = [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
    ];
    let clock = forms
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    // Bangkok's clock runs ahead by as much as its day begins before midnight in UTC.
    let time = clock.and_then(|clock| {
        let into_day = clock.signed_duration_since(clock.date().and_time(chrono::NaiveTime::MIN));
        day_start(clock.date()).checked_add_signed(into_day)
    });
    time.ok_or_else(|| {
        "a time is expected, such as 2026-01-31T18:00:00+07:00, or of Bangkok: 2026-01-31 18:00"
            .to_owned()
    })
}

/// Reads a position.
///
/// # Errors
/// In words, for the command line.
pub fn position(text: &str) -> Result<Position, String> {
    let position = text.parse().ok().filter(|p| *p >= 0);
    position
        .map(Position)
        .ok_or_else(|| "a position is expected: 0 or more".to_owned())
}

/// Where the log stands at a moment, with the chain's hash there; the end of the log without one.
///
/// # Errors
/// The database does not answer; a position beyond the end of the log.
pub async fn resolve(pool: &PgPool, moment: Option<Moment>) -> Result<Head, Failure> {
    let log = LogId::DEFAULT;
    let head = feed::head(pool, log).await.map_err(failure)?;
    let at = match moment {
        None => return Ok(head),
        Some(Moment::Position(position)) if position > head.position => {
            return Err(Failure::new(
                Exit::Refused,
                format!(
                    "the log ends at position {}, before {position}",
                    head.position
                ),
            ));
        }
        Some(Moment::Position(position)) => position,
        Some(Moment::Time(time)) => feed::position_at(pool, log, time).await.map_err(failure)?,
    };
    feed::chain_at(pool, log, at).await.map_err(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_bangkok_unless_they_say_otherwise() {
        let utc = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        for (text, expected) in [
            ("2026-01-31T18:00:00+07:00", "2026-01-31T11:00:00Z"),
            ("2026-01-31T11:00:00Z", "2026-01-31T11:00:00Z"),
            ("2026-01-31", "2026-01-30T17:00:00Z"),
            ("2026-01-31 18:00", "2026-01-31T11:00:00Z"),
            ("2026-01-31T18:00:30.5", "2026-01-31T11:00:30.5Z"),
        ] {
            assert_eq!(time(text), Ok(utc(expected)), "{text}");
        }
        for text in ["", "yesterday", "2026-02-30", "18:00", "42"] {
            assert!(time(text).is_err(), "{text}");
        }
        assert!(position("-1").is_err() && position("x").is_err());
        assert_eq!(position("7"), Ok(Position(7)));
    }
}
