//! The chain's calendar: business days begin at midnight in Bangkok.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};

/// Bangkok is UTC+7 all year, and has been since 1920.
const BANGKOK_OFFSET: TimeDelta = TimeDelta::hours(7);

/// What a clock in Bangkok shows.
pub fn bangkok_time(at: DateTime<Utc>) -> NaiveDateTime {
    at.naive_utc()
        .checked_add_signed(BANGKOK_OFFSET)
        .unwrap_or(NaiveDateTime::MAX)
}

/// The business day.
pub fn business_day(at: DateTime<Utc>) -> NaiveDate {
    bangkok_time(at).date()
}

/// The moment at which a business day begins.
pub fn day_start(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN)
        .checked_sub_signed(BANGKOK_OFFSET)
        .unwrap_or(NaiveDateTime::MIN)
        .and_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_seventeen_hundred_utc() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let day = NaiveDate::from_ymd_opt(2026, 11, 24).unwrap();
        assert_eq!(
            business_day(at("2026-11-23T16:59:59.999Z")).succ_opt(),
            Some(day)
        );
        assert_eq!(business_day(at("2026-11-23T17:00:00Z")), day);
        assert_eq!(day_start(day), at("2026-11-23T17:00:00Z"));
        assert_eq!(day_start(NaiveDate::MIN).naive_utc(), NaiveDateTime::MIN);
    }
}
