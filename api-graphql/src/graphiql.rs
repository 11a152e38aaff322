//! `/graphiql`: the GraphQL workbench, served from this binary. It works where no other host can be reached.

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};

/// Everything comes from here and talks to here. Styles inline, because dialogs set them at run time; no script
/// is inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = include_str!("../assets/index.html");
const SCRIPT: &[u8] = include_bytes!("../assets/graphiql.js");
const STYLE: &[u8] = include_bytes!("../assets/graphiql.css");
const NOTICES: &str = include_str!("../assets/LICENSES.txt");

fn asset(content_type: &'static str, cache: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    response
}

/// The names do not change with the content: a new release must be seen at the next visit.
const REVALIDATE: &str = "no-cache";

pub(crate) async fn page() -> Response {
    asset("text/html; charset=utf-8", REVALIDATE, PAGE)
}

pub(crate) async fn script() -> Response {
    asset("text/javascript; charset=utf-8", REVALIDATE, SCRIPT)
}

pub(crate) async fn style() -> Response {
    asset("text/css; charset=utf-8", REVALIDATE, STYLE)
}

pub(crate) async fn notices() -> Response {
    asset("text/plain; charset=utf-8", REVALIDATE, NOTICES)
}
