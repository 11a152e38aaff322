//! How far a replica is behind the primary, and whether it follows this primary at all: from what both said, look by
//! look. Positions decide: where nothing happens nobody lags, and where replay stands still, the clock of the last replay
//! does not hide it.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::look::Mark;

/// Marks of the primary that are kept while the replica has not reached them: more than a minute of looks, which is more
/// than the longest lag that may be allowed.
const MAX_MARKS: usize = 2_000;
/// Looks in a row in which a replica may hold events that the primary does not show: a commit can become visible on the
/// replica first, for the moment that it takes the primary to hear that it is safe.
const AHEAD_LOOKS: u32 = 20;

/// What two marks, the replica's taken first, say of the replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It follows; for so long the primary has been where the replica is not yet.
    Follows(Duration),
    /// It holds events that the primary has not, for now.
    Ahead,
    /// Its log is not the primary's.
    OtherHistory,
}

/// Remembers the primary's marks until the replica has reached them.
#[derive(Debug, Default)]
pub(super) struct Track {
    /// Oldest first; the replica has reached none of them.
    ahead_of_it: VecDeque<(Instant, Mark)>,
    ahead: u32,
}

impl Track {
    /// Judges a look at `now`. `primary` holds the hash of its event where the replica's log ends.
    pub(super) fn judge(&mut self, now: Instant, replica: &Mark, primary: &Mark) -> Verdict {
        if replica.head > primary.head {
            self.ahead += 1;
            return if self.ahead > AHEAD_LOOKS {
                Verdict::OtherHistory
            } else {
                Verdict::Ahead
            };
        }
        self.ahead = 0;
        // Before the first event there is no hash, and nothing that could differ.
        if replica.head > 0 && primary.hash_there.as_ref() != Some(&replica.hash) {
            return Verdict::OtherHistory;
        }
        let is_new = self
            .ahead_of_it
            .back()
            .is_none_or(|(_, last)| !last.reaches(primary));
        if is_new {
            if self.ahead_of_it.len() == MAX_MARKS {
                self.ahead_of_it.pop_front();
            }
            self.ahead_of_it.push_back((now, primary.clone()));
        }
        while let Some((_, mark)) = self.ahead_of_it.front() {
            if !replica.reaches(mark) {
                break;
            }
            self.ahead_of_it.pop_front();
        }
        let since = self.ahead_of_it.front().map(|(since, _)| *since);
        Verdict::Follows(since.map_or(Duration::ZERO, |since| now.duration_since(since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(head: i64, checkpoint: i64) -> Mark {
        Mark {
            in_recovery: false,
            head,
            hash: vec![u8::try_from(head).unwrap()],
            checkpoints: vec![checkpoint],
            hash_there: None,
        }
    }

    /// The primary's mark, asked for the event at `there`.
    fn asked(head: i64, checkpoint: i64, there: i64) -> Mark {
        Mark {
            hash_there: (there > 0).then(|| vec![u8::try_from(there).unwrap()]),
            ..mark(head, checkpoint)
        }
    }

    #[test]
    fn an_idle_system_is_not_lagging_and_a_paused_replay_is() {
        let (mut track, start) = (Track::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let lag = |seconds| Verdict::Follows(Duration::from_secs(seconds));
        for second in 0..100 {
            let verdict = track.judge(at(second), &mark(5, 5), &asked(5, 5, 5));
            assert_eq!(verdict, lag(0));
        }
        // From here on the replay is paused: what counts is since when the primary has more.
        assert_eq!(track.judge(at(100), &mark(5, 5), &asked(6, 5, 5)), lag(0));
        assert_eq!(track.judge(at(101), &mark(5, 5), &asked(6, 6, 5)), lag(1));
        assert_eq!(track.judge(at(109), &mark(5, 5), &asked(6, 6, 5)), lag(9));
        // Half of it is there: the rest has been missing since the second 101.
        assert_eq!(track.judge(at(110), &mark(6, 5), &asked(6, 6, 6)), lag(9));
        assert_eq!(track.judge(at(111), &mark(6, 6), &asked(6, 6, 6)), lag(0));
    }

    #[test]
    fn a_model_that_is_behind_counts_where_the_log_is_not() {
        let (mut track, start) = (Track::default(), Instant::now());
        let second = start + Duration::from_secs(1);
        track.judge(start, &mark(9, 4), &asked(9, 5, 9));
        let verdict = track.judge(second, &mark(9, 4), &asked(9, 9, 9));
        assert_eq!(verdict, Verdict::Follows(Duration::from_secs(1)));
        assert_eq!(mark(9, 4).behind(&asked(9, 9, 9)), 5);
    }

    #[test]
    fn another_history_is_told_from_a_moments_head_start() {
        let (mut track, now) = (Track::default(), Instant::now());
        for _ in 0..AHEAD_LOOKS {
            assert_eq!(
                track.judge(now, &mark(6, 5), &asked(5, 5, 0)),
                Verdict::Ahead
            );
        }
        assert_eq!(
            track.judge(now, &mark(6, 5), &asked(5, 5, 0)),
            Verdict::OtherHistory
        );
        assert_eq!(
            track.judge(now, &mark(6, 5), &asked(6, 5, 6)),
            Verdict::Follows(Duration::ZERO)
        );
        // The same position, another event.
        let other = Mark {
            hash_there: Some(vec![99]),
            ..mark(7, 5)
        };
        assert_eq!(track.judge(now, &mark(6, 5), &other), Verdict::OtherHistory);
        let none = mark(7, 5);
        assert_eq!(track.judge(now, &mark(6, 5), &none), Verdict::OtherHistory);
        let empty = track.judge(now, &mark(0, 0), &mark(0, 0));
        assert_eq!(empty, Verdict::Follows(Duration::ZERO));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (mut track, start) = (Track::default(), Instant::now());
        let heads = 1..i64::try_from(MAX_MARKS).unwrap() + 100;
        for head in heads {
            let now = start + Duration::from_millis(50 * head.unsigned_abs());
            let primary = Mark {
                hash: Vec::new(),
                ..mark(1, head)
            };
            track.judge(now, &mark(0, 0), &Mark { head, ..primary });
        }
        assert_eq!(track.ahead_of_it.len(), MAX_MARKS);
    }
}
