//! Checks of the machine: server programs, directory, port, clock, limits.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use api_graphql::{TLS_ONLY, Tls};
use nix::sys::resource::{Resource, getrlimit};

use super::{Finding, Status};
use crate::config::Config;
use crate::embedded::{self, Binaries, DataDirLock, EmbeddedError, Options};

/// Free space below which a disk fills while nobody looks, in megabytes.
const LOW_SPACE_MB: u64 = 2_000;

/// Open files: connections, server log, sockets. Below the first it fails under load.
const FILES_NEEDED: u64 = 1_024;
const FILES_WANTED: u64 = 4_096;

/// Before this the clock was never set: 2025-01-01 in seconds since 1970.
const EARLIEST: u64 = 1_735_689_600;

/// How long what holds our port may take to answer, and how much it may say.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);
const MAX_ANSWER_BYTES: u64 = 4_096;

/// A certificate that ends sooner should have been renewed: those of 90 days are a month before their end.
const CERTIFICATE_WARNING: chrono::TimeDelta = chrono::TimeDelta::days(14);

/// How far the clock may lie behind the newest file of the data directory.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(2);

/// Looks at everything that needs no database.
pub async fn check(config: &Config) -> Vec<Finding> {
    let running = DataDirLock::holder(&config.data_dir);
    let mut findings = Vec::new();
    if config.is_embedded() {
        let options = config.embedded_options();
        findings.push(programs(&options));
        findings.push(directory(&options));
        findings.push(space(&config.data_dir));
        findings.push(other_ledger(running));
    }
    findings.push(port("port", config.listen, running.is_some()));
    if let Some(address) = config.ops_listen {
        findings.push(port("operations port", address, running.is_some()));
    }
    if let Some((cert, key)) = config.tls_files() {
        findings.push(certificate(cert, key));
    }
    findings.push(clock(&config.data_dir));
    findings.push(open_files());
    findings
}

fn certificate(cert: &Path, key: &Path) -> Finding {
    const CHECK: &str = "certificate";
    match Tls::open(cert, key) {
        Ok(tls) => lasting(CHECK, cert, tls.ends_at(), chrono::Utc::now()),
        Err(error) => Finding::failure(CHECK, error.to_string()),
    }
}

/// Whether a certificate that can be used can be used for a while.
fn lasting(
    check: &'static str,
    cert: &Path,
    end: Option<i64>,
    now: chrono::DateTime<chrono::Utc>,
) -> Finding {
    let cert = cert.display();
    let Some(end) = end.and_then(|end| chrono::DateTime::from_timestamp(end, 0)) else {
        let unread = format!("{cert} with its key; when it ends cannot be read: look at it");
        return Finding::warning(check, unread);
    };
    let day = end.format("%Y-%m-%d");
    let renew = "renew it; a running ledger takes the new files up by itself";
    match end - now {
        left if left <= chrono::TimeDelta::zero() => Finding::failure(
            check,
            format!("{cert} ended on {day}, and no client trusts it: {renew}"),
        ),
        left if left < CERTIFICATE_WARNING => Finding::warning(
            check,
            format!("{cert} ends on {day}, in {} days: {renew}", left.num_days()),
        ),
        _ => Finding::ok(check, format!("{cert} with its key, until {day}")),
    }
}

fn programs(options: &Options) -> Finding {
    const CHECK: &str = "PostgreSQL programs";
    let wanted = embedded::cluster_version(&options.data_dir);
    match wanted.and_then(|wanted| Binaries::find(options.bin_dir.as_deref(), wanted)) {
        Ok(found) => Finding::ok(
            CHECK,
            format!("version {} in {}", found.major, found.dir.display()),
        ),
        Err(error) => Finding::failure(CHECK, error.to_string()),
    }
}

fn directory(options: &Options) -> Finding {
    const CHECK: &str = "data directory";
    let dir = options.data_dir.display();
    match embedded::check_access(options) {
        Ok(account) => Finding::ok(CHECK, format!("{dir}, PostgreSQL runs as `{account}`")),
        Err(error) => Finding::failure(CHECK, error.to_string()),
    }
}

fn space(data_dir: &Path) -> Finding {
    const CHECK: &str = "free space";
    let existing = nearest_existing(data_dir);
    match embedded::free_mb(&existing) {
        Ok(free) if free < embedded::MIN_FREE_MB => Finding::failure(
            CHECK,
            EmbeddedError::DiskFull {
                path: existing,
                free_mb: free,
                needed_mb: embedded::MIN_FREE_MB,
            }
            .to_string(),
        ),
        Ok(free) if free < LOW_SPACE_MB => Finding::warning(
            CHECK,
            format!("{free} MB, less than {LOW_SPACE_MB} MB: free some before it fills"),
        ),
        Ok(free) => Finding::ok(CHECK, format!("{free} MB")),
        Err(error) => Finding::warning(CHECK, error.to_string()),
    }
}

/// The path itself or the first parent that is there.
fn nearest_existing(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.ancestors()
        .find(|candidate| candidate.exists())
        .map_or_else(|| PathBuf::from("/"), Path::to_owned)
}

fn other_ledger(running: Option<Option<u32>>) -> Finding {
    const CHECK: &str = "running ledger";
    match running {
        None => Finding::ok(CHECK, "none on this data directory"),
        Some(Some(pid)) => Finding::ok(CHECK, format!("process {pid} serves this data directory")),
        Some(None) => Finding::ok(CHECK, "one serves this data directory"),
    }
}

fn port(check: &'static str, address: SocketAddr, running: bool) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok(check, format!("{address} is free")),
        Err(_) if running => {
            Finding::ok(check, format!("{address} is taken by the running ledger"))
        }
        // On a database of somebody else's nothing but the port tells of a running ledger.
        Err(_) if answers_as_ledger(address) => {
            Finding::ok(check, format!("{address} is taken by a running ledger"))
        }
        Err(error) => Finding::failure(
            check,
            format!("{address} cannot be used ({error}): stop what uses it or set another address"),
        ),
    }
}

/// Whether what listens there says that it is alive, or that it wants TLS, as a ledger does.
fn answers_as_ledger(mut address: SocketAddr) -> bool {
    const ALIVE: &str = r#"{"status":"alive"}"#;
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_LIMIT)?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        stream.set_write_timeout(Some(ANSWER_LIMIT))?;
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.take(MAX_ANSWER_BYTES).read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    ask().is_ok_and(|answer| answer.contains(ALIVE) || answer.ends_with(TLS_ONLY))
}

fn clock(data_dir: &Path) -> Finding {
    const CHECK: &str = "clock";
    let now = SystemTime::now();
    let seconds = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    if seconds < EARLIEST {
        return Finding::failure(
            CHECK,
            "the clock was never set: set it and keep it set (NTP)",
        );
    }
    // The server touches this file at every checkpoint.
    let newest = std::fs::metadata(data_dir.join("postgres/global/pg_control"))
        .and_then(|found| found.modified());
    match newest.map(|written| written.duration_since(now)) {
        Ok(Ok(ahead)) if ahead > CLOCK_TOLERANCE => Finding::failure(
            CHECK,
            format!(
                "the data directory was written {} s in the future: set the clock right before events are recorded with wrong times",
                ahead.as_secs()
            ),
        ),
        _ => Finding::ok(
            CHECK,
            chrono::DateTime::<chrono::Utc>::from(now)
                .to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        ),
    }
}

fn open_files() -> Finding {
    const CHECK: &str = "open files";
    let advice = "raise it (ulimit -n, or LimitNOFILE= of the service)";
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((limit, _)) if limit < FILES_NEEDED => {
            Finding::failure(CHECK, format!("the limit is {limit}: {advice}"))
        }
        Ok((limit, _)) if limit < FILES_WANTED => Finding::new(
            CHECK,
            Status::Warning,
            format!("the limit is {limit}, less than {FILES_WANTED}: {advice}"),
        ),
        Ok((limit, _)) => Finding::ok(CHECK, format!("the limit is {limit}")),
        Err(error) => Finding::warning(CHECK, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_fails_unless_we_took_it() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        assert_eq!(port("port", address, false).status, Status::Failure);
        assert_eq!(port("port", address, true).status, Status::Ok);
    }

    #[test]
    fn a_clock_behind_the_data_fails() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(clock(dir.path()).status, Status::Ok);
        let global = dir.path().join("postgres/global");
        std::fs::create_dir_all(&global).unwrap();
        let control = std::fs::File::create(global.join("pg_control")).unwrap();
        control
            .set_modified(SystemTime::now() + Duration::from_secs(3600))
            .unwrap();
        assert_eq!(clock(dir.path()).status, Status::Failure);
    }

    #[test]
    fn a_certificate_that_ends_soon_is_told_of() {
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let day = 24 * 60 * 60;
        for (days, status, words) in [
            (15, Status::Ok, "until 2027-01-30"),
            (13, Status::Warning, "in 13 days: renew it"),
            (0, Status::Failure, "ended on 2027-01-15"),
            (-1, Status::Failure, "ended on 2027-01-14"),
        ] {
            let end = Some(now.timestamp() + days * day);
            let found = lasting("certificate", Path::new("c.pem"), end, now);
            assert_eq!(found.status, status, "{found:?}");
            assert!(found.detail.contains(words), "{found:?}");
        }
        let unknown = lasting("certificate", Path::new("c.pem"), None, now);
        assert_eq!(unknown.status, Status::Warning);
    }

    #[test]
    fn nothing_is_made_by_looking() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("a/b");
        assert_eq!(nearest_existing(&missing), dir.path());
        assert_eq!(space(&missing).check, "free space");
        assert!(!missing.exists());
    }
}
