//! The GraphQL schema. One folder per topic; a failure that callers can expect is data ([`problem`]), and an
//! `Err` is a fault or a refusal of the whole field.

pub mod access;
pub mod board;
pub mod bundle;
pub mod cash;
mod command;
mod connection;
mod document;
pub mod events;
pub mod intake;
pub mod live;
pub(crate) mod loads;
pub mod metrics;
pub mod order;
pub mod person;
pub mod problem;
pub mod rate;
pub mod receipt;
mod record;
pub mod remittance;
pub mod scalars;
pub mod store;
mod topics;

use std::sync::Arc;

use async_graphql::{MergedObject, Schema};

use crate::{backend::Backend, feed::Reader, limits::Limits};

/// Everything that reads.
#[derive(MergedObject, Default)]
pub struct Query(
    order::query::OrderQuery,
    order::past::PastQuery,
    board::query::BoardQuery,
    bundle::query::BundleQuery,
    store::query::StoreQuery,
    remittance::query::RemittanceQuery,
    cash::query::CashQuery,
    metrics::query::MetricsQuery,
    intake::query::IntakeQuery,
    events::EventsQuery,
    rate::RateQuery,
);

/// Everything that changes something. Each field is one command.
#[derive(MergedObject, Default)]
pub struct Mutation(
    order::mutation::OrderMutation,
    order::mutation::CashMutation,
    order::dry_run::DryRunMutation,
    bundle::mutation::BundleMutation,
    store::mutation::StoreMutation,
    remittance::mutation::RemittanceMutation,
    intake::mutation::IntakeMutation,
    person::mutation::PersonMutation,
);

/// The ledger's schema.
pub type LedgerSchema = Schema<Query, Mutation, live::LiveQuery>;

/// The schema over a backend. Depth and cost are bounded by the HTTP handler, before validation runs.
/// Without a reader of the log, `events` answers that it is not served.
pub(crate) fn build(
    backend: Arc<dyn Backend>,
    reader: Option<Arc<Reader>>,
    limits: Limits,
) -> LedgerSchema {
    let schema = Schema::build(Query::default(), Mutation::default(), live::LiveQuery)
        .data(backend)
        .data(limits)
        .limit_directives(crate::limits::MAX_DIRECTIVES);
    match reader {
        Some(reader) => schema.data(reader),
        None => schema,
    }
    .finish()
}

#[cfg(test)]
#[path = "../tests/sdl.rs"]
mod tests;
