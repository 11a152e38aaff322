//! How delivery partners perform.

use async_graphql::{Enum, ID, SimpleObject};
use projections::metrics::{
    Figures,
    partner::{PartnerBy as By, PartnerRow},
};

use super::{decimal, number, timings::DurationFigures};
use crate::schema::{
    cash::metrics::share,
    scalars::{Date, Decimal, Position},
};

/// What partners' figures are told apart by, besides the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "By")]
pub enum PartnerBy {
    /// Nothing.
    Total,
    /// The store.
    Store,
    /// The Bangkok day on which the orders were handed over.
    Day,
}

/// How delivery partners perform: by the day on which orders were handed over, with all that became of them later.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct PartnerPerformance {
    /// The partners, by id.
    pub partners: Vec<PartnerFigures>,
    /// The position of the log at which the figures hold.
    pub position: Position,
}

impl From<Figures<PartnerRow>> for PartnerPerformance {
    fn from(figures: Figures<PartnerRow>) -> Self {
        Self {
            partners: figures.rows.into_iter().map(PartnerFigures::from).collect(),
            position: Position(figures.position),
        }
    }
}

/// How a partner performs.
#[derive(Debug, Clone, SimpleObject)]
#[graphql(serial)]
pub struct PartnerFigures {
    /// The partner: who collected the cash, else who carries the order; null for orders of which nobody is known.
    pub partner_id: Option<String>,
    /// The store, where the figures are told apart by it.
    pub store_id: Option<ID>,
    /// The day, where the figures are told apart by it.
    pub day: Option<Date>,
    /// Orders handed over.
    pub handed_over: i32,
    /// Of these, those delivered.
    pub delivered: i32,
    /// Of these, those delivered at the first attempt.
    pub delivered_at_once: i32,
    /// Delivered of handed over, 0.9500 for 95%, rounded down; null where none was handed over.
    pub delivery_success: Option<Decimal>,
    /// Attempts that failed.
    pub failed_attempts: i32,
    /// Orders that go back without having reached the customer.
    pub undelivered: i32,
    /// From handed over to delivered.
    pub rides: DurationFigures,
    /// Delivered orders whose cash was collected.
    pub collected: i32,
    /// Of these, those whose cash was collected within 24 hours of the delivery.
    pub collected_in_time: i32,
    /// Collected in time of delivered, rounded down; null where none was delivered.
    pub cash_success: Option<Decimal>,
    /// Collections with another amount than the one due.
    pub discrepancies: i32,
    /// Collected less due, over them. In THB.
    pub discrepancy_sum: Decimal,
    /// Orders whose cash was settled with the partner.
    pub settled: i32,
    /// Of these, those for which another amount counts than was expected.
    pub variances: i32,
    /// Accepted less expected, over them. In THB.
    pub variance_sum: Decimal,
}

impl From<PartnerRow> for PartnerFigures {
    fn from(row: PartnerRow) -> Self {
        let f = row.figures;
        Self {
            partner_id: row.partner_id.map(|id| id.to_string()),
            store_id: row.store_id.map(|id| ID::from(id.as_str())),
            day: row.day.map(Date),
            handed_over: number(f.handed_over),
            delivered: number(f.delivered),
            delivered_at_once: number(f.delivered_at_once),
            delivery_success: share(f.delivered, f.handed_over),
            failed_attempts: number(f.failed_attempts),
            undelivered: number(f.undelivered),
            rides: DurationFigures::of_millis(&row.rides),
            collected: number(f.collected),
            collected_in_time: number(f.collected_in_time),
            cash_success: share(f.collected_in_time, f.delivered),
            discrepancies: number(f.discrepancies),
            discrepancy_sum: decimal(f.discrepancy_units),
            settled: number(f.settled),
            variances: number(f.variances),
            variance_sum: decimal(f.variance_units),
        }
    }
}
