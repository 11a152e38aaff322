//! Reading metrics, of the stores the caller may see.

use async_graphql::{Context, Error, ID, Object};
use chrono::Utc;
use domain::{
    bundle::BundleId,
    calendar::business_day,
    ids::{PartnerId, StoreId},
};
use projections::{
    Model,
    metrics::{MetricsFilter, Span, Wanted, regional::FlowBy, step_timings},
};

use super::{
    bundles::BundlePerformance,
    days, filter,
    flow::{FlowGrain, RankBy, RegionBoard, Regions, StoreRanking, wanted},
    hours,
    partners::{PartnerBy, PartnerPerformance},
    timings::{StepTimings, TimingBy},
    trend::{HOURS, StoreTrend},
};
use crate::schema::{
    access::{Access, Fresh, invalid, page_size, parsed},
    connection::default_page,
    scalars::{Date, DateTime},
};

/// The queries over metrics.
#[derive(Default)]
pub struct MetricsQuery;

#[Object]
impl MetricsQuery {
    /// The regions side by side: how orders flowed, and how they did in the equally long time before.
    async fn regions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first Bangkok day.")] from: Date,
        #[graphql(desc = "The last Bangkok day; at most 92 days in all.")] to: Date,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<Regions, Error> {
        let access = Access::to_read(ctx).await?;
        let filter = filter(&access, days(from, to)?, None, None).await?;
        let node = access.read(&[Model::Metrics], fresh).await?;
        let wanted = wanted(ctx, &[]);
        let flow = node.flow_beside(&filter, FlowBy::Region, wanted).await;
        Ok(Regions::new(&flow.map_err(|e| access.read_failed(e))?))
    }

    /// How orders flowed in a region, down to its stores, and these down to hours or days.
    #[allow(clippy::too_many_arguments)]
    async fn region_board(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The region.")] region: String,
        #[graphql(desc = "The first Bangkok day.")] from: Date,
        #[graphql(desc = "The last Bangkok day; at most 92 days in all, 7 by the hour.")] to: Date,
        #[graphql(default_with = "FlowGrain::Day", desc = "By the hour or by the day.")]
        by: FlowGrain,
        #[graphql(desc = "Only these stores, at most 200.")] store_ids: Option<Vec<ID>>,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<RegionBoard, Error> {
        let access = Access::to_read(ctx).await?;
        let span = match by {
            FlowGrain::Hour => hours(from, to)?,
            FlowGrain::Day => days(from, to)?,
        };
        let filter = filter(&access, span, Some(region.clone()), store_ids).await?;
        let node = access.read(&[Model::Metrics], fresh).await?;
        let figures = node
            .flow(&filter, FlowBy::StoreTime, wanted(ctx, &[]))
            .await;
        let figures = figures.map_err(|e| access.read_failed(e))?;
        Ok(RegionBoard::new(region, &figures.rows, figures.position))
    }

    /// Stores ranked by one of their figures, the highest first, beside the equally long time before.
    #[allow(clippy::too_many_arguments)]
    async fn store_ranking(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first Bangkok day.")] from: Date,
        #[graphql(desc = "The last Bangkok day; at most 92 days in all.")] to: Date,
        #[graphql(default_with = "RankBy::Value", desc = "What they are ranked by.")] by: RankBy,
        #[graphql(desc = "Only this region.")] region: Option<String>,
        #[graphql(desc = "Only these stores, at most 200.")] store_ids: Option<Vec<ID>>,
        #[graphql(default_with = "default_page()", desc = "How many: 1 to 100.")] first: i32,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<StoreRanking, Error> {
        let access = Access::to_read(ctx).await?;
        let first = size(first)?;
        let filter = filter(&access, days(from, to)?, region, store_ids).await?;
        let node = access.read(&[Model::Metrics], fresh).await?;
        let wanted = wanted(ctx, by.columns());
        let flow = node.flow_beside(&filter, FlowBy::Store, wanted).await;
        let flow = flow.map_err(|e| access.read_failed(e))?;
        Ok(StoreRanking::new(by, first, &flow))
    }

    /// How a store is doing: where its orders stand, this hour beside the hour before and the same hour yesterday; null
    /// for a store that the caller may not see.
    async fn store_trend(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The store.")] store_id: ID,
        #[graphql(desc = "A moment of the hour; now when absent.")] at: Option<DateTime>,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<Option<StoreTrend>, Error> {
        let access = Access::to_read(ctx).await?;
        let Ok(store) = store_id.as_str().parse::<StoreId>() else {
            return Ok(None);
        };
        if !access.sees(&store, store.as_str()).await {
            return Ok(None);
        }
        let at = at.map_or_else(Utc::now, |at| at.0);
        let Some((span, hour)) = Span::last_hours(at, HOURS) else {
            return Err(invalid("at", "is in no calendar"));
        };
        let models = [Model::Metrics, Model::StoreBoard];
        let node = access.read(&models, fresh).await?;
        let scope = access.actor().stores.clone();
        let filter = MetricsFilter {
            stores: Some(vec![store.clone()]),
            ..MetricsFilter::within(scope.clone(), span)
        };
        let figures = node.flow(&filter, FlowBy::StoreTime, Wanted::ALL).await;
        let figures = figures.map_err(|e| access.read_failed(e))?;
        let day = business_day(at);
        let filter = filter.at(Span::Days { from: day, to: day });
        let stages = node
            .stage_timings(&filter, step_timings::TimingBy::Total)
            .await
            .map_err(|e| access.read_failed(e))?;
        let stores = [store.clone()];
        let board = node.board(&scope, Some(&stores)).await;
        let board = board.map_err(|e| access.read_failed(e))?;
        let trend = StoreTrend::new(&store, hour, &figures, &board, &stages.rows);
        Ok(Some(trend))
    }

    /// How bundles sell, those that bring most first, and orders with and without bundles.
    #[allow(clippy::too_many_arguments)]
    async fn bundle_performance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first Bangkok day.")] from: Date,
        #[graphql(desc = "The last Bangkok day; at most 92 days in all.")] to: Date,
        #[graphql(desc = "Only this region.")] region: Option<String>,
        #[graphql(desc = "Only these stores, at most 200.")] store_ids: Option<Vec<ID>>,
        #[graphql(desc = "Only this bundle; the orders with and without any stay.")]
        bundle_id: Option<ID>,
        #[graphql(default_with = "default_page()", desc = "How many: 1 to 100.")] first: i32,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<BundlePerformance, Error> {
        let access = Access::to_read(ctx).await?;
        let first = size(first)?;
        let bundle: Option<BundleId> = parsed("bundleId", bundle_id.map(|id| id.0))?;
        let filter = filter(&access, days(from, to)?, region, store_ids).await?;
        let node = access.read(&[Model::Metrics], fresh).await?;
        let read = node
            .bundle_performance(&filter, bundle.as_ref())
            .await
            .map_err(|e| access.read_failed(e))?;
        Ok(BundlePerformance::new(read, first))
    }

    /// How delivery partners perform: deliveries, rides, cash.
    #[allow(clippy::too_many_arguments)]
    async fn partner_performance(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first Bangkok day.")] from: Date,
        #[graphql(desc = "The last Bangkok day; at most 92 days in all.")] to: Date,
        #[graphql(
            default_with = "PartnerBy::Total",
            desc = "What the figures are told apart by, besides the partner."
        )]
        by: PartnerBy,
        #[graphql(desc = "Only this region.")] region: Option<String>,
        #[graphql(desc = "Only these stores, at most 200.")] store_ids: Option<Vec<ID>>,
        #[graphql(desc = "Only this partner.")] partner_id: Option<String>,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<PartnerPerformance, Error> {
        let access = Access::to_read(ctx).await?;
        let partner: Option<PartnerId> = parsed("partnerId", partner_id)?;
        let filter = filter(&access, days(from, to)?, region, store_ids).await?;
        let node = access.read(&[Model::Metrics], fresh).await?;
        let read = node
            .partner_performance(&filter, by.into(), partner.as_ref())
            .await
            .map_err(|e| access.read_failed(e))?;
        Ok(read.into())
    }

    /// How long the ledger's steps and the stages of orders take.
    #[allow(clippy::too_many_arguments)]
    async fn step_timings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The first Bangkok day.")] from: Date,
        #[graphql(desc = "The last Bangkok day; at most 92 days in all.")] to: Date,
        #[graphql(
            default_with = "TimingBy::Total",
            desc = "What the timings are told apart by, besides the step or stage."
        )]
        by: TimingBy,
        #[graphql(desc = "Only this region.")] region: Option<String>,
        #[graphql(desc = "Only these stores, at most 200.")] store_ids: Option<Vec<ID>>,
        #[graphql(desc = "Demands that what is shown is not older than a receipt.")] fresh: Option<
            Fresh,
        >,
    ) -> Result<StepTimings, Error> {
        let access = Access::to_read(ctx).await?;
        let filter = filter(&access, days(from, to)?, region, store_ids).await?;
        let node = access.read(&[Model::Metrics], fresh).await?;
        let read = node.step_timings(&filter, by.into()).await;
        Ok(read.map_err(|e| access.read_failed(e))?.into())
    }
}

fn size(first: i32) -> Result<usize, Error> {
    let size = page_size("first", first)?;
    usize::try_from(size).map_err(|_| invalid("first", "is too large"))
}
