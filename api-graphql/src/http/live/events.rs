//! Server-sent events.

use std::{convert::Infallible, pin::Pin};

use async_graphql::Response as GraphqlResponse;
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
    response::Response,
};
use futures_util::{Stream, StreamExt, stream};
use tokio::time::Instant;

use crate::{health::Lifecycle, http::event_stream, limits::LIVE_HEARTBEAT, slots::Slot};

/// Whether an answer in events is asked for, and nothing else.
pub(in crate::http) fn asks_for_events(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok());
    accept.is_some_and(|accept| {
        let essence = accept.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("text/event-stream")
    })
}

/// Where a stream of events is.
struct Telling {
    answers: Pin<Box<dyn Stream<Item = GraphqlResponse> + Send>>,
    lifecycle: Lifecycle,
    expires: Instant,
    is_over: bool,
    _slot: Slot,
}

/// The answers as events, until they end, the token expires, or the process stops. A slow reader costs no memory: the
/// next answer is asked for when it has taken the last.
pub(in crate::http) fn respond(
    answers: impl Stream<Item = GraphqlResponse> + Send + 'static,
    lifecycle: Lifecycle,
    expires: Instant,
    slot: Slot,
) -> Response {
    let telling = Telling {
        answers: answers.boxed(),
        lifecycle,
        expires,
        is_over: false,
        _slot: slot,
    };
    let body = stream::unfold(telling, |mut telling| async move {
        let bytes = telling.next().await?;
        Some((Ok::<_, Infallible>(bytes), telling))
    });
    event_stream("text/event-stream; charset=utf-8", Body::from_stream(body))
}

impl Telling {
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        tokio::select! {
            answer = self.answers.next() => match answer {
                // JSON as we write it has no line breaks. Our types serialise; if one did not, the stream ends.
                Some(answer) => serde_json::to_string(&answer)
                    .ok()
                    .map(|json| Bytes::from(format!("event: next\ndata: {json}\n\n"))),
                None => {
                    self.is_over = true;
                    Some(Bytes::from_static(b"event: complete\ndata:\n\n"))
                }
            },
            () = tokio::time::sleep(LIVE_HEARTBEAT) => Some(Bytes::from_static(b":\n\n")),
            () = tokio::time::sleep_until(self.expires) => None,
            () = self.lifecycle.stopping() => None,
        }
    }
}
