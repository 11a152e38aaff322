//! Metrics, as the API reads them.

use async_trait::async_trait;
use domain::{bundle::BundleId, ids::PartnerId};
use projections::{
    ReadError,
    metrics::{
        Figures, MetricsFilter,
        bundle_sales::{self, BundlePerformance},
        partner::{self, PartnerBy, PartnerRow},
        regional::{self, FlowBy, FlowRow},
        step_timings::{self, TimingBy, Timings},
    },
};

use super::Live;

/// Shows metrics of the stores that a filter allows.
#[async_trait]
pub trait ShowsMetrics: Send + Sync {
    /// How orders flow.
    async fn flow(&self, filter: &MetricsFilter, by: FlowBy)
    -> Result<Figures<FlowRow>, ReadError>;
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
}

#[async_trait]
impl ShowsMetrics for Live {
    async fn flow(
        &self,
        filter: &MetricsFilter,
        by: FlowBy,
    ) -> Result<Figures<FlowRow>, ReadError> {
        regional::flow(&self.read, filter, by).await
    }

    async fn bundle_performance(
        &self,
        filter: &MetricsFilter,
        bundle: Option<&BundleId>,
    ) -> Result<BundlePerformance, ReadError> {
        bundle_sales::performance(&self.read, filter, bundle).await
    }

    async fn partner_performance(
        &self,
        filter: &MetricsFilter,
        by: PartnerBy,
        partner: Option<&PartnerId>,
    ) -> Result<Figures<PartnerRow>, ReadError> {
        partner::performance(&self.read, filter, by, partner).await
    }

    async fn step_timings(
        &self,
        filter: &MetricsFilter,
        by: TimingBy,
    ) -> Result<Timings, ReadError> {
        step_timings::timings(&self.read, filter, by).await
    }
}
