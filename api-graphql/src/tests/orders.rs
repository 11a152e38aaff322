//! The schema: payloads, problems, scope.

use commands::CommandError;
use domain::{ids::OrderId, order::Order};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use uuid::Uuid;

use super::fake::{PLACE, World, place_input};
use super::*;

async fn place(world: &World) -> String {
    let answer = world.query(PLACE, json!({ "input": place_input() })).await;
    let json = answer.json();
    json["data"]["placeOrder"]["order"]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{}", answer.body))
        .to_owned()
}

/// Runs a command that needs no content beyond `extra`.
async fn command(world: &World, token: &str, field: &str, order: &str, extra: &str) -> Value {
    let query = format!(
        "mutation($c: UUID!, $o: ID!) {{ {field}(input: {{ commandId: $c, orderId: $o {extra} }}) {{
            order {{ status statusCode version paymentStatus allowedCommands cashDue trackingId }}
            receipt {{ replayed }} problems {{ __typename code path retryable docs
                ... on VersionConflict {{ expected actual }} ... on TryAgain {{ outcomeUnknown }} }} }} }}"
    );
    let variables = json!({ "c": Uuid::now_v7(), "o": order });
    let answer = world.query_as(token, &query, variables).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.json()["data"][field].clone()
}

#[tokio::test]
async fn an_order_walks_to_delivered() {
    let world = World::new();
    let answer = world.query(PLACE, json!({ "input": place_input() })).await;
    let payload = &answer.json()["data"]["placeOrder"];
    assert_eq!(payload["order"]["status"], "OPEN", "{}", answer.body);
    assert_eq!(payload["order"]["statusCode"], 1000);
    assert_eq!(payload["order"]["totals"]["orderTotal"], "57.0000");
    assert_eq!(
        payload["order"]["allowedCommands"],
        json!(["ALLOCATE", "CHANGE_LINES", "CANCEL"])
    );
    assert_eq!(payload["receipt"]["version"], 1);
    assert_eq!(payload["receipt"]["position"], "1");
    let id = payload["order"]["id"].as_str().unwrap();
    let token = world.token(Role::Ops, &[]);
    for (field, extra, status, next) in [
        ("allocateOrder", "", "ALLOCATED", "PAY"),
        ("payOrder", ", amount: \"57.00\"", "ALLOCATED", "RELEASE"),
        ("releaseOrder", "", "RELEASED", "RECORD_PICKING"),
        (
            "recordPicking",
            ", status: PACKED",
            "PACKED",
            "RECORD_SHIPMENT",
        ),
        (
            "recordShipment",
            ", status: FULFILLED, trackingId: \"T1\", carrier: \"GRAB\"",
            "FULFILLED",
            "RECORD_SHIPMENT",
        ),
        (
            "recordDelivery",
            ", status: DELIVERED, trackingId: \"T1\"",
            "DELIVERED",
            "",
        ),
    ] {
        let payload = command(&world, &token, field, id, extra).await;
        assert_eq!(payload["order"]["status"], status, "{field}: {payload}");
        assert_eq!(payload["problems"], json!([]));
        let allowed = payload["order"]["allowedCommands"].to_string();
        assert!(allowed.contains(next), "{field}: {allowed}");
    }
}

#[tokio::test]
async fn every_broken_rule_is_named_with_its_field() {
    let world = World::new();
    let mut input = place_input();
    input["storeId"] = json!("Bangkok");
    input["isForceAllocation"] = json!(false);
    let line = input["lines"][0].clone();
    input["lines"] = (1..=21)
        .map(|n| {
            let mut l = line.clone();
            l["lineNumber"] = json!(n);
            l
        })
        .collect();
    input["lines"][2]["quantity"] = json!("-1");
    let answer = world.query(PLACE, json!({ "input": input })).await;
    let json = answer.json();
    let problems = json["data"]["placeOrder"]["problems"].as_array().unwrap();
    let has = |code: &str, path: Value| {
        problems
            .iter()
            .any(|p| p["code"] == code && p["path"] == path)
    };
    assert!(
        has("ERR_INVALID_LOCATION", json!(["input", "storeId"])),
        "{problems:#?}"
    );
    assert!(
        has(
            "ERR_FORCE_ALLOCATION_REQUIRED",
            json!(["input", "isForceAllocation"])
        ),
        "{problems:#?}"
    );
    assert!(
        has(
            "ERR_INVALID_LINE_ITEM",
            json!(["input", "lines", "2", "quantity"])
        ),
        "{problems:#?}"
    );
    assert!(
        has("ERR_INVALID_LINE_ITEM", json!(["input", "lines"])),
        "{problems:#?}"
    );
    assert!(
        problems
            .iter()
            .all(|p| p["retryable"] == false
                && p["docs"].as_str().unwrap().starts_with("/problems/"))
    );
    assert_eq!(json["data"]["placeOrder"]["order"], json!(null));
}

#[tokio::test]
async fn odd_texts_are_problems_and_never_faults() {
    let world = World::new();
    for text in ["a\u{0}b", "", " ", "\u{202e}", "😀", &"ก".repeat(5_000)] {
        for field in [
            "channel",
            "storeId",
            "customerId",
            "orderType",
            "custRef",
            "alternateOrderId",
            "number",
            "paymentMethod",
        ] {
            let mut input = place_input();
            input[field] = json!(text);
            let answer = world.query(PLACE, json!({ "input": input })).await;
            assert_eq!(
                answer.status,
                StatusCode::OK,
                "{field} {text:?}: {}",
                answer.body
            );
            assert!(
                answer.json().get("errors").is_none(),
                "{field} {text:?}: {}",
                answer.body
            );
        }
    }
}

#[tokio::test]
async fn each_refusal_of_the_write_side_has_its_type() {
    let world = World::new();
    let id = place(&world).await;
    let token = world.token(Role::Admin, &[]);
    let other = OrderId(Uuid::now_v7());
    let exists = CommandError::OrderExists {
        holder: Some(other.to_string()),
        scope: "ref:GRAB".into(),
        value: "1-2".into(),
    };
    for (error, kind, code, retryable) in [
        (
            CommandError::CommandReused,
            "CommandReused",
            "COMMAND_REUSED",
            false,
        ),
        (
            CommandError::not_found::<Order>(&other),
            "NotFound",
            "ORD_001",
            false,
        ),
        (exists, "OrderExists", "ORD_002", false),
        (
            CommandError::VersionConflict {
                expected: None,
                actual: 9,
            },
            "VersionConflict",
            "VERSION_CONFLICT",
            false,
        ),
        (CommandError::DeadlineExceeded, "TryAgain", "SYS_002", true),
        (CommandError::Overloaded, "TryAgain", "SYS_002", true),
        (CommandError::OutcomeUnknown, "TryAgain", "SYS_002", true),
        (
            CommandError::Unavailable("10.0.0.1 refused".into()),
            "TryAgain",
            "SYS_002",
            true,
        ),
    ] {
        let unknown = error == CommandError::OutcomeUnknown;
        *world.fake.next.lock().unwrap() = Some(error);
        let payload = command(&world, &token, "allocateOrder", &id, "").await;
        let problem = &payload["problems"][0];
        assert_eq!(
            (&problem["__typename"], &problem["code"]),
            (&json!(kind), &json!(code))
        );
        assert_eq!(problem["retryable"], retryable);
        assert!(kind != "TryAgain" || problem["outcomeUnknown"] == unknown);
        assert!(!payload.to_string().contains("10.0.0.1"));
    }
    let conflict = command(&world, &token, "allocateOrder", &id, ", expectedVersion: 7").await;
    let problem = &conflict["problems"][0];
    assert_eq!(
        (&problem["expected"], &problem["actual"]),
        (&json!(7), &json!(1))
    );
    assert_eq!(problem["path"], json!(["input", "expectedVersion"]));
    let garbled = command(&world, &token, "allocateOrder", "no-such-id", "").await;
    assert_eq!(garbled["problems"][0]["code"], "ORD_001");
}

#[tokio::test]
async fn a_fault_of_the_write_side_is_an_error_without_detail() {
    let world = World::new();
    *world.fake.next.lock().unwrap() = Some(CommandError::Internal("row 7 is damaged".into()));
    let answer = world.query(PLACE, json!({ "input": place_input() })).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::OK, "INTERNAL")
    );
    assert_eq!(answer.json()["data"], json!(null));
    assert!(!answer.body.contains("row 7"));
}

#[tokio::test]
async fn a_foreign_order_is_not_there_and_the_attempt_is_kept() {
    let world = World::new();
    let id = place(&world).await;
    let own = world.token(Role::StoreManager, &["CFR029"]);
    let foreign = world.token(Role::StoreManager, &["CFR001"]);
    let queries = [
        format!("{{ x: order(id: \"{id}\") {{ id }} }}"),
        format!("{{ x: node(id: \"{id}\") {{ id }} }}"),
        "{ x: orderByRef(system: GRAB, ref: \"123456789-0001\") { id } }".to_owned(),
    ];
    for query in &queries {
        let seen = world.query_as(&own, query, json!({})).await.json();
        assert_eq!(seen["data"]["x"]["id"], id.as_str(), "{query}: {seen}");
        let hidden = world.query_as(&foreign, query, json!({})).await;
        assert_eq!(hidden.result(), json!({ "data": { "x": null } }), "{query}");
    }
    let missing = format!("{{ x: order(id: \"{}\") {{ id }} }}", Uuid::now_v7());
    assert_eq!(
        world.query_as(&foreign, &missing, json!({})).await.result(),
        json!({ "data": { "x": null } })
    );
    let refused = world.fake.refused.lock().unwrap().clone();
    assert_eq!(refused.len(), 3);
    assert!(
        refused
            .iter()
            .all(|r| r.target == id && r.reason == "store" && r.actor == "tester")
    );
    let payload = command(&world, &foreign, "releaseOrder", &id, "").await;
    assert_eq!(payload["problems"][0]["code"], "ORD_001");
    let list = "{ orders { edges { node { id } } } storeBoard { storeId } }";
    let empty = world.query_as(&foreign, list, json!({})).await.json();
    assert_eq!(
        empty["data"],
        json!({ "orders": { "edges": [] }, "storeBoard": [] })
    );
    let asked = world
        .query_as(
            &foreign,
            "{ storeBoard(storeIds: [\"CFR029\"]) { count } }",
            json!({}),
        )
        .await
        .json();
    assert_eq!(asked["data"]["storeBoard"], json!([]));
    assert_eq!(
        world.fake.refused.lock().unwrap().last().unwrap().target,
        "CFR029"
    );
}

#[tokio::test]
async fn roles_and_token_scopes_are_enforced() {
    let world = World::new();
    let id = place(&world).await;
    let auditor = world.token(Role::Auditor, &[]);
    let payload = command(&world, &auditor, "allocateOrder", &id, "").await;
    assert_eq!(payload["problems"][0]["code"], "AUTH_002");
    let reader = world.scoped(Role::Admin, &[], Some("orders:read"));
    let payload = command(&world, &reader, "allocateOrder", &id, "").await;
    assert_eq!(
        (&payload["problems"][0]["__typename"], &payload["order"]),
        (&json!("Forbidden"), &json!(null))
    );
    let nothing = world.scoped(Role::Admin, &[], Some("profile"));
    let answer = world
        .query_as(
            &nothing,
            &format!("{{ order(id: \"{id}\") {{ id }} }}"),
            json!({}),
        )
        .await;
    assert_eq!(answer.code(), "FORBIDDEN");
}

#[tokio::test]
async fn personal_data_is_for_those_who_may_see_it() {
    let world = World::new();
    let id = place(&world).await;
    let query = format!("{{ order(id: \"{id}\") {{ contact {{ state erased name }} }} }}");
    let shown = world
        .query_as(&world.token(Role::CustomerService, &[]), &query, json!({}))
        .await
        .json();
    assert_eq!(
        shown["data"]["order"]["contact"],
        json!({ "state": "VISIBLE", "erased": false, "name": "สมชาย 😀" })
    );
    let hidden = world
        .query_as(&world.token(Role::Auditor, &[]), &query, json!({}))
        .await
        .json();
    assert_eq!(
        hidden["data"]["order"]["contact"],
        json!({ "state": "HIDDEN", "erased": false, "name": null })
    );
}

#[tokio::test]
async fn a_stale_read_says_so_and_may_be_repeated() {
    let world = World::new();
    let id = place(&world).await;
    world.fake.stale.store(true, Ordering::SeqCst);
    let query =
        format!("{{ order(id: \"{id}\", fresh: {{ minPosition: \"9\", waitMs: 10 }}) {{ id }} }}");
    let answer = world.query(&query, json!({})).await;
    let error = answer.json()["errors"][0]["extensions"].clone();
    assert_eq!(
        error,
        json!({ "code": "STALE_READ", "retryable": true, "model": "order_view", "position": "0", "minPosition": "9" })
    );
    assert_eq!(answer.json()["data"], json!({ "order": null }));
    let long = query.replace("10", "1001");
    assert_eq!(world.query(&long, json!({})).await.code(), "INVALID_INPUT");
}

#[tokio::test]
async fn pages_have_bounds() {
    let world = World::new();
    for args in [
        "first: 0",
        "first: 101",
        "first: -1",
        "last: 0",
        "first: 1, last: 1",
        "first: 1, before: \"x\"",
        "last: 1, after: \"x\"",
        "filter: { storeIds: [\"x\"] }",
        "filter: { customerId: \"\" }",
        "filter: { region: \" \" }",
    ] {
        let answer = world
            .query(
                &format!("{{ orders({args}) {{ edges {{ cursor }} }} }}"),
                json!({}),
            )
            .await;
        assert_eq!(answer.code(), "INVALID_INPUT", "{args}: {}", answer.body);
        assert!(answer.json()["errors"][0]["extensions"]["inputPath"].is_string());
    }
    let projections = world
        .query(
            "{ projections { name position head lagEvents lagMs failed } }",
            json!({}),
        )
        .await
        .json();
    assert_eq!(projections["data"]["projections"][0]["lagEvents"], 2);
}
