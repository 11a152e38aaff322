//! One keep-alive connection to a ledger.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

/// A ledger's address and a token for it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: String,
    pub(crate) token: String,
}

pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    target: Target,
}

impl Client {
    pub(crate) async fn connect(target: &Target) -> Result<Self> {
        let stream = TcpStream::connect(&target.address)
            .await
            .context("the API does not answer")?;
        stream.set_nodelay(true)?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            target: target.clone(),
        })
    }

    /// Sends an operation that must be carried out; its `data`.
    pub(crate) async fn graphql(&mut self, query: &str, variables: &Value) -> Result<Value> {
        let body = serde_json::to_vec(&json!({ "query": query, "variables": variables }))?;
        let request = Request::post("/graphql")
            .header("host", &self.target.address)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", self.target.token))
            .body(Full::new(Bytes::from(body)))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let text = || String::from_utf8_lossy(&body).into_owned();
        ensure!(status == StatusCode::OK, "{status}: {}", text());
        let mut answer: Value = serde_json::from_slice(&body)?;
        ensure!(answer.get("errors").is_none(), "{}", text());
        Ok(answer["data"].take())
    }
}
