//! Subscriptions: what is shown, and whenever it changes.
//!
//! Each begins with what is there, so that a client that comes back has missed nothing. Between two answers many
//! changes may lie: what is sent is how things stand, not how they came about. Who wants every event reads the event
//! feed.

mod board;
mod events;
mod order;

use std::sync::Arc;

use async_graphql::{Context, Error, ID, Subscription};
use domain::ids::OrderId;
use futures_util::{Stream, stream};
use projections::{
    Model,
    changes::Change,
    nodes::{AtLeast, NoNode},
};
use store::Position;
use tokio::sync::broadcast::{
    Receiver,
    error::{RecvError, TryRecvError},
};

use self::{board::BoardWatch, events::EventWatch, order::OrderWatch};
use super::{
    access::{Access, Refusals, coded, page_size},
    events::{LogEventFilter, most, reader, within},
    order::{Order, filter::store_ids, status::OrderStatus},
    scalars,
};
use crate::{
    auth::Caller,
    backend::{Backend, Reads},
    context::RequestContext,
    limits::LIVE_LOOK,
};

pub use board::StoreBoardUpdate;
pub use events::EventBatch;

/// What can be watched.
#[derive(Default)]
pub struct LiveQuery;

#[Subscription(name = "Subscription")]
impl LiveQuery {
    /// An order, now and whenever it changes. Ends with NOT_FOUND where there is none that the caller may see.
    async fn order_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
        #[graphql(
            default = 0,
            desc = "The version that the client shows already: nothing is sent before a later one."
        )]
        after_version: i32,
    ) -> Result<impl Stream<Item = Result<Order, Error>> + use<>, Error> {
        let access = Access::to_read(ctx).await?;
        let unknown = || coded("NOT_FOUND", "there is no such order");
        let id: OrderId = id.parse().map_err(|_| unknown())?;
        let watcher = Watcher::of(&access);
        let mut watch = OrderWatch::new(watcher, id, i64::from(after_version));
        let first = watch.first().await?.ok_or_else(unknown)?;
        if !access.sees(&first.order.store_id, &id.to_string()).await {
            return Err(unknown());
        }
        Ok(endless(watch, |mut watch| async {
            let next = watch.next().await;
            (next, watch)
        }))
    }

    /// How many orders stand in each status by store: all of it first, then what has changed.
    async fn store_board(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these stores, at most 200.")] store_ids: Option<Vec<ID>>,
        #[graphql(desc = "Only these statuses.")] statuses: Option<Vec<OrderStatus>>,
    ) -> Result<impl Stream<Item = Result<StoreBoardUpdate, Error>> + use<>, Error> {
        let access = Access::to_read(ctx).await?;
        let stores = store_ids
            .map(|ids| self::store_ids("storeIds", &ids))
            .transpose()?;
        access.asks_for(stores.as_deref()).await;
        let statuses = statuses.map(|all| all.into_iter().map(Into::into).collect());
        let watch = BoardWatch::new(Watcher::of(&access), stores, statuses);
        Ok(endless(watch, |mut watch| async {
            let next = watch.next().await;
            (next, watch)
        }))
    }

    /// The log as it grows, in its order and without a gap: whoever comes back with the last `position` as `after` has
    /// missed nothing and gets nothing twice. At least every 15 seconds comes a batch, if need be an empty one, whose
    /// position goes on where the filter leaves out everything. For who may read events, with the scope `events:read`.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Events behind this position: the last batch's, or \"0\" for the whole log. What happens from now on \
                    when absent."
        )]
        after: Option<scalars::Position>,
        #[graphql(desc = "Conditions that must all be met; all of the log when absent.")]
        filter: Option<LogEventFilter>,
        #[graphql(default_with = "most()", desc = "Events of a batch at most: 1 to 100.")]
        first: i32,
    ) -> Result<impl Stream<Item = Result<EventBatch, Error>> + use<>, Error> {
        let access = Access::to_read_events(ctx).await?;
        let first = page_size("first", first)?;
        let reader = reader(ctx)?;
        let filter = within(&access, filter.unwrap_or_default()).await?;
        let after = match after {
            Some(position) => position.0,
            None => reader.head().await.map_err(|e| access.log_failed(e))?,
        };
        let watch = EventWatch::new(Watcher::of(&access), reader, filter, first, after);
        Ok(endless(watch, |mut watch| async {
            let next = watch.next().await;
            (next, watch)
        }))
    }
}

/// Answers until one is an error or none comes any more.
fn endless<W, T, F, Fut>(
    watch: W,
    next: F,
) -> impl Stream<Item = Result<T, Error>> + use<W, T, F, Fut>
where
    F: Fn(W) -> Fut,
    Fut: Future<Output = (Option<Result<T, Error>>, W)>,
{
    stream::unfold((Some(watch), next), |(watch, next)| async move {
        let (item, watch) = next(watch?).await;
        let item = item?;
        let going_on = item.is_ok().then_some(watch);
        Some((item, (going_on, next)))
    })
}

/// Who watches, for longer than a request, and what they hear.
struct Watcher {
    backend: Arc<dyn Backend>,
    caller: Caller,
    request: RequestContext,
    refusals: Refusals,
    heard: Receiver<Change>,
}

impl Watcher {
    fn of(access: &Access<'_>) -> Self {
        Self {
            // Listening begins before anything is read: what changes in between is heard.
            heard: access.backend.changes().listen(),
            backend: Arc::clone(access.backend),
            caller: access.caller.clone(),
            request: access.request.clone(),
            refusals: access.refusals.clone(),
        }
    }

    fn access(&self) -> Access<'_> {
        Access {
            backend: &self.backend,
            caller: &self.caller,
            request: &self.request,
            refusals: &self.refusals,
        }
    }

    fn newest(&self) -> Position {
        self.backend.changes().newest()
    }

    /// Waits for something that matters, and for all that has come by then; up to which position to read. `None` when
    /// nothing can come any more.
    async fn hears(&mut self, matters: impl Fn(&Change) -> bool) -> Option<Position> {
        let mut at = None;
        while at.is_none() {
            at = match self.heard.recv().await {
                Ok(change) => matters(&change).then_some(change.position),
                // Too much at once: whatever it was, it is in the log by now.
                Err(RecvError::Lagged(_)) => Some(self.newest()),
                Err(RecvError::Closed) => return None,
            };
        }
        // Ends with what has come by now, of which the channel holds a bounded number.
        loop {
            match self.heard.try_recv() {
                Ok(change) if matters(&change) => at = Some(change.position),
                Ok(_) => {}
                Err(TryRecvError::Lagged(_)) => at = Some(self.newest()),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return at,
            }
        }
    }

    /// The node where a model shows a position. However long that takes: an operator sees the lag, the client an older
    /// state.
    async fn shown(&self, model: Model, position: Position) -> Result<Arc<dyn Reads>, Error> {
        let at_least = AtLeast {
            position,
            wait: LIVE_LOOK,
        };
        loop {
            match self
                .backend
                .read(&self.caller.actor.stores, &[model], Some(at_least))
                .await
            {
                Ok(node) => return Ok(node),
                Err(NoNode::Stale { .. }) => {}
                Err(NoNode::Read(error)) => return Err(self.access().read_failed(error)),
            }
        }
    }
}
