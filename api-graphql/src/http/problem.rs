//! Errors of HTTP itself, as RFC 9457 problem documents. Codes have a hyphen here, an underscore in GraphQL.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde_json::json;

use crate::{
    auth::AuthError,
    catalogue,
    context::RequestContext,
    limits::{FEED_RETRY_AFTER_SECONDS, RETRY_AFTER_SECONDS},
    rate::Spent,
};

/// An error that is answered before, or instead of, GraphQL.
#[derive(Debug)]
pub(crate) struct HttpProblem {
    status: StatusCode,
    /// As in the catalogue.
    code: &'static str,
    /// What GraphQL clients branch on.
    graphql_code: &'static str,
    detail: String,
    header: Option<Box<(header::HeaderName, HeaderValue)>>,
    /// What the answer would have said of the operation's cost.
    cost: Option<serde_json::Value>,
}

impl HttpProblem {
    fn new(
        status: StatusCode,
        code: &'static str,
        graphql_code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code,
            graphql_code,
            detail: detail.into(),
            header: None,
            cost: None,
        }
    }

    fn with(mut self, name: header::HeaderName, value: &str) -> Self {
        self.header = HeaderValue::from_str(value)
            .ok()
            .map(|value| Box::new((name, value)));
        self
    }

    /// What is wrong, in words.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn method_not_allowed(allow: &'static str, detail: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "REQ_001",
            "METHOD_NOT_ALLOWED",
            detail,
        )
        .with(header::ALLOW, allow)
    }

    pub(crate) fn unsupported_media_type(detail: &str) -> Self {
        let problem = Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "REQ_002",
            "UNSUPPORTED_MEDIA_TYPE",
            detail,
        );
        problem.with(
            header::HeaderName::from_static("accept-post"),
            "application/json",
        )
    }

    pub(crate) fn not_acceptable() -> Self {
        let detail = "accept application/graphql-response+json or application/json";
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "REQ_003",
            "NOT_ACCEPTABLE",
            detail,
        )
    }

    pub(crate) fn too_large(bytes: usize) -> Self {
        let detail = format!("the body may have at most {bytes} bytes");
        // The rest of the body is not read: this connection is of no further use.
        let problem = Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "REQ_004",
            "PAYLOAD_TOO_LARGE",
            detail,
        );
        problem.with(header::CONNECTION, "close")
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "REQ_005", "BAD_REQUEST", detail)
    }

    pub(crate) fn batch() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "REQ_006",
            "BATCH_NOT_SUPPORTED",
            "send one operation a request",
        )
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "REQ_007",
            "NOT_FOUND",
            "no such page; see /graphiql",
        )
    }

    pub(crate) fn no_such_code() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "REQ_007",
            "NOT_FOUND",
            "no problem has this code",
        )
    }

    pub(crate) fn unauthenticated(error: &AuthError) -> Self {
        if *error == AuthError::KeysUnavailable {
            return Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "SYS_002",
                "UNAVAILABLE",
                error.to_string(),
            )
            .with(header::RETRY_AFTER, &RETRY_AFTER_SECONDS.to_string());
        }
        let challenge = match error {
            // RFC 6750, 3: without credentials the challenge carries no error.
            AuthError::Missing => "Bearer realm=\"ledger\"".to_owned(),
            other => format!(
                "Bearer realm=\"ledger\", error=\"invalid_token\", error_description=\"{other}\""
            ),
        };
        Self::new(
            StatusCode::UNAUTHORIZED,
            "AUTH_001",
            "UNAUTHENTICATED",
            error.to_string(),
        )
        .with(header::WWW_AUTHENTICATE, &challenge.replace('`', "'"))
    }

    pub(crate) fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AUTH_002", "FORBIDDEN", detail)
    }

    pub(crate) fn overloaded() -> Self {
        let detail = "too many requests are in work; come back in a second";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "SYS_003",
            "OVERLOADED",
            detail,
        )
        .with(header::RETRY_AFTER, &RETRY_AFTER_SECONDS.to_string())
    }

    pub(crate) fn timed_out() -> Self {
        let detail = "the request took too long; repeat a command with the same commandId";
        Self::new(StatusCode::GATEWAY_TIMEOUT, "SYS_002", "TIMEOUT", detail)
    }

    pub(crate) fn unavailable() -> Self {
        let detail = "the ledger cannot reach its database; try again";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "SYS_002",
            "UNAVAILABLE",
            detail,
        )
        .with(header::RETRY_AFTER, &RETRY_AFTER_SECONDS.to_string())
    }

    pub(crate) fn bad_feed_query(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "FEED_001",
            "INVALID_FEED_QUERY",
            detail,
        )
    }

    pub(crate) fn cursor_ahead(cursor: i64, head: i64) -> Self {
        let detail = format!(
            "the cursor {cursor} is ahead of the log, which ends at {head}: stop, and find out whether the ledger was \
             restored to an earlier state or the cursor is another ledger's"
        );
        Self::new(StatusCode::CONFLICT, "FEED_002", "CURSOR_AHEAD", detail)
    }

    pub(crate) fn too_many_feeds(what: &str) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "FEED_003",
            "TOO_MANY_FEEDS",
            format!("{what}; close one, or come back later"),
        )
        .with(header::RETRY_AFTER, &FEED_RETRY_AFTER_SECONDS.to_string())
    }

    /// A quota is spent; `cost` is what GraphQL's `extensions.cost` says of an operation.
    pub(crate) fn rate_limited(spent: &Spent, cost: Option<serde_json::Value>) -> Self {
        let problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "REQ_008",
            "RATE_LIMITED",
            spent.detail(),
        );
        Self { cost, ..problem }.with(header::RETRY_AFTER, &spent.retry_after().to_string())
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "SYS_001",
            "INTERNAL",
            "the ledger failed; report the trace id",
        )
    }

    /// The name of the reason in the metrics.
    pub(crate) const fn reason(&self) -> &'static str {
        self.graphql_code
    }

    pub(crate) fn respond(self, context: &RequestContext) -> Response {
        let code = self.code.replace('_', "-");
        let title = catalogue::entry(self.code).map_or("", |e| e.title);
        // `errors` lets a GraphQL client that ignores the status still find the code.
        let mut body = json!({
            "type": catalogue::docs(&code),
            "title": title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": code,
            "traceId": context.trace_id,
            "retryable": matches!(self.code, "SYS_002" | "SYS_003" | "FEED_003" | "REQ_008"),
            "timestamp": chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            "errors": [{ "message": self.detail, "extensions": { "code": self.graphql_code } }],
        });
        if let Some(cost) = self.cost {
            body["extensions"] = json!({ "cost": cost });
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(header) = self.header {
            let (name, value) = *header;
            headers.insert(name, value);
        }
        response
    }
}
