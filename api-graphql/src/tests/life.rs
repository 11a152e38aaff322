//! Orders with bundles, shorts, substitutions, cash, returns: what the API takes and shows of them.

use serde_json::{Value, json};

use super::{
    fake::{World, place_input},
    talk::{self, codes, done, give, with},
    *,
};

/// A breakfast of 45 + 39 + 25 sold at 89.
pub(crate) fn breakfast() -> Value {
    let component = |sku: &str, price: &str, substitutable: bool| json!({ "sku": sku, "nameEn": sku, "quantity": "1", "unitPrice": price, "substitutable": substitutable });
    json!({
        "sku": "8850000000011", "nameEn": "Breakfast", "kind": "BREAKFAST_COMBO",
        "components": [component("8850000000028", "45.00", false), component("8850000000035", "39.00", true),
            component("8850000000042", "25.00", true)],
        "pricing": { "fixedPrice": "89.00" },
    })
}

/// An order of one breakfast and two cans at 28.50 on its way, placed, and its id.
async fn placed(world: &World, ops: &str) -> String {
    let bundle = json!({ "bundleId": "BREAKFAST", "definition": breakfast() });
    done(world, ops, "defineBundle", bundle).await;
    let order = with(
        place_input(),
        json!({ "allowSubstitution": true, "customerId": "C-1", "lines": [
            { "lineNumber": 1, "sku": "8850000000011", "quantity": "1", "unitPrice": "89.00",
              "bundle": { "bundleId": "BREAKFAST", "refId": "B1" } },
            { "lineNumber": 2, "sku": "8850999220017", "quantity": "2", "unitPrice": "28.50" },
        ] }),
    );
    let payload = done(world, ops, "placeOrder", order).await;
    payload["order"]["id"].as_str().unwrap().to_owned()
}

async fn walk(world: &World, ops: &str, order: &str, steps: &[(&str, Value)]) -> Value {
    let mut last = Value::Null;
    for (field, more) in steps {
        let input = with(json!({ "orderId": order }), more.clone());
        last = done(world, ops, field, input).await["order"].clone();
    }
    last
}

fn to_picking(due: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("allocateOrder", json!({})),
        ("payOrder", json!({ "amount": due })),
        ("releaseOrder", json!({})),
    ]
}

fn to_delivered() -> Vec<(&'static str, Value)> {
    vec![
        (
            "recordShipment",
            json!({ "status": "FULFILLED", "trackingId": "T1", "carrier": "GRAB" }),
        ),
        (
            "recordDelivery",
            json!({ "status": "DELIVERED", "trackingId": "T1" }),
        ),
    ]
}

fn allowed(order: &Value) -> Vec<&str> {
    let commands = order["allowedCommands"].as_array().unwrap().iter();
    commands.map(|c| c.as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_bundle_is_shown_with_its_snapshot_and_the_status_of_its_least_line() {
    let world = World::new();
    let ops = world.token(Role::Ops, &[]);
    let id = placed(&world, &ops).await;
    let order = walk(&world, &ops, &id, &to_picking("146.00")).await;
    assert_eq!(order["totals"]["cashDue"], "146.0000");
    assert_eq!(order["totals"]["totalDiscount"], "20.0000");
    let bundle = &order["bundles"][0];
    for (field, expected) in [
        ("refId", json!("B1")),
        ("bundleId", json!("BREAKFAST")),
        ("definitionVersion", json!(1)),
        ("source", json!("EXPANDED")),
        ("status", json!("RELEASED")),
        ("statusCode", json!(3000)),
        ("price", json!("89.0000")),
        ("individualPrice", json!("109.0000")),
        ("savings", json!("20.0000")),
        ("returns", json!("WHOLE")),
    ] {
        assert_eq!(bundle[field], expected, "{field}: {order:#}");
    }
    let lines = order["lines"].as_array().unwrap();
    let in_bundle = lines.iter().filter(|l| l["bundle"]["refId"] == "B1");
    assert_eq!(bundle["lineNumbers"].as_array().unwrap().len(), 3);
    assert_eq!(in_bundle.count(), 3);
    // A short component takes its bundle along.
    let component = bundle["lineNumbers"][2].clone();
    let short =
        json!({ "lines": [{ "lineNumber": component, "quantity": "0" }], "reason": "none left" });
    let order = walk(&world, &ops, &id, &[("reportShort", short)]).await;
    assert_eq!(order["bundles"][0]["status"], "CANCELLED");
    assert_eq!(order["cashDue"], "57.0000");
    let line = order["lines"]
        .as_array()
        .unwrap()
        .iter()
        .find(|l| l["lineNumber"] == component)
        .unwrap();
    assert_eq!(
        (&line["orderedQuantity"], &line["shortQuantity"]),
        (&json!("1.0000"), &json!("1.0000"))
    );
}

#[tokio::test]
async fn an_offer_is_answered_and_shown_with_the_product_it_replaced() {
    let world = World::new();
    let ops = world.token(Role::Ops, &[]);
    let id = placed(&world, &ops).await;
    let cans = {
        let order = walk(&world, &ops, &id, &to_picking("146.00")).await;
        let lines = order["lines"].as_array().unwrap().clone();
        let line = lines.iter().find(|l| l["bundle"].is_null()).unwrap();
        line["lineNumber"].clone()
    };
    let offer = |id: &str, price: &str| json!({ "proposalId": id, "lineNumber": cans, "sku": "8850999220024", "unitPrice": price });
    let dear = with(json!({ "orderId": id }), offer("P0", "34.21"));
    let refused = give(&world, &ops, "proposeSubstitution", dear).await;
    assert_eq!(codes(&refused), ["PRICE_INCREASE_LIMIT_EXCEEDED"]);
    assert_eq!(refused["problems"][0]["status"], 400);
    assert_eq!(
        refused["problems"][0]["path"],
        json!(["input", "unitPrice"])
    );
    let order = walk(
        &world,
        &ops,
        &id,
        &[("proposeSubstitution", offer("P1", "34.20"))],
    )
    .await;
    assert_eq!(order["offers"][0]["answer"], "OPEN");
    assert!(allowed(&order).contains(&"DECIDE_SUBSTITUTION"));
    let yes = json!({ "proposalId": "P1", "approve": true });
    let order = walk(&world, &ops, &id, &[("decideSubstitution", yes)]).await;
    assert_eq!(order["offers"][0]["answer"], "APPROVED");
    assert!(!allowed(&order).contains(&"DECIDE_SUBSTITUTION"));
    let lines = order["lines"].as_array().unwrap();
    let line = lines.iter().find(|l| l["lineNumber"] == cans).unwrap();
    assert_eq!(line["sku"], "8850999220024");
    assert_eq!(line["original"]["sku"], "8850999220017");
    assert_eq!(line["original"]["unitPrice"], "28.5000");
    assert_eq!(order["cashDue"], "157.4000");
}

#[tokio::test]
async fn cash_is_collected_corrected_returned_and_refunded() {
    let world = World::new();
    let ops = world.token(Role::Ops, &[]);
    let id = placed(&world, &ops).await;
    walk(&world, &ops, &id, &to_picking("146.00")).await;
    let order = walk(&world, &ops, &id, &to_delivered()).await;
    assert_eq!(order["collection"]["amount"], json!(null));
    assert!(allowed(&order).contains(&"COLLECT_CASH"));
    let bare = json!({ "orderId": id, "amount": "145.00", "partnerId": "GRAB" });
    let refused = give(&world, &ops, "collectCash", bare).await;
    assert_eq!(codes(&refused), ["VAL_001"]);
    assert_eq!(refused["problems"][0]["path"], json!(["input", "proof"]));
    let cash = json!({ "amount": "145.00", "partnerId": "GRAB", "riderId": "R1", "discrepancyReason": "no change",
        "proof": { "photo": "s3://proofs/1.jpg" } });
    let order = walk(&world, &ops, &id, &[("collectCash", cash)]).await;
    let collection = &order["collection"];
    for (field, expected) in [
        ("status", json!("COLLECTED")),
        ("amount", json!("145.0000")),
        ("discrepancy", json!("-1.0000")),
        ("discrepancyReason", json!("no change")),
        ("partnerId", json!("GRAB")),
        ("riderId", json!("R1")),
        (
            "proof",
            json!({ "state": "VISIBLE", "erased": false, "photo": "s3://proofs/1.jpg" }),
        ),
    ] {
        assert_eq!(collection[field], expected, "{field}");
    }
    let right = json!({ "amount": "146.00", "reason": "counted again" });
    let order = walk(&world, &ops, &id, &[("correctCollection", right)]).await;
    assert_eq!(order["collection"]["discrepancy"], "0.0000");
    let back = json!({ "reason": "cold" });
    let order = walk(
        &world,
        &ops,
        &id,
        &[("requestReturn", back), ("receiveReturn", json!({}))],
    )
    .await;
    assert_eq!(order["status"], "RETURNED");
    assert_eq!(order["paymentStatus"], "AWAITING_REFUND");
    assert_eq!(order["returns"][0]["refund"], "146.0000");
    assert_eq!(order["refunds"]["owed"], "146.0000");
    assert_eq!(allowed(&order), ["CORRECT_COLLECTION", "REFUND"]);
    let much = json!({ "orderId": id, "amount": "146.01" });
    assert_eq!(
        codes(&give(&world, &ops, "refundOrder", much).await),
        ["VAL_001"]
    );
    let order = walk(
        &world,
        &ops,
        &id,
        &[("refundOrder", json!({ "amount": "146.00" }))],
    )
    .await;
    assert_eq!(order["paymentStatus"], "REFUNDED");
    assert_eq!(order["refunds"]["owed"], "0.0000");
}

#[tokio::test]
async fn three_failed_deliveries_send_the_goods_back() {
    let world = World::new();
    let ops = world.token(Role::Ops, &[]);
    let id = placed(&world, &ops).await;
    walk(&world, &ops, &id, &to_picking("146.00")).await;
    walk(&world, &ops, &id, &to_delivered()[..1]).await;
    let mut order = Value::Null;
    for attempt in ["A1", "A2", "A3"] {
        let failed = json!({ "attemptId": attempt, "reason": "nobody there" });
        order = walk(&world, &ops, &id, &[("recordFailedDelivery", failed)]).await;
    }
    assert_eq!(order["status"], "PENDING_RETURN");
    assert_eq!(order["attempts"].as_array().unwrap().len(), 3);
    assert_eq!(order["collection"]["status"], "FAILED");
    assert_eq!(order["collection"]["isFinal"], true);
    assert_eq!(order["cashDue"], "0.0000");
    assert_eq!(order["returns"][0]["cause"], "UNDELIVERED");
}

#[tokio::test]
async fn a_bundle_is_defined_revised_and_retired() {
    let world = World::new();
    let ops = world.token(Role::Ops, &[]);
    let define = json!({ "bundleId": "BREAKFAST", "definition": breakfast() });
    let bundle = done(&world, &ops, "defineBundle", define.clone()).await;
    assert_eq!(bundle["receipt"]["entityId"], "BREAKFAST");
    assert_eq!(bundle["receipt"]["orderId"], json!(null));
    assert_eq!(bundle["bundle"]["pricing"]["fixedPrice"], "89.0000");
    assert_eq!(bundle["bundle"]["definitionVersion"], 1);
    let again = with(
        define,
        json!({ "definition": with(breakfast(), json!({ "priority": 7 })) }),
    );
    let refused = give(&world, &ops, "defineBundle", again.clone()).await;
    assert_eq!(codes(&refused), ["BUNDLE_EXISTS"]);
    assert_eq!(refused["problems"][0]["status"], 409);
    let revised = done(
        &world,
        &ops,
        "reviseBundle",
        with(again, json!({ "expectedVersion": 1 })),
    )
    .await;
    assert_eq!(revised["bundle"]["definitionVersion"], 2);
    let retire = json!({ "bundleId": "BREAKFAST", "reason": "season over" });
    let retired = done(&world, &ops, "retireBundle", retire).await;
    assert_eq!(retired["bundle"]["isActive"], false);
    assert_eq!(retired["bundle"]["retiredReason"], "season over");
    done(
        &world,
        &ops,
        "activateBundle",
        json!({ "bundleId": "BREAKFAST" }),
    )
    .await;
    let unknown = give(
        &world,
        &ops,
        "activateBundle",
        json!({ "bundleId": "NOBODY" }),
    )
    .await;
    assert_eq!(codes(&unknown), ["BUNDLE_NOT_FOUND"]);
    assert_eq!(unknown["problems"][0]["path"], json!(["input", "bundleId"]));
    let shown = "{ bundle(id: \"BREAKFAST\") { definitionVersion } none: bundle(id: \"x\") { id }
        bundles(filter: { isActive: true }) { edges { node { id priority } } } }";
    assert_eq!(
        world.query(shown, json!({})).await.json()["data"],
        json!({ "bundle": { "definitionVersion": 2 }, "none": null,
            "bundles": { "edges": [{ "node": { "id": "BREAKFAST", "priority": 7 } }] } })
    );
}

#[tokio::test]
async fn a_definition_is_refused_with_every_reason() {
    let world = World::new();
    let ops = world.token(Role::Ops, &[]);
    let define = json!({ "bundleId": "BREAKFAST", "definition": breakfast() });
    done(&world, &ops, "defineBundle", define).await;
    let wrong = with(
        breakfast(),
        json!({ "sku": "", "stores": ["CFR001", "Bangkok"], "pricing": { "freeComponents": [-1, 70000] },
            "schedule": { "weekdays": [1, -3], "hours": { "from": -1, "to": 60 } } }),
    );
    let refused = give(
        &world,
        &ops,
        "defineBundle",
        json!({ "bundleId": "small", "definition": wrong }),
    )
    .await;
    let problems = refused["problems"].as_array().unwrap();
    let paths: Vec<String> = problems.iter().map(|p| path(&p["path"])).collect();
    for expected in [
        "input.bundleId",
        "input.definition.sku",
        "input.definition.stores.1",
        "input.definition.pricing.freeComponents.0",
        "input.definition.pricing.freeComponents.1",
        "input.definition.schedule.weekdays.1",
        "input.definition.schedule.hours.from",
    ] {
        assert!(
            paths.iter().any(|p| p == expected),
            "{expected} in {paths:?}"
        );
    }
}

fn path(segments: &Value) -> String {
    let segments = segments.as_array().into_iter().flatten();
    let words: Vec<&str> = segments.map(|s| s.as_str().unwrap()).collect();
    words.join(".")
}

#[tokio::test]
async fn a_price_comes_about_in_exactly_one_way() {
    let world = World::new();
    for pricing in [
        json!({}),
        json!({ "fixedPrice": null }),
        json!({ "fixedPrice": "89.00", "percentOff": "0.1" }),
        json!({ "fixedPrice": "89.00", "percentOff": null }),
    ] {
        let input = json!({ "commandId": uuid::Uuid::now_v7(), "bundleId": "B",
            "definition": with(breakfast(), json!({ "pricing": pricing })) });
        let query = talk::operation("defineBundle");
        let answer = world.query(&query, json!({ "input": input })).await;
        assert_eq!(answer.code(), "INVALID_INPUT", "{pricing}: {}", answer.body);
        let path = &answer.json()["errors"][0]["extensions"]["inputPath"];
        assert!(
            path.as_str()
                .unwrap()
                .starts_with("input.definition.pricing"),
            "{path}"
        );
    }
}
