//! `/livez`, `/readyz` and `/metrics`.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::actor::Action;
use projections::{Nodes, freshness, nodes::Standing};
use serde::Serialize;
use store::Log;
use tokio::sync::watch;

use crate::{
    auth::{self, AuthError, Authenticator},
    context::{Peer, RequestContext, is_local},
    http::{problem::HttpProblem, turned},
};

/// How long the parts have to say how they are.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// How one part of the ledger is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// Its name, such as `database`.
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// Whether the ledger cannot serve without it.
    pub required: bool,
    /// How it is, in words and figures; says nothing secret.
    pub detail: String,
}

/// Asks the parts of the ledger how they are.
#[async_trait]
pub trait Parts: Send + Sync {
    /// One entry a part.
    async fn check(&self) -> Vec<Part>;
}

/// Whether the process is on its way out. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle(Arc<watch::Sender<bool>>);

impl Lifecycle {
    /// From now on `/readyz` answers 503, so that no new traffic is sent here.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whether [`Self::stop`] was called.
    pub fn is_stopping(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when [`Self::stop`] was called: what waits for news gives up then.
    pub async fn stopping(&self) {
        // An error would mean that the sender is gone, and we hold it.
        let _ = self.0.subscribe().wait_for(|stopping| *stopping).await;
    }
}

/// The database behind the log and the read models over it.
#[derive(Clone)]
pub struct LedgerParts {
    /// The log.
    pub log: Log,
    /// The read side.
    pub nodes: Nodes,
    /// A read model this far behind is not well.
    pub lag_limit: Duration,
}

#[async_trait]
impl Parts for LedgerParts {
    async fn check(&self) -> Vec<Part> {
        let database = match self.log.head().await {
            Ok(head) => part(
                "database",
                true,
                true,
                format!("the log ends at {}", head.position.0),
            ),
            Err(error) => {
                // The address and the statement stay in the log.
                tracing::warn!(%error, "the readiness check cannot reach the database");
                return vec![part("database", false, true, "does not answer".into())];
            }
        };
        let mut parts = vec![database];
        match freshness::status(self.nodes.primary(), self.log.log_id()).await {
            Ok(models) => parts.extend(models.into_iter().map(|model| {
                let late = u128::from(model.lag_millis.unsigned_abs()) > self.lag_limit.as_millis();
                let behind = format!(
                    "{} events, {} ms behind",
                    model.lag_events(),
                    model.lag_millis.max(0)
                );
                let detail = match &model.failed {
                    Some(failed) => format!("stands still at {}; {behind}", failed.position.0),
                    None => behind,
                };
                part(
                    model.model.name(),
                    model.failed.is_none() && !late,
                    false,
                    detail,
                )
            })),
            Err(error) => {
                tracing::warn!(%error, "the readiness check cannot read the checkpoints");
                parts.push(part("projections", false, false, "cannot be read".into()));
            }
        }
        parts.extend(self.nodes.replicas().into_iter().map(|node| {
            let ok = node.standing == Standing::Ready;
            let detail = format!("{}; {}", node.standing.as_str(), node.detail);
            part(&node.name, ok, false, detail)
        }));
        parts
    }
}

fn part(name: &str, ok: bool, required: bool, detail: String) -> Part {
    Part {
        name: name.to_owned(),
        ok,
        required,
        detail,
    }
}

/// What the operations pages need.
pub(crate) struct Operations {
    pub(crate) parts: Arc<dyn Parts>,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) render_metrics: Arc<dyn Fn() -> String + Send + Sync>,
    pub(crate) authenticator: Arc<Authenticator>,
    /// Whether everybody who gets here may see everything: on a listener of its own, which is kept private.
    pub(crate) private: bool,
}

/// The process runs and its scheduler answers; nothing else, so that a broken database restarts nobody.
pub(crate) async fn livez() -> Response {
    Json(serde_json::json!({ "status": "alive" })).into_response()
}

#[derive(Serialize)]
struct Readiness {
    status: &'static str,
    parts: Vec<Part>,
}

/// Whether traffic may be sent here, and if not, which part is in the way.
pub(crate) async fn readyz(State(operations): State<Arc<Operations>>) -> Response {
    let parts = match tokio::time::timeout(CHECK_TIMEOUT, operations.parts.check()).await {
        Ok(parts) => parts,
        Err(_) => vec![part(
            "checks",
            false,
            true,
            format!("no answer within {} ms", CHECK_TIMEOUT.as_millis()),
        )],
    };
    let failing = parts.iter().any(|p| !p.ok && p.required);
    let (code, status) = if operations.lifecycle.is_stopping() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping")
    } else if failing {
        (StatusCode::SERVICE_UNAVAILABLE, "failing")
    } else if parts.iter().any(|p| !p.ok) {
        (StatusCode::OK, "degraded")
    } else {
        (StatusCode::OK, "ready")
    };
    let mut response = (code, Json(Readiness { status, parts })).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Figures in Prometheus' text format: on a listener of their own and for this machine without a token, else for a
/// role that operates the ledger.
pub(crate) async fn metrics(
    State(operations): State<Arc<Operations>>,
    request: Request,
) -> Response {
    let context = RequestContext::read(request.headers());
    if !operations.private && !is_local(request.extensions().get::<Peer>(), request.headers()) {
        let authorization = auth::authorization(request.headers());
        let caller = operations.authenticator.caller(authorization).await;
        match caller {
            Ok(caller) if caller.actor.role.may(Action::Operate) && caller.scopes.read => {}
            Ok(_) => {
                return turned(
                    HttpProblem::forbidden("your role may not read metrics"),
                    &context,
                );
            }
            Err(AuthError::Missing) => {
                return turned(HttpProblem::unauthenticated(&AuthError::Missing), &context);
            }
            Err(error) => return turned(HttpProblem::unauthenticated(&error), &context),
        }
    }
    let mut response = Response::new((operations.render_metrics)().into());
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
