//! What the caller may still ask for.

use async_graphql::{Context, Error, Object, SimpleObject};
use chrono::{TimeDelta, Utc};

use super::{access::coded, scalars::DateTime};
use crate::{
    limits::Limits,
    rate::{Credit, Level},
};

/// A quota of a minute. It refills evenly; at most a minute's worth is saved up.
#[derive(Debug, Clone, SimpleObject)]
pub struct Allowance {
    /// The quota of a minute.
    pub limit: i32,
    /// What is left of it.
    pub remaining: i32,
    /// When all of it is there again, if nothing is used until then.
    pub reset_at: DateTime,
}

impl From<Level> for Allowance {
    fn from(level: Level) -> Self {
        let number = |n: u64| i32::try_from(n).unwrap_or(i32::MAX);
        let reset = TimeDelta::from_std(level.reset).unwrap_or_default();
        Self {
            limit: number(level.limit),
            remaining: number(level.remaining),
            reset_at: DateTime(Utc::now() + reset),
        }
    }
}

/// What the caller may ask for in a minute.
#[derive(Debug, Clone, SimpleObject)]
pub struct RateLimit {
    /// Which quotas count: user, partner, operations or load.
    pub class: &'static str,
    /// Requests; null without a quota.
    pub requests: Option<Allowance>,
    /// Cost points of operations, this one among them; null without a quota.
    pub points: Option<Allowance>,
    /// Cost points that one operation may have.
    pub maximum_query_cost: i32,
}

/// The query.
#[derive(Debug, Default)]
pub struct RateQuery;

#[Object]
impl RateQuery {
    /// What the caller may still ask for in this minute.
    async fn rate_limit(&self, ctx: &Context<'_>) -> Result<RateLimit, Error> {
        let credit = ctx.data_opt::<Credit>();
        let credit =
            credit.ok_or_else(|| coded("UNAUTHENTICATED", "a bearer token is required"))?;
        let limits = ctx.data::<Limits>()?;
        Ok(RateLimit {
            class: credit.class().as_str(),
            requests: credit.requests_left().map(Allowance::from),
            points: credit.points_left().map(Allowance::from),
            maximum_query_cost: i32::try_from(limits.cost).unwrap_or(i32::MAX),
        })
    }
}
