//! Server-sent events.

use async_graphql::Response as GraphqlResponse;
use axum::{
    body::Bytes,
    http::{HeaderMap, header},
    response::Response,
};
use futures_util::{Stream, StreamExt, stream::BoxStream};
use tokio::{sync::mpsc, time::Instant};
use tracing::Instrument;

use crate::{
    health::Lifecycle,
    http::event_stream,
    limits::{LIVE_HEARTBEAT, LIVE_SEND_LIMIT},
    slots::Slot,
};

const CONTENT_TYPE: &str = "text/event-stream; charset=utf-8";

/// Whether an answer in events is asked for, and nothing else.
pub(in crate::http) fn asks_for_events(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok());
    accept.is_some_and(|accept| {
        let essence = accept.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/event-stream")
    })
}

/// Tells one client, beside the connection: what it may take of time and memory does not depend on whether anybody asks
/// for more.
struct Teller {
    lifecycle: Lifecycle,
    told: mpsc::Sender<Bytes>,
    _slot: Slot,
}

/// The answers as events, until they end, the token expires, the process stops, or the client takes none for
/// [`LIVE_SEND_LIMIT`]. A slow reader costs no memory: the next answer is asked for when it has taken the last.
pub(in crate::http) fn respond(
    answers: impl Stream<Item = GraphqlResponse> + Send + 'static,
    lifecycle: Lifecycle,
    expires: Instant,
    slot: Slot,
) -> Response {
    let (told, received) = mpsc::channel(1);
    let teller = Teller {
        lifecycle,
        told,
        _slot: slot,
    };
    tokio::spawn(teller.run(answers.boxed(), expires).in_current_span());
    event_stream(CONTENT_TYPE, received)
}

/// The headers of such an answer, over nothing: what a HEAD is answered.
pub(in crate::http) fn unopened() -> Response {
    event_stream(CONTENT_TYPE, mpsc::channel(1).1)
}

/// The client has gone, or takes nothing.
struct Gone;

impl Teller {
    async fn run(mut self, answers: BoxStream<'static, GraphqlResponse>, expires: Instant) {
        let lifecycle = self.lifecycle.clone();
        let client = self.told.clone();
        tokio::select! {
            // Either way nothing is left to tell.
            Ok(()) | Err(Gone) = self.tell(answers) => {}
            () = tokio::time::sleep_until(expires) => {}
            () = lifecycle.stopping() => {}
            () = client.closed() => {}
        }
    }

    async fn tell(&mut self, mut answers: BoxStream<'static, GraphqlResponse>) -> Result<(), Gone> {
        // Ends with the answers, or with the client: see `run`.
        loop {
            let next = tokio::time::timeout(LIVE_HEARTBEAT, answers.next()).await;
            let bytes = match next {
                Err(_) => Bytes::from_static(b":\n\n"),
                // JSON as we write it has no line breaks. Our types serialise; if one did not, the stream ends.
                Ok(Some(answer)) => match serde_json::to_string(&answer) {
                    Ok(json) => Bytes::from(format!("event: next\ndata: {json}\n\n")),
                    Err(_) => return Ok(()),
                },
                Ok(None) => {
                    return self
                        .send(Bytes::from_static(b"event: complete\ndata:\n\n"))
                        .await;
                }
            };
            self.send(bytes).await?;
        }
    }

    async fn send(&self, bytes: Bytes) -> Result<(), Gone> {
        let sent = self.told.send_timeout(bytes, LIVE_SEND_LIMIT).await;
        sent.map_err(|_| Gone)
    }
}
