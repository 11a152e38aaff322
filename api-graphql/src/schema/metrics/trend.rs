//! A store's dashboard: where its orders stand, and how that compares.

use async_graphql::{ID, SimpleObject};
use chrono::{DateTime as Moment, TimeDelta, Utc};
use domain::{ids::StoreId, order::OrderStatus as Status};
use projections::{
    metrics::{
        Figures,
        regional::{Flow, FlowRow},
        step_timings::{Stage, Timing},
    },
    store_board::StoreCount,
};

use super::{
    flow::{FlowFigures, FlowPoint, points},
    number,
    timings::StageTiming,
};
use crate::schema::{
    order::status::OrderStatus,
    scalars::{DateTime, Position},
};

/// The hours that a trend is made of: the one it is about, and a day before it.
pub(super) const HOURS: i64 = 25;

/// How a store is doing.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct StoreTrend {
    /// The store.
    pub store_id: ID,
    /// When the hour begins that the trend is about.
    pub hour: DateTime,
    /// Where orders stand, status by status.
    pub statuses: Vec<StatusTrend>,
    /// The figures of the hour, as far as it has gone.
    pub figures: FlowFigures,
    /// The figures of the hour before.
    pub hour_before: FlowFigures,
    /// The figures of the same hour the day before.
    pub same_hour_yesterday: FlowFigures,
    /// The throughput of the last 25 hours; those in which nothing happened are left out.
    pub hours: Vec<FlowPoint>,
    /// How long the stages take that began on the hour's Bangkok day and have ended.
    pub stages: Vec<StageTiming>,
    /// The position of the log at which the figures of the hours hold.
    pub position: Position,
}

/// A status of the pipeline and its trend.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct StatusTrend {
    /// The status.
    pub status: OrderStatus,
    /// The status as the chain's number.
    pub status_code: i32,
    /// Orders that stand in it now.
    pub count: i32,
    /// Orders that reached it in the hour, as far as it has gone.
    pub reached: i32,
    /// Orders that reached it in the hour before.
    pub hour_before: i32,
    /// Orders that reached it in the same hour the day before.
    pub same_hour_yesterday: i32,
}

impl StoreTrend {
    /// `hour`: when it begins. `rows` by hour.
    pub(super) fn new(
        store: &StoreId,
        hour: Moment<Utc>,
        flow: &Figures<FlowRow>,
        board: &[StoreCount],
        stages: &[Timing<Stage>],
    ) -> Self {
        let of = |hours: i64| {
            let at = hour.checked_sub_signed(TimeDelta::hours(hours));
            let rows = flow.rows.iter().filter(|row| row.at == at);
            Flow::total(rows.map(|row| &row.flow))
        };
        let (now, before, yesterday) = (of(0), of(1), of(24));
        let statuses = Status::ALL.iter().map(|status| {
            let standing = board.iter().filter(|c| c.status == *status);
            StatusTrend {
                status: (*status).into(),
                status_code: status.code().into(),
                count: number(standing.map(|c| c.count).sum()),
                reached: number(now.reached(*status)),
                hour_before: number(before.reached(*status)),
                same_hour_yesterday: number(yesterday.reached(*status)),
            }
        });
        Self {
            store_id: ID::from(store.as_str()),
            hour: DateTime(hour),
            statuses: statuses.collect(),
            figures: now.into(),
            hour_before: before.into(),
            same_hour_yesterday: yesterday.into(),
            hours: points(&flow.rows),
            stages: stages.iter().map(StageTiming::from).collect(),
            position: Position(flow.position),
        }
    }
}
