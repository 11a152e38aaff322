//! Waking readers when the log grows.
//!
//! One task per process listens on the append channel and hands the newest position to every
//! [`Wake`]. A notification is only a hint: whoever waits also looks again every poll interval, so
//! a lost one delays a reader but never stops it.

use std::time::Duration;

use metrics::counter;
use observability::names;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::watch;

use crate::record::{LogId, Position};

/// The channel `ledger_append` notifies, with `log:position` as the text.
pub const CHANNEL: &str = "ledger_appended";

/// Pause between two tries to listen again: short, since readers poll meanwhile.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Tells one reader that there is something new. Clone it for another reader.
#[derive(Clone, Debug)]
pub struct Wake {
    newest: watch::Receiver<Position>,
    poll: Duration,
}

impl Wake {
    /// Starts listening, with one connection of the pool, until the last clone is dropped.
    /// `poll` is the longest time [`Wake::changed`] waits.
    pub fn listen(pool: PgPool, log_id: LogId, poll: Duration) -> Self {
        let (sender, newest) = watch::channel(Position::START);
        tokio::spawn(async move {
            tokio::select! {
                () = sender.closed() => {}
                () = forward(pool, log_id, &sender) => {}
            }
        });
        Self { newest, poll }
    }

    /// One that somebody else feeds with positions: where there is no database to listen to.
    pub const fn fed(newest: watch::Receiver<Position>, poll: Duration) -> Self {
        Self { newest, poll }
    }

    /// Returns when the log has grown since the last call, or after the poll interval.
    pub async fn changed(&mut self) {
        match tokio::time::timeout(self.poll, self.newest.changed()).await {
            Ok(Ok(())) | Err(_) => {}
            // The listening task is gone (the pool was closed): only the poll is left.
            Ok(Err(_)) => tokio::time::sleep(self.poll).await,
        }
    }

    /// The newest position heard of; the log may be further.
    pub fn newest(&self) -> Position {
        *self.newest.borrow()
    }
}

/// Ends when the pool is closed.
async fn forward(pool: PgPool, log_id: LogId, newest: &watch::Sender<Position>) {
    while !pool.is_closed() {
        if let Err(error) = listen(&pool, log_id, newest).await {
            counter!(names::WAKE_LOST_TOTAL).increment(1);
            tracing::warn!(%error, "not listening for new events, readers poll");
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// Forwards notifications until the connection is lost.
async fn listen(
    pool: &PgPool,
    log_id: LogId,
    newest: &watch::Sender<Position>,
) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    // Otherwise a lost connection is replaced in silence and what was missed stays unknown.
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    // Something may have been appended while nobody listened.
    newest.send_modify(|_| {});
    while let Some(notification) = listener.try_recv().await? {
        if let Some(position) = parse(notification.payload(), log_id) {
            newest.send_if_modified(|known| {
                let newer = position > *known;
                *known = position.max(*known);
                newer
            });
        }
    }
    Ok(())
}

/// The position of a notification about this log.
fn parse(payload: &str, log_id: LogId) -> Option<Position> {
    let (log, position) = payload.split_once(':')?;
    let about: i16 = log.parse().ok()?;
    (about == log_id.0).then_some(Position(position.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_names_log_and_position() {
        assert_eq!(parse("1:42", LogId(1)), Some(Position(42)));
        assert_eq!(parse("2:42", LogId(1)), None);
        assert_eq!(parse("1:", LogId(1)), None);
        assert_eq!(parse("", LogId(1)), None);
    }
}
