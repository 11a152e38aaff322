//! When something happened, as its sender says.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::{
    order::{facts::Facts, state::Order},
    refusal::Code,
    validate::{Problems, is_plausible},
};

/// How far a sender's clock may be off ours: with more than that a time is a mistake, as a rule
/// Bangkok time marked as UTC.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// News of an order: not to come, and not from before there was an order.
pub(super) fn check_past(
    problems: &mut Problems,
    path: &str,
    time: Option<DateTime<Utc>>,
    order: &Order,
    facts: &Facts,
) {
    check_not_to_come(problems, path, time, facts.now);
    let (Some(at), Some(begin)) = (time, begin(order, facts)) else {
        return;
    };
    if is_plausible(at) && begin.signed_duration_since(at) > CLOCK_TOLERANCE {
        let begin = begin.to_rfc3339_opts(SecondsFormat::Secs, true);
        let message =
            format!("{path} must not come before the order, {begin}: is it another order's news?");
        problems.add(Code::Validation, path, message);
    }
}

/// A time that is over by our clock, or about to be by one that is a little fast.
pub(super) fn check_not_to_come(
    problems: &mut Problems,
    path: &str,
    time: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) {
    problems.time(path, time);
    if time.is_some_and(|at| is_plausible(at) && at.signed_duration_since(now) > CLOCK_TOLERANCE) {
        let message =
            format!("{path} must not lie in the future: is it Bangkok time marked as UTC?");
        problems.add(Code::Validation, path, message);
    }
}

/// When the customer ordered: an order that came late, or was imported, is older than the ledger's
/// record of it.
fn begin(order: &Order, facts: &Facts) -> Option<DateTime<Utc>> {
    let times = [order.captured_at, facts.placed_at];
    times.into_iter().flatten().min()
}
