//! What came out: every way in, then the ratios, each of ways of one round.

use std::{
    fmt::{self, Write as _},
    fs,
};

use anyhow::{Context, Result};
use e2e::bench::{Spread, machine, output};
use serde::Serialize;

use crate::{
    Cell, Plan,
    h2load::{H2_CONNECTIONS, IN_FLIGHT, Way},
    world::Question,
};

/// What is compared: a name, a way, and the way it is divided by.
const RATIOS: [(&str, Way, Way); 6] = [
    ("HTTP/2 by HTTP/1.1", Way::H2, Way::H1),
    ("HTTP/2 by HTTP/1.1, both over TLS", Way::TlsH2, Way::TlsH1),
    ("keep-alive by none", Way::H1, Way::H1Closed),
    (
        "keep-alive by none, both over TLS",
        Way::TlsH1,
        Way::TlsH1Closed,
    ),
    ("TLS by plain, HTTP/1.1", Way::TlsH1, Way::H1),
    ("TLS by plain, HTTP/2", Way::TlsH2, Way::H2),
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    commit: String,
    machine: String,
    client: &'a str,
    rounds: usize,
    seconds: u64,
    requests_in_flight: usize,
    http2_connections: usize,
    ratios: Vec<Ratio>,
    cells: &'a [Cell],
}

/// Requests a second of one way by those of another, in the same round.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ratio {
    name: &'static str,
    question: Question,
    of: Way,
    by: Way,
    spread: Spread,
}

/// Writes the report as Markdown and as JSON.
pub(crate) fn write(plan: &Plan, client: &str, cells: &[Cell]) -> Result<()> {
    let report = Report {
        commit: output("git", &["rev-parse", "--short", "HEAD"]),
        machine: machine(),
        client,
        rounds: plan.rounds,
        seconds: plan.seconds,
        requests_in_flight: IN_FLIGHT,
        http2_connections: H2_CONNECTIONS,
        ratios: ratios(cells)?,
        cells,
    };
    let text = markdown(&report)?;
    println!("{text}");
    for (ending, content) in [
        ("md", text),
        ("json", serde_json::to_string_pretty(&report)? + "\n"),
    ] {
        let path = plan.output.with_extension(ending);
        fs::write(&path, content).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn ratios(cells: &[Cell]) -> Result<Vec<Ratio>> {
    let mut all = Vec::new();
    for question in Question::ALL {
        for (name, of, by) in RATIOS {
            let rate = |round: usize, way: Way| {
                let mut found = cells.iter();
                let cell =
                    found.find(|c| (c.round, c.question, c.way) == (round, question, way))?;
                Some(cell.seen.requests_per_second)
            };
            let rounds = cells.iter().map(|cell| cell.round).max().unwrap_or(0);
            let each = (1..=rounds).filter_map(|n| Some(rate(n, of)? / rate(n, by)?));
            all.push(Ratio {
                name,
                question,
                of,
                by,
                spread: Spread::of(each.collect()).context("nothing was measured")?,
            });
        }
    }
    Ok(all)
}

fn markdown(report: &Report<'_>) -> Result<String> {
    let mut text = format!(
        "# HTTP/2, keep-alive and TLS\n\nMeasured by `make bench-http`: {}, commit {}, {}, one thread of it; {} rounds of \
         about {} s, in which every way\nin takes its turn; {} requests in flight at once, over as many connections by HTTP/1.1 and \
         {} by HTTP/2. The client, two ledgers\nand their databases share the machine. Medians (smallest to largest).\n",
        report.machine,
        report.commit,
        report.client,
        report.rounds,
        report.seconds,
        report.requests_in_flight,
        report.http2_connections,
    );
    for question in Question::ALL {
        write!(text, "\n```graphql\n{}\n```\n\n", question.text())?;
        text.push_str(
            "| way in | requests/s | requests a connection | mean ms | p50 | p99 | ledger's processor time, us a request | failed |\n\
             |---|---|---|---|---|---|---|---|\n",
        );
        for way in Way::ALL {
            let of = || {
                let cells = report.cells.iter();
                cells.filter(move |c| (c.question, c.way) == (question, way))
            };
            let spread = |figure: fn(&Cell) -> f64| {
                let spread = Spread::of(of().map(figure).collect());
                spread.context("nothing was measured")
            };
            let failed: u64 = of().map(|cell| cell.seen.failed).sum();
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {failed} |",
                way.name(),
                Shown(spread(|c| c.seen.requests_per_second)?, 0),
                Shown(spread(|c| c.requests_per_connection)?, 0),
                Shown(spread(|c| c.seen.mean_ms)?, 1),
                Shown(spread(|c| c.seen.p50_ms)?, 1),
                Shown(spread(|c| c.seen.p99_ms)?, 1),
                Shown(spread(|c| c.ledger_micros)?, 0),
            )?;
        }
        text.push_str("\n| ratio of requests/s, in one round | seen |\n|---|---|\n");
        for ratio in report.ratios.iter().filter(|r| r.question == question) {
            writeln!(text, "| {} | {} |", ratio.name, Shown(ratio.spread, 2))?;
        }
    }
    Ok(text)
}

/// `median (min to max)` with so many decimals.
struct Shown(Spread, usize);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Spread { min, median, max }, decimals) = *self;
        write!(
            f,
            "{median:.decimals$} ({min:.decimals$} to {max:.decimals$})"
        )
    }
}
