//! What refills evenly: at most one minute's worth is saved up, and what is taken comes back over time.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// How long an empty bucket takes to be full: every quota is one of a minute.
pub(crate) const WINDOW: Duration = Duration::from_secs(60);
/// [`WINDOW`] in nanoseconds.
const WINDOW_NANOS: u64 = 60_000_000_000;

/// One quantity of one caller. It keeps only when it will be full again, on its limiter's clock in nanoseconds, so that
/// taking from it is one atomic step (the generic cell rate algorithm, ITU-T I.371).
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    full_at: AtomicU64,
}

/// How full a bucket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    /// What it holds when it is full: the quota of a minute.
    pub(crate) limit: u64,
    /// What may be taken at once.
    pub(crate) remaining: u64,
    /// Until it is full again.
    pub(crate) reset: Duration,
}

impl Bucket {
    /// Takes an amount of a quota of `limit` a minute. More than a whole quota counts as one, so that whatever may be
    /// asked for at all is possible at times.
    ///
    /// # Errors
    /// There is not as much: how long to wait until there is. Nothing is taken then.
    pub(crate) fn take(&self, limit: u64, amount: u64, now: u64) -> Result<(), Duration> {
        let nanos = nanos(limit, amount);
        let latest = now.saturating_add(WINDOW_NANOS);
        let after = |full_at: u64| full_at.max(now).saturating_add(nanos);
        let taken = self
            .full_at
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |full_at| {
                Some(after(full_at)).filter(|next| *next <= latest)
            });
        match taken {
            Ok(_) => Ok(()),
            Err(full_at) => Err(Duration::from_nanos(after(full_at).saturating_sub(latest))),
        }
    }

    /// Takes an amount, or what there is.
    pub(crate) fn drain(&self, limit: u64, amount: u64, now: u64) {
        let nanos = nanos(limit, amount);
        let latest = now.saturating_add(WINDOW_NANOS);
        // The closure always gives a value, so this cannot fail.
        let _ = self
            .full_at
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |full_at| {
                Some(full_at.max(now).saturating_add(nanos).min(latest))
            });
    }

    /// How full it is.
    pub(crate) fn level(&self, limit: u64, now: u64) -> Level {
        let owed = self.full_at.load(Ordering::Acquire).saturating_sub(now);
        let saved = WINDOW_NANOS.saturating_sub(owed);
        let remaining = u128::from(saved) * u128::from(limit) / u128::from(WINDOW_NANOS);
        Level {
            limit,
            remaining: u64::try_from(remaining).unwrap_or(limit),
            reset: Duration::from_nanos(owed),
        }
    }
}

/// The time in which an amount comes back. Rounded down, so that a whole quota can be taken in parts.
fn nanos(limit: u64, amount: u64) -> u64 {
    let amount = u128::from(amount.min(limit));
    let nanos = amount * u128::from(WINDOW_NANOS) / u128::from(limit.max(1));
    u64::try_from(nanos).unwrap_or(WINDOW_NANOS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_minutes_worth_is_there_at_once_and_then_as_much_as_comes_back() {
        for limit in [1, 7, 100, 1_000, 600_000] {
            let bucket = Bucket::default();
            for n in 0..limit.min(1_000) {
                assert_eq!(bucket.take(limit, limit.div_ceil(1_000), 5), Ok(()), "{n}");
            }
            let wait = bucket.take(limit, limit.div_ceil(1_000), 5).unwrap_err();
            let shortest = Duration::from_nanos(WINDOW_NANOS / limit.min(1_000));
            assert!(wait <= shortest && !wait.is_zero(), "{limit}: {wait:?}");
            // What is told is true: a moment earlier is too early, then it is there.
            let told = 5 + u64::try_from(wait.as_nanos()).unwrap();
            assert!(bucket.take(limit, limit.div_ceil(1_000), told - 1).is_err());
            assert_eq!(bucket.take(limit, limit.div_ceil(1_000), told), Ok(()));
        }
    }

    #[test]
    fn what_is_left_and_when_it_is_full_is_told() {
        let bucket = Bucket::default();
        let level = |now| bucket.level(600, now);
        assert_eq!((level(0).remaining, level(0).reset), (600, Duration::ZERO));
        bucket.take(600, 60, 0).unwrap();
        assert_eq!(level(0).remaining, 540);
        assert_eq!(level(0).reset, Duration::from_secs(6));
        assert_eq!(level(3 * SECOND).remaining, 570);
        assert_eq!(level(60 * SECOND).remaining, 600);
        // More than there can ever be takes all.
        assert_eq!(bucket.take(600, u64::MAX, 60 * SECOND), Ok(()));
        assert_eq!(level(60 * SECOND).remaining, 0);
        bucket.drain(600, 600, 60 * SECOND);
        let owed = bucket.take(600, 1, 60 * SECOND).unwrap_err();
        assert_eq!(owed, Duration::from_millis(100), "a debt never grows");
    }

    proptest! {
        /// Whatever is taken when: never more than a quota at once and a quota a minute.
        #[test]
        fn never_more_than_the_quota_and_what_came_back(
            limit in 1_u64..100_000,
            steps in prop::collection::vec((0_u64..30 * SECOND, 0_u64..50_000), 1..60),
        ) {
            let bucket = Bucket::default();
            let (mut now, mut taken) = (0_u64, 0_u128);
            for (pause, amount) in steps {
                now += pause;
                if bucket.take(limit, amount, now).is_ok() {
                    taken += u128::from(amount.min(limit));
                }
                let allowed = u128::from(limit)
                    + u128::from(limit) * u128::from(now) / u128::from(WINDOW_NANOS);
                // Each step rounds in the caller's favour by less than one.
                prop_assert!(taken <= allowed + 60);
                prop_assert!(bucket.level(limit, now).remaining <= limit);
            }
        }
    }
}
