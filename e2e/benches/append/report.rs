//! The table for people and the JSON for machines.

use std::fs;

use anyhow::{Context, Result};
use e2e::bench::{Spread, machine, output};
use serde::Serialize;

use crate::{CALLERS, Plan, http::OpenLoop, measure::Sample};

/// A figure of the requirement, what was seen, and whether it was reached.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    figure: &'static str,
    wanted: String,
    seen: Spread,
    reached: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    commit: String,
    measured_at: String,
    machine: String,
    rounds: usize,
    seconds_per_row: u64,
    verdicts: Vec<Verdict>,
    samples: &'a [Sample],
    open_loop: &'a [OpenLoop],
}

/// Prints and writes everything; the exit code does not judge, the table does.
pub(crate) fn write(plan: &Plan, samples: &[Sample], open_loop: &[OpenLoop]) -> Result<()> {
    let report = Report {
        commit: output("git", &["rev-parse", "--short", "HEAD"]),
        measured_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        machine: format!("{}, {}", machine(), output("postgres", &["--version"])),
        rounds: plan.rounds,
        seconds_per_row: plan.seconds,
        verdicts: verdicts(samples, open_loop)?,
        samples,
        open_loop,
    };
    print(&report);
    if let Some(folder) = plan.output.parent() {
        fs::create_dir_all(folder)?;
    }
    let text = serde_json::to_string_pretty(&report)?;
    fs::write(&plan.output, text + "\n")
        .with_context(|| format!("{} cannot be written", plan.output.display()))?;
    println!("\nwritten to {}", plan.output.display());
    Ok(())
}

fn verdicts(samples: &[Sample], open_loop: &[OpenLoop]) -> Result<Vec<Verdict>> {
    let ratio = |a: &str, b: &str| -> Result<Spread> {
        let rates = |path: &str| -> Vec<f64> {
            samples
                .iter()
                .filter(|s| s.path == path && s.callers == 64)
                .map(|s| s.events_per_second)
                .collect()
        };
        let pairs = rates(a)
            .into_iter()
            .zip(rates(b))
            .map(|(a, b)| a / b)
            .collect();
        Spread::of(pairs).context("no rows at 64 callers")
    };
    let of = |figure: fn(&OpenLoop) -> f64| {
        Spread::of(open_loop.iter().map(figure).collect()).context("no open loop was run")
    };
    let at_least = |figure, wanted: f64, seen: Spread| Verdict {
        figure,
        wanted: format!(">= {wanted}"),
        reached: seen.median >= wanted,
        seen,
    };
    let at_most = |figure, wanted: f64, seen: Spread| Verdict {
        figure,
        wanted: format!("<= {wanted}"),
        reached: seen.median <= wanted,
        seen,
    };
    Ok(vec![
        at_least(
            "command bus / plain cqrs-es + postgres-es, 64 callers",
            5.0,
            ratio("command bus", "cqrs-es + postgres-es")?,
        ),
        at_least(
            "GraphQL over HTTP with auth / plain cqrs-es + postgres-es in process, 64 callers",
            1.5,
            ratio("GraphQL over HTTP", "cqrs-es + postgres-es")?,
        ),
        at_least(
            "command bus events/s / pgbench batch ceiling, 64 callers",
            0.5,
            ratio("command bus", "pgbench ceiling")?,
        ),
        at_most(
            "p99 of a command over HTTP at 150/s, open loop, ms",
            10.0,
            of(|o| o.p99_ms)?,
        ),
        at_most(
            "memory of ledger serve under that load, MB",
            150.0,
            of(|o| o.server_rss_mb)?,
        ),
    ])
}

fn print(report: &Report<'_>) {
    println!(
        "\n{}, commit {}, {} rounds of {} s",
        report.machine, report.commit, report.rounds, report.seconds_per_row
    );
    println!(
        "\n{:<82} {:>8} {:>8} {:>8} {:>8}  reached",
        "figure", "wanted", "min", "median", "max"
    );
    for v in &report.verdicts {
        let Spread { min, median, max } = v.seen;
        let reached = if v.reached { "yes" } else { "NO" };
        println!(
            "{:<82} {:>8} {min:>8.2} {median:>8.2} {max:>8.2}  {reached}",
            v.figure, v.wanted
        );
    }
    println!(
        "\n{:<24} {:>7} {:>10} {:>8} {:>8} {:>8} {:>7}",
        "path", "callers", "commands/s", "p50 ms", "p99 ms", "p99.9", "errors"
    );
    for path in [
        "cqrs-es + postgres-es",
        "command bus",
        "GraphQL over HTTP",
        "pgbench ceiling",
    ] {
        for callers in CALLERS {
            let rows: Vec<_> = report
                .samples
                .iter()
                .filter(|s| s.path == path && s.callers == callers)
                .collect();
            let median = |figure: fn(&Sample) -> f64| {
                Spread::of(rows.iter().map(|s| figure(s)).collect()).map_or(f64::NAN, |s| s.median)
            };
            println!(
                "{path:<24} {callers:>7} {:>10.0} {:>8.2} {:>8.2} {:>8.2} {:>7}",
                median(|s| s.commands_per_second),
                median(|s| s.p50_ms),
                median(|s| s.p99_ms.unwrap_or(f64::NAN)),
                median(|s| s.p999_ms.unwrap_or(f64::NAN)),
                rows.iter().map(|s| s.errors).sum::<u64>(),
            );
        }
    }
    for o in report.open_loop {
        println!(
            "open loop {}/s: {} answered, {} errors, p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms, \
             generator late p99 {:.2} ms, {:.0} MB",
            o.offered_per_second,
            o.answered,
            o.errors,
            o.p50_ms,
            o.p99_ms,
            o.p999_ms,
            o.max_ms,
            o.generator_lateness_p99_ms,
            o.server_rss_mb,
        );
    }
}
