//! The handshake, and the bytes of a socket.

use std::sync::Arc;

use axum::{
    extract::{
        FromRequestParts, Request as HttpRequest, WebSocketUpgrade,
        ws::{CloseFrame, Message, Utf8Bytes, WebSocket},
    },
    http::{HeaderMap, header},
    response::Response,
};
use futures_util::{SinkExt, StreamExt, stream::SplitSink};
use tokio::{sync::mpsc, time::Instant};

use super::{
    message::{Close, PROTOCOL},
    session::Session,
};
use crate::{
    auth,
    context::RequestContext,
    http::{Endpoint, problem::HttpProblem},
    limits::{LIVE_HEARTBEAT, LIVE_INIT_LIMIT, LIVE_SEND_LIMIT, MAX_LIVE_ANSWERS},
    rate::Visit,
};

/// Silence after which a socket counts as dead: two pings without an answer.
const SILENCE: u32 = 3;

/// Whether a request asks for a WebSocket.
pub(in crate::http) fn asks_for_socket(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE).and_then(|v| v.to_str().ok());
    upgrade.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
}

/// Answers the handshake. Who calls is said in the first message, or by the header where the client can set one.
pub(in crate::http) async fn upgrade(
    endpoint: Arc<Endpoint>,
    request: HttpRequest,
    context: RequestContext,
) -> Result<Response, HttpProblem> {
    let (mut parts, _) = request.into_parts();
    let visit = Visit::of(&parts.extensions)?;
    let asked = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
    let asked = asked.map_err(|error| HttpProblem::bad_request(error.body_text()))?;
    let protocols = parts.headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let mut names = protocols
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','));
    if !names.any(|name| name.trim() == PROTOCOL) {
        return Err(HttpProblem::bad_request(format!(
            "the WebSocket must speak {PROTOCOL}"
        )));
    }
    let place = Arc::clone(&endpoint.sockets).try_acquire_owned();
    let place = place.map_err(|_| HttpProblem::too_many_feeds("too many WebSockets are open"))?;
    let authorization = auth::authorization(&parts.headers).map(str::to_owned);
    let bytes = endpoint.limits.body_bytes;
    Ok(asked
        .protocols([PROTOCOL])
        .max_message_size(bytes)
        .max_frame_size(bytes)
        .on_upgrade(move |socket| async move {
            talk(endpoint, socket, context, visit, authorization).await;
            drop(place);
        }))
}

async fn talk(
    endpoint: Arc<Endpoint>,
    socket: WebSocket,
    context: RequestContext,
    visit: Arc<Visit>,
    authorization: Option<String>,
) {
    let (mut sink, mut stream) = socket.split();
    // Answers of all operations share the channel: a slow reader holds them up, and nothing piles up.
    let (answers, mut answered) = mpsc::channel(MAX_LIVE_ANSWERS);
    let lifecycle = endpoint.lifecycle.clone();
    let mut session = Session::new(endpoint, context, visit, authorization, answers);
    let init_until = Instant::now() + LIVE_INIT_LIMIT;
    let mut heard = Instant::now();
    let mut beat = tokio::time::interval(LIVE_HEARTBEAT);
    // Ends with the client, the token, or the process.
    let close = loop {
        let outgoing = tokio::select! {
            () = lifecycle.stopping() => break Close::going(),
            () = tokio::time::sleep_until(init_until), if !session.is_admitted() => break Close::no_init(),
            () = tokio::time::sleep_until(session.expires()), if session.is_admitted() => break Close::forbidden(),
            message = stream.next() => {
                heard = Instant::now();
                match message {
                    Some(Ok(Message::Text(text))) => match session.hears(&text).await {
                        Ok(Some(answer)) => Message::Text(answer.into()),
                        Ok(None) => continue,
                        Err(close) => break close,
                    },
                    Some(Ok(Message::Binary(_))) => break Close::bad("Invalid message"),
                    // A close is answered by the next look at the stream, which ends then.
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_))) => continue,
                    Some(Err(_)) | None => return,
                }
            }
            Some(answer) = answered.recv() => match session.tells(answer) {
                Some(text) => Message::Text(text.into()),
                None => continue,
            },
            _ = beat.tick() => {
                if heard.elapsed() > LIVE_HEARTBEAT * SILENCE {
                    return;
                }
                Message::Ping(Default::default())
            }
        };
        if !sent(&mut sink, outgoing).await {
            return;
        }
    };
    let frame = CloseFrame {
        code: close.0,
        reason: Utf8Bytes::from(close.1),
    };
    sent(&mut sink, Message::Close(Some(frame))).await;
}

/// Whether the client took it in time.
async fn sent(sink: &mut SplitSink<WebSocket, Message>, message: Message) -> bool {
    let sending = tokio::time::timeout(LIVE_SEND_LIMIT, sink.send(message));
    matches!(sending.await, Ok(Ok(())))
}
