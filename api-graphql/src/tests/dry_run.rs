//! What a command would do, without doing it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    fake::{World, place_input},
    roles::{ORDER_COMMANDS, people, rows},
    talk::{codes, done, give, with},
    *,
};

const DRY_RUN: &str = "mutation($command: CommandInput!) { dryRun(command: $command) {
    eventTypes replayed
    order { id number status version allowedCommands contact { state } totals { orderTotal } }
    problems { __typename code path retryable } } }";

/// Rehearses a command under a new command id; the payload.
async fn rehearse(world: &World, token: &str, field: &str, mut input: Value) -> Value {
    input["commandId"] = json!(Uuid::now_v7());
    let variables = json!({ "command": { field: input } });
    let answer = world.query_as(token, DRY_RUN, variables).await;
    let json = answer.json();
    assert!(json.get("errors").is_none(), "{field}: {}", answer.body);
    json["data"]["dryRun"].clone()
}

#[tokio::test]
async fn an_order_that_would_be_is_shown_and_is_none() {
    let world = World::new();
    let admin = world.token(Role::Admin, &[]);
    let told = rehearse(&world, &admin, "placeOrder", place_input()).await;
    assert_eq!(told["eventTypes"], json!(["order.placed"]), "{told}");
    assert_eq!(told["problems"], json!([]));
    let order = &told["order"];
    assert_eq!(
        (&order["status"], &order["version"]),
        (&json!("OPEN"), &json!(1))
    );
    assert_eq!(order["totals"]["orderTotal"], "57.0000");
    // What the command brings of a person is not sealed, so there is nothing to open.
    assert_eq!(order["contact"], Value::Null);
    assert!(world.fake.log.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_an_order_would_become_is_shown_and_does_not_come_about() {
    let world = World::new();
    let admin = world.token(Role::Admin, &[]);
    let placed = done(&world, &admin, "placeOrder", place_input()).await;
    let id = json!({ "orderId": placed["order"]["id"] });
    for _ in 0..2 {
        let told = rehearse(&world, &admin, "allocateOrder", id.clone()).await;
        assert_eq!(told["eventTypes"], json!(["order.allocated"]));
        let order = &told["order"];
        assert_eq!(
            (&order["status"], &order["version"]),
            (&json!("ALLOCATED"), &json!(2))
        );
        assert_eq!(order["contact"]["state"], "VISIBLE");
        assert!(order["allowedCommands"].to_string().contains("PAY"));
    }
    let early = rehearse(&world, &admin, "releaseOrder", id.clone()).await;
    let refused = give(&world, &admin, "releaseOrder", id).await;
    assert_eq!(
        (&early["order"], &early["eventTypes"]),
        (&Value::Null, &json!([]))
    );
    assert!(!codes(&early).is_empty());
    assert_eq!(codes(&early), codes(&refused));
}

#[tokio::test]
async fn the_rights_are_those_of_the_command() {
    let world = World::new();
    let admin = world.token(Role::Admin, &[]);
    let placed = done(&world, &admin, "placeOrder", place_input()).await;
    let id = json!({ "orderId": placed["order"]["id"] });
    for role in people() {
        let token = world.token(role, &["CFR029"]);
        for [field, more, _] in rows(ORDER_COMMANDS) {
            let input = with(id.clone(), serde_json::from_str(more).unwrap());
            let told = rehearse(&world, &token, field, input.clone()).await;
            let done = give(&world, &token, field, input).await;
            assert_eq!(codes(&told), codes(&done), "{field} as {role:?}");
        }
    }
    let reader = world.scoped(Role::Ops, &[], Some("orders:read"));
    let told = rehearse(&world, &reader, "allocateOrder", id.clone()).await;
    assert_eq!(codes(&told), ["AUTH_002"]);
    let foreign = world.token(Role::StoreManager, &["CFR001"]);
    let cancel = with(id, json!({ "reason": "x" }));
    let told = rehearse(&world, &foreign, "cancelOrder", cancel).await;
    assert_eq!(codes(&told), ["ORD_001"]);
    assert_eq!(told["problems"][0]["path"], json!(["input", "orderId"]));
}

#[tokio::test]
async fn exactly_one_command_is_rehearsed() {
    let world = World::new();
    let id = json!({ "commandId": Uuid::now_v7(), "orderId": "x" });
    for command in [
        json!({}),
        json!({ "allocateOrder": id, "releaseOrder": id }),
        json!({ "allocateOrder": null }),
        json!({ "openStore": id }),
    ] {
        let answer = world.query(DRY_RUN, json!({ "command": command })).await;
        assert_eq!(answer.code(), "INVALID_INPUT", "{command}: {}", answer.body);
    }
    let told = world.query(DRY_RUN, json!({ "command": { "allocateOrder": id } }));
    assert_eq!(codes(&told.await.json()["data"]["dryRun"]), ["ORD_001"]);
}

/// A command that is added can be rehearsed, under the name and with the input of its mutation.
#[test]
fn every_command_on_an_order_can_be_rehearsed() {
    let schema = include_str!("../../schema.graphql");
    let fields = |start: &str| {
        let body = schema.split(start).nth(1).unwrap();
        body.split("\n}").next().unwrap().lines().map(str::trim)
    };
    let mut commands: Vec<(&str, &str)> = fields("type Mutation {")
        .filter(|line| line.ends_with("OrderPayload!"))
        .map(|line| {
            let (name, rest) = line.split_once("(input: ").unwrap();
            (name, rest.split_once('!').unwrap().0)
        })
        .collect();
    let mut rehearsed: Vec<(&str, &str)> = fields("input CommandInput @oneOf {")
        .filter_map(|line| line.split_once(": "))
        .collect();
    commands.sort_unstable();
    rehearsed.sort_unstable();
    assert_eq!(rehearsed, commands);
}
