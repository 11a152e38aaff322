//! Operations whose answers come one after the other: over a WebSocket ([`socket`], graphql-transport-ws) and as
//! server-sent events ([`events`], graphql-sse in distinct connections mode). Both go through the same gate as every
//! other request.

mod events;
pub(super) mod message;
mod session;
pub(super) mod socket;

use std::sync::Arc;

use async_graphql::{Pos, Response as GraphqlResponse, parser::types::ExecutableDocument};
use futures_util::{Stream, StreamExt, stream};

use super::{Endpoint, HttpProblem, Identity, Prepared, params::Params};
use crate::{context::RequestContext, schema::access::coded};

pub(super) use events::{asks_for_events, respond, unopened};

/// The answer of an operation that is not carried out, or not waited for any longer.
fn turned(problem: &HttpProblem) -> GraphqlResponse {
    let error = coded(problem.reason(), problem.detail());
    GraphqlResponse::from_errors(vec![error.into_server_error(Pos::default())])
}

impl Endpoint {
    /// The answers of a prepared operation: one, or a subscription's.
    pub(super) fn answers(
        self: &Arc<Self>,
        params: Params,
        operation: &Prepared,
        document: Arc<ExecutableDocument>,
        identity: Option<Identity>,
        context: &RequestContext,
    ) -> impl Stream<Item = GraphqlResponse> + Send + use<> {
        let (endpoint, context) = (Arc::clone(self), context.clone());
        let credit = identity.as_ref().map(|(_, credit)| credit.clone());
        // The start of an operation costs; what it tells later does not.
        let mut cost = Some(operation.cost);
        let is_conditional = operation.is_conditional;
        let request = super::request(&params, &document, identity, &context, &self.backend);
        let answers = if operation.is_subscription() {
            endpoint.schema.execute_stream(request).boxed()
        } else {
            let schema = endpoint.schema.clone();
            let (gate, limit) = (Arc::clone(&endpoint.gate), endpoint.limits.request_timeout);
            stream::once(async move {
                // As every other request: none waits in a queue, and none for ever.
                let Ok(_permit) = gate.try_acquire() else {
                    return turned(&HttpProblem::overloaded());
                };
                let answer = tokio::time::timeout(limit, schema.execute(request)).await;
                answer.unwrap_or_else(|_| turned(&HttpProblem::timed_out()))
            })
            .boxed()
        };
        let (name, variables) = (params.operation_name, params.variables);
        answers.map(move |mut answer| {
            if super::is_not_executed(&answer) {
                super::refuse(&mut answer);
            } else {
                endpoint.settle(
                    (&document, name.as_deref(), &variables),
                    is_conditional,
                    &mut answer,
                    &context,
                );
                if let Some(cost) = cost.take() {
                    let cost = endpoint.cost(cost, credit.as_ref());
                    answer.extensions.insert("cost".to_owned(), cost);
                }
            }
            answer
        })
    }
}
