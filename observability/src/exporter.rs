//! The metrics of this process in Prometheus' text format.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of every duration's buckets, in seconds: dense where the service's limits lie (10, 50, 100 and
/// 200 ms), so that a percentile read off them is close.
const SECONDS: &[f64] = &[
    0.000_25, 0.000_5, 0.001, 0.002, 0.003, 0.005, 0.007_5, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075,
    0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0,
];
/// Upper bounds of sizes and counts.
const SIZES: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Renders what was measured so far.
#[derive(Clone)]
pub struct Figures(PrometheusHandle);

impl Figures {
    /// The exposition text.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

/// Why metrics cannot be collected.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be collected: {0}")]
pub struct ExporterError(#[from] BuildError);

/// Collects the metrics of this process from now on. Every call returns the same figures.
///
/// # Errors
/// Another recorder was installed before.
pub fn install() -> Result<Figures, ExporterError> {
    static FIGURES: OnceLock<Figures> = OnceLock::new();
    if let Some(figures) = FIGURES.get() {
        return Ok(figures.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_commands".to_owned()), SIZES)?
        .set_buckets_for_metric(Matcher::Suffix("_events".to_owned()), SIZES)?
        .install_recorder()?;
    Ok(FIGURES.get_or_init(|| Figures(handle)).clone())
}
