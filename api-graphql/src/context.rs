//! What is known of a request besides its content.

use std::net::SocketAddr;

use axum::http::HeaderMap;
use uuid::Uuid;

/// The longest id taken over from a caller.
const MAX_ID_CHARS: usize = 64;

/// The ids of a request. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// The caller's `X-Request-Id` where it is plain text of at most 64 characters, else the trace id.
    pub request_id: String,
    /// 32 hex digits: the caller's W3C trace, else one of our own.
    pub trace_id: String,
    /// The caller's W3C trace context, checked.
    pub traceparent: Option<String>,
    /// `X-Correlation-Id` where it is a UUID, else a new one: written into every event.
    pub correlation_id: Uuid,
}

impl RequestContext {
    /// The ids that the request was given when it came in.
    pub(crate) fn of<B>(request: &axum::http::Request<B>) -> Self {
        let given = request.extensions().get::<Self>().cloned();
        given.unwrap_or_else(|| Self::read(request.headers()))
    }

    /// Reads the ids from the headers and makes those that are missing.
    pub fn read(headers: &HeaderMap) -> Self {
        let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let traceparent = text("traceparent")
            .filter(|t| is_traceparent(t))
            .map(str::to_owned);
        let given_trace = traceparent
            .as_deref()
            .and_then(|t| t.get(3..35))
            .map(str::to_owned);
        let trace_id = given_trace.unwrap_or_else(|| Uuid::new_v4().simple().to_string());
        let request_id = text("x-request-id")
            .filter(|id| is_plain(id))
            .map_or_else(|| trace_id.clone(), str::to_owned);
        let correlation_id = text("x-correlation-id")
            .and_then(|id| id.parse().ok())
            .unwrap_or_else(Uuid::now_v7);
        Self {
            request_id,
            trace_id,
            traceparent,
            correlation_id,
        }
    }
}

fn is_plain(id: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=MAX_ID_CHARS).contains(&id.len()) && id.bytes().all(plain)
}

/// W3C trace context, version 00: `00-<32 hex>-<16 hex>-<2 hex>`, neither id all zeros.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let hex = |s: &str, len| {
        s.len() == len
            && s.bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    match parts.as_slice() {
        ["00", trace, span, flags] => {
            let zero = |s: &str| s.bytes().all(|b| b == b'0');
            hex(trace, 32) && hex(span, 16) && hex(flags, 2) && !zero(trace) && !zero(span)
        }
        _ => false,
    }
}

/// The address a connection came from.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Whether a request comes from this very machine and not through a proxy on it.
pub(crate) fn is_local(peer: Option<&Peer>, headers: &HeaderMap) -> bool {
    let forwarded = ["forwarded", "x-forwarded-for", "via"]
        .iter()
        .any(|name| headers.contains_key(*name));
    !forwarded && peer.is_some_and(|peer| peer.0.ip().to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, value: &str) -> RequestContext {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        RequestContext::read(&headers)
    }

    #[test]
    fn good_ids_are_taken_over_and_bad_ones_replaced() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = read("traceparent", trace);
        assert_eq!(context.trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.traceparent.as_deref(), Some(trace));
        assert_eq!(context.request_id, context.trace_id);
        for bad in [
            "",
            "01-2-3-4",
            &trace.to_uppercase(),
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        ] {
            assert_eq!(read("traceparent", bad).traceparent, None, "{bad}");
        }
        assert_eq!(read("x-request-id", "abc-1").request_id, "abc-1");
        assert_ne!(read("x-request-id", "a b").request_id, "a b");
        assert_ne!(read("x-request-id", &"x".repeat(65)).request_id.len(), 65);
        let id = Uuid::now_v7();
        assert_eq!(read("x-correlation-id", &id.to_string()).correlation_id, id);
    }

    #[test]
    fn a_proxy_on_this_machine_is_not_local() {
        let mut headers = HeaderMap::new();
        let peer = |text: &str| Peer(text.parse().unwrap());
        assert!(is_local(Some(&peer("127.0.0.1:1")), &headers));
        assert!(is_local(Some(&peer("[::ffff:127.0.0.1]:1")), &headers));
        assert!(!is_local(Some(&peer("10.0.0.1:1")), &headers));
        assert!(!is_local(None, &headers));
        headers.insert("x-forwarded-for", "203.0.113.9".parse().unwrap());
        assert!(!is_local(Some(&peer("127.0.0.1:1")), &headers));
    }
}
