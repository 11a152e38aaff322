//! Answers by HTTP/2 that their client does not let come. Its windows hold them back before anything is written, so that
//! the socket does not tell: what tells is that nobody asks for the next piece of them.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

use crate::limits::{MAX_PIECE_BYTES, SEND_LIMIT};

/// The answers of one connection that wait for their client.
#[derive(Debug, Clone)]
pub(super) struct Unread(Arc<Mutex<Waiting>>);

#[derive(Debug)]
struct Waiting {
    answers: usize,
    /// When one of them last got on, or the first of them came. What is asked for first of an answer goes to the protocol's
    /// own queue, whether its client reads or not: only the pieces after it are a sign.
    since: Instant,
}

impl Waiting {
    /// One more waits.
    fn one_more(&mut self) {
        if self.answers == 0 {
            self.since = Instant::now();
        }
        self.answers = self.answers.saturating_add(1);
    }

    /// One waits no longer. That it came to its end, or that its client wants no more of it, is no sign for the others.
    fn one_less(&mut self) {
        self.answers = self.answers.saturating_sub(1);
    }
}

impl Unread {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Waiting {
            answers: 0,
            since: Instant::now(),
        })))
    }

    /// The same answer in pieces, and watched.
    pub(super) fn watch(&self, body: Body) -> Body {
        let waits = !body.is_end_stream();
        if waits {
            self.with(Waiting::one_more);
        }
        Body::new(Answer {
            body,
            rest: Bytes::new(),
            unread: self.clone(),
            waits,
            is_begun: false,
        })
    }

    /// Returns when answers wait and none has got on for [`SEND_LIMIT`].
    pub(super) async fn overdue(&self) {
        loop {
            let now = Instant::now();
            let until = self.with(|waiting| match waiting.answers {
                0 => now + SEND_LIMIT,
                _ => waiting.since + SEND_LIMIT,
            });
            if until <= now {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut Waiting) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// An answer's body. It waits for its client from one piece to the next, but not while it has nothing to tell.
struct Answer {
    body: Body,
    /// What is left of the last frame.
    rest: Bytes,
    unread: Unread,
    waits: bool,
    /// A piece of it was asked for.
    is_begun: bool,
}

impl Answer {
    /// A piece was asked for: what is left waits.
    fn gets_on(&mut self) {
        if std::mem::replace(&mut self.is_begun, true) {
            self.unread.with(|waiting| waiting.since = Instant::now());
        }
        self.mark(!self.is_end_stream());
    }

    fn mark(&mut self, waits: bool) {
        match (std::mem::replace(&mut self.waits, waits), waits) {
            (false, true) => self.unread.with(Waiting::one_more),
            (true, false) => self.unread.with(Waiting::one_less),
            _ => {}
        }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            // Nothing to tell, and at the end nothing left: neither is the client's doing.
            self.mark(false);
            match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let piece = self.rest.len().min(MAX_PIECE_BYTES);
        let piece = self.rest.split_to(piece);
        self.gets_on();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let rest = u64::try_from(self.rest.len()).unwrap_or(u64::MAX);
        let inner = self.body.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower().saturating_add(rest));
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.mark(false);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::stream;
    use http_body_util::BodyExt;

    use super::*;

    const ALMOST: Duration = Duration::from_secs(29);

    async fn is_overdue(unread: &Unread, within: Duration) -> bool {
        tokio::time::timeout(within, unread.overdue()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_asks_for_is_overdue() {
        let unread = Unread::new();
        assert!(!is_overdue(&unread, SEND_LIMIT * 3).await);
        let whole = vec![7; MAX_PIECE_BYTES * 2 + 1];
        let mut answer = unread.watch(Body::from(whole));
        assert_eq!(answer.size_hint().exact(), Some(32 * 1024 + 1));
        for left in [MAX_PIECE_BYTES + 1, 1] {
            assert!(!is_overdue(&unread, ALMOST).await, "{left}");
            let piece = answer.frame().await.unwrap().unwrap().into_data().unwrap();
            assert_eq!(piece.len(), MAX_PIECE_BYTES);
            assert_eq!(answer.size_hint().exact(), u64::try_from(left).ok());
        }
        assert!(is_overdue(&unread, SEND_LIMIT + Duration::from_secs(1)).await);
        // Once it has gone, nothing waits.
        drop(answer);
        assert!(!is_overdue(&unread, SEND_LIMIT * 3).await);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_for_more_and_reads_nothing_is_overdue_too() {
        let unread = Unread::new();
        let large = || unread.watch(Body::from(vec![7; MAX_PIECE_BYTES * 2]));
        let mut answers = vec![large()];
        answers[0].frame().await.unwrap().unwrap();
        assert!(!is_overdue(&unread, ALMOST).await);
        // Its first piece is taken in any case, an empty one has none, and what is broken off tells nothing.
        answers.push(large());
        answers[1].frame().await.unwrap().unwrap();
        drop(unread.watch(Body::empty()));
        drop(large());
        assert!(is_overdue(&unread, SEND_LIMIT - ALMOST).await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_taken_whole_and_one_that_has_no_news_are_not() {
        let unread = Unread::new();
        let answer = unread.watch(Body::from(vec![7; MAX_PIECE_BYTES * 3]));
        let taken = answer.collect().await.unwrap().to_bytes();
        assert_eq!(taken.len(), MAX_PIECE_BYTES * 3);
        assert!(unread.watch(Body::empty()).is_end_stream());
        let (told, received) = tokio::sync::mpsc::channel::<Bytes>(1);
        let news = stream::unfold(received, |mut received| async {
            let bytes = received.recv().await?;
            Some((Ok::<_, std::convert::Infallible>(bytes), received))
        });
        let mut answer = unread.watch(Body::from_stream(news));
        let waits = tokio::time::timeout(SEND_LIMIT * 3, answer.frame());
        let (waited, overdue) = tokio::join!(waits, is_overdue(&unread, SEND_LIMIT * 3));
        assert!(waited.is_err() && !overdue);
        drop(told);
        assert!(answer.frame().await.is_none());
    }
}
