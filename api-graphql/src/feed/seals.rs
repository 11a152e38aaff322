//! `GET /v1/seals`: the signed heads of the chain, for auditors to keep elsewhere.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, header, request::Parts},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use store::{
    LogId, Position,
    hash::{hex, unhex},
    seal::{Seal, Sealable, Signature},
};

use super::{Feed, ask};
use crate::{
    context::RequestContext,
    http::{Operation, problem::HttpProblem, turned},
};

/// A seal as it is written down for others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WrittenSeal {
    /// Which log.
    pub log_id: i16,
    /// The head's position.
    pub position: i64,
    /// The chain's hash there, hexadecimal.
    pub hash: String,
    /// When the event there was recorded.
    pub recorded_at: String,
    /// When the seal was made.
    pub sealed_at: String,
    /// A short name of the key.
    pub key_id: String,
    /// The public key, base64.
    pub public_key: String,
    /// The signature, base64.
    pub signature: String,
}

impl From<Seal> for WrittenSeal {
    fn from(Seal { head, signed }: Seal) -> Self {
        Self {
            log_id: head.log_id.0,
            position: head.position.0,
            hash: hex(&head.hash),
            recorded_at: time(head.recorded_at),
            sealed_at: time(head.sealed_at),
            key_id: signed.key_id,
            public_key: STANDARD.encode(signed.public_key),
            signature: STANDARD.encode(signed.signature),
        }
    }
}

impl WrittenSeal {
    /// The seal; `None` where a field has not its form.
    pub fn seal(&self) -> Option<Seal> {
        let time = |text: &str| text.parse::<DateTime<Utc>>().ok();
        Some(Seal {
            head: Sealable {
                log_id: LogId(self.log_id),
                position: Position(self.position),
                hash: unhex(&self.hash)?,
                recorded_at: time(&self.recorded_at)?,
                sealed_at: time(&self.sealed_at)?,
            },
            signed: Signature {
                key_id: self.key_id.clone(),
                public_key: STANDARD.decode(&self.public_key).ok()?,
                signature: STANDARD.decode(&self.signature).ok()?,
            },
        })
    }
}

/// To the microsecond, which is what is signed.
fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[derive(Serialize)]
struct Page {
    seals: Vec<WrittenSeal>,
}

/// `GET /v1/seals`.
pub(super) async fn seals(State(feed): State<Arc<Feed>>, request: Request) -> Response {
    let context = RequestContext::of(&request);
    let (parts, _) = request.into_parts();
    let mut response = match answer(&feed, &parts).await {
        Ok(response) => response,
        Err(problem) => turned(problem, &context),
    };
    let operation = Operation("seals".to_owned());
    response.extensions_mut().insert(operation);
    response
}

async fn answer(feed: &Feed, parts: &Parts) -> Result<Response, HttpProblem> {
    feed.caller(parts).await?;
    let (after, limit) = ask::seals(&parts.uri)?;
    let seals = feed.reader.seals(after, limit).await?;
    let page = Page {
        seals: seals.into_iter().map(WrittenSeal::from).collect(),
    };
    let body = serde_json::to_vec(&page).map_err(|error| super::fault(&error))?;
    let mut response = Response::new(Body::from(body));
    let headers = response.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::CACHE_CONTROL, super::NOT_AT_ALL);
    Ok(response)
}
