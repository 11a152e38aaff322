//! A ledger in memory: the real decisions of the domain and the real postings, no log.

mod cash;
mod intake;
mod kinds;
mod ledger;
mod metrics;
mod past;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request as HttpRequest, StatusCode, header},
};
use domain::{
    actor::Role,
    ids::{RegionId, StoreId},
};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use uuid::Uuid;

use crate::{
    ApiState,
    auth::{AuthConfig, Authenticator, RegionStores, TokenRequest},
    backend::Backend,
    health::{Lifecycle, Part, Parts},
    limits::Limits,
    operations::InProcess,
    rate::Rates,
    router,
};

pub(crate) use ledger::Fake;
pub(crate) use metrics::FakeMetrics;

struct NoRegions;

impl RegionStores for NoRegions {
    fn stores_of(&self, _: &RegionId) -> Vec<StoreId> {
        Vec::new()
    }
}

pub(crate) struct FixedParts(pub(crate) Vec<Part>);

#[async_trait]
impl Parts for FixedParts {
    async fn check(&self) -> Vec<Part> {
        self.0.clone()
    }
}

/// The whole API over a fake ledger.
pub(crate) struct World {
    pub(crate) fake: Arc<Fake>,
    pub(crate) auth: Arc<Authenticator>,
    pub(crate) state: ApiState,
    pub(crate) router: Router,
    _keys: tempfile::TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }

    /// Without what it cost, which differs from request to request.
    pub(crate) fn result(&self) -> Value {
        let mut answer = self.json();
        if let Some(fields) = answer.as_object_mut() {
            fields.remove("extensions");
        }
        answer
    }

    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    /// The code of the first error.
    pub(crate) fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut ApiState)) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let config = AuthConfig {
            local_keys: Some(keys.path().into()),
            ..AuthConfig::default()
        };
        let auth = Arc::new(Authenticator::open(config, Arc::new(NoRegions)).unwrap());
        let fake = Arc::new(Fake::default());
        let part = Part {
            name: "database".into(),
            ok: true,
            required: true,
            detail: "fine".into(),
        };
        let mut state = ApiState {
            backend: Arc::new(Arc::clone(&fake)) as Arc<dyn Backend>,
            authenticator: Arc::clone(&auth),
            parts: Arc::new(FixedParts(vec![part])),
            lifecycle: Lifecycle::default(),
            render_metrics: Arc::new(|| "ledger_up 1\n".to_owned()),
            limits: Limits::default(),
            rates: Rates::default(),
            persisted: Some(Arc::new(InProcess::default())),
            allowed: None,
            introspection: true,
            graphiql: true,
            operations: true,
            feed: None,
        };
        change(&mut state);
        Self {
            fake,
            auth,
            router: router(state.clone()),
            state,
            _keys: keys,
        }
    }

    pub(crate) fn token(&self, role: Role, stores: &[&str]) -> String {
        self.scoped(role, stores, None)
    }

    pub(crate) fn scoped(&self, role: Role, stores: &[&str], scope: Option<&str>) -> String {
        let request = TokenRequest {
            subject: "tester".into(),
            role,
            stores: stores.iter().map(|s| StoreId::new(*s).unwrap()).collect(),
            region: None,
            scope: scope.map(str::to_owned),
            load_test: false,
            lifetime: Duration::from_secs(60),
        };
        self.auth.issue(&request).unwrap()
    }

    /// A token for load tests.
    pub(crate) fn load_token(&self, role: Role) -> String {
        let request = TokenRequest {
            subject: "tester".into(),
            role,
            stores: Vec::new(),
            region: None,
            scope: None,
            load_test: true,
            lifetime: Duration::from_secs(60),
        };
        self.auth.issue(&request).unwrap()
    }

    pub(crate) async fn send(&self, request: HttpRequest<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    /// POSTs a body as an administrator, accepting the GraphQL media type.
    pub(crate) async fn post(&self, body: impl Into<String>) -> Answer {
        self.post_as(&self.token(Role::Admin, &[]), body).await
    }

    pub(crate) async fn post_as(&self, token: &str, body: impl Into<String>) -> Answer {
        let request = HttpRequest::post("/graphql")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json");
        self.send(request.body(Body::from(body.into())).unwrap())
            .await
    }

    pub(crate) async fn query(&self, query: &str, variables: Value) -> Answer {
        self.post(serde_json::json!({ "query": query, "variables": variables }).to_string())
            .await
    }

    pub(crate) async fn query_as(&self, token: &str, query: &str, variables: Value) -> Answer {
        self.post_as(
            token,
            serde_json::json!({ "query": query, "variables": variables }).to_string(),
        )
        .await
    }
}

/// A good input for `placeOrder`.
pub(crate) fn place_input() -> Value {
    serde_json::json!({
        "commandId": Uuid::now_v7(), "channel": "GRAB", "storeId": "CFR029", "isForceAllocation": true,
        "alternateOrderId": "123456789-0001", "contact": { "name": "สมชาย 😀", "phone": "0812345678" },
        "lines": [{ "lineNumber": 1, "sku": "8850999220017", "quantity": "2", "unitPrice": "28.50" }],
    })
}

pub(crate) const PLACE: &str = "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) {
    order { id number status statusCode version store { id } totals { orderTotal } allowedCommands }
    receipt { commandId version position eventIds replayed }
    problems { __typename code message path retryable docs } } }";
