//! The table for people and the JSON for machines.

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result};
use e2e::bench::{Spread, machine, output};
use serde::Serialize;

use crate::{Plan, Times};

pub(crate) const BUNDLED: &str = "decide, 20 lines with 3 bundles of 100";
pub(crate) const PLAIN: &str = "decide, 20 lines without bundles";
pub(crate) const APPLY: &str = "apply the event of the first";
pub(crate) const WRITE: &str = "write the event as JSON";
pub(crate) const READ: &str = "read the event's JSON";

/// The most that deciding may take, in microseconds.
const WANTED_MICROS: f64 = 50.0;

/// One case over all rounds, in microseconds.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    case: &'static str,
    median_micros: Spread,
    p99_micros: Spread,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    commit: String,
    measured_at: String,
    machine: String,
    rounds: usize,
    runs_per_round: usize,
    figure: String,
    wanted_micros: f64,
    reached: bool,
    /// Medians of the first case against those of the others in the same round.
    ratios: BTreeMap<String, Spread>,
    rows: Vec<Row>,
}

/// Prints and writes everything; the exit code does not judge, the table does.
pub(crate) fn write(plan: &Plan, rounds: &[Vec<Times>]) -> Result<()> {
    let rows = rows(rounds).context("nothing was measured")?;
    let first = rows.first().context("nothing was measured")?.median_micros;
    let report = Report {
        commit: output("git", &["rev-parse", "--short", "HEAD"]),
        measured_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        machine: machine(),
        rounds: plan.rounds,
        runs_per_round: plan.runs,
        figure: format!("median of: {BUNDLED}"),
        wanted_micros: WANTED_MICROS,
        reached: first.median <= WANTED_MICROS,
        ratios: ratios(rounds).context("nothing was measured")?,
        rows,
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

/// The value below which `permille` of the times lie, in microseconds.
fn micros(times: &Times, permille: usize) -> Option<f64> {
    let place = (times.nanos.len().saturating_sub(1)) * permille / 1_000;
    Some(*times.nanos.get(place)? as f64 / 1_000.0)
}

fn rows(rounds: &[Vec<Times>]) -> Option<Vec<Row>> {
    let cases = rounds.first()?.iter().enumerate();
    let spread = |place: usize, permille| {
        let of_round = |round: &Vec<Times>| micros(round.get(place)?, permille);
        Spread::of(rounds.iter().filter_map(of_round).collect())
    };
    cases
        .map(|(place, times)| {
            Some(Row {
                case: times.case,
                median_micros: spread(place, 500)?,
                p99_micros: spread(place, 990)?,
            })
        })
        .collect()
}

fn ratios(rounds: &[Vec<Times>]) -> Option<BTreeMap<String, Spread>> {
    let others = rounds.first()?.iter().enumerate().skip(1);
    others
        .map(|(place, times)| {
            let ratio = |round: &Vec<Times>| {
                Some(micros(round.first()?, 500)? / micros(round.get(place)?, 500)?)
            };
            let ratios = Spread::of(rounds.iter().filter_map(ratio).collect())?;
            Some((format!("to: {}", times.case), ratios))
        })
        .collect()
}

fn print(report: &Report) {
    println!(
        "\n{}, commit {}, {} rounds of {} runs",
        report.machine, report.commit, report.rounds, report.runs_per_round
    );
    println!(
        "\n{:<42} {:>8} {:>8} {:>8} {:>8}",
        "us", "min", "median", "max", "p99"
    );
    for row in &report.rows {
        let Spread { min, median, max } = row.median_micros;
        let p99 = row.p99_micros.median;
        println!(
            "{:<42} {min:>8.2} {median:>8.2} {max:>8.2} {p99:>8.2}",
            row.case
        );
    }
    println!();
    for (name, Spread { min, median, max }) in &report.ratios {
        println!("ratio {name:<38} {min:>8.2} {median:>8.2} {max:>8.2}");
    }
    let reached = if report.reached { "yes" } else { "NO" };
    println!(
        "\n{}: at most {} us wanted, reached: {reached}",
        report.figure, report.wanted_micros
    );
}
