//! Processes over the log: what the ledger does by itself.
//!
//! A process reads the log from a checkpoint of its own and gives commands in the ledger's name ([`hands`]). It decides
//! nothing: what a command does is the entity's decision, as with anybody else's, so a command given twice, late, or
//! beside a person's does no harm. See [`reactor`] for how each command is given at least once and carried out once.
//!
//! - [`workflow`]: a valid order runs to released.
//! - [`timers`]: what is to happen unless something happens before.
//! - [`cash_desk`]: the end of the day for the riders' cash.
//! - [`phones`]: orders that cannot be found by phone number yet, and should be. It gives no commands.

mod cash_desk;
mod fact;
mod hands;
mod phones;
mod reactor;
mod timers;
mod workflow;

use std::time::Duration;

use metrics::gauge;
use observability::names;
use store::{
    Log, StoreError,
    checkpoint::{self, Status},
    wake::Wake,
};
use tokio::{sync::watch, task::JoinHandle};

use self::{
    cash_desk::CashDesk,
    hands::Hands,
    phones::Phones,
    reactor::{Process, Reactor, stopped},
    timers::Timers,
    workflow::Workflow,
};
use crate::CommandBus;

pub use hands::ACTOR_ID;

/// Every process, by the name of its checkpoint.
pub const NAMES: [&str; 4] = [Workflow::NAME, Timers::NAME, CashDesk::NAME, Phones::NAME];

/// How often the lag is measured.
const REPORT_EVERY: Duration = Duration::from_secs(5);
/// Longest wait for the loops at shutdown. What is cut off is done again by whoever leads next.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// How the processes behave.
#[derive(Debug, Clone, Copy)]
pub struct ProcessOptions {
    /// How often each looks for what is due: the most that scheduled work is late by.
    pub tick: Duration,
}

impl Default for ProcessOptions {
    fn default() -> Self {
        Self {
            tick: Duration::from_secs(1),
        }
    }
}

/// The running processes of this program. Others may run beside it: one of them leads each process. Dropped, they stop
/// where they are; what they had begun is done by whoever leads next.
pub struct Processes {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    log: Log,
}

impl Processes {
    /// Starts them over the bus's log and by its clock. `wake` hears of appended events; missed news only cost time.
    pub fn spawn(bus: &CommandBus, wake: &Wake, options: ProcessOptions) -> Self {
        let (log, clock) = (bus.log(), bus.clock());
        let (stop, stopped) = watch::channel(false);
        let starter = Starter {
            log,
            wake,
            tick: options.tick,
            stopped: &stopped,
        };
        let hands = |name| Hands::new(bus.clone(), name);
        let workflow = Workflow::new(hands(Workflow::NAME), clock.clone());
        let timers = Timers::new(hands(Timers::NAME), clock.clone());
        let cash_desk = CashDesk::new(hands(CashDesk::NAME), clock.clone());
        let tasks = vec![
            starter.start(workflow),
            starter.start(timers),
            starter.start(cash_desk),
            starter.start(Phones::new(bus.clone())),
            tokio::spawn(report(log.clone(), stopped.clone())),
        ];
        Self {
            stop,
            tasks,
            log: log.clone(),
        }
    }

    /// How far each process is, whoever leads it, and why one stands still. A process's checkpoint may be up to a
    /// second behind what it has done.
    ///
    /// # Errors
    /// The database is unreachable.
    pub async fn status(&self) -> Result<Vec<Status>, StoreError> {
        status(&self.log).await
    }

    /// Stops them after the page each is at, and lets other programs take over at once.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let deadline = tokio::time::Instant::now() + STOP_LIMIT;
        for mut task in self.tasks {
            if tokio::time::timeout_at(deadline, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

/// How far each process is, for a program that runs none.
///
/// # Errors
/// The database is unreachable.
pub async fn status(log: &Log) -> Result<Vec<Status>, StoreError> {
    checkpoint::status(log.pool(), log.log_id(), &NAMES).await
}

struct Starter<'a> {
    log: &'a Log,
    wake: &'a Wake,
    tick: Duration,
    stopped: &'a watch::Receiver<bool>,
}

impl Starter<'_> {
    fn start<P: Process>(&self, process: P) -> JoinHandle<()> {
        let reactor = Reactor::new(process, self.log.clone(), self.tick);
        tokio::spawn(reactor.run(self.wake.clone(), self.stopped.clone()))
    }
}

/// Measures the lag of every process, whoever leads it.
async fn report(log: Log, mut stop: watch::Receiver<bool>) {
    loop {
        // Without an answer the gauges keep their last value; the loops report the outage.
        for (name, status) in NAMES.iter().zip(status(&log).await.unwrap_or_default()) {
            let lag = Duration::from_millis(u64::try_from(status.lag_millis).unwrap_or(0));
            let events = u32::try_from(status.lag_events()).unwrap_or(u32::MAX);
            gauge!(names::PROCESS_LAG_EVENTS, "process" => *name).set(events);
            gauge!(names::PROCESS_LAG_SECONDS, "process" => *name).set(lag.as_secs_f64());
            gauge!(names::PROCESS_FAILED, "process" => *name)
                .set(u32::from(status.failed.is_some()));
        }
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = tokio::time::sleep(REPORT_EVERY) => {}
        }
    }
}
