//! A ledger in memory: the real decisions of the domain, no log.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request as HttpRequest, StatusCode, header},
};
use chrono::Utc;
use commands::{CommandError, LoadedOrder, Outcome, Receipt, Request, Target};
use domain::{
    actor::{Role, StoreScope},
    ids::{OrderId, OrderNumber, RegionId, StoreId},
    money::Money,
    order::{
        Facts, Order, OrderCommand,
        command::Contact,
        event::{SealedContact, System},
        facts::{Standing, StoreFacts},
    },
};
use http_body_util::BodyExt;
use projections::{
    Model, Reached, ReadError,
    freshness::ModelStatus,
    order_view::{Edge, HistoryPage, OrderRow, Page, PageRequest},
    store_board::StoreCount,
};
use serde_json::Value;
use store::Position;
use tower::ServiceExt;
use uuid::Uuid;

use crate::{
    ApiState,
    auth::{AuthConfig, Authenticator, RegionStores, TokenRequest},
    backend::{Backend, RefusedAccess},
    health::{Lifecycle, Part, Parts},
    limits::Limits,
    router,
};

/// What a fault of the fake is to be.
#[derive(Default)]
pub(crate) struct Fake {
    orders: Mutex<BTreeMap<OrderId, (i64, Arc<Order>)>>,
    pub(crate) refused: Mutex<Vec<RefusedAccess>>,
    /// What the next command answers instead.
    pub(crate) next: Mutex<Option<CommandError>>,
    /// The read side fails, the vault panics.
    pub(crate) broken: AtomicBool,
    /// The read side never gets anywhere.
    pub(crate) stale: AtomicBool,
    /// Every command takes this long.
    pub(crate) slow: Mutex<Duration>,
}

impl Fake {
    fn row(&self, id: OrderId) -> Option<OrderRow> {
        let orders = self.orders.lock().unwrap();
        let (version, order) = orders.get(&id)?;
        let now = Utc::now();
        let order = (**order).clone();
        Some(OrderRow {
            id,
            version: *version,
            position: Position(*version),
            order,
            placed_at: now,
            updated_at: now,
        })
    }

    fn check(&self) -> Result<(), ReadError> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(ReadError::Corrupt(
                "the fake is broken: secret detail".into(),
            )),
            false => Ok(()),
        }
    }
}

fn facts() -> Facts {
    let store = StoreFacts {
        region: RegionId::new("BKK").unwrap(),
        active: true,
        cod_limit: Some(Money::from_units(50_000_000)),
    };
    Facts {
        now: Utc::now(),
        store: Some(store),
        number: Some(OrderNumber::new("QC-2026-01-31-000001").unwrap()),
        contact: Some(SealedContact {
            subject: "order:1".into(),
            sealed: "c2VhbGVk".into(),
        }),
        customer: Standing::NotChecked,
        membership: Standing::NotChecked,
    }
}

#[async_trait]
impl Backend for Fake {
    async fn execute(&self, request: Request) -> Result<Outcome, CommandError> {
        let slow = *self.slow.lock().unwrap();
        tokio::time::sleep(slow).await;
        if let Some(error) = self.next.lock().unwrap().take() {
            return Err(error);
        }
        let action = request.command.action();
        if !request.actor.role.may(action) {
            return Err(CommandError::Forbidden { action });
        }
        let id = match request.target {
            Target::New => OrderId(Uuid::now_v7()),
            Target::Order(id) => id,
        };
        let mut orders = self.orders.lock().unwrap();
        let (version, order) = match (request.target, orders.get(&id)) {
            (Target::New, _) => (0, Arc::default()),
            (_, Some(known)) if request.actor.stores.covers(&known.1.store_id) => known.clone(),
            _ => return Err(CommandError::NotFound(id)),
        };
        if let Some(expected) = request.expected_version.filter(|v| *v != version) {
            return Err(CommandError::VersionConflict {
                expected: Some(expected),
                actual: version,
            });
        }
        let mut facts = facts();
        if !matches!(&request.command, OrderCommand::Place(p) if p.contact.is_some()) {
            facts.contact = None;
        }
        let events = domain::order::decide(&order, &request.command, &request.actor, &facts)?;
        let mut order = (*order).clone();
        events.iter().for_each(|event| order.apply(event));
        let order = Arc::new(order);
        let version = version + i64::try_from(events.len()).unwrap();
        orders.insert(id, (version, Arc::clone(&order)));
        let receipt = Receipt {
            command_id: request.command_id,
            order_id: id,
            version,
            position: Position(version),
            event_ids: events.iter().map(|_| Uuid::now_v7()).collect(),
            replayed: false,
        };
        let now = Utc::now();
        let position = Position(version);
        let order = LoadedOrder {
            id,
            version,
            position,
            placed_at: now,
            updated_at: now,
            order,
        };
        Ok(Outcome { order, receipt })
    }

    async fn open_contact(&self, _: &SealedContact) -> Result<Option<Contact>, String> {
        assert!(!self.broken.load(Ordering::SeqCst), "the fake vault panics");
        Ok(Some(Contact {
            name: Some("สมชาย 😀".into()),
            ..Contact::default()
        }))
    }

    async fn wait(&self, _: Model, position: Position, _: Duration) -> Result<Reached, ReadError> {
        let stale = self.stale.load(Ordering::SeqCst) && position > Position(0);
        Ok(if stale {
            Reached::Stale { at: Position(0) }
        } else {
            Reached::Fresh
        })
    }

    async fn order(&self, id: OrderId) -> Result<Option<OrderRow>, ReadError> {
        self.check()?;
        Ok(self.row(id))
    }

    async fn order_by_ref(
        &self,
        system: System,
        reference: &str,
    ) -> Result<Option<OrderRow>, ReadError> {
        self.check()?;
        let holds = |o: &Order| {
            o.refs
                .iter()
                .any(|r| r.system == system && r.reference == reference)
        };
        let id = self
            .orders
            .lock()
            .unwrap()
            .iter()
            .find(|(_, (_, o))| holds(o))
            .map(|(id, _)| *id);
        Ok(id.and_then(|id| self.row(id)))
    }

    async fn orders(&self, request: &PageRequest) -> Result<Page, ReadError> {
        self.check()?;
        let ids: Vec<_> = self.orders.lock().unwrap().keys().copied().collect();
        let rows = ids.into_iter().filter_map(|id| self.row(id));
        let seen = rows.filter(|r| request.filter.allowed.covers(&r.order.store_id));
        let edges = seen
            .map(|row| Edge {
                cursor: row.id.to_string(),
                row,
            })
            .collect();
        Ok(Page {
            edges,
            has_next: false,
            has_previous: false,
        })
    }

    async fn history(&self, _: OrderId, _: i64, _: i64) -> Result<HistoryPage, ReadError> {
        self.check()?;
        Ok(HistoryPage::default())
    }

    async fn board(
        &self,
        allowed: &StoreScope,
        _: Option<&[StoreId]>,
    ) -> Result<Vec<StoreCount>, ReadError> {
        let ids = self.orders.lock().unwrap();
        let count = |o: &Order| StoreCount {
            store_id: o.store_id.clone(),
            region: o.region.clone(),
            status: o.status,
            count: 1,
        };
        Ok(ids
            .values()
            .map(|(_, o)| count(o))
            .filter(|c| allowed.covers(&c.store_id))
            .collect())
    }

    async fn models(&self) -> Result<Vec<ModelStatus>, ReadError> {
        let status = |model| ModelStatus {
            model,
            position: Position(3),
            head: Position(5),
            lag_millis: 7,
            failed: None,
        };
        Ok(Model::ALL.into_iter().map(status).collect())
    }

    async fn refused(&self, access: RefusedAccess) {
        self.refused.lock().unwrap().push(access);
    }
}

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
            backend: Arc::clone(&fake) as Arc<dyn Backend>,
            authenticator: Arc::clone(&auth),
            parts: Arc::new(FixedParts(vec![part])),
            lifecycle: Lifecycle::default(),
            render_metrics: Arc::new(|| "ledger_up 1\n".to_owned()),
            limits: Limits::default(),
            introspection: true,
            graphiql: true,
            operations: true,
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
