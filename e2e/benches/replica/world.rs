//! Two servers, three ledgers, and which processor each has.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use e2e::{
    Api, Client, Program, ProgramOptions, Target, eventually,
    servers::{Primary, Replica},
};
use serde::Serialize;

use crate::{
    Plan, commands,
    dashboards::{ARGUMENT, Dashboards},
};

/// The processor of the primary, the commanding ledger and its callers.
pub(crate) const COMMANDS_CORE: usize = 0;
/// The processor of the replica, the ledgers that serve dashboards, and their clients.
const DASHBOARDS_CORE: usize = 1;
/// Before each measuring.
pub(crate) const WARM_UP: Duration = Duration::from_secs(2);
/// Callers that place the orders which are there first.
const PREPARERS: usize = 16;

/// Where the dashboards are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Load {
    /// There are none.
    None,
    /// From the replica.
    OnReplica,
    /// From the primary.
    OnPrimary,
}

impl Load {
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::OnReplica, Self::OnPrimary];
}

/// Fields read from each node by the ledger of the dashboards.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reads {
    pub(crate) replica: f64,
    pub(crate) primary: f64,
}

impl Reads {
    pub(crate) fn since(self, before: &Self) -> Self {
        Self {
            replica: self.replica - before.replica,
            primary: self.primary - before.primary,
        }
    }
}

/// Everything that runs.
pub(crate) struct World {
    pub(crate) commands: Target,
    on_replica: Target,
    on_primary: Target,
    // The ledgers end before their servers.
    _ledgers: [Program; 3],
    _replica: Replica,
    _primary: Primary,
}

impl World {
    pub(crate) async fn start(plan: &Plan) -> Result<Self> {
        let core = DASHBOARDS_CORE.to_string();
        let primary = Primary::start().await;
        let replica = Replica::of_with(&primary, &["taskset", "-c", &core]).await;
        // The first one fills the read models: it takes their checkpoints, and keeps them.
        let commanding = ledger(primary.environment(&[])).await;
        let commands = commanding.target();
        prepare(&commands, plan.orders).await?;
        let reading = ledger(primary.environment(&[replica.app()])).await;
        let not_reading = ledger(primary.environment(&[])).await;
        for dashboards in [&reading, &not_reading] {
            pin(dashboards.pid(), DASHBOARDS_CORE)?;
        }
        let (on_replica, on_primary) = (reading.target(), not_reading.target());
        eventually("the replica is read from", async || {
            let ready = reading.api("").try_get("/readyz").await.ok()?;
            (ready.json()["status"] == "ready").then_some(())
        })
        .await;
        Ok(Self {
            commands,
            on_replica,
            on_primary,
            _ledgers: [commanding, reading, not_reading],
            _replica: replica,
            _primary: primary,
        })
    }

    fn of(&self, load: Load) -> Option<&Target> {
        match load {
            Load::None => None,
            Load::OnReplica => Some(&self.on_replica),
            Load::OnPrimary => Some(&self.on_primary),
        }
    }

    /// Starts the clients of a load.
    pub(crate) fn dashboards(&self, load: Load, clients: usize) -> Result<Option<Clients>> {
        let Some(target) = self.of(load) else {
            return Ok(None);
        };
        let child = Command::new("taskset")
            .args(["-c", &DASHBOARDS_CORE.to_string()])
            .arg(std::env::current_exe()?)
            .args([ARGUMENT, &target.address, &target.token])
            .arg(clients.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("taskset (util-linux) is needed")?;
        Ok(Some(Clients(child)))
    }

    /// What the ledger of a load has read from where.
    pub(crate) async fn reads(&self, load: Load) -> Result<Reads> {
        let Some(target) = self.of(load) else {
            return Ok(Reads::default());
        };
        let api = Api::new(target.address.clone(), String::new());
        let answer = api.try_get("/metrics").await?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let of = |node: &str| {
            let lines = text.lines().filter(|l| l.starts_with("ledger_reads_total"));
            lines
                .filter(|line| line.contains(node))
                .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
                .sum()
        };
        Ok(Reads {
            replica: of("node=\"replica-1\""),
            primary: of("node=\"primary\""),
        })
    }
}

/// Clients of dashboards at work.
pub(crate) struct Clients(Child);

impl Clients {
    /// Ends them.
    pub(crate) async fn end(mut self) -> Result<Dashboards> {
        drop(self.0.stdin.take());
        let output = tokio::task::spawn_blocking(move || self.0.wait_with_output()).await??;
        ensure!(output.status.success(), "the clients of dashboards failed");
        let seen: Dashboards = serde_json::from_slice(&output.stdout)?;
        ensure!(seen.answered > 0, "no dashboard was answered");
        Ok(seen)
    }
}

/// A ledger that answers every read anew and turns nobody away for asking much.
async fn ledger(mut env: Vec<(&'static str, String)>) -> Program {
    env.push(("LEDGER_CACHE_BACK_END", "none".to_owned()));
    env.push(("LEDGER_LOG_LEVEL", "warn".to_owned()));
    env.push(("LEDGER_LIMITS_REQUESTS_LOAD", "0".to_owned()));
    env.push(("LEDGER_LIMITS_POINTS_LOAD", "0".to_owned()));
    Program::start(ProgramOptions {
        database: None,
        data_dir: None,
        env,
    })
    .await
}

async fn prepare(target: &Target, orders: usize) -> Result<()> {
    let mut preparing = Vec::new();
    for _ in 0..PREPARERS {
        let mut client = Client::connect(target).await?;
        preparing.push(tokio::spawn(async move {
            for _ in 0..orders / PREPARERS {
                commands::place(&mut client).await?;
            }
            anyhow::Ok(())
        }));
    }
    for caller in preparing {
        caller.await??;
    }
    Ok(())
}

/// Keeps a process, and what it starts from now on, on one processor.
pub(crate) fn pin(process: u32, core: usize) -> Result<()> {
    let status = Command::new("taskset")
        .args(["-a", "-c", "-p", &core.to_string(), &process.to_string()])
        .stdout(Stdio::null())
        .status()
        .context("taskset (util-linux) is needed")?;
    ensure!(status.success(), "processor {core} is needed");
    Ok(())
}

/// How busy the two processors were, each from 0 to 1.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Busy {
    pub(crate) commands_core: f64,
    pub(crate) dashboards_core: f64,
    #[serde(skip)]
    ticks: [(u64, u64); 2],
}

impl Busy {
    /// The counters of now.
    pub(crate) fn now() -> Result<Self> {
        let stat = std::fs::read_to_string("/proc/stat")?;
        let of = |core: usize| -> Result<(u64, u64)> {
            let name = format!("cpu{core} ");
            let line = stat.lines().find_map(|line| line.strip_prefix(&name));
            let numbers = line.context("no such processor")?.split_whitespace();
            let numbers: Vec<u64> = numbers.filter_map(|n| n.parse().ok()).collect();
            // user nice system idle iowait irq softirq steal ..
            let idle: u64 = numbers.iter().skip(3).take(2).sum();
            Ok((numbers.iter().take(8).sum::<u64>() - idle, idle))
        };
        Ok(Self {
            commands_core: 0.0,
            dashboards_core: 0.0,
            ticks: [of(COMMANDS_CORE)?, of(DASHBOARDS_CORE)?],
        })
    }

    /// The shares of the time since.
    pub(crate) fn since(self, before: &Self) -> Self {
        let share = |n: usize| {
            let busy = self.ticks[n].0 - before.ticks[n].0;
            let idle = self.ticks[n].1 - before.ticks[n].1;
            busy as f64 / (busy + idle).max(1) as f64
        };
        Self {
            commands_core: share(0),
            dashboards_core: share(1),
            ..self
        }
    }
}
