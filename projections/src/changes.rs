//! Who hears at once that something changed: one reader of the log per process, however many listen.
//!
//! A listener learns what changed, not how: it waits until the model it shows has seen the position, and reads that. A
//! listener that falls behind is told so and reads anew; nothing is queued for it without bound.

use std::time::Duration;

use sqlx::PgPool;
use store::{Log, LogId, Position, StoreError, wake::Wake};
use tokio::sync::{broadcast, watch};

use crate::cache::Touched;

/// Changes that a listener may be behind before it has to read anew.
const BEHIND: usize = 4_096;
/// Events that one look at the log reads.
const PAGE: i64 = 1_000;
/// Pause after a look that failed.
const RETRY: Duration = Duration::from_millis(500);

/// An event, without its content.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Change {
    /// Its position.
    #[sqlx(try_from = "i64")]
    pub position: Position,
    /// The kind of its aggregate.
    pub aggregate_type: String,
    /// Its aggregate.
    pub aggregate_id: String,
    /// The store it belongs to, if it belongs to one.
    pub store_id: Option<String>,
}

/// Where to listen. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Changes {
    sender: broadcast::Sender<Change>,
    wake: Wake,
    touched: Option<Touched>,
}

/// One that hears nothing by itself: [`Changes::told`] feeds it.
impl Default for Changes {
    fn default() -> Self {
        let (_, newest) = watch::channel(Position::START);
        Self::fed(Wake::fed(newest, RETRY), None)
    }
}

impl Changes {
    /// Follows the log from its last event on until the pool is closed. `touched` learns what happens too, if anybody
    /// wants to know it.
    ///
    /// # Errors
    /// Where the log ends could not be read.
    pub async fn follow(
        log: &Log,
        wake: Wake,
        touched: Option<Touched>,
    ) -> Result<Self, StoreError> {
        let head = log.head().await?.position;
        if let Some(touched) = &touched {
            touched.begin(head);
        }
        let changes = Self::fed(wake, touched);
        let teller = changes.clone();
        let (pool, log_id) = (log.pool().clone(), log.log_id());
        tokio::spawn(async move { teller.tell(&pool, log_id, head).await });
        Ok(changes)
    }

    fn fed(wake: Wake, touched: Option<Touched>) -> Self {
        let (sender, _) = broadcast::channel(BEHIND);
        Self {
            sender,
            wake,
            touched,
        }
    }

    /// Tells every listener.
    pub fn told(&self, change: Change) {
        // Nobody listens: nobody misses it.
        let _ = self.sender.send(change);
    }

    /// Listens from now on. What was committed before is at or before [`Changes::newest`].
    pub fn listen(&self) -> broadcast::Receiver<Change> {
        self.sender.subscribe()
    }

    /// The newest position heard of.
    pub fn newest(&self) -> Position {
        self.wake.newest()
    }
}

impl Changes {
    async fn tell(&self, pool: &PgPool, log: LogId, head: Position) {
        let (mut wake, mut at) = (self.wake.clone(), head);
        while !pool.is_closed() {
            // Asked first: whoever begins to listen after the count is told of all that is behind it.
            let newest = wake.newest();
            if self.sender.receiver_count() == 0 && self.touched.is_none() {
                at = at.max(newest);
                wake.changed().await;
                continue;
            }
            match page(pool, log, at).await {
                Ok(changes) => {
                    let full = i64::try_from(changes.len()).is_ok_and(|n| n == PAGE);
                    if let Some(touched) = &self.touched {
                        touched.look(&changes);
                    }
                    for change in changes {
                        at = change.position;
                        self.told(change);
                    }
                    if !full {
                        wake.changed().await;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "nobody hears of changes: the log cannot be read; trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}

async fn page(pool: &PgPool, log: LogId, after: Position) -> Result<Vec<Change>, sqlx::Error> {
    sqlx::query_as(
        "select position, aggregate_type, aggregate_id, metadata ->> 'storeId' as store_id from events \
         where log_id = $1 and position > $2 order by position limit $3",
    )
    .bind(log.0)
    .bind(after.0)
    .bind(PAGE)
    .fetch_all(pool)
    .await
}
