//! Which node answers a read: the primary or one of its streaming replicas.
//!
//! **Choice.** A replica is read from while its watcher finds that it follows this very primary, at most the allowed lag
//! behind ([`Standing`]); of several the least busy one. Else the primary is.
//!
//! **Freshness.** A read that must show a position waits for it on the node that it will use: first on the replica, for
//! a part of the time only, then on the primary. All reads of a field use one node, so that what they show fits together.
//!
//! **Trouble.** Any failure of a replica is met by reading once more on the primary, except that its pool is full: then
//! the caller is told so, or dashboards would fill the primary just when there are too many of them.
//!
//! **Promotion.** A promoted replica may hold what never happened here. The watcher sees a promotion within one look; what
//! is read in between is thrown away, because each answer of a replica is followed by the question whether it still is
//! one, in the same run of the server.

mod chosen;
mod failure;
mod look;
mod replica;
mod track;
mod watch;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::actor::StoreScope;
use metrics::counter;
use observability::names;
use sqlx::PgPool;
use store::{LogId, Position, connect::ReadingPools};
use tokio::{task::JoinHandle, time::Instant};

use self::{
    chosen::{Demand, wait},
    replica::{InUse, Replica},
    watch::Watcher,
};
use crate::{Freshness, Model, ReadDb, ReadError};

pub use self::{chosen::Chosen, replica::Standing};

/// The primary's name in metrics and logs.
pub const PRIMARY: &str = "primary";
/// The longest that a position is waited for on a replica; half of the caller's wait where that is shorter.
const REPLICA_WAIT: Duration = Duration::from_millis(250);

/// What a read must show at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtLeast {
    /// The position of a receipt, or of anything else that the caller has seen.
    pub position: Position,
    /// How long to wait for it, all models and nodes together.
    pub wait: Duration,
}

/// Why no node answers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NoNode {
    /// None had reached the position when the wait was over; worth a retry.
    #[error("the read model {} is at {} only", model.name(), at.0)]
    Stale {
        /// The model that was waited for.
        model: Model,
        /// How far it was on the primary.
        at: Position,
    },
    /// The checkpoint could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why a field is read where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// There is no replica.
    Only,
    /// The replica is close enough.
    Close,
    /// No replica is to be read from; the best of them stands so.
    Not(Standing),
    /// The replica had not reached the position in time.
    Stale,
    /// The read failed on the replica.
    Again,
}

impl Reason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Only => "only_node",
            Self::Close => "close",
            Self::Not(standing) => standing.as_str(),
            Self::Stale => "stale",
            Self::Again => "again",
        }
    }
}

/// How a replica stands, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeStatus {
    /// `replica-1` and so on, in the order of the configuration.
    pub name: String,
    /// Whether it is read from, and why not.
    pub standing: Standing,
    /// The same in words; says nothing secret.
    pub detail: String,
}

/// Looks once at each replica of a primary, for whoever asks how they are and reads nothing.
pub async fn examine(
    primary: &PgPool,
    pools: Vec<ReadingPools>,
    log: LogId,
    max_lag: Duration,
) -> Vec<NodeStatus> {
    let mut found = Vec::new();
    for (number, pools) in (1..).zip(pools) {
        let watcher = Watcher {
            replica: Arc::new(Replica::new(name(number), pools)),
            primary: primary.clone(),
            log,
            max_lag,
        };
        let seen = watcher.look_once().await;
        found.push(NodeStatus {
            name: name(number),
            standing: seen.standing,
            detail: seen.why,
        });
    }
    found
}

fn name(number: usize) -> String {
    format!("replica-{number}")
}

/// The nodes that queries may use. Cheap to clone; the replicas are watched until the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Nodes {
    primary: ReadDb,
    freshness: Freshness,
    replicas: Arc<Replicas>,
}

#[derive(Debug, Default)]
struct Replicas {
    all: Vec<Arc<Replica>>,
    watchers: Vec<JoinHandle<()>>,
    /// Where the search for the least busy one begins.
    turn: AtomicUsize,
}

impl Drop for Replicas {
    fn drop(&mut self) {
        self.watchers.iter().for_each(JoinHandle::abort);
    }
}

impl Nodes {
    /// Everything is read from the primary; `freshness` waits for its checkpoints.
    pub fn primary_only(primary: ReadDb, freshness: Freshness) -> Self {
        Self {
            primary,
            freshness,
            replicas: Arc::default(),
        }
    }

    /// Reads go to replicas as well, each with pools of its own, while they are at most `max_lag` behind.
    pub fn with_replicas(
        primary: ReadDb,
        freshness: Freshness,
        log: LogId,
        pools: Vec<ReadingPools>,
        max_lag: Duration,
    ) -> Self {
        let mut replicas = Replicas::default();
        for (number, pools) in (1..).zip(pools) {
            let replica = Arc::new(Replica::new(name(number), pools));
            let watcher = Watcher {
                replica: Arc::clone(&replica),
                primary: primary.pool().clone(),
                log,
                max_lag,
            };
            replicas.watchers.push(tokio::spawn(watcher.run()));
            replicas.all.push(replica);
        }
        Self {
            replicas: Arc::new(replicas),
            ..Self::primary_only(primary, freshness)
        }
    }

    /// The primary, for reads that no other node may answer.
    pub const fn primary(&self) -> &ReadDb {
        &self.primary
    }

    /// How the replicas stand.
    pub fn replicas(&self) -> Vec<NodeStatus> {
        let status = |replica: &Arc<Replica>| NodeStatus {
            name: replica.name.clone(),
            standing: replica.standing(),
            detail: replica.seen.borrow().why.clone(),
        };
        self.replicas.all.iter().map(status).collect()
    }

    /// Chooses the node for reads of `models`, and waits there until they show what is demanded. Reads show the rows of
    /// the stores in `scope`, and no others.
    ///
    /// # Errors
    /// That they do not, or cannot be asked.
    pub async fn choose(
        &self,
        scope: &StoreScope,
        models: &[Model],
        at_least: Option<AtLeast>,
    ) -> Result<Chosen, NoNode> {
        let began = Instant::now();
        let demand = at_least.map(|at_least| Demand {
            models: models.to_vec(),
            position: at_least.position,
            until: began + at_least.wait,
        });
        let mut reason = match self.replicas.pick(demand.as_ref()) {
            Ok(replica) => {
                let used = InUse::of(replica);
                let is_there = match (&demand, at_least) {
                    (Some(demand), Some(AtLeast { position, wait })) => {
                        let until = began + (wait / 2).min(REPLICA_WAIT);
                        let reaches = used.replica.reaches(&demand.models, position, until);
                        reaches.await
                    }
                    _ => true,
                };
                if is_there {
                    count(&used.replica.name, Reason::Close);
                    return Ok(self.chosen(scope, demand, Some(used)));
                }
                Reason::Stale
            }
            Err(reason) => reason,
        };
        if let Some(demand) = &demand {
            let until = demand.until;
            let late = wait(&self.freshness, &demand.models, demand.position, until).await?;
            if let Some((model, at)) = late {
                return Err(NoNode::Stale { model, at });
            }
        }
        if self.replicas.all.is_empty() {
            reason = Reason::Only;
        }
        count(PRIMARY, reason);
        Ok(self.chosen(scope, demand, None))
    }

    fn chosen(&self, scope: &StoreScope, demand: Option<Demand>, replica: Option<InUse>) -> Chosen {
        Chosen::new(
            scope.clone(),
            self.primary.clone(),
            self.freshness.clone(),
            demand,
            replica,
        )
    }
}

impl Replicas {
    /// The replica to read from: the least busy of those that show what is demanded already, else of all that are close
    /// enough; in turn where several are as busy.
    fn pick(&self, demand: Option<&Demand>) -> Result<Arc<Replica>, Reason> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let count = self.all.len();
        let in_turn = (0..count).filter_map(|n| self.all.get((turn.wrapping_add(n)) % count));
        let shows = |replica: &Replica| {
            demand.is_none_or(|demand| replica.shows(&demand.models, demand.position))
        };
        let ready = in_turn.filter(|replica| replica.standing() == Standing::Ready);
        let best = ready.min_by_key(|replica| (!shows(replica), replica.busy()));
        best.map(Arc::clone).ok_or_else(|| {
            let standing = self.all.first().map(|replica| replica.standing());
            standing.map_or(Reason::Only, Reason::Not)
        })
    }
}

fn count(node: &str, reason: Reason) {
    counter!(names::READS_TOTAL, "node" => node.to_owned(), "reason" => reason.as_str())
        .increment(1);
}
