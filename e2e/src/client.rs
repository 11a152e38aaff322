//! One keep-alive connection to a ledger, for whoever sends much: benchmarks above all.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    HeaderMap, Request,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// A ledger's address and a token for it.
#[derive(Debug, Clone)]
pub struct Target {
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// Whose requests they are.
    pub token: String,
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

/// One connection by HTTP/1.1; one request at a time.
#[derive(Debug)]
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    target: Target,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// Nobody answers there.
    pub async fn connect(target: &Target) -> Result<Self> {
        let stream = TcpStream::connect(&target.address)
            .await
            .context("the API does not answer")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            target: target.clone(),
        })
    }

    /// Sends a request with a body of JSON and waits for all of the answer.
    ///
    /// # Errors
    /// The connection has ended.
    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.target.address)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", self.target.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.sender.ready().await?;
        let request = request.body(Full::new(Bytes::from(body)))?;
        let response = self.sender.send_request(request).await?;
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.into_body().collect().await?.to_bytes(),
        })
    }

    /// Sends an operation that must be carried out; its `data`.
    ///
    /// # Errors
    /// It was not, or the connection has ended.
    pub async fn graphql(&mut self, query: &str, variables: &Value) -> Result<Value> {
        let body = serde_json::to_vec(&json!({ "query": query, "variables": variables }))?;
        let answer = self.send("POST", "/graphql", &[], body).await?;
        let text = || String::from_utf8_lossy(&answer.body).into_owned();
        ensure!(answer.status == 200, "{}: {}", answer.status, text());
        let mut read: Value = serde_json::from_slice(&answer.body)?;
        ensure!(read.get("errors").is_none(), "{}", text());
        Ok(read["data"].take())
    }
}
