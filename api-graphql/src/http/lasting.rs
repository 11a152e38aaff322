//! For how long an answer may be kept by whoever asked by GET, and what a repeated question costs.
//!
//! The tag of an answer is a hash of its `data`: it is the same as long as nothing that was asked for has changed, while
//! what is left of the caller's points changes with every request. An answer that shows a person is kept by nobody; one
//! that can never change is kept for good; all others are asked for again and are often "not modified"
//! (RFC 9110, 13.1.2; RFC 8246).

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_graphql::{Context, Response as GraphqlResponse};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use sha2::{Digest, Sha256};
use store::hash::hex;

use super::answer::VARY;

/// The same answer for ever.
pub(crate) const FOR_GOOD: HeaderValue =
    HeaderValue::from_static("private, max-age=31536000, immutable");
/// Kept, but asked for again before it is used.
const ASKED_AGAIN: HeaderValue = HeaderValue::from_static("private, no-cache");

/// What the fields of a running operation say about its answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lasting(Arc<Told>);

#[derive(Debug, Default)]
struct Told {
    finals: AtomicUsize,
    personal: AtomicBool,
}

impl Lasting {
    /// Told by a top-level field of which everything selected will be the same for ever, a person's data apart.
    pub(crate) fn is_final(ctx: &Context<'_>) {
        if let Some(Self(told)) = ctx.data_opt() {
            told.finals.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Told by a field that shows a person, or that one was erased.
    pub(crate) fn is_personal(ctx: &Context<'_>) {
        if let Some(Self(told)) = ctx.data_opt() {
            told.personal.store(true, Ordering::Relaxed);
        }
    }
}

/// A question by GET.
pub(super) struct Asked {
    /// The tags of the answers that the client has.
    pub(super) known: HeaderMap,
    /// Top-level fields of the operation.
    pub(super) roots: usize,
}

impl Asked {
    /// The response for an answer, with what may be kept of it.
    pub(super) fn respond(
        &self,
        lasting: &Lasting,
        answer: &GraphqlResponse,
        whole: impl FnOnce() -> Response,
    ) -> Response {
        let told = &lasting.0;
        if !answer.errors.is_empty() || told.personal.load(Ordering::Relaxed) {
            return whole();
        }
        let Ok(data) = serde_json::to_vec(&answer.data) else {
            return whole();
        };
        let tag = format!("\"{}\"", hex(&Sha256::digest(&data)[..16]));
        let mut response = if is_known(&self.known, &tag) {
            not_modified()
        } else {
            whole()
        };
        let is_final = told.finals.load(Ordering::Relaxed) == self.roots;
        let headers = response.headers_mut();
        let cache = if is_final { FOR_GOOD } else { ASKED_AGAIN };
        headers.insert(header::CACHE_CONTROL, cache);
        // Weak: the points beside `data` differ.
        if let Ok(tag) = HeaderValue::try_from(format!("W/{tag}")) {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

/// The answer that the client has; the whole one is not even written.
fn not_modified() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().insert(header::VARY, VARY);
    response
}

/// Whether an `If-None-Match` names the tag; weakly, as RFC 9110, 13.1.2 has it: a proxy may have marked it as weak.
pub(crate) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let named = headers.get_all(header::IF_NONE_MATCH).iter();
    named.filter_map(|value| value.to_str().ok()).any(|value| {
        value
            .split(',')
            .map(str::trim)
            .any(|one| one.strip_prefix("W/").unwrap_or(one) == tag || one == "*")
    })
}
