//! Feeds the log to a process: at least once, by one of several programs.
//!
//! **One leads.** A process has a checkpoint of its own, under the lease of [`store::checkpoint::lease`]: whoever holds
//! it reads on, and shows that it lives even while it waits for its own commands. After a missed lease another program
//! takes over. A program that was frozen and comes back may still give a command; the command's id is the same
//! whoever gives it, so it is carried out once.
//!
//! **At least once.** A page's commands are given first, then the process's rows and the checkpoint are written in one
//! transaction. A crash in between gives the commands again, with the same ids. Where a page leaves nothing to remember
//! the checkpoint follows with the next sign of life.
//!
//! **Errors.** What may pass is tried again with growing pauses. An event that cannot be taken in stops the process: it
//! is recorded, and the checkpoint is let go, so that a newer program may take it.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use metrics::counter;
use observability::names;
use sqlx::PgConnection;
use store::{
    Log, Position, StoreError,
    checkpoint::{
        self,
        lease::{HEARTBEAT, Held, Lease},
    },
    wake::Wake,
};
use tokio::sync::watch;

use super::{
    fact::{self, Fact, Poison},
    hands::Trouble,
};

/// Events of one page.
const PAGE_EVENTS: i64 = 500;
/// First pause after an error that may pass; each further one is twice as long.
const RETRY_FIRST: Duration = Duration::from_millis(50);
/// Longest pause after an error that may pass.
const RETRY_MAX: Duration = Duration::from_secs(5);
/// Pause before a process that stopped at a bad event tries that event again.
const RETRY_FAILED: Duration = Duration::from_secs(30);

/// What follows from events, and from the passing of time.
pub(crate) trait Process: Send + Sync + 'static {
    /// The checkpoint's name.
    const NAME: &'static str;
    /// The types of event it wants.
    const WANTED: &'static [&'static str];
    /// How long it lets news gather before it looks.
    const LINGER: Duration;
    /// What a page leaves to remember.
    type Rows: Send + Sync;

    /// Whether there is nothing to remember.
    fn is_empty(rows: &Self::Rows) -> bool;

    /// Gives the commands that a page calls for, and says what is to be remembered of it. Called again with the same
    /// page after a crash.
    fn react(&self, page: &[Fact]) -> impl Future<Output = Result<Self::Rows, Trouble>> + Send;

    /// Writes what is to be remembered, in the transaction that moves the checkpoint.
    fn write(
        &self,
        conn: &mut PgConnection,
        rows: Self::Rows,
    ) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// Does what is due, a bounded part of it; `true` when there is more.
    fn tick(&self) -> impl Future<Output = Result<bool, Trouble>> + Send;
}

/// The loop of one process.
pub(crate) struct Reactor<P> {
    process: P,
    log: Log,
    lease: Lease,
    /// How often it looks for what is due.
    tick: Duration,
    held: Option<Held>,
    /// How far it has read; the checkpoint is moved past events without interest now and then only.
    read: Position,
    /// When the checkpoint was last written.
    touched: Instant,
    ticked: Option<Instant>,
    /// A failure is recorded, or may be; the next success removes it.
    clear_failure: bool,
    pause: Duration,
}

/// What a loop does next.
enum Next {
    Continue,
    /// Wait for news of the log.
    News,
    /// Wait so long, whatever the news.
    Pause(Duration),
}

impl<P: Process> Reactor<P> {
    pub(crate) fn new(process: P, log: Log, tick: Duration) -> Self {
        Self {
            lease: Lease::new(log.pool().clone(), log.log_id(), P::NAME),
            process,
            log,
            tick,
            held: None,
            read: Position::START,
            touched: Instant::now(),
            ticked: None,
            clear_failure: false,
            pause: RETRY_FIRST,
        }
    }

    /// Runs until told to stop.
    pub(crate) async fn run(mut self, mut wake: Wake, mut stop: watch::Receiver<bool>) {
        loop {
            if *stop.borrow() || stop.has_changed().is_err() {
                break;
            }
            let next = match self.step().await {
                Ok(next) => {
                    self.pause = RETRY_FIRST;
                    next
                }
                Err(trouble) => self.after(trouble).await,
            };
            match next {
                Next::Continue => {}
                Next::News => tokio::select! {
                    () = stopped(&mut stop) => {}
                    () = wake.changed() => tokio::time::sleep(P::LINGER).await,
                    () = tokio::time::sleep(self.tick.min(HEARTBEAT)) => {}
                },
                Next::Pause(pause) => tokio::select! {
                    () = stopped(&mut stop) => {}
                    () = tokio::time::sleep(pause) => {}
                },
            }
        }
        if let Err(error) = self.save(self.read, None).await {
            tracing::warn!(process = P::NAME, %error, "checkpoint not moved; the last page is done again");
        }
        self.let_go(self.held).await;
    }

    async fn let_go(&self, held: Option<Held>) {
        if let Some(held) = held
            && let Err(error) = self.lease.release(held).await
        {
            tracing::warn!(process = P::NAME, %error, "checkpoint not released; it is free after the lease");
        }
    }

    async fn step(&mut self) -> Result<Next, Trouble> {
        let Some(held) = self.hold().await? else {
            return Ok(Next::Pause(HEARTBEAT));
        };
        let page = self.log.page(self.read, PAGE_EVENTS).await?;
        let (facts, last, poison) = fact::decode(self.read, &page, P::WANTED);
        let rows = if facts.is_empty() {
            None
        } else {
            Some(self.alive(held, self.process.react(&facts)).await??)
        };
        let rows = rows.filter(|rows| !P::is_empty(rows));
        if rows.is_some() || self.touched.elapsed() >= HEARTBEAT {
            self.save(last, rows).await?;
        }
        self.read = last;
        let size = u64::try_from(page.len()).unwrap_or(u64::MAX);
        counter!(names::PROCESS_EVENTS_TOTAL, "process" => P::NAME).increment(size);
        if let Some(poison) = poison {
            return Err(poison.into());
        }
        let has_more = self.do_due(held).await?;
        let is_full = i64::try_from(page.len()).is_ok_and(|n| n == PAGE_EVENTS);
        Ok(if is_full || has_more {
            Next::Continue
        } else {
            Next::News
        })
    }

    /// Looks for what is due when it is time to.
    async fn do_due(&mut self, held: Held) -> Result<bool, Trouble> {
        if self.ticked.is_some_and(|at| at.elapsed() < self.tick) {
            return Ok(false);
        }
        let has_more = self.alive(held, self.process.tick()).await??;
        self.ticked = (!has_more).then(Instant::now);
        Ok(has_more)
    }

    /// The checkpoint, taken where needed; `None` while another program has it.
    async fn hold(&mut self) -> Result<Option<Held>, Trouble> {
        if self.held.is_some() {
            return Ok(self.held);
        }
        let Some(held) = self.lease.take().await? else {
            return Ok(None);
        };
        tracing::info!(process = P::NAME, epoch = held.epoch, position = %held.position, "leads the process");
        let head = self.log.head().await?.position;
        if held.position > head {
            let position = held.position;
            let reason = format!(
                "the checkpoint is beyond the log's end at {head}: the log was restored; restore the checkpoint too"
            );
            return Err(Poison { position, reason }.into());
        }
        self.clear_failure = true;
        self.read = held.position;
        self.touched = Instant::now();
        self.held = Some(held);
        Ok(self.held)
    }

    /// Waits for work and meanwhile shows that the leader lives. Both go on at once: the work may hold every connection
    /// that there is, and gives them back only as it goes on.
    async fn alive<T>(&self, held: Held, work: impl Future<Output = T>) -> Result<T, Trouble> {
        tokio::pin!(work);
        loop {
            let sign = async {
                tokio::time::sleep(HEARTBEAT).await;
                self.lease.touch(held).await
            };
            let is_ours = tokio::select! {
                done = &mut work => return Ok(done),
                // Without an answer the lease may run out; then two programs work, which is harmless.
                sign = sign => sign.unwrap_or(true),
            };
            if !is_ours {
                return Err(StoreError::Fenced {
                    name: P::NAME.to_owned(),
                    ours: held.epoch,
                    current: held.epoch + 1,
                }
                .into());
            }
        }
    }

    /// Moves the checkpoint, together with what a page leaves to remember.
    async fn save(&mut self, to: Position, rows: Option<P::Rows>) -> Result<(), Trouble> {
        let Some(held) = self.held else {
            return Ok(());
        };
        let mut tx = self.lease.begin(held).await?;
        if let Some(rows) = rows {
            self.process.write(&mut tx, rows).await?;
        }
        self.lease.save(&mut tx, to).await?;
        if self.clear_failure {
            checkpoint::clear_failure(&mut *tx, self.log.log_id(), P::NAME).await?;
        }
        tx.commit().await?;
        self.clear_failure = false;
        self.touched = Instant::now();
        self.held = Some(Held {
            position: to,
            ..held
        });
        Ok(())
    }

    /// What to do after an error. What the process holds is taken anew: the error may have left open where the
    /// checkpoint stands.
    async fn after(&mut self, trouble: Trouble) -> Next {
        let held = self.held.take();
        match &trouble {
            Trouble::Store(StoreError::Fenced { current, .. }) => {
                tracing::info!(
                    process = P::NAME,
                    epoch = current,
                    "another program leads the process"
                );
                return Next::Pause(HEARTBEAT);
            }
            Trouble::Poison(poison) => self.fail(poison.position, &poison.reason).await,
            trouble => match refused_rows(trouble) {
                Some(reason) => self.fail(Position(self.read.0 + 1), &reason).await,
                None => {
                    counter!(names::PROCESS_RETRIES_TOTAL, "process" => P::NAME).increment(1);
                    tracing::warn!(process = P::NAME, error = %trouble, pause = ?self.pause, "page not done; trying again");
                    self.held = self.again(held).await;
                    let pause = self.pause;
                    self.pause = (pause * 2).min(RETRY_MAX);
                    return Next::Pause(pause);
                }
            },
        }
        self.let_go(held).await;
        Next::Pause(RETRY_FAILED)
    }

    /// The checkpoint as it stands after an error; `None` where that cannot be told, or it is another's.
    async fn again(&mut self, held: Option<Held>) -> Option<Held> {
        let held = self.lease.reload(held?.epoch).await.ok()?;
        self.read = held.position;
        self.touched = Instant::now();
        Some(held)
    }

    async fn fail(&mut self, position: Position, reason: &str) {
        self.clear_failure = true;
        tracing::error!(process = P::NAME, %position, reason, "process stopped: it needs an operator");
        let (pool, log_id) = (self.log.pool(), self.log.log_id());
        let recorded = checkpoint::record_failure(pool, log_id, P::NAME, position, reason).await;
        if let Err(error) = recorded {
            tracing::error!(process = P::NAME, %error, "the failure could not be recorded");
        }
    }
}

/// Returns when the processes are stopped or dropped.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the handle was dropped: stop as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Why the database will never take these rows: their content is wrong, not the moment. Names the constraint, never the
/// row's content.
fn refused_rows(trouble: &Trouble) -> Option<String> {
    let Trouble::Store(StoreError::Database(sqlx::Error::Database(error))) = trouble else {
        return None;
    };
    let code = error.code().unwrap_or_default().into_owned();
    // 22: data, 23: constraints.
    (code.starts_with("22") || code.starts_with("23")).then(|| {
        let constraint = error.constraint().unwrap_or("none");
        format!("the database refuses its rows: error {code}, constraint {constraint}")
    })
}
