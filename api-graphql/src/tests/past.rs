//! Orders as they were, and what differs between two moments.

use projections::check::Difference;
use serde_json::{Value, json};
use store::{
    Position,
    verify::{Finding, FindingKind},
};

use super::{
    fake::{Answer, World, place_input},
    talk::{done, with},
    *,
};

const AS_OF: &str = "query($id: ID!, $asOf: AsOf) { order(id: $id, asOf: $asOf) {
    version status cashDue allowedCommands contact { state } history { nodes { id } } } }";

/// An order of three events: placed with a contact, allocated, paid.
async fn paid(world: &World) -> Value {
    let admin = world.token(Role::Admin, &[]);
    let placed = done(world, &admin, "placeOrder", place_input()).await;
    let id = json!({ "orderId": placed["order"]["id"] });
    done(world, &admin, "allocateOrder", id.clone()).await;
    let payment = with(id, json!({ "amount": "57.00" }));
    done(world, &admin, "payOrder", payment).await;
    placed["order"]["id"].clone()
}

async fn as_of(world: &World, token: &str, id: &Value, moment: Value) -> Answer {
    let variables = json!({ "id": id, "asOf": moment });
    world.query_as(token, AS_OF, variables).await
}

#[tokio::test]
async fn an_order_is_shown_as_it_was() {
    let world = World::new();
    let id = paid(&world).await;
    let ops = world.token(Role::Ops, &["CFR029"]);
    let recorded = world.fake.log.lock().unwrap()[1].recorded_at;
    for (moment, version, status) in [
        (json!({ "version": 1 }), 1, "OPEN"),
        (json!({ "version": 3 }), 3, "ALLOCATED"),
        (json!({ "position": "1" }), 1, "OPEN"),
        (json!({ "time": recorded.to_rfc3339() }), 2, "ALLOCATED"),
        (json!({ "time": "2999-01-01T00:00:00Z" }), 3, "ALLOCATED"),
    ] {
        let order = as_of(&world, &ops, &id, moment.clone()).await.json()["data"]["order"].clone();
        assert_eq!(order["version"], version, "{moment}: {order}");
        assert_eq!(order["status"], status, "{moment}");
        // What would be a button of the newest version is none of an old one.
        assert_eq!(order["allowedCommands"], json!([]), "{moment}");
        assert_eq!(order["contact"]["state"], "VISIBLE");
    }
    for nothing in [
        json!({ "version": 0 }),
        json!({ "version": 4 }),
        json!({ "position": "0" }),
        json!({ "time": "2020-01-01T00:00:00Z" }),
    ] {
        let answer = as_of(&world, &ops, &id, nothing.clone()).await;
        assert_eq!(
            answer.result(),
            json!({ "data": { "order": null } }),
            "{nothing}"
        );
    }
}

#[tokio::test]
async fn a_moment_that_cannot_be_is_refused() {
    let world = World::new();
    let id = paid(&world).await;
    let admin = world.token(Role::Admin, &[]);
    for moment in [
        json!({}),
        json!({ "version": -1 }),
        json!({ "version": 1, "position": "1" }),
        json!({ "position": "4" }),
        json!({ "position": "x" }),
        json!({ "time": "yesterday" }),
    ] {
        let answer = as_of(&world, &admin, &id, moment.clone()).await;
        assert_eq!(answer.code(), "INVALID_INPUT", "{moment}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_foreign_stores_past_is_no_order() {
    let world = World::new();
    let id = paid(&world).await;
    let foreign = world.token(Role::StoreManager, &["CFR001"]);
    let moment = json!({ "version": 1 });
    let answer = as_of(&world, &foreign, &id, moment.clone()).await;
    let unknown = json!("0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11");
    let none = as_of(&world, &foreign, &unknown, moment.clone()).await;
    assert_eq!(answer.result(), none.result());
    let refused = world.fake.refused.lock().unwrap().pop().unwrap();
    assert_eq!((refused.action, refused.reason), ("read", "store"));
    let writer = world.scoped(Role::Ops, &[], Some("events:read"));
    let answer = as_of(&world, &writer, &id, moment).await;
    assert_eq!(answer.code(), "FORBIDDEN");
}

#[tokio::test]
async fn who_was_erased_is_erased_in_the_past_too() {
    let world = World::new();
    let id = paid(&world).await;
    let subject = format!("order:{}", id.as_str().unwrap());
    world.fake.erased.lock().unwrap().push(subject);
    let admin = world.token(Role::Admin, &[]);
    let answer = as_of(&world, &admin, &id, json!({ "version": 1 })).await;
    assert_eq!(answer.json()["data"]["order"]["contact"]["state"], "ERASED");
}

const DIFF: &str = "query($id: ID!, $from: AsOf!, $to: AsOf!) {
    orderDiff(id: $id, from: $from, to: $to) { path from to } }";

async fn diff(world: &World, token: &str, id: &Value, from: Value, to: Value) -> Answer {
    let variables = json!({ "id": id, "from": from, "to": to });
    world.query_as(token, DIFF, variables).await
}

#[tokio::test]
async fn what_differs_is_told_in_the_words_of_the_schema() {
    let world = World::new();
    let id = paid(&world).await;
    let admin = world.token(Role::Admin, &[]);
    let version = |n: i32| json!({ "version": n });
    let answer = diff(&world, &admin, &id, version(1), version(2)).await;
    let changes = answer.json()["data"]["orderDiff"].clone();
    let at = |path: Value| {
        let all = changes.as_array().unwrap().iter();
        let found = all.clone().find(|change| change["path"] == path);
        found
            .cloned()
            .unwrap_or_else(|| panic!("{path}: {changes}"))
    };
    let status = at(json!(["status"]));
    assert_eq!(
        (&status["from"], &status["to"]),
        (&json!("OPEN"), &json!("ALLOCATED"))
    );
    let line = at(json!(["lines", "0", "allocatedQuantity"]));
    assert_eq!(
        (&line["from"], &line["to"]),
        (&json!("0.0000"), &json!("2.0000"))
    );
    // The other way round the sides change places; one moment does not differ from itself.
    let back = diff(&world, &admin, &id, version(2), version(1)).await;
    let back = back.json()["data"]["orderDiff"].clone();
    let turned: Vec<Value> = back
        .as_array()
        .unwrap()
        .iter()
        .map(|change| json!({ "path": change["path"], "from": change["to"], "to": change["from"] }))
        .collect();
    assert_eq!(json!(turned), changes);
    let same = diff(&world, &admin, &id, version(3), json!({ "position": "3" })).await;
    assert_eq!(same.result(), json!({ "data": { "orderDiff": [] } }));
}

#[tokio::test]
async fn before_its_first_event_an_order_has_nothing_and_personal_data_never_differs() {
    let world = World::new();
    let id = paid(&world).await;
    let admin = world.token(Role::Admin, &[]);
    let answer = diff(
        &world,
        &admin,
        &id,
        json!({ "version": 0 }),
        json!({ "version": 1 }),
    )
    .await;
    let changes = answer.json()["data"]["orderDiff"].clone();
    let changes = changes.as_array().unwrap();
    assert!(changes.iter().all(|change| change["from"].is_null()));
    let first = |change: &Value| change["path"][0].as_str().unwrap().to_owned();
    let fields: Vec<String> = changes.iter().map(first).collect();
    for field in ["number", "status", "lines", "totals", "cashDue"] {
        assert!(fields.iter().any(|f| f == field), "{field}: {fields:?}");
    }
    for secret in ["contact", "c2VhbGVk", "สมชาย", "history", "version"] {
        assert!(!answer.body.contains(&format!("\"{secret}")), "{secret}");
    }
}

#[tokio::test]
async fn a_diff_of_what_cannot_be_seen_or_never_was_is_refused() {
    let world = World::new();
    let id = paid(&world).await;
    let (one, two) = (json!({ "version": 1 }), json!({ "version": 2 }));
    let foreign = world.token(Role::StoreManager, &["CFR001"]);
    let refused = diff(&world, &foreign, &id, one.clone(), two.clone()).await;
    assert_eq!(refused.code(), "NOT_FOUND");
    for unknown in ["0198c5a0-7d3e-7c4b-9a6f-2f1c5f0e8d11", "x"] {
        let none = diff(&world, &foreign, &json!(unknown), one.clone(), two.clone()).await;
        assert_eq!(none.result(), refused.result(), "{unknown}");
    }
    let admin = world.token(Role::Admin, &[]);
    let beyond = diff(&world, &admin, &id, one, json!({ "version": 9 })).await;
    let error = &beyond.json()["errors"][0]["extensions"];
    assert_eq!(
        (&error["code"], &error["inputPath"]),
        (&json!("INVALID_INPUT"), &json!("to.version"))
    );
}

const VERIFY: &str =
    "query($id: ID!) { verify(orderId: $id) { orderId isSound events version position
    models { name position } findings { kind position table detail } moreFindings } }";

#[tokio::test]
async fn a_check_says_what_is_wrong_and_where() {
    let world = World::new();
    let id = paid(&world).await;
    let auditor = world.token(Role::Auditor, &[]);
    let sound = world.query_as(&auditor, VERIFY, json!({ "id": id })).await;
    assert_eq!(
        sound.json()["data"]["verify"],
        json!({ "orderId": id, "isSound": true, "events": 3, "version": 3, "position": "3",
            "models": [{ "name": "order_view", "position": "3" }], "findings": [], "moreFindings": 0 })
    );
    let finding = Finding {
        kind: FindingKind::Content,
        position: Position(2),
        detail: "it is not what was appended".into(),
    };
    let difference = Difference {
        table: "order_view",
        key: "the key".into(),
        what: "the state differs".into(),
    };
    *world.fake.damage.lock().unwrap() = (vec![finding], vec![difference]);
    let damaged = world.query_as(&auditor, VERIFY, json!({ "id": id })).await;
    let report = damaged.json()["data"]["verify"].clone();
    assert_eq!(report["isSound"], false);
    assert_eq!(
        report["findings"],
        json!([
            { "kind": "CONTENT", "position": "2", "table": null, "detail": "it is not what was appended" },
            { "kind": "READ_MODEL", "position": null, "table": "order_view", "detail": "the state differs" },
        ])
    );
}

#[tokio::test]
async fn a_check_is_for_who_may_read_events() {
    let world = World::new();
    let id = paid(&world).await;
    for role in Role::ALL
        .iter()
        .copied()
        .filter(|role| *role != Role::System)
    {
        let token = world.token(role, &["CFR029"]);
        let answer = world.query_as(&token, VERIFY, json!({ "id": id })).await;
        let may = role.may(domain::actor::Action::ReadEvents);
        let expected = if may { "" } else { "FORBIDDEN" };
        assert_eq!(answer.code(), expected, "{role:?}: {}", answer.body);
    }
    let reader = world.scoped(Role::Auditor, &[], Some("orders:read"));
    let answer = world.query_as(&reader, VERIFY, json!({ "id": id })).await;
    assert_eq!(answer.code(), "FORBIDDEN");
    let foreign = world.token(Role::StoreManager, &["CFR001"]);
    let answer = world.query_as(&foreign, VERIFY, json!({ "id": id })).await;
    assert_eq!(answer.code(), "NOT_FOUND");
}

#[tokio::test]
async fn a_request_can_ask_for_so_many_checks_only() {
    let world = World::new();
    let id = paid(&world).await;
    let one = format!("verify(orderId: {id}) {{ isSound }}");
    let many = |n: usize| {
        let fields = (0..n).map(|at| format!("v{at}: {one} "));
        format!("{{ {} }}", fields.collect::<String>())
    };
    let few = world.query(&many(5), json!({})).await;
    assert!(few.json().get("errors").is_none(), "{}", few.body);
    let answer = world.query(&many(21), json!({})).await;
    assert_eq!(answer.code(), "COST_EXCEEDED", "{}", answer.body);
}
