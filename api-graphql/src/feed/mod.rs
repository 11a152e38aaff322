//! The event feed: `GET /v1/events` in pages, `GET /v1/events/stream` as server-sent events; `GET /v1/seals` beside it.
//!
//! Both show the log as it is, in its order, as CloudEvents 1.0; personal data stays sealed. What a caller sees
//! depends on the token alone: its role, its scope and its stores. Nothing here writes.

mod ask;
mod cloud;
mod reader;
mod seals;
mod source;
mod stream;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::Response,
    routing::any,
};
use domain::actor::Action;
use observability::names;
use store::{
    Position, StoreError,
    feed::{Filter, Scanned},
    wake::Wake,
};
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    auth::{self, Admitted, Authenticator, Caller},
    backend::{Backend, RefusedAccess},
    context::RequestContext,
    health::Lifecycle,
    http::{Operation, lasting, problem::HttpProblem, turned},
    limits::{FEED_LOOK, MAX_FEED_REQUESTS},
    rate::Visit,
    slots::Slots,
};

use ask::Ask;
pub use ask::is_event_type;
pub(crate) use ask::types;
pub(crate) use reader::{Reader, Unread, nothing, visible};
pub use seals::WrittenSeal;
pub use source::{EventSource, LogEvents};

const BATCH: HeaderValue = HeaderValue::from_static("application/cloudevents-batch+json");
const NOT_AT_ALL: HeaderValue = HeaderValue::from_static("private, no-store");
/// The cursor that the next read goes on with.
const NEXT_CURSOR: HeaderName = HeaderName::from_static("x-next-cursor");

/// What the feed is wired to.
#[derive(Clone)]
pub struct FeedState {
    /// The log.
    pub events: Arc<dyn EventSource>,
    /// Names this ledger among others in `source`: `/ledger/{environment}`.
    pub environment: String,
}

/// What the handlers share.
pub(crate) struct Feed {
    reader: Arc<Reader>,
    source: String,
    authenticator: Arc<Authenticator>,
    backend: Arc<dyn Backend>,
    lifecycle: Lifecycle,
    requests: Semaphore,
    /// Reads that wait for news.
    waiting: Arc<Slots>,
    /// Streams.
    slots: Arc<Slots>,
}

/// Where a read may take its cursor from.
#[derive(Clone, Copy)]
enum CursorFrom {
    /// The query string alone: a page is kept by its address.
    Query,
    /// `Last-Event-ID` before the query string: a stream that goes on.
    LastEvent,
}

/// A part of the log for one answer.
struct Page {
    scanned: Scanned,
    /// Whether it was read from the cursor that was asked for, and not from where a wait began.
    is_fresh: bool,
}

/// The routes of the feed.
pub(crate) fn routes(
    reader: Arc<Reader>,
    environment: &str,
    authenticator: Arc<Authenticator>,
    backend: Arc<dyn Backend>,
    lifecycle: Lifecycle,
) -> Router {
    let feed = Feed {
        reader,
        source: format!("/ledger/{environment}"),
        authenticator,
        backend,
        lifecycle,
        requests: Semaphore::new(MAX_FEED_REQUESTS),
        waiting: Slots::new(names::API_FEED_WAITING, "reads of the feed wait"),
        slots: Slots::new(names::API_FEED_STREAMS, "streams are open"),
    };
    Router::new()
        .route("/v1/events", any(events))
        .route("/v1/events/stream", any(stream::stream))
        .route("/v1/seals", any(seals::seals))
        .with_state(Arc::new(feed))
}

async fn events(State(feed): State<Arc<Feed>>, request: Request) -> Response {
    let context = RequestContext::of(&request);
    let (parts, _) = request.into_parts();
    let mut response = match feed.answer(&parts).await {
        Ok(response) => response,
        Err(problem) => turned(problem, &context),
    };
    let operation = Operation("events".to_owned());
    response.extensions_mut().insert(operation);
    response
}

impl Feed {
    async fn answer(&self, request: &Parts) -> Result<Response, HttpProblem> {
        let (admitted, ask) = self.admit(request, CursorFrom::Query).await?;
        let _waiting = if ask.wait.is_zero() {
            None
        } else {
            let slot = self.waiting.take(admitted.token);
            Some(slot.map_err(|full| HttpProblem::too_many_feeds(&full))?)
        };
        let filter = self.filter(&admitted.caller, &ask).await;
        let after = self.start(&ask).await?;
        let Page { scanned, is_fresh } = self.page(after, &ask, &filter).await?;
        let events = cloud::batch(&scanned.events, &self.source);
        let body = events.map_err(|error| fault(&error))?;
        // `latest` is another position with every event, and a page that was waited for begins where the wait found the
        // end of the log: the same address read again would answer something else.
        let is_final = scanned.is_settled && is_fresh && ask.after != ask::After::Latest;
        Ok(respond(body, &scanned, is_final, &ask, &request.headers))
    }

    /// Who asks, and for what.
    async fn admit(
        &self,
        request: &Parts,
        from: CursorFrom,
    ) -> Result<(Admitted, Ask), HttpProblem> {
        let admitted = self.caller(request).await?;
        let ask = match from {
            CursorFrom::Query => Ask::read(&request.uri)?,
            CursorFrom::LastEvent => Ask::resumed(&request.uri, &request.headers)?,
        };
        Ok((admitted, ask))
    }

    /// Who asks, if they may read events.
    async fn caller(&self, request: &Parts) -> Result<Admitted, HttpProblem> {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return Err(HttpProblem::method_not_allowed("GET, HEAD", "use GET"));
        }
        let authorization = auth::authorization(&request.headers);
        let visit = Visit::of(&request.extensions)?;
        let (admitted, _) = visit.admitted(&self.authenticator, authorization).await?;
        let reason = if !admitted.caller.actor.role.may(Action::ReadEvents) {
            "role"
        } else if !admitted.caller.scopes.events {
            "token scope"
        } else {
            return Ok(admitted);
        };
        self.refused(&admitted.caller, "", reason).await;
        Err(HttpProblem::forbidden(
            "your role or token may not read the event feed; a token needs the scope events:read",
        ))
    }

    /// What the caller may see of what is asked for. A foreign store is left out, as it is of lists; the attempt is
    /// audited.
    async fn filter(&self, caller: &Caller, ask: &Ask) -> Filter {
        match visible(&caller.actor, ask.types.clone(), ask.store.as_ref()) {
            Some(filter) => filter,
            None => {
                let store = ask.store.as_ref().map(ToString::to_string);
                let store = store.unwrap_or_default();
                self.refused(caller, &store, "store").await;
                nothing()
            }
        }
    }

    async fn refused(&self, caller: &Caller, target: &str, reason: &'static str) {
        let access = RefusedAccess {
            actor: caller.actor.id.clone(),
            role: caller.actor.role.as_str(),
            action: Action::ReadEvents.as_str(),
            target: target.to_owned(),
            reason,
        };
        self.backend.refused(access).await;
    }

    /// Where the read begins.
    async fn start(&self, ask: &Ask) -> Result<Position, HttpProblem> {
        match ask.after {
            ask::After::Position(position) => Ok(position),
            ask::After::Latest => self.reader.events.head().await.map_err(|e| unreadable(&e)),
        }
    }

    /// A page; an empty one at the end of the log only after waiting as long as asked.
    async fn page(&self, after: Position, ask: &Ask, filter: &Filter) -> Result<Page, HttpProblem> {
        let until = Instant::now() + ask.wait;
        let mut wake = self.reader.events.wake();
        let mut scanned = self.read(after, ask.limit, filter).await?;
        let mut is_fresh = true;
        // Ends at `until` at the latest.
        while scanned.events.is_empty() && !scanned.is_settled {
            let news = news(&mut wake, scanned.next);
            tokio::select! {
                () = news => {}
                () = tokio::time::sleep_until(until) => break,
                () = self.lifecycle.stopping() => break,
            }
            is_fresh = false;
            scanned = self.read(scanned.next, ask.limit, filter).await?;
        }
        Ok(Page { scanned, is_fresh })
    }

    /// One look at the log.
    ///
    /// # Errors
    /// FEED_002 where the log ends before `after`; FEED_003 where too many read; that the database does not answer.
    async fn read(
        &self,
        after: Position,
        limit: i64,
        filter: &Filter,
    ) -> Result<Scanned, HttpProblem> {
        let Ok(_place) = self.requests.try_acquire() else {
            let what = "too many reads of the feed are in work";
            return Err(HttpProblem::too_many_feeds(what));
        };
        let read = self.reader.read(after, limit, filter).await;
        read.map_err(HttpProblem::from)
    }
}

impl From<Unread> for HttpProblem {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Ahead { after, head } => Self::cursor_ahead(after.0, head.0),
            Unread::TimedOut => Self::timed_out(),
            Unread::Store(error) => unreadable(&error),
        }
    }
}

/// Returns when the log is known to go beyond a position, or when it is time to look.
async fn news(wake: &mut Wake, beyond: Position) {
    let look = Instant::now() + FEED_LOOK;
    while wake.newest() <= beyond && Instant::now() < look {
        wake.changed().await;
    }
}

fn unreadable(error: &StoreError) -> HttpProblem {
    tracing::warn!(%error, "the event feed could not read the log");
    match error {
        StoreError::Database(_) => HttpProblem::unavailable(),
        _ => HttpProblem::internal(),
    }
}

fn fault(error: &serde_json::Error) -> HttpProblem {
    tracing::error!(%error, "an event could not be written as a CloudEvent");
    HttpProblem::internal()
}

/// `is_final`: the answer to this address never changes.
fn respond(
    body: Vec<u8>,
    scanned: &Scanned,
    is_final: bool,
    ask: &Ask,
    asked: &HeaderMap,
) -> Response {
    let tag = cloud::tag(&body);
    let is_known = is_final && lasting::is_known(asked, &tag);
    let mut response = if is_known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(header::CONTENT_TYPE, BATCH);
        response
    };
    let headers = response.headers_mut();
    let cache = if is_final {
        lasting::FOR_GOOD
    } else {
        NOT_AT_ALL
    };
    headers.insert(header::CACHE_CONTROL, cache);
    headers.insert(header::VARY, HeaderValue::from_static("Authorization"));
    headers.insert(NEXT_CURSOR, HeaderValue::from(scanned.next.0));
    let link = format!("<{}>; rel=\"next\"", ask.next(scanned.next));
    for (name, value) in [
        (header::LINK, Some(link)),
        (header::ETAG, is_final.then_some(tag)),
    ] {
        // Both are plain ASCII, so both make a header.
        if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
            headers.insert(name, value);
        }
    }
    response
}
