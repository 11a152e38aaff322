//! A small HTTP client for the API: each call on a connection of its own, plain or over TLS.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Method, Request, Response as Answer,
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use crate::Trust;

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

/// Server-sent events, one after the other.
#[derive(Debug)]
pub struct Stream {
    /// Headers.
    pub headers: HeaderMap,
    body: Incoming,
    text: String,
}

/// One of them: the values of its fields, empty where it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frame {
    /// Where to go on.
    pub id: String,
    /// What it says.
    pub data: String,
}

impl Stream {
    /// The next one with an id; `None` at the end.
    pub async fn next(&mut self) -> anyhow::Result<Option<Frame>> {
        self.next_where(|frame| !frame.id.is_empty()).await
    }

    /// The next answer to a GraphQL operation that was sent with [`Api::subscribe`]: its `data`.
    pub async fn next_data(&mut self) -> Value {
        let next = self.next_where(|frame| !frame.data.is_empty()).await;
        let frame = next.unwrap().expect("the stream goes on");
        let answer: Value = serde_json::from_str(&frame.data).unwrap();
        assert!(answer.get("errors").is_none(), "{answer:#}");
        answer["data"].clone()
    }

    async fn next_where(&mut self, wanted: fn(&Frame) -> bool) -> anyhow::Result<Option<Frame>> {
        loop {
            while let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| {
                    let mut lines = block.lines();
                    let value = lines.find_map(|line| line.strip_prefix(name));
                    value.unwrap_or_default().to_owned()
                };
                let frame = Frame {
                    id: field("id: "),
                    data: field("data: "),
                };
                if wanted(&frame) {
                    return Ok(Some(frame));
                }
            }
            match self.body.frame().await {
                Some(frame) => {
                    let bytes = frame?.into_data().unwrap_or_default();
                    self.text.push_str(std::str::from_utf8(&bytes)?);
                }
                None => return Ok(None),
            }
        }
    }
}

/// The API of one address, as one caller.
#[derive(Clone)]
pub struct Api {
    address: String,
    token: String,
    trust: Option<Trust>,
}

impl Api {
    /// An API at `127.0.0.1:PORT`; no token where it is empty.
    pub const fn new(address: String, token: String) -> Self {
        Self {
            address,
            token,
            trust: None,
        }
    }

    /// The same over TLS, by the HTTP that is agreed on.
    #[must_use]
    pub fn over_tls(mut self, trust: &Trust) -> Self {
        self.trust = Some(trust.clone());
        self
    }

    /// One request, with the caller's token.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> anyhow::Result<Response> {
        let (status, headers, body) = self.open(method, path, headers, body.into()).await?;
        let body = body.collect().await?.to_bytes();
        Ok(Response {
            status,
            headers,
            body,
        })
    }

    /// One request whose body is still on its way.
    async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<(u16, HeaderMap, Incoming)> {
        let mut request = Request::builder().method(method);
        if !self.token.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body))?;
        let stream = TcpStream::connect(&self.address).await?;
        let response = match &self.trust {
            None => self.ask_http1(stream, request, path).await?,
            Some(trust) => {
                let stream = trust.connect(stream).await?;
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    self.ask_http2(stream, request, path).await?
                } else {
                    self.ask_http1(stream, request, path).await?
                }
            }
        };
        let (parts, body) = response.into_parts();
        Ok((parts.status.as_u16(), parts.headers, body))
    }

    async fn ask_http1(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        mut request: Request<Full<Bytes>>,
        path: &str,
    ) -> anyhow::Result<Answer<Incoming>> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        *request.uri_mut() = path.parse()?;
        let host = self.address.parse()?;
        request.headers_mut().insert("host", host);
        Ok(sender.send_request(request).await?)
    }

    async fn ask_http2(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        mut request: Request<Full<Bytes>>,
        path: &str,
    ) -> anyhow::Result<Answer<Incoming>> {
        let io = TokioIo::new(stream);
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
        tokio::spawn(connection);
        *request.uri_mut() = format!("https://{}{path}", self.address).parse()?;
        Ok(sender.send_request(request).await?)
    }

    /// Opens a stream of server-sent events; what came instead where it is no 200.
    pub async fn stream(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Result<Stream, Response>> {
        let (status, headers, body) = self.open(Method::GET, path, headers, Bytes::new()).await?;
        if status == 200 {
            return Ok(Ok(Stream {
                headers,
                body,
                text: String::new(),
            }));
        }
        let body = body.collect().await?.to_bytes();
        Ok(Err(Response {
            status,
            headers,
            body,
        }))
    }

    /// Opens a GraphQL subscription as server-sent events.
    pub async fn subscribe(&self, query: &str) -> Stream {
        let headers = [
            ("content-type", "application/json"),
            ("accept", "text/event-stream"),
        ];
        let body = serde_json::to_vec(&json!({ "query": query })).unwrap();
        let opened = self.open(Method::POST, "/graphql", &headers, body.into());
        let (status, headers, body) = opened.await.unwrap();
        assert_eq!(status, 200, "{query}");
        Stream {
            headers,
            body,
            text: String::new(),
        }
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
