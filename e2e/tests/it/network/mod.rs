//! How the ledger is reached: TLS, both versions of HTTP, and what bounds a connection.

mod crowd;
mod tls;
