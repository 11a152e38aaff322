//! The log as it grows.

use std::sync::Arc;

use async_graphql::{Error, SimpleObject};
use store::{
    feed::{Filter, Scanned},
    wake::Wake,
};
use tokio::time::Instant;

use super::Watcher;
use crate::{
    feed::Reader,
    limits::LIVE_HEARTBEAT,
    schema::{
        events::{LogEvent, unreadable},
        scalars::Position,
    },
};

/// Events in the order of the log, without a gap to the batch before.
#[derive(Debug, Clone, SimpleObject)]
pub struct EventBatch {
    /// The events; none where the position alone has moved, or nothing happened for a while.
    pub events: Vec<LogEvent>,
    /// Everything up to here has been sent: `after` of a client that comes back.
    pub position: Position,
    /// The end of the log when it was read.
    pub head: Position,
}

/// A log that is watched.
pub(super) struct EventWatch {
    watcher: Watcher,
    reader: Arc<Reader>,
    wake: Wake,
    filter: Filter,
    first: i64,
    /// Everything up to here was looked at.
    after: store::Position,
    /// When the client is told the position, whatever happens; at once in the beginning.
    beat: Instant,
}

impl EventWatch {
    pub(super) fn new(
        watcher: Watcher,
        reader: Arc<Reader>,
        filter: Filter,
        first: i64,
        after: store::Position,
    ) -> Self {
        Self {
            wake: reader.wake(),
            watcher,
            reader,
            filter,
            first,
            after,
            beat: Instant::now(),
        }
    }

    /// The next events, or a sign of life.
    pub(super) async fn next(&mut self) -> Option<Result<EventBatch, Error>> {
        loop {
            let page = self.reader.read(self.after, self.first, &self.filter).await;
            let page = match page {
                Ok(page) => page,
                Err(unread) => return Some(Err(unreadable(&self.watcher.access(), unread))),
            };
            self.after = page.next;
            if !page.events.is_empty() || Instant::now() >= self.beat {
                self.beat = Instant::now() + LIVE_HEARTBEAT;
                return Some(self.batch(page));
            }
            if page.next >= page.head {
                // Woken, or it is time to look or to show that the stream lives: the loop looks again in any case.
                let _ = tokio::time::timeout_at(self.beat, self.wake.changed()).await;
            }
        }
    }

    fn batch(&self, page: Scanned) -> Result<EventBatch, Error> {
        let (position, head) = (Position(page.next), Position(page.head));
        let events = page.events.into_iter().map(LogEvent::of);
        let events = events
            .collect::<Result<_, _>>()
            .map_err(|why| self.watcher.access().fault(&why.to_string()))?;
        Ok(EventBatch {
            events,
            position,
            head,
        })
    }
}
