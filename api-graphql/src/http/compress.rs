//! Answers made small on their way: brotli, zstd or gzip, whichever the client takes.

use axum::{
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{NotForContentType, Predicate, SizeAbove},
    },
};

/// Smaller answers fit into one packet anyway.
const LEAST_BYTES: u64 = 1_024;
/// Of each algorithm: where answers are hardly smaller any more and the time doubles, as measured over the API's
/// answers (docs/results/compression.md).
const LEVEL: i32 = 3;

/// Compresses answers; streams are passed on as they come.
pub(crate) fn layer() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new()
        .quality(CompressionLevel::Precise(LEVEL))
        .compress_when(SizeAbove::new(LEAST_BYTES).and(NotForContentType::SSE))
}

/// A compressed answer is no longer byte for byte the one that a strong tag names (RFC 9110, 8.8.3).
pub(crate) async fn weakened(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if headers.contains_key(header::CONTENT_ENCODING)
        && let Some(Ok(tag)) = headers.get(header::ETAG).map(HeaderValue::to_str)
        && !tag.starts_with("W/")
        && let Ok(weak) = HeaderValue::try_from(format!("W/{tag}"))
    {
        headers.insert(header::ETAG, weak);
    }
    response
}
