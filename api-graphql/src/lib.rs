//! The GraphQL API of the order ledger: schema, HTTP handler, authentication, limits, health; and the event feed.
//!
//! [`router`] makes the routes from an [`ApiState`], [`serve`] runs them on a listener. A failure that callers
//! can expect is data (`problems`); a top-level error is a refusal of the whole request or a fault of ours.
//! Roles and store scope are enforced in `schema/access.rs` and by the command bus, nowhere else.

pub mod auth;
pub mod backend;
mod catalogue;
pub mod context;
mod digest;
mod feed;
mod graphiql;
pub mod health;
mod http;
pub mod limits;
pub mod operations;
pub mod rate;
mod router;
pub mod schema;
mod server;
mod slots;
mod tls;

pub use feed::{EventSource, FeedState, LogEvents, WrittenSeal, is_event_type};
pub use router::{ApiState, operations_router, router};
pub use server::{ServeOptions, serve};
pub use tls::{TLS_ONLY, Tls, TlsError};

#[cfg(test)]
mod tests;
