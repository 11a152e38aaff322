//! Metrics, as the API reads them.

use async_trait::async_trait;
use domain::{bundle::BundleId, ids::PartnerId};
use projections::{
    Model, ReadError,
    cache::Question,
    metrics::{
        Figures, MetricsFilter, Wanted,
        bundle_sales::{self, BundlePerformance},
        partner::{self, PartnerBy, PartnerRow},
        regional::{self, FlowBeside, FlowBy, FlowRow},
        step_timings::{self, Stage, Timing, TimingBy, Timings},
    },
};

use serde::Serialize;

use super::reads::Answers;

/// Shows metrics of the stores that a filter allows.
#[async_trait]
pub trait ShowsMetrics: Send + Sync {
    /// How orders flow: the figures that are wanted, the others are 0.
    async fn flow(
        &self,
        filter: &MetricsFilter,
        by: FlowBy,
        wanted: Wanted,
    ) -> Result<Figures<FlowRow>, ReadError>;
    /// The same beside the equally long time before.
    async fn flow_beside(
        &self,
        filter: &MetricsFilter,
        by: FlowBy,
        wanted: Wanted,
    ) -> Result<FlowBeside, ReadError>;
    /// How bundles sell; one bundle only where given.
    async fn bundle_performance(
        &self,
        filter: &MetricsFilter,
        bundle: Option<&BundleId>,
    ) -> Result<BundlePerformance, ReadError>;
    /// How delivery partners perform; one partner only where given.
    async fn partner_performance(
        &self,
        filter: &MetricsFilter,
        by: PartnerBy,
        partner: Option<&PartnerId>,
    ) -> Result<Figures<PartnerRow>, ReadError>;
    /// How long steps and stages take.
    async fn step_timings(
        &self,
        filter: &MetricsFilter,
        by: TimingBy,
    ) -> Result<Timings, ReadError>;
    /// How long stages take.
    async fn stage_timings(
        &self,
        filter: &MetricsFilter,
        by: TimingBy,
    ) -> Result<Figures<Timing<Stage>>, ReadError>;
}

#[async_trait]
impl ShowsMetrics for Answers {
    async fn flow(
        &self,
        filter: &MetricsFilter,
        by: FlowBy,
        wanted: Wanted,
    ) -> Result<Figures<FlowRow>, ReadError> {
        self.kept(
            question("flow", filter, (filter, by, wanted)),
            |db| async move { regional::flow(&db, filter, by, wanted).await },
        )
        .await
    }

    async fn flow_beside(
        &self,
        filter: &MetricsFilter,
        by: FlowBy,
        wanted: Wanted,
    ) -> Result<FlowBeside, ReadError> {
        self.kept(
            question("flow_beside", filter, (filter, by, wanted)),
            |db| async move { regional::beside(&db, filter, by, wanted).await },
        )
        .await
    }

    async fn bundle_performance(
        &self,
        filter: &MetricsFilter,
        bundle: Option<&BundleId>,
    ) -> Result<BundlePerformance, ReadError> {
        self.kept(
            question("bundle_performance", filter, (filter, bundle)),
            |db| async move { bundle_sales::performance(&db, filter, bundle).await },
        )
        .await
    }

    async fn partner_performance(
        &self,
        filter: &MetricsFilter,
        by: PartnerBy,
        partner: Option<&PartnerId>,
    ) -> Result<Figures<PartnerRow>, ReadError> {
        self.kept(
            question("partner_performance", filter, (filter, by, partner)),
            |db| async move { partner::performance(&db, filter, by, partner).await },
        )
        .await
    }

    async fn step_timings(
        &self,
        filter: &MetricsFilter,
        by: TimingBy,
    ) -> Result<Timings, ReadError> {
        self.kept(
            question("step_timings", filter, (filter, by)),
            |db| async move { step_timings::timings(&db, filter, by).await },
        )
        .await
    }

    async fn stage_timings(
        &self,
        filter: &MetricsFilter,
        by: TimingBy,
    ) -> Result<Figures<Timing<Stage>>, ReadError> {
        self.kept(
            question("stage_timings", filter, (filter, by)),
            |db| async move { step_timings::stages(&db, filter, by).await },
        )
        .await
    }
}

fn question<A: Serialize>(
    name: &'static str,
    filter: &MetricsFilter,
    asked: A,
) -> Question<'static, A> {
    let stores = (&filter.allowed, filter.stores.as_deref());
    Question::about(name, &[Model::Metrics], stores, asked)
}
