//! What a command would do, over a running ledger: told, and not done.

use e2e::{Api, orders};
use serde_json::{Value, json};

use super::support::{command, done, input, merged, place_input, placed, problems, world};

const DRY_RUN: &str = "mutation($command: CommandInput!) { dryRun(command: $command) {
    eventTypes replayed
    order { id number status version position cashDue contact { state } history { nodes { type } }
        totals { orderTotal } }
    problems { __typename code message path retryable docs } } }";

async fn rehearse(api: &Api, field: &str, input: &Value) -> Value {
    let variables = json!({ "command": { field: input } });
    api.graphql(DRY_RUN, variables).await["dryRun"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_rehearsed_and_then_placed_under_the_same_id() {
    let world = world().await;
    let contact = serde_json::to_value(orders::contact()).unwrap();
    let place = place_input(json!({ "contact": contact }));
    for _ in 0..3 {
        let told = rehearse(&world.admin, "placeOrder", &place).await;
        assert_eq!(told["eventTypes"], json!(["order.placed"]), "{told}");
        let order = &told["order"];
        assert_eq!(order["id"], "00000000-0000-0000-0000-000000000000");
        assert!(order["number"].as_str().unwrap().ends_with("-000000"));
        assert_eq!(order["totals"]["orderTotal"], "169.0000");
        assert_eq!(
            (&order["version"], &order["position"]),
            (&json!(1), &json!("0"))
        );
        assert_eq!(order["contact"], Value::Null);
        assert_eq!(order["history"]["nodes"], json!([]));
    }
    world.assert_nothing_written().await;
    let placed = done(&world.admin, "placeOrder", place.clone()).await;
    assert_eq!(placed["receipt"]["replayed"], false);
    let number = placed["order"]["number"].as_str().unwrap();
    assert!(number.ends_with("-000001"), "{number} was the first drawn");
    let again = rehearse(&world.admin, "placeOrder", &place).await;
    assert_eq!(
        (&again["replayed"], &again["eventTypes"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(again["order"]["id"], placed["order"]["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_is_refused_in_the_words_of_the_command() {
    let world = world().await;
    let (id, _) = placed(&world.admin, json!({})).await;
    let bad = merged(
        &place_input(json!({})),
        json!({ "storeId": "Bangkok", "lines": [] }),
    );
    let manager = world.caller("store-manager", &["CFR002"]);
    let auditor = world.caller("auditor", &[]);
    for (api, field, input) in [
        (&world.admin, "placeOrder", bad),
        (
            &world.admin,
            "payOrder",
            input(&id, json!({ "amount": "1.00" })),
        ),
        (
            &world.admin,
            "releaseOrder",
            input(&id, json!({ "expectedVersion": 9 })),
        ),
        (&world.admin, "releaseOrder", input("nobody", json!({}))),
        (
            &manager,
            "cancelOrder",
            input(&id, json!({ "reason": "x" })),
        ),
        (
            &auditor,
            "cancelOrder",
            input(&id, json!({ "reason": "x" })),
        ),
    ] {
        let told = rehearse(api, field, &input).await;
        let refused = command(api, field, input).await;
        assert!(!problems(&told).is_empty(), "{field}");
        assert_eq!(problems(&told), problems(&refused), "{field}");
        assert_eq!(
            (&told["order"], &told["eventTypes"]),
            (&Value::Null, &json!([]))
        );
    }
    assert_eq!(world.events().await, 1);
    let allocate = input(&id, json!({}));
    let told = rehearse(&world.admin, "allocateOrder", &allocate).await;
    let order = &told["order"];
    assert_eq!(
        (&order["status"], &order["version"]),
        (&json!("ALLOCATED"), &json!(2))
    );
    assert_eq!(
        order["history"]["nodes"],
        json!([{ "type": "order.placed" }])
    );
    assert_eq!(world.events().await, 1);
    world.assert_unharmed().await;
}
