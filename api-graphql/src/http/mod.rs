//! GraphQL over HTTP, our own handler. It follows the GraphQL-over-HTTP draft: POST of JSON, GET for queries
//! only, `application/graphql-response+json` beside `application/json`. Everything that could cost without bound
//! is refused before it runs: tokens, nesting, depth, fields, aliases, directives, cost, batches.

mod documents;
mod inputs;
mod lex;
mod live;
mod meter;
mod negotiate;
mod nulls;
mod params;
pub(crate) mod problem;
mod reject;
mod types;

use std::sync::Arc;

use async_graphql::{
    Pos, Request, Response as GraphqlResponse,
    parser::types::{
        DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection,
    },
};
use axum::{
    body::Body,
    extract::{Request as HttpRequest, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use observability::names;
use serde::Serialize;
use tokio::{sync::Semaphore, time::Instant};

use self::{
    documents::Documents,
    negotiate::Media,
    params::Params,
    problem::HttpProblem,
    reject::{Rejection, VALIDATION_FAILED, set_code},
    types::{Kind, Types},
};
use crate::{
    auth::{self, AuthError, Authenticator, Caller},
    context::RequestContext,
    health::Lifecycle,
    limits::{Limits, MAX_DISCARDED_BYTES, MAX_LIVE_SOCKETS},
    schema::LedgerSchema,
    slots::Slots,
};

/// What the handler needs.
pub(crate) struct Endpoint {
    pub(crate) schema: LedgerSchema,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) limits: Limits,
    pub(crate) introspection: bool,
    /// Lets in as many requests as may be in work.
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) lifecycle: Lifecycle,
    slots: Arc<Slots>,
    sockets: Arc<Semaphore>,
    types: Types,
    documents: Documents,
}

/// Which operation an answer belongs to: a label of the metrics, from a bounded set.
#[derive(Debug, Clone)]
pub(crate) struct Operation(pub(crate) String);

/// Why a request was turned away: a label of the metrics, from a bounded set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turned(pub(crate) &'static str);

impl Endpoint {
    pub(crate) fn new(
        schema: LedgerSchema,
        authenticator: Arc<Authenticator>,
        limits: Limits,
        introspection: bool,
        gate: Arc<Semaphore>,
        lifecycle: Lifecycle,
    ) -> Self {
        let types = Types::read(&schema.sdl());
        Self {
            schema,
            authenticator,
            limits,
            introspection,
            gate,
            lifecycle,
            slots: Slots::new(names::API_LIVE_STREAMS, "connections are open"),
            sockets: Arc::new(Semaphore::new(MAX_LIVE_SOCKETS)),
            types,
            documents: Documents::default(),
        }
    }
}

/// `/graphql`.
pub(crate) async fn graphql(
    State(endpoint): State<Arc<Endpoint>>,
    request: HttpRequest,
) -> Response {
    let context = RequestContext::of(&request);
    let answered = tokio::time::timeout(
        endpoint.limits.request_timeout,
        endpoint.answer(request, &context),
    );
    match answered.await {
        Ok(Ok(response)) => response,
        Ok(Err(problem)) => turned(problem, &context),
        Err(_) => turned(HttpProblem::timed_out(), &context),
    }
}

pub(crate) fn turned(problem: HttpProblem, context: &RequestContext) -> Response {
    let reason = Turned(problem.reason());
    let mut response = problem.respond(context);
    response.extensions_mut().insert(reason);
    response
}

/// How an answer goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    /// One answer.
    Once,
    /// As many as come.
    Stream,
}

/// The type whose fields an operation selects.
const fn root(operation: OperationType) -> &'static str {
    match operation {
        OperationType::Query => "Query",
        OperationType::Mutation => "Mutation",
        OperationType::Subscription => "Subscription",
    }
}

impl Endpoint {
    async fn answer(
        self: &Arc<Self>,
        request: HttpRequest,
        context: &RequestContext,
    ) -> Result<Response, HttpProblem> {
        if live::socket::asks_for_socket(request.headers()) {
            return live::socket::upgrade(Arc::clone(self), request, context.clone()).await;
        }
        let read_only = match *request.method() {
            Method::GET => true,
            Method::POST => false,
            _ => {
                return Err(HttpProblem::method_not_allowed(
                    "GET, POST",
                    "use POST, or GET for queries",
                ));
            }
        };
        let transport = if live::asks_for_events(request.headers()) {
            Transport::Stream
        } else {
            Transport::Once
        };
        let media = match transport {
            Transport::Once => Media::accepted(request.headers())?,
            // What is refused before there is a stream is answered plainly.
            Transport::Stream => Media::GraphqlResponse,
        };
        let authorization = auth::authorization(request.headers());
        let admitted = match self.authenticator.admitted(authorization).await {
            Ok(admitted) => Some(admitted),
            // Introspection alone is free, so that GraphiQL can show the schema.
            Err(AuthError::Missing) => None,
            Err(error) => return Err(HttpProblem::unauthenticated(&error)),
        };
        let params = if read_only {
            Params::from_uri(request.uri())?
        } else {
            negotiate::check_body_type(request.headers())?;
            Params::from_body(&self.body(request).await?)?
        };
        match self.prepare(&params, transport) {
            Ok((operation, _)) if read_only && operation.ty == OperationType::Mutation => Err(
                HttpProblem::method_not_allowed("POST", "a GET may only carry a query"),
            ),
            Ok((operation, _)) if admitted.is_none() && !operation.introspection_only => {
                Err(HttpProblem::unauthenticated(&AuthError::Missing))
            }
            Ok((operation, document)) if transport == Transport::Stream => {
                let admitted =
                    admitted.ok_or_else(|| HttpProblem::unauthenticated(&AuthError::Missing))?;
                let slot = self.slots.take(admitted.token);
                let slot = slot.map_err(|full| HttpProblem::too_many_feeds(&full))?;
                let expires = Instant::now() + admitted.good_for;
                let caller = Some(admitted.caller);
                let answers = self.answers(params, &operation, document, caller, context);
                let mut response = live::respond(answers, self.lifecycle.clone(), expires, slot);
                response.extensions_mut().insert(Operation(operation.label));
                Ok(response)
            }
            Ok((operation, document)) => {
                let caller = admitted.map(|admitted| admitted.caller);
                Ok(self
                    .execute(params, operation, document, caller, context, media)
                    .await)
            }
            Err(rejection) => Ok(rejected(rejection, media)),
        }
    }

    async fn body(&self, request: HttpRequest) -> Result<Vec<u8>, HttpProblem> {
        let limit = self.limits.body_bytes;
        let mut body = request.into_body();
        match Limited::new(&mut body, limit).collect().await {
            Ok(read) => Ok(read.to_bytes().into()),
            Err(error) if error.is::<LengthLimitError>() => {
                discard(body).await;
                Err(HttpProblem::too_large(limit))
            }
            Err(_) => Err(HttpProblem::bad_request("the body broke off")),
        }
    }

    /// Parses and measures a request; nothing has run after this.
    fn prepare(
        &self,
        params: &Params,
        transport: Transport,
    ) -> Result<(Prepared, Arc<ExecutableDocument>), Rejection> {
        let document = self.documents.parsed(&params.query)?;
        let operation = choose(&document, params.operation_name.as_deref())?;
        let subscribes = operation.ty == OperationType::Subscription;
        if subscribes && transport == Transport::Once {
            return Err(Rejection::new(
                VALIDATION_FAILED,
                "A subscription needs a WebSocket (graphql-transport-ws) or `Accept: text/event-stream`.",
                None,
            ));
        }
        let bill = meter::bill(&document, operation, &self.types, &params.variables)?;
        if bill.cost > self.limits.cost {
            let bound = format!(
                "{} points, and this one costs {},",
                self.limits.cost, bill.cost
            );
            return Err(Rejection::too_much("COST_EXCEEDED", bound));
        }
        if bill.introspects && !self.introspection {
            return Err(Rejection::new(
                "INTROSPECTION_DISABLED",
                "Introspection is switched off here.",
                None,
            ));
        }
        // GraphQL, 5.2.3.1: single root field.
        if subscribes && bill.roots != 1 {
            return Err(Rejection::new(
                VALIDATION_FAILED,
                "A subscription has exactly one field at the top.",
                None,
            ));
        }
        inputs::check(&document, operation, &self.types, &params.variables)?;
        let label = self.label(operation);
        Ok((
            Prepared {
                ty: operation.ty,
                introspection_only: bill.introspection_only,
                label,
            },
            document,
        ))
    }

    /// The operation's top-level field where there is one that we know: a caller cannot invent labels.
    fn label(&self, operation: &OperationDefinition) -> String {
        let root = root(operation.ty);
        match operation.selection_set.node.items.as_slice() {
            [only] => match &only.node {
                Selection::Field(field) => {
                    let name = field.node.name.node.as_str();
                    let known = matches!(self.types.get(root), Some(Kind::Output(fields)) if fields.contains_key(name));
                    if known {
                        name.to_owned()
                    } else if name.starts_with("__") {
                        "introspection".to_owned()
                    } else {
                        "unknown".to_owned()
                    }
                }
                _ => "several".to_owned(),
            },
            _ => "several".to_owned(),
        }
    }

    async fn execute(
        &self,
        params: Params,
        operation: Prepared,
        document: Arc<ExecutableDocument>,
        caller: Option<Caller>,
        context: &RequestContext,
        media: Media,
    ) -> Response {
        let request = request(&params, document, caller, context);
        let mut answer = self.schema.execute(request).await;
        let mut response = if is_not_executed(&answer) {
            refuse(&mut answer);
            rejected(Rejection::many(VALIDATION_FAILED, answer.errors), media)
        } else {
            self.settle(
                &params.query,
                params.operation_name.as_deref(),
                &mut answer,
                context,
            );
            respond(StatusCode::OK, media, &answer)
        };
        response.extensions_mut().insert(Operation(operation.label));
        response
    }

    /// Gives field errors their code, and `data` the nulls that the specification asks for.
    fn settle(
        &self,
        query: &str,
        name: Option<&str>,
        answer: &mut GraphqlResponse,
        context: &RequestContext,
    ) {
        if answer.errors.is_empty() {
            return;
        }
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
        if let Ok(document) = self.documents.parsed(query)
            && let Ok(operation) = choose(&document, name)
        {
            nulls::propagate(answer, &document, operation, &self.types);
        }
    }
}

/// Whether the schema found the operation wrong and did not execute it: without a path an error is one of the request.
fn is_not_executed(answer: &GraphqlResponse) -> bool {
    answer.data == async_graphql::Value::Null
        && !answer.errors.is_empty()
        && answer.errors.iter().all(|e| e.path.is_empty())
}

/// Gives the errors of an operation that was not executed their code.
fn refuse(answer: &mut GraphqlResponse) {
    for error in &mut answer.errors {
        set_code(error, VALIDATION_FAILED);
    }
    answer.errors.truncate(crate::limits::MAX_ERRORS);
}

/// An operation as the schema takes it.
fn request(
    params: &Params,
    document: Arc<ExecutableDocument>,
    caller: Option<Caller>,
    context: &RequestContext,
) -> Request {
    let mut request = Request::new(params.query.clone())
        .variables(params.variables.clone())
        .data(context.clone());
    request.operation_name.clone_from(&params.operation_name);
    request.set_parsed_query(Arc::unwrap_or_clone(document));
    match caller {
        Some(caller) => request.data(caller),
        None => request,
    }
}

/// Reads on for a while: a client that is still sending would lose an answer given before it is done.
async fn discard(mut body: Body) {
    let mut left = MAX_DISCARDED_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, |data| data.len());
        match left.checked_sub(bytes) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

/// What is known of an operation before it runs.
struct Prepared {
    ty: OperationType,
    introspection_only: bool,
    label: String,
}

impl Prepared {
    fn is_subscription(&self) -> bool {
        self.ty == OperationType::Subscription
    }
}

/// The operation to run: the named one, or the only one.
fn choose<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a OperationDefinition, Rejection> {
    let refuse = |why: String| Rejection::new("OPERATION_NOT_FOUND", why, None::<Pos>);
    match (&document.operations, name) {
        (DocumentOperations::Single(only), None) => Ok(&only.node),
        (DocumentOperations::Single(_), Some(name)) => {
            Err(refuse(format!("There is no operation \"{name}\".")))
        }
        (DocumentOperations::Multiple(all), Some(name)) => all
            .get(name)
            .map(|o| &o.node)
            .ok_or_else(|| refuse(format!("There is no operation \"{name}\"."))),
        (DocumentOperations::Multiple(all), None) if all.len() == 1 => all
            .values()
            .next()
            .map(|o| &o.node)
            .ok_or_else(|| refuse("There is no operation.".to_owned())),
        (DocumentOperations::Multiple(_), None) => Err(refuse(
            "There are several operations; name one in `operationName`.".to_owned(),
        )),
    }
}

/// A response of server-sent events: never kept, and passed on as they come by proxies too.
pub(crate) fn event_stream(content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
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

fn rejected(rejection: Rejection, media: Media) -> Response {
    /// Without `data`: nothing was executed.
    #[derive(Serialize)]
    struct Errors<'a> {
        errors: &'a [async_graphql::ServerError],
    }
    let status = match media {
        Media::GraphqlResponse => StatusCode::BAD_REQUEST,
        Media::Json => StatusCode::OK,
    };
    let mut response = respond(
        status,
        media,
        &Errors {
            errors: &rejection.errors,
        },
    );
    response.extensions_mut().insert(Turned(rejection.reason));
    response
}

fn respond(status: StatusCode, media: Media, body: &impl Serialize) -> Response {
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
    headers.insert(
        header::VARY,
        HeaderValue::from_static("Accept, Authorization"),
    );
    response
}
