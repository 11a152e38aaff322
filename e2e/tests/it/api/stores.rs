//! A foreign store's order answers exactly as one that does not exist.

use e2e::Api;
use serde_json::{Value, json};
use uuid::Uuid;

use super::support::{command, done, input, merged, place_input, placed, problems, world};

/// The answer with the id that was asked for taken out.
fn without_id(answer: &Value, id: &str) -> String {
    answer.to_string().replace(id, "ID")
}

async fn reads(api: &Api, id: &str, reference: &str) -> String {
    let query = "query($id: ID!, $ref: String!) {
        order(id: $id) { id } node(id: $id) { id } orderByRef(system: GRAB, ref: $ref) { id } }";
    let data = api
        .graphql(query, json!({ "id": id, "ref": reference }))
        .await;
    without_id(&data, id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_order_is_as_good_as_none() {
    let world = world().await;
    let (id, receipt) = placed(&world.admin, json!({ "alternateOrderId": "GF-1" })).await;
    let fresh = json!({ "fresh": { "minPosition": receipt["position"], "waitMs": 1000 } });
    let read = "query($fresh: Fresh) { storeBoard(fresh: $fresh) { count } orders(fresh: $fresh) { edges { node { id } } } }";
    let stranger = world.caller("store-manager", &["CFR002"]);
    let nowhere = Uuid::now_v7().to_string();

    let data = stranger.graphql(read, fresh.clone()).await;
    assert_eq!(data, json!({ "storeBoard": [], "orders": { "edges": [] } }));
    assert_eq!(
        reads(&stranger, &id, "GF-1").await,
        reads(&stranger, &nowhere, "GF-2").await
    );
    let named = "{ storeBoard(storeIds: [\"CFR001\"]) { count } orders(filter: { storeIds: [\"CFR001\"] }) { edges { node { id } } } }";
    assert_eq!(stranger.graphql(named, json!({})).await, data);

    for (field, more) in [
        ("releaseOrder", json!({})),
        ("cancelOrder", json!({ "reason": "not mine" })),
        (
            "cancelOrder",
            json!({ "reason": "not mine", "expectedVersion": 9 }),
        ),
        ("cancelOrder", json!({ "reason": "" })),
        ("allocateOrder", json!({})),
    ] {
        let foreign = command(&stranger, field, input(&id, more.clone())).await;
        let unknown = command(&stranger, field, input(&nowhere, more)).await;
        assert_eq!(
            without_id(&foreign, &id),
            without_id(&unknown, &nowhere),
            "{field}"
        );
    }
    let foreign = command(&stranger, "releaseOrder", input(&id, json!({}))).await;
    assert_eq!(
        problems(&foreign),
        [("ORD_001".into(), "input.orderId".into())]
    );

    // Neither the receipt of another's command nor the holder of a taken reference is given away.
    let replay = merged(
        &input(&id, json!({})),
        json!({ "commandId": receipt["commandId"] }),
    );
    let answer = command(&stranger, "releaseOrder", replay).await;
    assert!(!answer["receipt"].is_object(), "{answer}");
    let place = place_input(json!({ "storeId": "CFR001" }));
    let refused = command(&stranger, "placeOrder", place).await;
    assert_eq!(
        problems(&refused),
        [("LOCATION_RESTRICTED".into(), "input.storeId".into())]
    );

    let own = world.caller("store-manager", &["CFR001"]);
    assert!(reads(&own, &id, "GF-1").await.contains("ID"));
    done(&own, "cancelOrder", input(&id, json!({ "reason": "mine" }))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_sees_its_stores_and_a_token_without_stores_sees_nothing() {
    let world = world().await;
    let (id, receipt) = placed(&world.admin, json!({})).await;
    let query =
        "query($id: ID!, $fresh: Fresh) { order(id: $id, fresh: $fresh) { store { id region } } }";
    let fresh = json!({ "minPosition": receipt["position"], "waitMs": 1000 });
    let token = |region: &str| {
        let arguments = [
            "token",
            "--role",
            "regional-coordinator",
            "--region",
            region,
        ];
        let output = world.program.run(&arguments);
        output.lines().last().unwrap().to_owned()
    };
    let coordinator = world.program.api(&token("BKK-CENTRAL"));
    let data = coordinator
        .graphql(query, json!({ "id": id, "fresh": fresh }))
        .await;
    assert_eq!(
        data["order"]["store"],
        json!({ "id": "CFR001", "region": "BKK-CENTRAL" })
    );
    let elsewhere = world.program.api(&token("MOON"));
    let answer = elsewhere
        .try_graphql(query, &json!({ "id": id }))
        .await
        .unwrap();
    assert_eq!(answer.status, 401);
}
