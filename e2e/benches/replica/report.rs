//! What came out: the ratios first, each of loads of one round.

use std::fs;

use anyhow::{Context, Result};
use e2e::bench::{Spread, machine, output};
use serde::Serialize;

use crate::{
    Plan,
    commands::Commands,
    dashboards::Dashboards,
    world::{Busy, Load, Reads},
};

/// The most that dashboards on a replica may cost commands at the 99th percentile.
const WANTED: f64 = 1.10;

/// One load of one round.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cell {
    pub(crate) round: usize,
    pub(crate) load: Load,
    pub(crate) commands: Commands,
    pub(crate) dashboards: Option<Dashboards>,
    pub(crate) reads: Reads,
    pub(crate) busy: Busy,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    commit: String,
    machine: String,
    rounds: usize,
    seconds_per_load: u64,
    commands_per_second: u64,
    dashboard_clients: usize,
    /// p99 of commands: dashboards on the replica, by none.
    on_replica_by_none: Spread,
    wanted: String,
    reached: bool,
    /// The contrast: dashboards on the primary, by none.
    on_primary_by_none: Spread,
    cells: &'a [Cell],
}

/// Writes the report and prints what matters.
pub(crate) fn write(plan: &Plan, cells: &[Cell]) -> Result<()> {
    let ratio = |load: Load| {
        let p99 = |round: usize, load: Load| {
            let cell = cells.iter().find(|c| c.round == round && c.load == load);
            cell.map(|cell| cell.commands.p99_ms)
        };
        let rounds = 1..=plan.rounds;
        let ratios = rounds.filter_map(|r| Some(p99(r, load)? / p99(r, Load::None)?));
        Spread::of(ratios.collect()).context("nothing was measured")
    };
    let on_replica = ratio(Load::OnReplica)?;
    let report = Report {
        commit: output("git", &["rev-parse", "--short", "HEAD"]),
        machine: format!("{}, {}", machine(), output("postgres", &["--version"])),
        rounds: plan.rounds,
        seconds_per_load: plan.seconds,
        commands_per_second: plan.rate,
        dashboard_clients: plan.clients,
        on_replica_by_none: on_replica,
        wanted: format!("<= {WANTED}"),
        reached: on_replica.median <= WANTED,
        on_primary_by_none: ratio(Load::OnPrimary)?,
        cells,
    };
    print(&report);
    fs::write(&plan.output, serde_json::to_string_pretty(&report)? + "\n")
        .with_context(|| plan.output.display().to_string())
}

fn print(report: &Report<'_>) {
    println!(
        "\n{}, commit {}, {} rounds of {} s, {} commands/s, {} dashboard clients",
        report.machine,
        report.commit,
        report.rounds,
        report.seconds_per_load,
        report.commands_per_second,
        report.dashboard_clients
    );
    println!(
        "\n{:<12} {:>5} {:>8} {:>8} {:>8} {:>8} {:>7} {:>12} {:>9} {:>10} {:>10}",
        "dashboards",
        "round",
        "p50 ms",
        "p99 ms",
        "max ms",
        "late p99",
        "errors",
        "dashboards/s",
        "% replica",
        "core 0",
        "core 1"
    );
    for cell in report.cells {
        let Commands {
            p50_ms,
            p99_ms,
            max_ms,
            lateness_p99_ms,
            errors,
            ..
        } = cell.commands;
        let per_second = cell.dashboards.as_ref().map_or(0.0, |d| d.per_second);
        let failed = cell.dashboards.as_ref().map_or(0, |d| d.errors);
        let reads = cell.reads.replica + cell.reads.primary;
        let share = 100.0 * cell.reads.replica / reads.max(1.0);
        println!(
            "{:<12} {:>5} {p50_ms:>8.2} {p99_ms:>8.2} {max_ms:>8.2} {lateness_p99_ms:>8.2} {:>7} {per_second:>12.0} \
             {share:>9.1} {:>10.2} {:>10.2}",
            format!("{:?}", cell.load),
            cell.round,
            errors + failed,
            cell.busy.commands_core,
            cell.busy.dashboards_core,
        );
    }
    let line = |name: &str, Spread { min, median, max }: Spread| {
        println!("{name:<46} {median:.2} ({min:.2} to {max:.2})");
    };
    println!();
    line(
        "p99 with dashboards on the replica / with none",
        report.on_replica_by_none,
    );
    line(
        "p99 with dashboards on the primary / with none",
        report.on_primary_by_none,
    );
    let reached = if report.reached { "yes" } else { "NO" };
    println!("wanted {}: {reached}", report.wanted);
}
