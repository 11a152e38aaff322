//! From bytes to an order command, through the whole HTTP handler: the answer is never a 500 and nothing panics.
//!
//! The input is the `variables` of a `placeOrder`, or, where it does not start with `{`, the whole document.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use api_graphql::auth::{AuthConfig, Authenticator, RegionStores, TokenRequest};
use api_graphql::backend::{Backend, RefusedAccess};
use api_graphql::health::{Lifecycle, Part, Parts};
use api_graphql::{ApiState, limits::Limits, rate::Rates, router};
use async_trait::async_trait;
use axum::{Router, body::Body, http::Request as HttpRequest};
use commands::{CommandError, Outcome, Request};
use domain::actor::{Role, StoreScope};
use domain::ids::{OrderId, RegionId, StoreId};
use domain::order::command::Contact;
use domain::order::event::{SealedContact, System};
use libfuzzer_sys::fuzz_target;
use projections::freshness::ModelStatus;
use projections::order_view::{HistoryPage, OrderRow, Page, PageRequest};
use projections::store_board::StoreCount;
use projections::{Model, Reached, ReadError};
use store::Position;
use tower::ServiceExt;

/// A ledger without orders that carries out nothing.
struct Nothing;

#[async_trait]
impl Backend for Nothing {
    async fn execute(&self, _: Request) -> Result<Outcome, CommandError> {
        Err(CommandError::Overloaded)
    }
    async fn open_contact(&self, _: &SealedContact) -> Result<Option<Contact>, String> {
        Ok(None)
    }
    async fn wait(&self, _: Model, _: Position, _: Duration) -> Result<Reached, ReadError> {
        Ok(Reached::Fresh)
    }
    async fn order(&self, _: OrderId) -> Result<Option<OrderRow>, ReadError> {
        Ok(None)
    }
    async fn order_by_ref(&self, _: System, _: &str) -> Result<Option<OrderRow>, ReadError> {
        Ok(None)
    }
    async fn orders(&self, _: &PageRequest) -> Result<Page, ReadError> {
        Ok(Page::default())
    }
    async fn history(&self, _: OrderId, _: i64, _: i64) -> Result<HistoryPage, ReadError> {
        Ok(HistoryPage::default())
    }
    async fn board(
        &self,
        _: &StoreScope,
        _: Option<&[StoreId]>,
    ) -> Result<Vec<StoreCount>, ReadError> {
        Ok(Vec::new())
    }
    async fn models(&self) -> Result<Vec<ModelStatus>, ReadError> {
        Ok(Vec::new())
    }
    async fn refused(&self, _: RefusedAccess) {}
}

#[async_trait]
impl Parts for Nothing {
    async fn check(&self) -> Vec<Part> {
        Vec::new()
    }
}

impl RegionStores for Nothing {
    fn stores_of(&self, _: &RegionId) -> Vec<StoreId> {
        Vec::new()
    }
}

struct World {
    runtime: tokio::runtime::Runtime,
    router: Router,
    token: String,
    _keys: tempfile::TempDir,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let keys = tempfile::tempdir().expect("a directory");
    let config = AuthConfig {
        local_keys: Some(keys.path().into()),
        ..AuthConfig::default()
    };
    let authenticator = Arc::new(Authenticator::open(config, Arc::new(Nothing)).expect("keys"));
    let request = TokenRequest {
        subject: "fuzz".into(),
        role: Role::Admin,
        stores: Vec::new(),
        region: None,
        scope: None,
        load_test: true,
        lifetime: Duration::from_secs(7 * 24 * 60 * 60),
    };
    let token = authenticator.issue(&request).expect("a token");
    let router = router(ApiState {
        backend: Arc::new(Nothing),
        authenticator,
        parts: Arc::new(Nothing),
        lifecycle: Lifecycle::default(),
        render_metrics: Arc::new(String::new),
        rates: Rates::default(),
        limits: Limits::default(),
        introspection: true,
        graphiql: false,
        operations: true,
        feed: None,
    });
    World {
        runtime,
        router,
        token,
        _keys: keys,
    }
});

const PLACE: &str =
    "mutation($input: PlaceOrderInput!) { placeOrder(input: $input) { problems { code path } } }";

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let body = if text.trim_start().starts_with('{') {
        format!(
            "{{\"query\":{},\"variables\":{{\"input\":{text}}}}}",
            serde_json::json!(PLACE)
        )
    } else {
        serde_json::json!({ "query": text }).to_string()
    };
    let world = &*WORLD;
    let request = HttpRequest::post("/graphql")
        .header("authorization", format!("Bearer {}", world.token))
        .header("content-type", "application/json")
        .body(Body::from(body))
        .expect("a request");
    let response = world
        .runtime
        .block_on(world.router.clone().oneshot(request))
        .expect("an answer");
    assert!(response.status().as_u16() < 500, "{}", response.status());
});
