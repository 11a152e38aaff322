//! Reads pages of the log for whoever follows it, over HTTP or GraphQL: one view of it, and the same bounds for all.

use std::{future::Future, sync::Arc, time::Duration};

use domain::{
    actor::{Action, Actor, StoreScope},
    entity::Entity,
    ids::StoreId,
    intake::Intake,
};
use store::{
    Position, StoreError,
    feed::{Filter, Scan, Scanned},
    seal::Seal,
    wake::Wake,
};
use tokio::sync::Semaphore;

use super::EventSource;
use crate::limits::{MAX_FEED_BYTES, MAX_FEED_READS, MAX_FEED_WINDOW, MAX_SEAL_READS};

/// Reads the log for everybody who follows it.
pub(crate) struct Reader {
    pub(super) events: Arc<dyn EventSource>,
    turns: Semaphore,
    /// Seals are few and small: whoever reads them waits for no reader of the log.
    seal_turns: Semaphore,
    limit: Duration,
}

/// Why a page could not be read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// The cursor is no place of this log.
    Ahead {
        /// The cursor.
        after: Position,
        /// The end of the log.
        head: Position,
    },
    /// The database took too long.
    TimedOut,
    /// The log could not be read.
    Store(StoreError),
}

impl Reader {
    /// A reader; a read that waits for its turn and for the database longer than `limit` is given up.
    pub(crate) fn new(events: Arc<dyn EventSource>, limit: Duration) -> Self {
        Self {
            events,
            turns: Semaphore::new(MAX_FEED_READS),
            seal_turns: Semaphore::new(MAX_SEAL_READS),
            limit,
        }
    }

    /// Tells of news.
    pub(crate) fn wake(&self) -> Wake {
        self.events.wake()
    }

    /// The end of the log.
    ///
    /// # Errors
    /// It could not be read.
    pub(crate) async fn head(&self) -> Result<Position, StoreError> {
        self.events.head().await
    }

    /// One look at the log.
    ///
    /// # Errors
    /// See [`Unread`].
    pub(crate) async fn read(
        &self,
        after: Position,
        limit: i64,
        filter: &Filter,
    ) -> Result<Scanned, Unread> {
        let scan = Scan {
            after,
            window: MAX_FEED_WINDOW,
            limit,
            filter,
        };
        let mut scanned = self.bounded(&self.turns, self.events.scan(&scan)).await?;
        if after > scanned.head {
            let head = scanned.head;
            return Err(Unread::Ahead { after, head });
        }
        cut(&mut scanned, MAX_FEED_BYTES);
        Ok(scanned)
    }

    /// The seals after a position.
    ///
    /// # Errors
    /// See [`Unread`].
    pub(super) async fn seals(
        &self,
        after: Option<Position>,
        limit: i64,
    ) -> Result<Vec<Seal>, Unread> {
        let read = self.events.seals(after, limit);
        self.bounded(&self.seal_turns, read).await
    }

    /// A read in its turn.
    async fn bounded<T>(
        &self,
        turns: &Semaphore,
        read: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, Unread> {
        let in_turn = async {
            // Never closed, so an error cannot come.
            let _turn = turns.acquire().await;
            read.await
        };
        match tokio::time::timeout(self.limit, in_turn).await {
            Ok(read) => read.map_err(Unread::Store),
            Err(_) => Err(Unread::TimedOut),
        }
    }
}

/// What an actor may see of the events that are asked for; `None` where they ask for a store that is not theirs. Of that
/// they see nothing, as in lists.
pub(crate) fn visible(
    actor: &Actor,
    types: Option<Vec<String>>,
    store: Option<&StoreId>,
) -> Option<Filter> {
    let stores = match (store, &actor.stores) {
        (Some(store), scope) if scope.covers(store) => Some(vec![store.to_string()]),
        (Some(_), _) => return None,
        (None, StoreScope::All) => None,
        (None, StoreScope::Only(stores)) => Some(stores.iter().map(ToString::to_string).collect()),
    };
    // Dead letters are for who sees the whole chain and may place them again, here as in GraphQL.
    let oversees = actor.stores == StoreScope::All && actor.role.may(Action::Redrive);
    Some(Filter {
        types,
        stores,
        hidden: (!oversees).then(|| Intake::TYPE.to_owned()),
    })
}

/// The filter that no event fits.
pub(crate) fn nothing() -> Filter {
    Filter {
        stores: Some(Vec::new()),
        ..Filter::default()
    }
}

/// Leaves the events beyond a number of bytes to the next page; the first stays in any case.
fn cut(scanned: &mut Scanned, most: usize) {
    let mut bytes = 0_usize;
    let fits = scanned.events.iter().take_while(|event| {
        bytes = bytes.saturating_add(event.payload.len());
        bytes <= most
    });
    let fit = fits.count().max(1);
    if fit < scanned.events.len() {
        scanned.events.truncate(fit);
        scanned.is_settled = true;
        scanned.next = scanned.events.last().map_or(scanned.next, |e| e.position);
    }
}
