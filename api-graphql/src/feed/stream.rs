//! The feed as server-sent events.
//!
//! One task per stream reads a page, hands it over, and reads the next one only when the reader has made room: a slow
//! reader costs one page of memory. It ends when the process stops, when the token expires, when the reader goes or
//! takes too long. A client goes on with `Last-Event-ID`.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Request, State},
    http::{Method, request::Parts},
    response::Response,
};
use store::{
    Position,
    feed::{Filter, Scanned},
};
use tokio::{sync::mpsc, time::Instant};

use super::{CursorFrom, Feed, ask::Ask, cloud, fault, news};
use crate::{
    context::RequestContext,
    http::{Operation, event_stream, problem::HttpProblem, turned},
    limits::{FEED_HEARTBEAT, FEED_LOOK, FEED_SEND_LIMIT},
    slots::Slot,
};

/// Pages between the reader of the log and the reader of the stream.
const PAGES: usize = 1;
/// Reads of the log that may fail one after the other before the stream ends.
const MAX_FAILURES: u32 = 5;
const CONTENT_TYPE: &str = "text/event-stream";
/// What a client that was cut off waits, in milliseconds.
const RECONNECT: &str = "retry: 2000\n\n";

/// `GET /v1/events/stream`.
pub(super) async fn stream(State(feed): State<Arc<Feed>>, request: Request) -> Response {
    let context = RequestContext::of(&request);
    let (parts, _) = request.into_parts();
    let mut response = match open(&feed, &parts).await {
        Ok(response) => response,
        Err(problem) => turned(problem, &context),
    };
    let operation = Operation("eventStream".to_owned());
    response.extensions_mut().insert(operation);
    response
}

async fn open(feed: &Arc<Feed>, request: &Parts) -> Result<Response, HttpProblem> {
    let (admitted, ask) = feed.admit(request, CursorFrom::LastEvent).await?;
    if request.method == Method::HEAD {
        // Nobody would take what a stream tells.
        return Ok(event_stream(CONTENT_TYPE, mpsc::channel(PAGES).1));
    }
    let slot = feed.slots.take(admitted.token);
    let slot = slot.map_err(|full| HttpProblem::too_many_feeds(&full))?;
    let filter = feed.filter(&admitted.caller, &ask).await;
    let after = feed.start(&ask).await?;
    // What is wrong with the cursor is said with a status; later there is none to say it with.
    let first = feed.read(after, ask.limit, &filter).await?;
    let (pages, received) = mpsc::channel(PAGES);
    let teller = Teller {
        feed: Arc::clone(feed),
        ask,
        filter,
        pages,
        told: after,
        beat: Instant::now(),
        _slot: slot,
    };
    let expires = Instant::now() + admitted.good_for;
    tokio::spawn(teller.run(first, expires));
    Ok(event_stream(CONTENT_TYPE, received))
}

/// Tells one reader.
struct Teller {
    feed: Arc<Feed>,
    ask: Ask,
    filter: Filter,
    pages: mpsc::Sender<Bytes>,
    /// The last position the reader was told of.
    told: Position,
    /// When it is time to show that the stream lives.
    beat: Instant,
    _slot: Slot,
}

/// The stream is over.
struct Over;

impl Teller {
    async fn run(mut self, first: Scanned, expires: Instant) {
        let lifecycle = self.feed.lifecycle.clone();
        tokio::select! {
            _ = self.tell(first) => {}
            () = lifecycle.stopping() => {}
            () = tokio::time::sleep_until(expires) => {}
        }
    }

    /// Ends with [`Over`] only.
    async fn tell(&mut self, first: Scanned) -> Result<(), Over> {
        let mut wake = self.feed.reader.events.wake();
        self.send(Bytes::from_static(RECONNECT.as_bytes())).await?;
        let mut scanned = first;
        let mut failures = 0;
        loop {
            self.page(&scanned).await?;
            if !scanned.is_settled {
                self.wait(&mut wake, scanned.next).await?;
            }
            scanned = match self
                .feed
                .read(scanned.next, self.ask.limit, &self.filter)
                .await
            {
                Ok(next) => {
                    failures = 0;
                    next
                }
                Err(problem) if failures < MAX_FAILURES => {
                    let reason = problem.reason();
                    tracing::warn!(reason, "a stream of the event feed could not read on yet");
                    // Nothing was told, so the same read is right.
                    failures += 1;
                    self.beat().await?;
                    tokio::time::sleep(FEED_LOOK).await;
                    Scanned {
                        events: Vec::new(),
                        ..scanned
                    }
                }
                Err(problem) => {
                    let reason = problem.reason();
                    tracing::warn!(reason, "a stream of the event feed ends: it cannot be read");
                    return Err(Over);
                }
            };
        }
    }

    /// Waits for news, showing that the stream lives whenever nothing was said for a while.
    async fn wait(&mut self, wake: &mut store::wake::Wake, at: Position) -> Result<(), Over> {
        // Ends with the news, which the log is looked at for anyway after a while, or with the reader.
        loop {
            tokio::select! {
                () = news(wake, at) => return Ok(()),
                () = self.pages.closed() => return Err(Over),
                () = tokio::time::sleep_until(self.beat) => self.beat().await?,
            }
        }
    }

    /// Hands a page over. Where the filter left all out, the cursor alone: a reader that comes back need not have it
    /// searched again.
    async fn page(&mut self, scanned: &Scanned) -> Result<(), Over> {
        let mut text = String::new();
        for recorded in &scanned.events {
            let event = cloud::event(recorded, &self.feed.source).map_err(|error| {
                fault(&error);
                Over
            })?;
            text.push_str(&frame(recorded.position, &event));
        }
        let last = scanned.events.last().map_or(self.told, |e| e.position);
        if scanned.next > last {
            text.push_str(&format!("id: {}\n\n", scanned.next));
        }
        self.told = scanned.next;
        if text.is_empty() {
            return Ok(());
        }
        self.send(Bytes::from(text)).await
    }

    async fn beat(&mut self) -> Result<(), Over> {
        self.send(Bytes::from_static(b": \n\n")).await
    }

    async fn send(&mut self, bytes: Bytes) -> Result<(), Over> {
        self.beat = Instant::now() + FEED_HEARTBEAT;
        match self.pages.send_timeout(bytes, FEED_SEND_LIMIT).await {
            Ok(()) => Ok(()),
            Err(_) => Err(Over),
        }
    }
}

/// One event. JSON as we write it has no line breaks; one in a payload is white space between tokens.
fn frame(position: Position, event: &str) -> String {
    let event = event.replace(['\r', '\n'], " ");
    format!("id: {position}\ndata: {event}\n\n")
}
