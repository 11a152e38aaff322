//! GraphQL over HTTP, our own handler. It follows the GraphQL-over-HTTP draft: POST of JSON, GET for queries
//! only, `application/graphql-response+json` beside `application/json`. Everything that could cost without bound
//! is refused before it runs: tokens, nesting, depth, fields, aliases, directives, cost, batches.

mod documents;
mod inputs;
mod lex;
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
use serde::Serialize;

use self::{
    documents::Documents,
    negotiate::Media,
    params::Params,
    problem::HttpProblem,
    reject::{Rejection, VALIDATION_FAILED, set_code},
    types::{Kind, Types},
};
use crate::{
    auth::{AuthError, Authenticator, Caller},
    context::RequestContext,
    limits::{Limits, MAX_DISCARDED_BYTES},
    schema::LedgerSchema,
};

/// What the handler needs.
pub(crate) struct Endpoint {
    pub(crate) schema: LedgerSchema,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) limits: Limits,
    pub(crate) introspection: bool,
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
    ) -> Self {
        let types = Types::read(&schema.sdl());
        Self {
            schema,
            authenticator,
            limits,
            introspection,
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

impl Endpoint {
    async fn answer(
        &self,
        request: HttpRequest,
        context: &RequestContext,
    ) -> Result<Response, HttpProblem> {
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
        let media = Media::accepted(request.headers())?;
        let authorization = request.headers().get(header::AUTHORIZATION);
        let authorization = authorization.map(|v| v.to_str().unwrap_or_default());
        let caller = match self.authenticator.caller(authorization).await {
            Ok(caller) => Some(caller),
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
        match self.prepare(&params) {
            Ok((operation, _)) if read_only && operation.ty != OperationType::Query => Err(
                HttpProblem::method_not_allowed("POST", "a GET may only carry a query"),
            ),
            Ok((operation, _)) if caller.is_none() && !operation.introspection_only => {
                Err(HttpProblem::unauthenticated(&AuthError::Missing))
            }
            Ok((operation, document)) => Ok(self
                .execute(params, operation, document, caller, context, media)
                .await),
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
    fn prepare(&self, params: &Params) -> Result<(Prepared, Arc<ExecutableDocument>), Rejection> {
        let document = self.documents.parsed(&params.query)?;
        let operation = choose(&document, params.operation_name.as_deref())?;
        if operation.ty == OperationType::Subscription {
            return Err(Rejection::new(
                VALIDATION_FAILED,
                "There are no subscriptions here.",
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
        let root = if operation.ty == OperationType::Mutation {
            "Mutation"
        } else {
            "Query"
        };
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
        let mut request = Request::new(params.query.clone())
            .variables(params.variables)
            .data(context.clone());
        request.operation_name.clone_from(&params.operation_name);
        request.set_parsed_query(Arc::unwrap_or_clone(document));
        if let Some(caller) = caller {
            request = request.data(caller);
        }
        let mut answer = self.schema.execute(request).await;
        // Without a path an error is one of the request: it was not executed.
        let not_executed = answer.data == async_graphql::Value::Null
            && !answer.errors.is_empty()
            && answer.errors.iter().all(|e| e.path.is_empty());
        let mut response = if not_executed {
            answer
                .errors
                .iter_mut()
                .for_each(|error| set_code(error, VALIDATION_FAILED));
            answer.errors.truncate(crate::limits::MAX_ERRORS);
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
