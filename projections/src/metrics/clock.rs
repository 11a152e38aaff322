//! Hours and days in Bangkok, and buckets of durations.

use chrono::{DateTime, NaiveDate, Utc};
use domain::calendar::business_day;

use super::life::Micros;

const HOUR: Micros = 3_600_000_000;
/// Buckets of an octave, as a power of two: a bucket is at most a quarter of its lower edge wide.
const OCTAVE_BITS: u32 = 2;
const PER_OCTAVE: u64 = 1 << OCTAVE_BITS;

/// A moment; the beginning of time for one that no calendar has.
pub(crate) fn moment(at: Micros) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at).unwrap_or_default()
}

/// The hour that a moment lies in. Bangkok is whole hours from UTC, so its hours are UTC's.
pub(crate) fn hour(at: Micros) -> DateTime<Utc> {
    moment(at.saturating_sub(at.rem_euclid(HOUR)))
}

/// The Bangkok business day that a moment lies in.
pub(crate) fn day(at: Micros) -> NaiveDate {
    business_day(moment(at))
}

/// The bucket of a duration, whatever its unit: 0, 1, 2, 3, then four to each octave, as far as 64 bits go. Fixed for
/// good, because rows hold the numbers.
pub(crate) fn bucket(duration: u64) -> i16 {
    if duration < PER_OCTAVE {
        return i16::try_from(duration).unwrap_or_default();
    }
    let octave = duration.ilog2() - OCTAVE_BITS;
    let within = (duration >> octave) & (PER_OCTAVE - 1);
    let number = (u64::from(octave) + 1) * PER_OCTAVE + within;
    i16::try_from(number).unwrap_or(i16::MAX)
}

/// The largest duration of a bucket.
pub(crate) fn bucket_top(bucket: i16) -> u64 {
    let number = u64::try_from(bucket).unwrap_or_default();
    if number < PER_OCTAVE {
        return number;
    }
    let octave = u32::try_from(number / PER_OCTAVE - 1).unwrap_or(u32::MAX);
    let next = PER_OCTAVE + number % PER_OCTAVE + 1;
    // The last bucket ends where 64 bits do.
    u128::from(next)
        .checked_shl(octave)
        .and_then(|edge| u64::try_from(edge - 1).ok())
        .unwrap_or(u64::MAX)
}

/// The duration that `per_mille` of 1,000 measurements do not exceed, from counts by bucket in the buckets' order: at
/// most a quarter too high. `None` of nothing.
pub(crate) fn quantile(buckets: &[(i16, i64)], per_mille: i64) -> Option<u64> {
    let all = buckets
        .iter()
        .fold(0_i64, |sum, (_, n)| sum.saturating_add(*n));
    let wanted = i128::from(all) * i128::from(per_mille);
    let mut seen = 0_i128;
    for (bucket, count) in buckets {
        seen += i128::from(*count) * 1_000;
        if *count > 0 && seen >= wanted {
            return Some(bucket_top(*bucket));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bucket_holds_what_is_at_most_a_quarter_below_its_top(duration in any::<u64>(), shift in 0..64_u32) {
            let duration = duration >> shift;
            let top = bucket_top(bucket(duration));
            prop_assert!(top >= duration);
            prop_assert!(top - duration <= duration / 4, "{duration} {top}");
            prop_assert_eq!(bucket(top), bucket(duration));
            if top < u64::MAX {
                prop_assert_eq!(bucket(top + 1), bucket(duration) + 1);
            }
        }

        #[test]
        fn a_quantile_is_the_bucket_of_the_sorted_value(
            mut durations in prop::collection::vec(0..5_000_000_u64, 1..60), per_mille in 1..=1_000_i64,
        ) {
            durations.sort_unstable();
            let mut counts = std::collections::BTreeMap::new();
            for duration in &durations {
                *counts.entry(bucket(*duration)).or_insert(0_i64) += 1;
            }
            let counts: Vec<(i16, i64)> = counts.into_iter().collect();
            let rank = (durations.len() * usize::try_from(per_mille).unwrap()).div_ceil(1_000).max(1);
            prop_assert_eq!(quantile(&counts, per_mille), Some(bucket_top(bucket(durations[rank - 1]))));
        }
    }

    #[test]
    fn buckets_are_what_they_were() {
        for (duration, number) in [
            (0, 0),
            (3, 3),
            (4, 4),
            (7, 7),
            (8, 8),
            (9, 8),
            (10, 9),
            (1_000, 35),
        ] {
            assert_eq!(bucket(duration), number, "{duration}");
        }
        assert_eq!(bucket_top(bucket(u64::MAX)), u64::MAX);
        assert_eq!(quantile(&[], 500), None);
    }

    #[test]
    fn hours_and_days_are_bangkoks() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap().timestamp_micros();
        assert_eq!(
            day(at("2026-01-05T16:59:59.999999Z")).to_string(),
            "2026-01-05"
        );
        assert_eq!(day(at("2026-01-05T17:00:00Z")).to_string(), "2026-01-06");
        assert_eq!(
            hour(at("2026-01-05T16:59:59.999999Z")).to_rfc3339(),
            "2026-01-05T16:00:00+00:00"
        );
        assert_eq!(
            hour(at("1969-12-31T23:59:59Z")).to_rfc3339(),
            "1969-12-31T23:00:00+00:00"
        );
    }
}
