//! What an answer is made of: its cost, its errors, its media type.

use std::convert::Infallible;

use async_graphql::{Response as GraphqlResponse, Variables, parser::types::ExecutableDocument};
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::mpsc;

use super::{
    Endpoint, Prepared, Turned, choose, cost, empty,
    negotiate::Media,
    nulls,
    problem::HttpProblem,
    reject::{Rejection, VALIDATION_FAILED, set_code},
    sequence,
};
use crate::{context::RequestContext, rate::Credit};

/// What an answer depends on beside its question.
pub(super) const VARY: HeaderValue = HeaderValue::from_static("Accept, Authorization");

impl Endpoint {
    /// Takes an operation's points, before anything of it runs.
    pub(super) fn charge(&self, operation: &Prepared, credit: &Credit) -> Result<(), HttpProblem> {
        credit.points(operation.cost).map_err(|spent| {
            let cost = self.cost(operation.cost, Some(credit)).into_json();
            HttpProblem::rate_limited(&spent, cost.ok())
        })
    }

    /// `extensions.cost`.
    pub(super) fn cost(&self, cost: usize, credit: Option<&Credit>) -> async_graphql::Value {
        cost::extension(cost, self.limits.cost, credit)
    }

    /// The answer to an operation of which nothing ran.
    pub(super) fn rejected(
        &self,
        rejection: Rejection,
        media: Media,
        credit: Option<&Credit>,
    ) -> Response {
        /// Without `data`: nothing was executed.
        #[derive(Serialize)]
        struct Errors {
            errors: Vec<async_graphql::ServerError>,
            #[serde(skip_serializing_if = "Option::is_none")]
            extensions: Option<async_graphql::Value>,
        }
        let status = match media {
            Media::GraphqlResponse => StatusCode::BAD_REQUEST,
            Media::Json => StatusCode::OK,
        };
        let cost = rejection.cost.map(|cost| self.cost(cost, credit));
        let errors = Errors {
            errors: rejection.errors,
            extensions: cost.map(|cost| async_graphql::value!({ "cost": cost })),
        };
        let mut response = respond(status, media, &errors);
        response.extensions_mut().insert(Turned(rejection.reason));
        response
    }

    /// Gives field errors their code, and `data` the nulls and objects that the specification asks for, in its order.
    pub(super) fn settle(
        &self,
        (document, name, variables): (&ExecutableDocument, Option<&str>, &Variables),
        is_conditional: bool,
        answer: &mut GraphqlResponse,
        context: &RequestContext,
    ) {
        for error in &mut answer.errors {
            let coded = error
                .extensions
                .as_ref()
                .is_some_and(|e| e.get("code").is_some());
            if !coded {
                tracing::error!(message = %error.message, trace_id = %context.trace_id, "a field failed without a code");
                set_code(error, "INTERNAL");
            }
        }
        // It was chosen before it was executed.
        let Ok(operation) = choose(document, name) else {
            return;
        };
        if !answer.errors.is_empty() {
            nulls::propagate(answer, document, operation, &self.types);
        }
        if is_conditional && (answer.errors.is_empty() || answer.data != async_graphql::Value::Null)
        {
            empty::restore(&mut answer.data, document, operation, &self.types);
        }
        sequence::arrange(&mut answer.data, document, operation, variables);
    }
}

/// Whether the schema found the operation wrong and did not execute it: without a path an error is one of the request.
pub(super) fn is_not_executed(answer: &GraphqlResponse) -> bool {
    answer.data == async_graphql::Value::Null
        && !answer.errors.is_empty()
        && answer.errors.iter().all(|e| e.path.is_empty())
}

/// Gives the errors of an operation that was not executed their code.
pub(super) fn refuse(answer: &mut GraphqlResponse) {
    for error in &mut answer.errors {
        set_code(error, VALIDATION_FAILED);
    }
    answer.errors.truncate(crate::limits::MAX_ERRORS);
}

/// A response of server-sent events, as they are told: never kept, and passed on as they come by proxies too.
pub(crate) fn event_stream(content_type: &'static str, told: mpsc::Receiver<Bytes>) -> Response {
    let body = stream::unfold(told, |mut told| async {
        let bytes = told.recv().await?;
        Some((Ok::<_, Infallible>(bytes), told))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

pub(super) fn respond(status: StatusCode, media: Media, body: &impl Serialize) -> Response {
    // Our types serialise; if one did not, an empty body with 500 is the honest answer.
    let (status, body) = match serde_json::to_vec(body) {
        Ok(body) => (status, body),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, Vec::new()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(media.content_type()),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    headers.insert(header::VARY, VARY);
    response
}
