//! A small HTTP client for the API: each call on a connection of its own.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Response {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }
}

/// The API of one address, as one caller.
#[derive(Clone)]
pub struct Api {
    address: String,
    token: String,
}

impl Api {
    /// An API at `127.0.0.1:PORT`; no token where it is empty.
    pub const fn new(address: String, token: String) -> Self {
        Self { address, token }
    }

    /// One request, with the caller's token.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> anyhow::Result<Response> {
        let stream = TcpStream::connect(&self.address).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.address);
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = sender
            .send_request(request.body(Full::new(body.into()))?)
            .await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Response {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }

    /// A GET.
    pub async fn try_get(&self, path: &str) -> anyhow::Result<Response> {
        self.request(Method::GET, path, &[], Bytes::new()).await
    }

    /// A GET that must be answered.
    pub async fn get(&self, path: &str) -> Response {
        self.try_get(path)
            .await
            .unwrap_or_else(|e| panic!("GET {path}: {e}"))
    }

    /// One GraphQL request, whatever comes back.
    pub async fn try_graphql(&self, query: &str, variables: &Value) -> anyhow::Result<Response> {
        let body = serde_json::to_vec(&json!({ "query": query, "variables": variables }))?;
        self.request(
            Method::POST,
            "/graphql",
            &[("content-type", "application/json")],
            body,
        )
        .await
    }

    /// One GraphQL request that must be executed without errors; its `data`.
    pub async fn graphql(&self, query: &str, variables: Value) -> Value {
        let response = self
            .try_graphql(query, &variables)
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        let answer = response.json();
        assert!(
            response.status == 200 && answer.get("errors").is_none(),
            "{}: {answer:#}",
            response.status
        );
        answer["data"].clone()
    }
}
