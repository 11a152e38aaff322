//! The listener: HTTP/1.1 with keep-alive and HTTP/2 on one port, over TLS or without, bounded connections, in all and of
//! one address, and an end that loses no request.

mod accepted;
mod opening;
mod places;
mod unread;

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use hyper::{Request, Version, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto,
        graceful::{GracefulShutdown, Watcher},
    },
};
use observability::names;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
};
use tower::Service;

pub(crate) use self::accepted::Accepted;
use self::{opening::Opening, places::Places, unread::Unread};
use crate::{
    context::Peer,
    health::Lifecycle,
    limits::{Limits, MAX_HEAD_BYTES, MAX_HEADERS, MAX_STREAMS, PING_TIMEOUT},
    rate::Rates,
    tls::Tls,
};

/// The pause after the system refuses a connection, so that a lack of file descriptors does not burn a core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How to serve and how to stop.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// The bounds.
    pub limits: Limits,
    /// Whose connections count for their address: `trusted_proxies` and `loopback`.
    pub rates: Rates,
    /// What encrypts the connections; they are plain where `None`.
    pub tls: Option<Tls>,
    /// Told when the end begins.
    pub lifecycle: Lifecycle,
    /// Between the 503 of `/readyz` and the closing of the door: time for a load balancer to notice.
    pub notice: Duration,
    /// How long requests in work have to finish.
    pub drain: Duration,
}

/// Serves until `shutdown` completes; then `/readyz` answers 503, the listener closes after the notice, and
/// requests in work get the drain time.
///
/// # Errors
/// When the listener's address cannot be read. Errors of single connections end only those.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: ServeOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    tracing::info!(%address, "listening");
    let connections = Arc::new(Semaphore::new(options.limits.connections));
    let places = Places::new(options.limits.connections_per_address, options.rates);
    let graceful = GracefulShutdown::new();
    let (closing, closed) = watch::channel(false);
    let server = Arc::new(Server {
        http: builder(&options.limits),
        opening: options.limits.header_timeout,
        tls: options.tls.clone(),
        router,
        closed,
    });
    let renewal = options.tls.map(|tls| tokio::spawn(tls.follow()));
    let stop = async {
        shutdown.await;
        options.lifecycle.stop();
        tracing::info!("stopping: not ready any more");
        tokio::time::sleep(options.notice).await;
    };
    tokio::pin!(stop);
    loop {
        let permit = tokio::select! {
            () = &mut stop => break,
            permit = Arc::clone(&connections).acquire_owned() => permit,
        };
        let Ok(permit) = permit else { break };
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let peer = Peer(peer);
        let Some(place) = places.take(peer) else {
            // Dropped, and so closed at once.
            continue;
        };
        let stream = Accepted::new(stream, place);
        let (server, watcher) = (Arc::clone(&server), graceful.watcher());
        metrics::gauge!(names::API_CONNECTIONS).increment(1.0);
        metrics::counter!(names::API_CONNECTIONS_TOTAL).increment(1);
        tokio::spawn(async move {
            server.meet(stream, peer, watcher).await;
            metrics::gauge!(names::API_CONNECTIONS).decrement(1.0);
            drop(permit);
        });
    }
    drop(listener);
    closing.send_replace(true);
    if let Some(renewal) = renewal {
        renewal.abort();
    }
    if tokio::time::timeout(options.drain, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            seconds = options.drain.as_secs(),
            "requests in work did not finish in time"
        );
    }
    Ok(())
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES)
        .keep_alive_interval(limits.header_timeout)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}

/// What every connection is served with.
struct Server {
    http: auto::Builder<TokioExecutor>,
    /// From the connection, or the end of its handshake, until it is known which HTTP it speaks.
    opening: Duration,
    tls: Option<Tls>,
    router: Router,
    /// Turns true when no new connection is taken any more.
    closed: watch::Receiver<bool>,
}

impl Server {
    /// One connection, from its acceptance to its end.
    async fn meet(&self, mut stream: Accepted<TcpStream>, peer: Peer, watcher: Watcher) {
        // Answers are small and waited for: send each at once.
        if let Err(error) = stream.get_mut().set_nodelay(true) {
            tracing::debug!(%error, "no delay could not be set");
        }
        let Some(tls) = &self.tls else {
            return self.converse(stream, peer, watcher).await;
        };
        let mut closed = self.closed.clone();
        let met = tokio::select! {
            met = tls.accept(stream) => met,
            // Nothing has been asked before the handshake's end, so nothing is lost.
            _ = closed.wait_for(|closed| *closed) => return,
        };
        match met {
            Ok(stream) => self.converse(stream, peer, watcher).await,
            Err(refused) => {
                metrics::counter!(names::API_TLS_REFUSED_TOTAL, "reason" => refused.reason())
                    .increment(1);
                tracing::debug!(%refused, "a connection ended before its handshake did");
            }
        }
    }

    async fn converse<S>(&self, stream: S, peer: Peer, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (router, unread) = (self.router.clone(), Unread::new());
        let answers = unread.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let by_http2 = (request.version() == Version::HTTP_2).then(|| answers.clone());
            request.extensions_mut().insert(peer);
            let answered = router.clone().call(request.map(Body::new));
            async move {
                let response = answered.await?;
                Ok::<_, Infallible>(match by_http2 {
                    Some(answers) => response.map(|body| answers.watch(body)),
                    None => response,
                })
            }
        });
        let stream = TokioIo::new(Opening::new(stream, self.opening));
        let connection = self.http.serve_connection_with_upgrades(stream, service);
        tokio::select! {
            ended = watcher.watch(connection.into_owned()) => {
                // Errors here are the peer's: a reset, a timeout, not HTTP.
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
            }
            () = unread.overdue() => {
                accepted::closed_unread();
                tracing::debug!("a connection was closed: its client takes no answer");
            }
        }
    }
}
