//! Watches one replica: who it is, whether it follows, how far behind it is.
//!
//! Over two connections of its own, one to each server, so that it sees when the pools are full. The replica is asked
//! first: what it holds, the primary held before.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use metrics::gauge;
use observability::names;
use sqlx::{Connection as _, PgConnection, PgPool};
use store::{LogId, Position};
use tokio::time::Instant;

use super::{
    look::{Identity, Mark},
    replica::{Replica, Seen, Standing},
    track::{Track, Verdict},
};

/// How often a replica is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often while somebody waits for a position.
const LOOK_EVERY_WAITED: Duration = Duration::from_millis(5);
/// How often a primary is asked that does not show yet what the replica shows: with synchronous replication a commit is
/// visible there a moment later.
const AHEAD_ASKS: u32 = 4;
/// Longest look: a server that takes longer is not read from.
const LOOK_LIMIT: Duration = Duration::from_secs(1);
/// Longest wait for a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// First pause after a look that failed; each further one is twice as long.
const RETRY_FIRST: Duration = Duration::from_millis(100);
/// Longest pause after a look that failed.
const RETRY_MAX: Duration = Duration::from_secs(2);

/// Watches a replica for as long as the task lives.
pub(super) struct Watcher {
    pub(super) replica: Arc<Replica>,
    pub(super) primary: PgPool,
    pub(super) log: LogId,
    pub(super) max_lag: Duration,
}

/// The connections of a watcher, each opened when it is needed.
#[derive(Default)]
struct Connections {
    replica: Connection,
    primary: Connection,
    track: Track,
}

impl Watcher {
    /// Looks once.
    pub(super) async fn look_once(&self) -> Seen {
        self.look(&mut Connections::default()).await
    }

    /// Looks for ever.
    pub(super) async fn run(self) {
        let mut connections = Connections::default();
        let mut pause = RETRY_FIRST;
        loop {
            let seen = self.look(&mut connections).await;
            let follows = matches!(seen.standing, Standing::Ready | Standing::Lagging);
            self.publish(seen);
            if follows {
                pause = RETRY_FIRST;
                let every = if self.replica.is_waited_for() {
                    LOOK_EVERY_WAITED
                } else {
                    LOOK_EVERY
                };
                tokio::select! {
                    () = tokio::time::sleep(every) => {}
                    () = self.replica.hurry.notified() => {
                        tokio::time::sleep(LOOK_EVERY_WAITED).await;
                    }
                }
            } else {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(RETRY_MAX);
            }
        }
    }

    async fn look(&self, connections: &mut Connections) -> Seen {
        let at = Instant::now();
        let Connections {
            replica,
            primary,
            track,
        } = connections;
        let (mark, primary_mark, started) = match self.ask_both(replica, primary).await {
            Ok(answers) => answers,
            Err(seen) => return seen,
        };
        let (standing, lag, why) = match track.judge(at, &mark, &primary_mark) {
            Verdict::Follows(lag) => {
                let standing = if lag <= self.max_lag {
                    Standing::Ready
                } else {
                    Standing::Lagging
                };
                let behind = mark.behind(&primary_mark);
                gauge!(names::REPLICA_LAG_EVENTS, "node" => self.replica.name.clone())
                    .set(u32::try_from(behind).unwrap_or(u32::MAX));
                let why = format!("{behind} events, {} ms behind", lag.as_millis());
                (standing, lag, why)
            }
            Verdict::Ahead => {
                let why = "it shows events that the primary does not show yet".to_owned();
                (Standing::Lagging, Duration::ZERO, why)
            }
            Verdict::OtherHistory => {
                return Seen::not_read(
                    Standing::Foreign,
                    "its log is not the primary's; make the replica anew",
                );
            }
        };
        Seen {
            standing,
            why,
            mark: Some(mark),
            started,
            at,
            lag,
        }
    }

    /// What both say, the replica first, and since when the replica's server runs; else why it is not to be read.
    async fn ask_both(
        &self,
        replica: &mut Connection,
        primary: &mut Connection,
    ) -> Result<(Mark, Mark, DateTime<Utc>), Seen> {
        let (of_replica, of_primary) = (self.replica.db.pool(), &self.primary);
        let own = replica.identity(of_replica).await;
        let own = own.map_err(|error| self.unreachable(&error))?;
        let wanted = primary.identity(of_primary).await;
        let wanted = wanted.map_err(|error| self.no_primary(&error))?;
        if (own.system, own.database) != (wanted.system, wanted.database) {
            let why = "it holds another database than the primary; correct replica_urls";
            return Err(Seen::not_read(Standing::Foreign, why));
        }
        if !own.in_recovery {
            replica.close();
            return Err(promoted());
        }
        let mark = replica.mark(of_replica, self.log, Position::START).await;
        let mark = mark.map_err(|error| self.unreachable(&error))?;
        // A promotion ends no connection.
        if !mark.in_recovery {
            replica.close();
            return Err(promoted());
        }
        let there = Position(mark.head);
        let mut asked = 1;
        loop {
            let primary_mark = primary.mark(of_primary, self.log, there).await;
            let primary_mark = primary_mark.map_err(|error| self.no_primary(&error))?;
            if primary_mark.head >= mark.head || asked == AHEAD_ASKS {
                return Ok((mark, primary_mark, own.started));
            }
            asked += 1;
            tokio::time::sleep(LOOK_EVERY_WAITED).await;
        }
    }

    fn unreachable(&self, error: &sqlx::Error) -> Seen {
        if self.replica.seen.borrow().standing != Standing::Unreachable {
            tracing::warn!(%error, replica = %self.replica.name, "the replica cannot be asked");
        }
        Seen::not_read(Standing::Unreachable, "it does not answer")
    }

    fn no_primary(&self, error: &sqlx::Error) -> Seen {
        if self.replica.seen.borrow().standing != Standing::NoPrimary {
            tracing::warn!(%error, replica = %self.replica.name, "the primary cannot be asked");
        }
        Seen::not_read(Standing::NoPrimary, "the primary does not answer")
    }

    fn publish(&self, seen: Seen) {
        let name = &self.replica.name;
        let before = self.replica.seen.borrow().standing;
        let standing = seen.standing;
        gauge!(names::REPLICA_LAG_SECONDS, "node" => name.clone()).set(seen.lag.as_secs_f64());
        if before != standing {
            let why = &seen.why;
            match standing {
                Standing::Ready => tracing::info!(replica = %name, why, "the replica is read from"),
                Standing::Promoted | Standing::Foreign => {
                    tracing::error!(
                        replica = %name, standing = standing.as_str(), why,
                        "the replica is not one of ours: nothing is read from it"
                    );
                }
                _ => tracing::warn!(
                    replica = %name, standing = standing.as_str(), why,
                    "the replica is not read from for now; reads go elsewhere"
                ),
            }
            for each in Standing::ALL {
                gauge!(names::REPLICA_STATE, "node" => name.clone(), "state" => each.as_str())
                    .set(u32::from(each == standing));
            }
        }
        self.replica.seen.send_replace(seen);
    }
}

fn promoted() -> Seen {
    let why = "it is a primary; make it a replica, or take it out of replica_urls";
    Seen::not_read(Standing::Promoted, why)
}

/// A connection with who answers it: opened when it is needed, closed when it fails.
#[derive(Default)]
struct Connection(Option<(PgConnection, Identity)>);

impl Connection {
    async fn identity(&mut self, pool: &PgPool) -> Result<Identity, sqlx::Error> {
        if let Some((_, identity)) = &self.0 {
            return Ok(identity.clone());
        }
        let open = async {
            let mut opened = PgConnection::connect_with(&pool.connect_options()).await?;
            let identity = Identity::of(&mut opened).await?;
            Ok((opened, identity))
        };
        let opened = within(CONNECT_LIMIT, open).await?;
        let identity = opened.1.clone();
        self.0 = Some(opened);
        Ok(identity)
    }

    async fn mark(
        &mut self,
        pool: &PgPool,
        log: LogId,
        there: Position,
    ) -> Result<Mark, sqlx::Error> {
        self.identity(pool).await?;
        let Some((connection, _)) = &mut self.0 else {
            return Err(sqlx::Error::PoolClosed);
        };
        let mark = within(LOOK_LIMIT, Mark::of(connection, log, there.0)).await;
        if mark.is_err() {
            self.close();
        }
        mark
    }

    fn close(&mut self) {
        self.0 = None;
    }
}

async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let answer = tokio::time::timeout(limit, asked).await;
    answer.unwrap_or_else(|_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()))
}
