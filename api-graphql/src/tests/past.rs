//! Orders as they were, and what differs between two moments.

use serde_json::{Value, json};

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
            answer.json(),
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
    assert_eq!(answer.body, none.body);
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
