//! Metrics as the tests want them, narrowed as the read side narrows them.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use domain::{bundle::BundleId, calendar::business_day, ids::PartnerId};
use projections::{
    ReadError,
    metrics::{
        Figures, MetricsFilter, Span, Wanted,
        bundle_sales::{Baskets, BundlePerformance, BundleRow},
        partner::{PartnerBy, PartnerRow},
        regional::{Flow, FlowBeside, FlowBy, FlowRow},
        step_timings::{Stage, Timing, TimingBy, Timings},
    },
};
use store::Position;

use super::Fake;
use crate::backend::ShowsMetrics;

/// The position that all of them hold at.
const AT: Position = Position(7);

/// What there is to show, and what was asked for.
#[derive(Default)]
pub(crate) struct FakeMetrics {
    /// By store and time.
    pub(crate) flow: Vec<FlowRow>,
    pub(crate) bundles: Vec<BundleRow>,
    pub(crate) baskets: Baskets,
    pub(crate) partners: Vec<PartnerRow>,
    pub(crate) timings: Option<Timings>,
    /// Answer that there is too much of it.
    pub(crate) too_much: bool,
    /// Every filter asked with.
    pub(crate) asked: Vec<MetricsFilter>,
}

fn ask(metrics: &Mutex<FakeMetrics>, filter: &MetricsFilter) -> Result<(), ReadError> {
    let mut metrics = metrics.lock().unwrap();
    metrics.asked.push(filter.clone());
    if metrics.too_much {
        return Err(ReadError::TooMuch { max: 20_000 });
    }
    Ok(())
}

fn shows(filter: &MetricsFilter, row: &FlowRow) -> bool {
    let (store, at) = (row.store_id.as_ref().unwrap(), row.at.unwrap());
    let in_time = match filter.span {
        Span::Days { from, to } => (from..=to).contains(&business_day(at)),
        Span::Hours { from, until } => (from..until).contains(&at),
    };
    in_time
        && filter.allowed.covers(store)
        && filter.stores.as_ref().is_none_or(|s| s.contains(store))
        && filter.region.as_ref().is_none_or(|r| *r == row.region)
}

/// The figures that are wanted; nothing of the others, as the read side answers.
fn only(flow: &Flow, wanted: Wanted) -> Flow {
    let mut figures = serde_json::to_value(flow).unwrap();
    for (name, figure) in figures.as_object_mut().unwrap() {
        if !wanted.covers(Flow::wanted(&[name])) {
            *figure = 0.into();
        }
    }
    serde_json::from_value(figures).unwrap()
}

#[async_trait]
impl ShowsMetrics for Fake {
    async fn flow(
        &self,
        filter: &MetricsFilter,
        by: FlowBy,
        wanted: Wanted,
    ) -> Result<Figures<FlowRow>, ReadError> {
        self.check()?;
        ask(&self.metrics, filter)?;
        let metrics = self.metrics.lock().unwrap();
        let mut groups: BTreeMap<_, Vec<Flow>> = BTreeMap::new();
        for row in metrics.flow.iter().filter(|row| shows(filter, row)) {
            let store = row.store_id.clone().filter(|_| by != FlowBy::Region);
            let at = row.at.filter(|_| by == FlowBy::StoreTime);
            let key = (row.region.clone(), store, at);
            groups.entry(key).or_default().push(row.flow);
        }
        let rows = groups
            .into_iter()
            .map(|((region, store_id, at), flows)| FlowRow {
                region,
                store_id,
                at,
                flow: only(&Flow::total(&flows), wanted),
            });
        Ok(Figures {
            rows: rows.collect(),
            position: AT,
        })
    }

    async fn flow_beside(
        &self,
        filter: &MetricsFilter,
        by: FlowBy,
        wanted: Wanted,
    ) -> Result<FlowBeside, ReadError> {
        let now = self.flow(filter, by, wanted).await?;
        let before = self
            .flow(&filter.at(filter.span.before()), by, wanted)
            .await?;
        Ok(FlowBeside {
            now: now.rows,
            before: before.rows,
            position: now.position,
        })
    }

    async fn bundle_performance(
        &self,
        filter: &MetricsFilter,
        bundle: Option<&BundleId>,
    ) -> Result<BundlePerformance, ReadError> {
        ask(&self.metrics, filter)?;
        let metrics = self.metrics.lock().unwrap();
        let shown = |row: &&BundleRow| bundle.is_none_or(|id| *id == row.bundle_id);
        Ok(BundlePerformance {
            bundles: metrics.bundles.iter().filter(shown).cloned().collect(),
            baskets: metrics.baskets,
            position: AT,
        })
    }

    async fn partner_performance(
        &self,
        filter: &MetricsFilter,
        _: PartnerBy,
        partner: Option<&PartnerId>,
    ) -> Result<Figures<PartnerRow>, ReadError> {
        ask(&self.metrics, filter)?;
        let metrics = self.metrics.lock().unwrap();
        let shown =
            |row: &&PartnerRow| partner.is_none_or(|id| row.partner_id.as_ref() == Some(id));
        Ok(Figures {
            rows: metrics.partners.iter().filter(shown).cloned().collect(),
            position: AT,
        })
    }

    async fn step_timings(
        &self,
        filter: &MetricsFilter,
        _: TimingBy,
    ) -> Result<Timings, ReadError> {
        ask(&self.metrics, filter)?;
        let timings = self.metrics.lock().unwrap().timings.clone();
        Ok(timings.unwrap_or(Timings {
            steps: Vec::new(),
            stages: Vec::new(),
            position: AT,
        }))
    }

    async fn stage_timings(
        &self,
        filter: &MetricsFilter,
        by: TimingBy,
    ) -> Result<Figures<Timing<Stage>>, ReadError> {
        let timings = self.step_timings(filter, by).await?;
        Ok(Figures {
            rows: timings.stages,
            position: timings.position,
        })
    }
}
