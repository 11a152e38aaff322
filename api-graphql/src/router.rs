//! The routes and what every request passes through.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::{self, Next},
    response::Response,
    routing::{any, get},
};
use futures_util::FutureExt;
use observability::names;
use tokio::sync::Semaphore;

use crate::{
    auth::Authenticator,
    backend::Backend,
    catalogue,
    context::RequestContext,
    feed::{self, FeedState, Reader},
    graphiql,
    health::{self, Lifecycle, Operations, Parts},
    http::{self, Endpoint, Operation, Turned, compress, problem::HttpProblem, turned},
    limits::Limits,
    operations::{AllowList, OperationStore},
    rate::{self, Limiter, Rates},
    schema,
};

/// Everything the API is wired to.
#[derive(Clone)]
pub struct ApiState {
    /// The write side and the read side.
    pub backend: Arc<dyn Backend>,
    /// Tells who calls.
    pub authenticator: Arc<Authenticator>,
    /// Says how the parts are, for `/readyz`.
    pub parts: Arc<dyn Parts>,
    /// Whether the process is on its way out.
    pub lifecycle: Lifecycle,
    /// The figures of `/metrics`.
    pub render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The bounds.
    pub limits: Limits,
    /// Keeps the texts of automatic persisted queries; nobody does where `None`.
    pub persisted: Option<Arc<dyn OperationStore>>,
    /// The operations that alone may run; all may where `None`.
    pub allowed: Option<Arc<AllowList>>,
    /// What a caller may ask for in a minute.
    pub rates: Rates,
    /// Whether the schema may be asked for; `/graphiql` needs it.
    pub introspection: bool,
    /// Whether `/graphiql` is served.
    pub graphiql: bool,
    /// Whether health and metrics are served here, and not by a listener of their own.
    pub operations: bool,
    /// The event feed; not served where `None`.
    pub feed: Option<FeedState>,
}

/// The API's routes over its state.
pub fn router(state: ApiState) -> Router {
    // Shown from the start, so that an alert can tell none from unknown.
    metrics::counter!(names::API_PANICS_TOTAL).absolute(0);
    let limits = state.limits;
    let operations = state.operations.then(|| operations(&state, false));
    let feed = state.feed.map(|feed| {
        let reader = Reader::new(feed.events, limits.request_timeout);
        (Arc::new(reader), feed.environment)
    });
    let reader = feed.as_ref().map(|(reader, _)| Arc::clone(reader));
    let feed = feed.map(|(reader, environment)| {
        feed::routes(
            reader,
            &environment,
            Arc::clone(&state.authenticator),
            Arc::clone(&state.backend),
            state.lifecycle.clone(),
        )
    });
    let backend = Arc::clone(&state.backend);
    let schema = schema::build(state.backend, reader, limits);
    let gate = Arc::new(Semaphore::new(limits.in_flight));
    let endpoint = Endpoint::new(
        http::Answering { schema, backend },
        Arc::clone(&state.authenticator),
        limits,
        state.introspection,
        http::Operations {
            store: state.persisted,
            allowed: state.allowed,
        },
        Arc::clone(&gate),
        state.lifecycle,
    );
    let gate = Gate(gate);
    let api = Router::new()
        .route("/graphql", any(http::graphql))
        .with_state(Arc::new(endpoint))
        .layer(middleware::from_fn_with_state(gate, bounded));
    // Health and explanations are not counted: whoever is turned away must be able to find out why.
    let limiter = Limiter::new(state.rates);
    let counted = middleware::from_fn_with_state(limiter, rate::counted);
    let mut router = api
        .merge(feed.unwrap_or_default())
        .layer(counted)
        .layer(compress::layer())
        .layer(middleware::from_fn(compress::weakened))
        .merge(operations.unwrap_or_default())
        .route("/problems/{code}", get(catalogue::page));
    if state.graphiql {
        router = router
            .route("/graphiql", get(graphiql::page))
            .route("/graphiql/graphiql.js", get(graphiql::script))
            .route("/graphiql/graphiql.css", get(graphiql::style))
            .route("/graphiql/licenses.txt", get(graphiql::notices));
    }
    router
        .fallback(nowhere)
        .layer(middleware::from_fn(observed))
}

/// Health and metrics alone, for a listener of their own.
pub fn operations_router(state: &ApiState) -> Router {
    operations(state, true)
        .fallback(nowhere)
        .layer(middleware::from_fn(observed))
}

fn operations(state: &ApiState, private: bool) -> Router {
    let operations = Operations {
        parts: Arc::clone(&state.parts),
        lifecycle: state.lifecycle.clone(),
        render_metrics: Arc::clone(&state.render_metrics),
        authenticator: Arc::clone(&state.authenticator),
        private,
    };
    Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .with_state(Arc::new(operations))
}

async fn nowhere(request: Request) -> Response {
    turned(HttpProblem::not_found(), &RequestContext::of(&request))
}

#[derive(Clone)]
struct Gate(Arc<Semaphore>);

/// Lets in as many requests as may be in work and turns the others away at once: a queue would only make them
/// wait for an answer that comes too late.
async fn bounded(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let Ok(_permit) = gate.0.try_acquire() else {
        return turned(HttpProblem::overloaded(), &RequestContext::of(&request));
    };
    let _in_flight = InFlight::enter();
    next.run(request).await
}

/// Counts a request while it is in work, however it ends.
struct InFlight;

impl InFlight {
    fn enter() -> Self {
        metrics::gauge!(names::API_IN_FLIGHT).increment(1.0);
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        metrics::gauge!(names::API_IN_FLIGHT).decrement(1.0);
    }
}

/// Gives every request its ids, turns a panic into a 500, and measures.
async fn observed(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let context = RequestContext::read(request.headers());
    request.extensions_mut().insert(context.clone());
    let mut response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            // The panic hook has logged where; the caller gets the id to find it by.
            metrics::counter!(names::API_PANICS_TOTAL).increment(1);
            tracing::error!(trace_id = %context.trace_id, "a request panicked");
            turned(HttpProblem::internal(), &context)
        }
    };
    measure(&mut response, started, &context);
    let headers = response.headers_mut();
    for (name, value) in [
        ("x-request-id", &context.request_id),
        ("x-trace-id", &context.trace_id),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

fn measure(response: &mut Response, started: Instant, context: &RequestContext) {
    let operation = response
        .extensions_mut()
        .remove::<Operation>()
        .map_or_else(|| "none".to_owned(), |o| o.0);
    if let Some(Turned(reason)) = response.extensions_mut().remove::<Turned>() {
        metrics::counter!(names::API_REJECTED_TOTAL, "reason" => reason).increment(1);
    }
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    tracing::debug!(operation, status, elapsed_us = elapsed.as_micros(), trace_id = %context.trace_id, "request");
    metrics::histogram!(names::API_REQUEST_SECONDS, "operation" => operation, "status" => status.to_string())
        .record(elapsed);
}
