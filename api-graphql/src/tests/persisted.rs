//! Operations by their hash: as Apollo's clients ask, and from a list of those that alone may run.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};
use store::hash::hex;

use super::{
    fake::{Answer, PLACE, World, place_input},
    *,
};
use crate::{
    digest::sha256,
    operations::{AllowList, OperationHash, OperationStore},
};

const BOARD: &str = "query Board { storeBoard { count } }";

fn extensions(text: &str) -> Value {
    json!({ "persistedQuery": { "version": 1, "sha256Hash": hex(&sha256(text.as_bytes())) } })
}

async fn by_hash(world: &World, text: &str) -> Answer {
    world
        .post(json!({ "extensions": extensions(text) }).to_string())
        .await
}

async fn with_text(world: &World, text: &str) -> Answer {
    let body = json!({ "query": text, "extensions": extensions(text) });
    world.post(body.to_string()).await
}

#[tokio::test]
async fn a_hash_is_not_known_then_learnt_then_enough() {
    let world = World::new();
    let unknown = by_hash(&world, BOARD).await;
    assert_eq!(unknown.code(), "PERSISTED_QUERY_NOT_FOUND");
    assert_eq!(
        unknown.json()["errors"][0]["message"],
        "PersistedQueryNotFound"
    );
    assert!(unknown.json().get("data").is_none());
    let learnt = with_text(&world, BOARD).await;
    assert_eq!(learnt.json()["data"], json!({ "storeBoard": [] }));
    let known = by_hash(&world, BOARD).await;
    assert_eq!(known.result(), learnt.result());
    // A GET, as clients send it for the sake of caches.
    let token = world.token(Role::Admin, &[]);
    let text = extensions(BOARD)
        .to_string()
        .replace('"', "%22")
        .replace('{', "%7B")
        .replace('}', "%7D");
    let request = HttpRequest::get(format!("/graphql?operationName=Board&extensions={text}"))
        .header("authorization", format!("Bearer {token}"));
    let known = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(known.result(), learnt.result());
}

#[tokio::test]
async fn a_command_by_its_hash_runs_with_its_variables() {
    let world = World::new();
    let body = |text: Option<&str>| {
        json!({ "query": text, "variables": { "input": place_input() }, "extensions": extensions(PLACE) })
            .to_string()
    };
    let first = world.post(body(Some(PLACE))).await;
    assert_eq!(first.json()["data"]["placeOrder"]["problems"], json!([]));
    let mut other = place_input();
    other["alternateOrderId"] = json!("2");
    let second = world.post(body(None)).await;
    assert!(
        second.json()["data"]["placeOrder"].is_object(),
        "{}",
        second.body
    );
}

#[tokio::test]
async fn only_what_passes_the_limits_is_kept() {
    let world = World::new();
    let dear =
        "{ orders(first: 100) { edges { node { id history(first: 100) { nodes { type } } } } } }";
    for (text, code) in [
        (dear, "COST_EXCEEDED"),
        ("{ storeBoard { ", "GRAPHQL_PARSE_FAILED"),
        ("{ orders(sort: 7) { edges { cursor } } }", "INVALID_INPUT"),
    ] {
        assert_eq!(with_text(&world, text).await.code(), code, "{text}");
        assert_eq!(
            by_hash(&world, text).await.code(),
            "PERSISTED_QUERY_NOT_FOUND",
            "{text}"
        );
    }
    let long = format!(
        "{BOARD} #{}",
        "x".repeat(crate::operations::MAX_STORED_TEXT)
    );
    assert_eq!(with_text(&world, &long).await.status, StatusCode::OK);
    assert_eq!(
        by_hash(&world, &long).await.code(),
        "PERSISTED_QUERY_NOT_FOUND"
    );
    // Who is not signed in teaches nothing and is told nothing.
    let introspection = "{ __schema { queryType { name } } }";
    let anonymous = async |body: Value| {
        let request = HttpRequest::post("/graphql").header("content-type", "application/json");
        world
            .send(request.body(Body::from(body.to_string())).unwrap())
            .await
    };
    let body = json!({ "query": introspection, "extensions": extensions(introspection) });
    assert_eq!(anonymous(body).await.status, StatusCode::OK);
    assert_eq!(
        by_hash(&world, introspection).await.code(),
        "PERSISTED_QUERY_NOT_FOUND"
    );
    with_text(&world, BOARD).await;
    let asked = anonymous(json!({ "extensions": extensions(BOARD) })).await;
    assert_eq!(asked.code(), "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_hash_of_another_text_or_form_is_refused() {
    let world = World::new();
    let body = json!({ "query": "{ __typename }", "extensions": extensions(BOARD) });
    assert_eq!(
        world.post(body.to_string()).await.code(),
        "PERSISTED_QUERY_MISMATCH"
    );
    assert_eq!(
        by_hash(&world, BOARD).await.code(),
        "PERSISTED_QUERY_NOT_FOUND"
    );
    for (asked, code) in [
        (
            json!({ "version": 2, "sha256Hash": "x" }),
            "PERSISTED_QUERY_NOT_SUPPORTED",
        ),
        (json!("x"), "PERSISTED_QUERY_NOT_SUPPORTED"),
        (json!({ "version": 1, "sha256Hash": "x" }), "BAD_REQUEST"),
        (json!({ "version": 1 }), "BAD_REQUEST"),
    ] {
        let body = json!({ "extensions": { "persistedQuery": asked } });
        assert_eq!(world.post(body.to_string()).await.code(), code, "{body}");
    }
    let none = World::with(|state| state.persisted = None);
    assert_eq!(
        by_hash(&none, BOARD).await.code(),
        "PERSISTED_QUERY_NOT_SUPPORTED"
    );
    assert_eq!(with_text(&none, BOARD).await.status, StatusCode::OK);
}

/// Gives whatever is in it, for every hash.
#[derive(Default)]
struct Poisoned(Mutex<Option<Arc<str>>>);

#[async_trait]
impl OperationStore for Poisoned {
    async fn get(&self, _: &OperationHash) -> Option<Arc<str>> {
        self.0.lock().unwrap().clone()
    }

    async fn put(&self, _: &OperationHash, text: &str) {
        *self.0.lock().unwrap() = Some(text.into());
    }
}

#[tokio::test]
async fn a_poisoned_store_changes_nothing() {
    let world = World::with(|state| state.persisted = Some(Arc::new(Poisoned::default())));
    with_text(&world, BOARD).await;
    assert_eq!(by_hash(&world, BOARD).await.status, StatusCode::OK);
    let other = "query Board { orders { edges { cursor } } }";
    assert_eq!(
        by_hash(&world, other).await.code(),
        "PERSISTED_QUERY_NOT_FOUND"
    );
}

#[tokio::test]
async fn only_listed_operations_run() {
    let manifest = json!({ hex(&sha256(BOARD.as_bytes())): BOARD }).to_string();
    let list = AllowList::read(manifest.as_bytes()).unwrap();
    let world = World::with(|state| state.allowed = Some(Arc::new(list)));
    let text = world.query(BOARD, json!({})).await;
    assert_eq!(text.json()["data"], json!({ "storeBoard": [] }));
    for known in [by_hash(&world, BOARD).await, with_text(&world, BOARD).await] {
        assert_eq!(known.result(), text.result());
    }
    for other in [
        "{ __typename }",
        "query Board { storeBoard { count }  }",
        PLACE,
    ] {
        for refused in [
            world.query(other, json!({ "input": place_input() })).await,
            by_hash(&world, other).await,
            with_text(&world, other).await,
        ] {
            assert_eq!(refused.code(), "OPERATION_NOT_ALLOWED", "{other}");
            assert!(refused.json().get("data").is_none());
        }
    }
    assert_eq!(world.fake.log.lock().unwrap().len(), 0);
    let body = json!({ "query": PLACE, "extensions": extensions(BOARD) });
    assert_eq!(
        world.post(body.to_string()).await.code(),
        "PERSISTED_QUERY_MISMATCH"
    );
}
