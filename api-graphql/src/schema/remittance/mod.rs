//! Remittances: what a delivery partner owes a store for one business day.

pub mod input;
pub mod item;
pub mod mutation;
pub mod query;

use async_graphql::{Context, Enum, Error, ID, Object};
use domain::remittance::{Remittance as State, RemittanceStatus as DomainStatus, by_rider};
use projections::document::Row;

use self::item::{RemittanceItemConnection, RemittanceSummary, RiderTotal};
use super::{
    access::page_size,
    problem::int,
    record::view,
    scalars::{Date, DateTime, Decimal, Position},
};

/// Where a remittance stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainStatus")]
pub enum RemittanceStatus {
    /// One side is there and the other is not: expected items without a report, or the other way round.
    Awaiting,
    /// Compared: every item agrees.
    Matched,
    /// Compared: some item does not agree, or is disputed.
    Differing,
    /// Settled: nothing about it changes but the cash that is handed over and banked.
    Closed,
}

view! {
    /// A remittance, from the write side in a payload and from the read side in a query.
    Remittance of State, rows Row<State>
}

/// What a delivery partner owes a store for one business day, what the partner reports, and how they are settled.
#[Object]
impl Remittance {
    /// Partner, store and business day, such as GRAB:CFR029:2026-01-31.
    async fn id(&self) -> ID {
        ID::from(self.0.id.to_string())
    }

    /// Events so far. Hand it to `expectedVersion`.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// The log's position of its last event.
    async fn position(&self) -> Position {
        Position(self.0.position)
    }

    /// When it was first heard of.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// The partner that owes.
    async fn partner_id(&self) -> &str {
        self.0.id.partner().as_str()
    }

    /// The store that is owed.
    async fn store_id(&self) -> ID {
        ID::from(self.0.id.store().as_str())
    }

    /// The store's region.
    async fn region(&self) -> Option<&str> {
        self.0.state.region.as_ref().map(|r| r.as_str())
    }

    /// The Bangkok business day on which the cash was collected.
    async fn business_day(&self) -> Date {
        Date(self.0.id.day())
    }

    /// Where it stands.
    async fn status(&self) -> RemittanceStatus {
        self.0.state.status.into()
    }

    /// Whether the day's expected items are known: only then is a report compared.
    async fn is_opened(&self) -> bool {
        self.0.state.is_opened
    }

    /// Whether the partner has reported.
    async fn is_reported(&self) -> bool {
        self.0.state.reported.is_some()
    }

    /// Sums and counts of the comparison.
    async fn summary(&self) -> RemittanceSummary {
        RemittanceSummary::from(self.0.state.summary)
    }

    /// The comparison summed up by rider.
    async fn riders(&self) -> Vec<RiderTotal> {
        let riders = by_rider(&self.0.state.comparisons).into_iter();
        riders.map(RiderTotal::from).collect()
    }

    /// The items by reference: compared ones once both sides are there, else those of the side that is.
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            default_with = "crate::schema::connection::default_page()",
            desc = "1 to 100."
        )]
        first: i32,
        #[graphql(desc = "A cursor of this list.")] after: Option<String>,
    ) -> Result<RemittanceItemConnection, Error> {
        let first = usize::try_from(page_size("first", first)?).unwrap_or(1);
        let mut page = item::page(&self.0.id, &self.0.state, first, after.as_deref())?;
        item::hide_foreign(ctx, &mut page).await?;
        Ok(page)
    }

    /// The partner's ids of the reports taken in.
    async fn report_ids(&self) -> Vec<&str> {
        let reports = self.0.state.reports.iter();
        reports.map(|report| report.report_id.as_str()).collect()
    }

    /// Cash handed over to the store so far.
    async fn received(&self) -> Decimal {
        self.0.state.received.into()
    }

    /// Cash the partner still owes of what was accepted.
    async fn owed(&self) -> Decimal {
        self.0.state.owed().into()
    }

    /// Cash of it that the store still holds.
    async fn held(&self) -> Decimal {
        self.0.state.held().into()
    }

    /// Cash banked so far.
    async fn deposited(&self) -> Decimal {
        self.0.state.deposited.into()
    }
}
