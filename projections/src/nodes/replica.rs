//! One replica as the readers see it: what its watcher found last, and how busy it is.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use sqlx::{PgPool, postgres::PgPoolOptions};
use store::{Position, connect::ReadingPools};
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use super::look::Mark;
use crate::{Model, ReadDb};

/// What was seen longer ago says nothing any more.
const SEEN_FOR: Duration = Duration::from_secs(2);
/// Connections for the question whether the replica still is one: they wait behind no read.
const CHECK_CONNECTIONS: u32 = 2;
/// Longest wait for one of them; a server that is that late has been found out by its watcher.
const CHECK_LIMIT: Duration = Duration::from_secs(2);

/// Why a replica is read from, or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It follows the primary closely enough.
    Ready,
    /// It was not looked at yet.
    Unknown,
    /// It follows, and is too far behind.
    Lagging,
    /// It does not answer, or no longer.
    Unreachable,
    /// The primary does not answer, so nothing can be compared.
    NoPrimary,
    /// It is a primary now, and what it shows may never have happened here.
    Promoted,
    /// It is no replica of this ledger's database.
    Foreign,
}

impl Standing {
    /// Every one, for metrics.
    pub const ALL: [Self; 7] = [
        Self::Ready,
        Self::Unknown,
        Self::Lagging,
        Self::Unreachable,
        Self::NoPrimary,
        Self::Promoted,
        Self::Foreign,
    ];

    /// Its name in metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Unknown => "unknown",
            Self::Lagging => "lagging",
            Self::Unreachable => "unreachable",
            Self::NoPrimary => "no_primary",
            Self::Promoted => "promoted",
            Self::Foreign => "foreign",
        }
    }

    /// Whether what is being read there should be given up.
    const fn is_lost(self) -> bool {
        matches!(self, Self::Unreachable | Self::Promoted | Self::Foreign)
    }
}

/// What the watcher saw last.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) standing: Standing,
    /// In words, for people: nothing secret.
    pub(super) why: String,
    /// How far it was; `None` where it is not to be read.
    pub(super) mark: Option<Mark>,
    /// The run of the server that said so.
    pub(super) started: DateTime<Utc>,
    /// When the look began.
    pub(super) at: Instant,
    /// For how long the primary has been where it is not.
    pub(super) lag: Duration,
}

impl Seen {
    /// Nothing that could be read.
    pub(super) fn not_read(standing: Standing, why: impl Into<String>) -> Self {
        Self {
            standing,
            why: why.into(),
            mark: None,
            started: DateTime::<Utc>::MIN_UTC,
            at: Instant::now(),
            lag: Duration::ZERO,
        }
    }
}

/// A replica. Shared by its watcher and the readers.
#[derive(Debug)]
pub(super) struct Replica {
    /// `replica-1` and so on, in the order of the configuration.
    pub(super) name: String,
    pub(super) db: ReadDb,
    checks: PgPool,
    pub(super) seen: watch::Sender<Seen>,
    /// Reads at work.
    busy: AtomicUsize,
    /// Readers that wait for a position: the watcher looks more often.
    waiting: AtomicUsize,
    pub(super) hurry: Notify,
    /// When a connection to it failed: what was seen before that does not count.
    failed: Mutex<Option<Instant>>,
}

impl Replica {
    pub(super) fn new(name: String, pools: ReadingPools) -> Self {
        let checks = PgPoolOptions::new()
            .max_connections(CHECK_CONNECTIONS)
            .acquire_timeout(CHECK_LIMIT)
            .test_before_acquire(false)
            .connect_lazy_with((*pools.readers().connect_options()).clone());
        let (seen, _) = watch::channel(Seen::not_read(Standing::Unknown, "not looked at yet"));
        Self {
            name,
            db: ReadDb::new(pools),
            checks,
            seen,
            busy: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            hurry: Notify::new(),
            failed: Mutex::new(None),
        }
    }

    /// How it stands, for a read that begins now.
    pub(super) fn standing(&self) -> Standing {
        self.standing_of(&self.seen.borrow())
    }

    fn standing_of(&self, seen: &Seen) -> Standing {
        let failed = *self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = seen.at.elapsed() > SEEN_FOR || failed.is_some_and(|failed| failed >= seen.at);
        match seen.standing {
            Standing::Ready | Standing::Lagging if is_old => Standing::Unreachable,
            standing => standing,
        }
    }

    /// A connection to it failed: it is not chosen before its watcher has seen it again.
    pub(super) fn failed(&self) {
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    pub(super) fn busy(&self) -> usize {
        self.busy.load(Ordering::Relaxed)
    }

    pub(super) fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Whether the models are known to show a position.
    pub(super) fn shows(&self, models: &[Model], position: Position) -> bool {
        shows(&self.seen.borrow(), models, position)
    }

    /// Waits until the models show a position: `false` when they do not by then, or it cannot be read any more.
    pub(super) async fn reaches(
        &self,
        models: &[Model],
        position: Position,
        until: Instant,
    ) -> bool {
        let mut seen = self.seen.subscribe();
        let _waiting = Counted::one_more(&self.waiting);
        loop {
            {
                let now = seen.borrow_and_update();
                if self.standing_of(&now) != Standing::Ready {
                    return false;
                }
                if shows(&now, models, position) {
                    return true;
                }
            }
            self.hurry.notify_one();
            match tokio::time::timeout_at(until, seen.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) | Err(_) => return false,
            }
        }
    }

    /// Whether this still is a replica, in the run of the server that began at `started`. Asked after a read: a server is
    /// promoted once in a run, so the one that is a replica now was one all along.
    pub(super) async fn is_still(&self, started: DateTime<Utc>) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar("select pg_is_in_recovery() and pg_postmaster_start_time() = $1")
            .bind(started)
            .fetch_one(&self.checks)
            .await
    }

    /// Returns when what is being read here has to be given up.
    pub(super) async fn lost(&self) {
        let mut seen = self.seen.subscribe();
        // An error would mean that the sender is gone, and we hold it.
        let _ = seen.wait_for(|seen| seen.standing.is_lost()).await;
    }
}

fn shows(seen: &Seen, models: &[Model], position: Position) -> bool {
    let shows = |mark: &Mark| {
        models
            .iter()
            .all(|model| mark.of_model(*model) >= position.0)
    };
    seen.mark.as_ref().is_some_and(shows)
}

/// A replica while it is used for a field.
#[derive(Debug)]
pub(super) struct InUse {
    pub(super) replica: Arc<Replica>,
    /// The run of the server that was found to follow the primary.
    pub(super) started: DateTime<Utc>,
}

impl InUse {
    pub(super) fn of(replica: Arc<Replica>) -> Self {
        replica.busy.fetch_add(1, Ordering::Relaxed);
        let started = replica.seen.borrow().started;
        Self { replica, started }
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.replica.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn one_more(counter: &'a AtomicUsize) -> Self {
        counter.fetch_add(1, Ordering::Relaxed);
        Self(counter)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
