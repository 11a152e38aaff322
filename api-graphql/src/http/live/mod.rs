//! Operations whose answers come one after the other: over a WebSocket ([`socket`], graphql-transport-ws) and as
//! server-sent events ([`events`], graphql-sse in distinct connections mode). Both go through the same gate as every
//! other request.

mod events;
pub(super) mod message;
mod session;
pub(super) mod socket;

use std::sync::Arc;

use async_graphql::{Response as GraphqlResponse, parser::types::ExecutableDocument};
use futures_util::{Stream, StreamExt, stream};

use super::{Endpoint, Prepared, params::Params};
use crate::{auth::Caller, context::RequestContext};

pub(super) use events::{asks_for_events, respond};

impl Endpoint {
    /// The answers of a prepared operation: one, or a subscription's.
    pub(super) fn answers(
        self: &Arc<Self>,
        params: Params,
        operation: &Prepared,
        document: Arc<ExecutableDocument>,
        caller: Option<Caller>,
        context: &RequestContext,
    ) -> impl Stream<Item = GraphqlResponse> + Send + use<> {
        let (endpoint, context) = (Arc::clone(self), context.clone());
        let request = super::request(&params, document, caller, &context);
        let answers = if operation.is_subscription() {
            endpoint.schema.execute_stream(request).boxed()
        } else {
            let schema = endpoint.schema.clone();
            let gate = Arc::clone(&endpoint.gate);
            stream::once(async move {
                // Never closed, so an error cannot come.
                let _permit = gate.acquire().await;
                schema.execute(request).await
            })
            .boxed()
        };
        let name = params.operation_name;
        let query = params.query;
        answers.map(move |mut answer| {
            if super::is_not_executed(&answer) {
                super::refuse(&mut answer);
            } else {
                endpoint.settle(&query, name.as_deref(), &mut answer, &context);
            }
            answer
        })
    }
}
