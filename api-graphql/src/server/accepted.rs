//! An accepted connection: it holds its address's place, and ends when its peer takes nothing of what is written.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use observability::names;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use super::places::Place;
use crate::limits::SEND_LIMIT;

/// A stream whose writes must get on. It is beneath TLS, and stays with a WebSocket: so no transport is without the bound,
/// and no connection without its place.
pub(crate) struct Accepted<S> {
    stream: S,
    /// Until when something must be taken; `None` while nothing waits.
    limit: Option<Pin<Box<Sleep>>>,
    /// Nothing was taken until then. That is counted once.
    is_unread: bool,
    _place: Place,
}

impl<S> Accepted<S> {
    pub(super) fn new(stream: S, place: Place) -> Self {
        Self {
            stream,
            limit: None,
            is_unread: false,
            _place: place,
        }
    }

    /// The stream itself.
    pub(crate) const fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// What came of a write: one that gets nowhere fails in the end.
    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.limit = None;
            return written;
        }
        let limit = || Box::pin(tokio::time::sleep(SEND_LIMIT));
        let limit = self.limit.get_or_insert_with(limit);
        ready!(limit.as_mut().poll(cx));
        if !std::mem::replace(&mut self.is_unread, true) {
            closed_unread();
        }
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// Counts a connection that is closed because its client takes nothing.
pub(super) fn closed_unread() {
    metrics::counter!(names::API_CONNECTIONS_CLOSED_TOTAL, "reason" => "unread").increment(1);
}

impl<S: AsyncRead + Unpin> AsyncRead for Accepted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Accepted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(cx, written)
    }

    // A socket has nothing to flush, and is shut down at once: only its writes wait.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        time::Instant,
    };

    use super::*;

    const ALMOST: Duration = Duration::from_secs(29);

    #[tokio::test(start_paused = true)]
    async fn a_write_that_gets_nowhere_fails_and_one_that_gets_on_does_not() {
        let (near, mut far) = tokio::io::duplex(4);
        let mut near = Accepted::new(near, Place::UNCOUNTED);
        let writer = tokio::spawn(async move { near.write_all(&[0; 12]).await });
        // Slow, but something is taken before each limit.
        for _ in 0..2 {
            tokio::time::sleep(ALMOST).await;
            far.read_exact(&mut [0; 4]).await.unwrap();
        }
        writer.await.unwrap().unwrap();

        let (near, _far) = tokio::io::duplex(4);
        let mut near = Accepted::new(near, Place::UNCOUNTED);
        let started = Instant::now();
        let failed = near.write_all(&[0; 12]).await.unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), SEND_LIMIT.as_secs());
    }
}
