//! From an accepted connection to one that speaks TLS, within a time; what is no TLS is told so.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

use super::Tls;
use crate::{
    limits::{MAX_DISCARDED_PLAIN_BYTES, TLS_HANDSHAKE_LIMIT},
    server::Accepted,
};

/// The first byte of a TLS connection: a record with a handshake message (RFC 8446, 5.1).
const HANDSHAKE_RECORD: u8 = 22;
/// What a client gets to read that speaks HTTP where HTTPS is expected.
pub const TLS_ONLY: &str = "This port speaks TLS only: use https://.\n";
/// How long its sender is listened to after that, so that it gets to read it.
const PLAIN_PATIENCE: Duration = Duration::from_secs(1);

/// A connection that speaks TLS.
type Encrypted = TlsStream<Accepted<TcpStream>>;

/// Why there is no TLS on a connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// It took too long.
    #[error("the handshake took more than {TLS_HANDSHAKE_LIMIT:?}")]
    Slow,
    /// No TLS was spoken.
    #[error("plain text was sent where TLS is expected")]
    Plain,
    /// The peer was gone.
    #[error("the peer closed before the handshake's end")]
    Closed,
    /// No common ground, or the peer does not trust the certificate.
    #[error("the handshake failed: {0}")]
    Failed(io::Error),
}

impl Refused {
    /// As the metric has it.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Plain => "plain",
            Self::Closed => "closed",
            Self::Failed(_) => "failed",
        }
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
        match error.kind() {
            BrokenPipe | ConnectionReset | UnexpectedEof => Self::Closed,
            _ => Self::Failed(error),
        }
    }
}

impl Tls {
    /// The server's side of the handshake.
    ///
    /// # Errors
    /// [`Refused`]; the connection is closed then.
    pub(crate) async fn accept(&self, stream: Accepted<TcpStream>) -> Result<Encrypted, Refused> {
        tokio::time::timeout(TLS_HANDSHAKE_LIMIT, self.shake_hands(stream))
            .await
            .unwrap_or(Err(Refused::Slow))
    }

    async fn shake_hands(&self, mut stream: Accepted<TcpStream>) -> Result<Encrypted, Refused> {
        let mut first = [0];
        match stream.get_mut().peek(&mut first).await? {
            0 => return Err(Refused::Closed),
            _ if first == [HANDSHAKE_RECORD] => {}
            _ => {
                // Methods are written in capitals, HTTP/2's preface too. Others would not understand the answer.
                if first[0].is_ascii_uppercase() {
                    turn_away(stream.get_mut()).await?;
                }
                return Err(Refused::Plain);
            }
        }
        Ok(self.0.acceptor.accept(stream).await?)
    }
}

/// Answers and waits for the client to close: closing over unread bytes would take the answer back.
async fn turn_away(stream: &mut TcpStream) -> io::Result<()> {
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{TLS_ONLY}",
        TLS_ONLY.len()
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    let mut rest = stream.take(MAX_DISCARDED_PLAIN_BYTES);
    let mut nowhere = tokio::io::sink();
    let discarded = tokio::io::copy(&mut rest, &mut nowhere);
    // Too late or gone: both are its own business.
    let _ = tokio::time::timeout(PLAIN_PATIENCE, discarded).await;
    Ok(())
}
