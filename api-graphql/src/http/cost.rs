//! `extensions.cost` of an answer: what the operation costs and what is left of the caller's points.

use async_graphql::{Value, value};

use crate::rate::Credit;

/// What an operation costs, in the names that clients of such APIs know. `throttleStatus` is there where the caller has
/// a quota of points.
pub(super) fn extension(cost: usize, limit: usize, credit: Option<&Credit>) -> Value {
    let (cost, limit) = (number(cost), number(limit));
    let Some(points) = credit.and_then(Credit::points_left) else {
        return value!({ "requestedQueryCost": cost, "maximumQueryCost": limit });
    };
    value!({
        "requestedQueryCost": cost,
        "maximumQueryCost": limit,
        "throttleStatus": {
            "maximumAvailable": points.limit,
            "currentlyAvailable": points.remaining,
            "restoreRate": points.restore_rate(),
            "resetSeconds": points.reset_seconds(),
        },
    })
}

fn number(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
