//! GraphQL over HTTP, our own handler. It follows the GraphQL-over-HTTP draft: POST of JSON, GET for queries
//! only, `application/graphql-response+json` beside `application/json`. Everything that could cost without bound
//! is refused before it runs: tokens, nesting, depth, fields, aliases, directives, cost, batches.

mod answer;
pub(crate) mod compress;
mod cost;
mod documents;
mod empty;
mod fragment;
mod inputs;
pub(crate) mod lasting;
pub(crate) mod lex;
mod live;
mod meter;
mod negotiate;
mod nulls;
mod params;
mod persisted;
pub(crate) mod problem;
mod reject;
mod sequence;
mod types;

use std::sync::Arc;

pub(crate) use answer::event_stream;
pub(crate) use persisted::Operations;

use async_graphql::{
    Pos, Request,
    parser::types::{
        DocumentOperations, ExecutableDocument, OperationDefinition, OperationType, Selection,
    },
};
use axum::{
    body::Body,
    extract::{Request as HttpRequest, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
};
use domain::actor::StoreScope;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use observability::names;
use tokio::{sync::Semaphore, time::Instant};

use self::{
    answer::{is_not_executed, refuse, respond},
    documents::Documents,
    lasting::{Asked, Lasting},
    negotiate::Media,
    params::Params,
    problem::HttpProblem,
    reject::{Rejection, VALIDATION_FAILED},
    types::{Kind, Types},
};
use crate::{
    auth::{self, Admitted, AuthError, Authenticator, Caller},
    backend::Backend,
    context::RequestContext,
    health::Lifecycle,
    limits::{Limits, MAX_DISCARDED_BYTES, MAX_LIVE_SOCKETS},
    rate::{Credit, Refused, Visit},
    schema::{LedgerSchema, access::Refusals, loads::Loads},
    slots::Slots,
};

/// The schema, and what it reads from.
pub(crate) struct Answering {
    pub(crate) schema: LedgerSchema,
    pub(crate) backend: Arc<dyn Backend>,
}

/// What the handler needs.
pub(crate) struct Endpoint {
    pub(crate) schema: LedgerSchema,
    backend: Arc<dyn Backend>,
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
    operations: Operations,
}

/// Which operation an answer belongs to: a label of the metrics, from a bounded set.
#[derive(Debug, Clone)]
pub(crate) struct Operation(pub(crate) String);

/// Why a request was turned away: a label of the metrics, from a bounded set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turned(pub(crate) &'static str);

impl Endpoint {
    pub(crate) fn new(
        Answering { schema, backend }: Answering,
        authenticator: Arc<Authenticator>,
        limits: Limits,
        introspection: bool,
        operations: Operations,
        gate: Arc<Semaphore>,
        lifecycle: Lifecycle,
    ) -> Self {
        let types = Types::read(&schema.sdl());
        Self {
            schema,
            backend,
            authenticator,
            limits,
            introspection,
            gate,
            lifecycle,
            slots: Slots::new(names::API_LIVE_STREAMS, "connections are open"),
            sockets: Arc::new(Semaphore::new(MAX_LIVE_SOCKETS)),
            types,
            documents: Documents::default(),
            operations,
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

/// How a request was sent and is answered.
#[derive(Debug)]
struct How {
    /// By GET or HEAD: queries only. The tags of the answers that the client has.
    known: Option<HeaderMap>,
    /// By HEAD: as by GET, but no stream is opened for headers alone.
    is_head: bool,
    transport: Transport,
    media: Media,
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
        if *request.method() != Method::HEAD && live::socket::asks_for_socket(request.headers()) {
            return live::socket::upgrade(Arc::clone(self), request, context.clone()).await;
        }
        let (read_only, is_head) = match *request.method() {
            Method::GET => (true, false),
            Method::HEAD => (true, true),
            Method::POST => (false, false),
            _ => {
                return Err(HttpProblem::method_not_allowed(
                    "GET, HEAD, POST",
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
        let visit = Visit::of(request.extensions())?;
        let admitted = match visit.admitted(&self.authenticator, authorization).await {
            Ok(admitted) => Some(admitted),
            // Introspection alone is free, so that GraphiQL can show the schema.
            Err(Refused::Stranger(AuthError::Missing)) => None,
            Err(refused) => return Err(refused.into()),
        };
        let known = read_only.then(|| tags(request.headers()));
        let params = self.params(request, read_only).await?;
        let how = How {
            known,
            is_head,
            transport,
            media,
        };
        self.operate(params, admitted, how, context).await
    }

    /// The parameters of a request.
    async fn params(&self, request: HttpRequest, read_only: bool) -> Result<Params, HttpProblem> {
        if read_only {
            return Params::from_uri(request.uri());
        }
        negotiate::check_body_type(request.headers())?;
        Params::from_body(&self.body(request).await?)
    }

    /// Answers an operation of somebody who was let in, or of nobody.
    async fn operate(
        self: &Arc<Self>,
        mut params: Params,
        admitted: Option<(Admitted, Credit)>,
        how: How,
        context: &RequestContext,
    ) -> Result<Response, HttpProblem> {
        let How {
            known,
            is_head,
            transport,
            media,
        } = how;
        let read_only = known.is_some();
        if admitted.is_none() && params.query.is_empty() {
            return Err(HttpProblem::unauthenticated(&AuthError::Missing));
        }
        match self.prepare(&mut params, transport).await {
            Ok((operation, _)) if read_only && operation.ty == OperationType::Mutation => Err(
                HttpProblem::method_not_allowed("POST", "a GET may only carry a query"),
            ),
            Ok((operation, _)) if admitted.is_none() && !operation.introspection_only => {
                Err(HttpProblem::unauthenticated(&AuthError::Missing))
            }
            Ok((operation, _)) if is_head && transport == Transport::Stream => {
                let mut response = live::unopened();
                response.extensions_mut().insert(Operation(operation.label));
                Ok(response)
            }
            Ok((operation, document)) if transport == Transport::Stream => {
                let (admitted, credit) =
                    admitted.ok_or_else(|| HttpProblem::unauthenticated(&AuthError::Missing))?;
                let slot = self.slots.take(admitted.token);
                let slot = slot.map_err(|full| HttpProblem::too_many_feeds(&full))?;
                self.charge(&operation, &credit)?;
                self.operations.learn(&params).await;
                let expires = Instant::now() + admitted.good_for;
                let identity = Some((admitted.caller, credit));
                let answers = self.answers(params, &operation, document, identity, context);
                let mut response = live::respond(answers, self.lifecycle.clone(), expires, slot);
                response.extensions_mut().insert(Operation(operation.label));
                Ok(response)
            }
            Ok((operation, document)) => {
                let identity = admitted.map(|(admitted, credit)| (admitted.caller, credit));
                if let Some((_, credit)) = &identity {
                    self.charge(&operation, credit)?;
                    self.operations.learn(&params).await;
                }
                let asked = known.map(|known| Asked {
                    known,
                    roots: operation.roots,
                });
                let how = (media, asked);
                Ok(self
                    .execute(params, operation, document, identity, context, how)
                    .await)
            }
            Err(rejection) => {
                let credit = admitted.as_ref().map(|(_, credit)| credit);
                Ok(self.rejected(rejection, media, credit))
            }
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

    /// Finds, parses and measures an operation; nothing has run after this.
    async fn prepare(
        &self,
        params: &mut Params,
        transport: Transport,
    ) -> Result<(Prepared, Arc<ExecutableDocument>), Rejection> {
        self.operations.find(params).await?;
        self.measure(params, transport)
    }

    fn measure(
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
            return Err(Rejection::too_much("COST_EXCEEDED", bound).costing(bill.cost));
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
        inputs::check(&document, operation, &self.types, &params.variables)
            .map_err(|rejection| rejection.costing(bill.cost))?;
        let label = self.label(operation);
        Ok((
            Prepared {
                ty: operation.ty,
                introspection_only: bill.introspection_only,
                cost: bill.cost,
                is_conditional: bill.is_conditional,
                roots: bill.roots,
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
        identity: Option<Identity>,
        context: &RequestContext,
        (media, asked): (Media, Option<Asked>),
    ) -> Response {
        let lasting = Lasting::default();
        let credit = identity.as_ref().map(|(_, credit)| credit.clone());
        let request =
            request(&params, &document, identity, context, &self.backend).data(lasting.clone());
        let mut answer = self.schema.execute(request).await;
        let mut response = if is_not_executed(&answer) {
            refuse(&mut answer);
            let rejection = Rejection::many(VALIDATION_FAILED, answer.errors);
            self.rejected(rejection.costing(operation.cost), media, credit.as_ref())
        } else {
            self.settle(
                (
                    &document,
                    params.operation_name.as_deref(),
                    &params.variables,
                ),
                operation.is_conditional,
                &mut answer,
                context,
            );
            let cost = self.cost(operation.cost, credit.as_ref());
            answer.extensions.insert("cost".to_owned(), cost);
            let whole = || respond(StatusCode::OK, media, &answer);
            match asked {
                Some(asked) => asked.respond(&lasting, &answer, whole),
                None => whole(),
            }
        };
        response.extensions_mut().insert(Operation(operation.label));
        response
    }
}

/// The tags of the answers that a client has.
fn tags(headers: &HeaderMap) -> HeaderMap {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter();
    tags.map(|tag| (header::IF_NONE_MATCH, tag.clone()))
        .collect()
}

/// Who sent an operation, and what they may still ask for.
type Identity = (Caller, Credit);

/// An operation as the schema takes it.
fn request(
    params: &Params,
    document: &ExecutableDocument,
    identity: Option<Identity>,
    context: &RequestContext,
    backend: &Arc<dyn Backend>,
) -> Request {
    // Who is nobody is read for nobody.
    let scope = identity.as_ref().map_or_else(
        || StoreScope::Only(Vec::new()),
        |(caller, _)| caller.actor.stores.clone(),
    );
    let mut request = Request::new(params.query.clone())
        .variables(params.variables.clone())
        .data(context.clone())
        .data(Refusals::default())
        .data(Loads::new(Arc::clone(backend), scope));
    request.operation_name.clone_from(&params.operation_name);
    request.set_parsed_query(document.clone());
    match identity {
        Some((caller, credit)) => request.data(caller).data(credit),
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
    /// In points.
    cost: usize,
    /// Whether a directive may leave something out.
    is_conditional: bool,
    /// Fields at the top.
    roots: usize,
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
