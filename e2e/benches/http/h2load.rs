//! `h2load` of nghttp2: how it is called, and what it says.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

/// Requests in flight at once, whichever way in: more than two processors are ever busy with.
pub(crate) const IN_FLIGHT: usize = 64;
/// Connections of HTTP/2, which carry as many requests each as make up [`IN_FLIGHT`].
pub(crate) const H2_CONNECTIONS: usize = 4;
/// Requests that are sent before any is counted.
const WARM_UP: usize = IN_FLIGHT * 8;
/// The longest that one call of `h2load` may take.
const PATIENCE: Duration = Duration::from_secs(300);

/// A way in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Way {
    /// HTTP/1.1, a connection for each request.
    H1Closed,
    /// HTTP/1.1, connections kept.
    H1,
    /// HTTP/2 by prior knowledge.
    H2,
    /// HTTP/1.1 over TLS, a connection and a handshake for each request.
    TlsH1Closed,
    /// HTTP/1.1 over TLS, connections kept.
    TlsH1,
    /// HTTP/2 over TLS.
    TlsH2,
}

impl Way {
    pub(crate) const ALL: [Self; 6] = [
        Self::H1Closed,
        Self::H1,
        Self::H2,
        Self::TlsH1Closed,
        Self::TlsH1,
        Self::TlsH2,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::H1Closed => "HTTP/1.1, one request a connection",
            Self::H1 => "HTTP/1.1, keep-alive",
            Self::H2 => "HTTP/2 (h2c)",
            Self::TlsH1Closed => "HTTP/1.1 over TLS, one request a connection",
            Self::TlsH1 => "HTTP/1.1 over TLS, keep-alive",
            Self::TlsH2 => "HTTP/2 over TLS",
        }
    }

    pub(crate) const fn is_tls(self) -> bool {
        matches!(self, Self::TlsH1Closed | Self::TlsH1 | Self::TlsH2)
    }

    const fn is_h2(self) -> bool {
        matches!(self, Self::H2 | Self::TlsH2)
    }

    /// What `h2load` must say was spoken.
    const fn protocol(self) -> &'static str {
        match self {
            Self::H2 => "h2c",
            Self::TlsH2 => "h2",
            _ => "http/1.1",
        }
    }
}

/// What `h2load` saw.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Seen {
    pub(crate) requests_per_second: f64,
    pub(crate) succeeded: u64,
    /// Not answered, or not with a 2xx.
    pub(crate) failed: u64,
    pub(crate) mean_ms: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Which `h2load` this is.
pub(crate) fn version() -> Result<String> {
    let output = Command::new("h2load").arg("--version").output();
    let output = output.context("h2load does not run; `scripts/bootstrap bench` installs it")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A request that is sent again and again by one way.
pub(crate) struct Load<'a> {
    pub(crate) way: Way,
    pub(crate) address: &'a str,
    pub(crate) token: &'a str,
    /// The file with what is posted.
    pub(crate) body: &'a Path,
}

impl Load<'_> {
    /// Lets connections, caches and plans settle, and says how many requests take about so long. They are sent by
    /// number, since `h2load` does not end by time when connections over TLS are not kept.
    pub(crate) async fn warm_up(&self, seconds: u64) -> Result<usize> {
        let seen = self.send(WARM_UP).await?;
        let requests = seen.requests_per_second * seconds as f64;
        Ok((requests as usize).max(WARM_UP))
    }

    /// Sends so many.
    pub(crate) async fn send(&self, requests: usize) -> Result<Seen> {
        let log = tempfile::NamedTempFile::new()?;
        let way = self.way;
        let mut command = tokio::process::Command::new("h2load");
        let (connections, streams) = if way.is_h2() {
            (H2_CONNECTIONS, IN_FLIGHT / H2_CONNECTIONS)
        } else {
            command.arg("--h1");
            (IN_FLIGHT, 1)
        };
        if matches!(way, Way::H1Closed | Way::TlsH1Closed) {
            command.args(["-H", "connection: close"]);
        }
        let scheme = if way.is_tls() { "https" } else { "http" };
        command
            .args(["-c", &connections.to_string(), "-m", &streams.to_string()])
            .args(["-n", &requests.to_string()])
            .args(["-H", &format!("authorization: Bearer {}", self.token)])
            .args(["-H", "content-type: application/json"])
            .arg("-d")
            .arg(self.body)
            .arg(format!("--log-file={}", log.path().display()))
            .arg(format!("{scheme}://{}/graphql", self.address))
            .kill_on_drop(true);
        let output = tokio::time::timeout(PATIENCE, command.output()).await;
        let output =
            output.with_context(|| format!("h2load did not end within {PATIENCE:?}"))??;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(
            output.status.success(),
            "h2load: {}: {text}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        ensure!(
            text.contains(&format!("Application protocol: {}\n", way.protocol())),
            "{} was not spoken: {text}",
            way.protocol()
        );
        read(&text, &std::fs::read_to_string(log.path())?)
            .with_context(|| format!("h2load said: {text}"))
    }
}

/// Reads the summary, and the latencies from the log of single requests, which the summary has no percentiles of.
fn read(text: &str, log: &str) -> Result<Seen> {
    let codes = line(text, "status codes: ")?;
    let [good, moved, refused, broken] = numbers(codes)[..] else {
        anyhow::bail!("no status codes in {codes:?}");
    };
    // finished in 1.10s, 36.24 req/s, 0B/s
    let finished = line(text, "finished in ")?.split(", ").nth(1);
    let rate = finished.and_then(|rate| rate.strip_suffix(" req/s")?.parse().ok());
    let rate = rate.context("no rate")?;
    let requests = numbers(line(text, "requests: ")?);
    // total, started, done, succeeded, failed, errored, timeout
    let lost: u64 = requests.iter().skip(4).take(2).sum();
    let mut micros: Vec<u64> = log
        .lines()
        .filter_map(|line| line.split('\t').nth(2)?.parse().ok())
        .collect();
    ensure!(!micros.is_empty(), "nothing was answered");
    micros.sort_unstable();
    let at = |percent: usize| micros[(micros.len() - 1) * percent / 100] as f64 / 1_000.0;
    Ok(Seen {
        requests_per_second: rate,
        succeeded: good,
        failed: moved + refused + broken + lost,
        mean_ms: micros.iter().sum::<u64>() as f64 / micros.len() as f64 / 1_000.0,
        p50_ms: at(50),
        p99_ms: at(99),
    })
}

fn line<'a>(text: &'a str, begin: &str) -> Result<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(begin))
        .with_context(|| format!("no line with {begin:?}"))
}

fn numbers(line: &str) -> Vec<u64> {
    line.split(", ")
        .filter_map(|part| part.split(' ').next()?.parse().ok())
        .collect()
}
