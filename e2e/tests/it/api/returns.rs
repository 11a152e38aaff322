//! Goods that come back and money that is given back, each step by who takes it in life.

use e2e::Api;
use serde_json::{Value, json};

use super::support::{World, command, done, input, placed, problems, world};

/// An order of 169.00 that is delivered and whose cash the rider has; its id.
async fn sold(world: &World) -> String {
    let ops = world.caller("ops", &[]);
    let (id, _) = placed(&ops, json!({})).await;
    for (field, more) in [
        ("allocateOrder", json!({})),
        ("payOrder", json!({ "amount": "169.00" })),
        ("releaseOrder", json!({})),
        (
            "recordShipment",
            json!({ "status": "FULFILLED", "trackingId": "TRK-1", "carrier": "GRAB" }),
        ),
        ("recordDelivery", json!({ "status": "DELIVERED" })),
        (
            "collectCash",
            json!({ "amount": "169.00", "partnerId": "GRAB", "proof": { "signature": "s3://s/1" } }),
        ),
    ] {
        done(&ops, field, input(&id, more)).await;
    }
    id
}

async fn refunds(api: &Api, id: &str, receipt: &Value) -> Value {
    let query = "query($id: ID!, $fresh: Fresh!) { order(id: $id, fresh: $fresh) { status paymentStatus
        refunds { promised refunded owed } returns { cause refund waived receivedAt lines { lineNumber quantity value } }
        lines { lineNumber returnedQuantity deliveredQuantity } } }";
    let fresh = json!({ "minPosition": receipt["position"], "waitMs": 1000 });
    api.graphql(query, json!({ "id": id, "fresh": fresh }))
        .await["order"]
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_and_then_the_rest_comes_back_and_is_refunded() {
    let world = world().await;
    let id = sold(&world).await;
    let manager = world.caller("store-manager", &["CFR001"]);
    let service = world.caller("customer-service", &[]);
    let staff = world.caller("store-staff", &["CFR001"]);
    let one = json!({ "reason": "broken", "lines": [{ "lineNumber": 2, "quantity": "1" }] });
    done(&service, "requestReturn", input(&id, one)).await;
    let much = json!({ "reason": "broken", "lines": [{ "lineNumber": 2, "quantity": "2" }] });
    let refused = command(&service, "requestReturn", input(&id, much)).await;
    assert_eq!(problems(&refused)[0].0, "ERR_INVALID_LINE_ITEM");
    done(&staff, "receiveReturn", input(&id, json!({}))).await;
    let paid = done(
        &manager,
        "refundOrder",
        input(&id, json!({ "amount": "62.00", "reference": "K-1" })),
    )
    .await;
    assert_eq!(
        paid["order"]["refunds"],
        json!({ "promised": "62.0000", "refunded": "62.0000", "owed": "0.0000" })
    );
    let more = command(
        &manager,
        "refundOrder",
        input(&id, json!({ "amount": "0.01" })),
    )
    .await;
    assert_eq!(problems(&more), [("VAL_001".into(), "input.amount".into())]);

    done(
        &service,
        "requestReturn",
        input(&id, json!({ "reason": "cold" })),
    )
    .await;
    done(&staff, "receiveReturn", input(&id, json!({}))).await;
    let last = done(
        &manager,
        "refundOrder",
        input(&id, json!({ "amount": "107.00" })),
    )
    .await;
    let order = refunds(&manager, &id, &last["receipt"]).await;
    assert_eq!(
        (&order["status"], &order["paymentStatus"]),
        (&json!("RETURNED"), &json!("REFUNDED"))
    );
    assert_eq!(
        order["refunds"],
        json!({ "promised": "169.0000", "refunded": "169.0000", "owed": "0.0000" })
    );
    let values: Vec<&Value> = order["returns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["refund"])
        .collect();
    assert_eq!(values, [&json!("62.0000"), &json!("107.0000")]);
    assert!(
        order["lines"]
            .as_array()
            .unwrap()
            .iter()
            .all(|l| l["returnedQuantity"] == l["deliveredQuantity"])
    );
    the_store_paid(&manager, &last["receipt"]).await;
}

/// The rider still has what was collected; the store gave all of it back.
async fn the_store_paid(reader: &Api, receipt: &Value) {
    let query = "query($fresh: Fresh!) { cashBalances(fresh: $fresh) { total balances { account amount } } }";
    let fresh = json!({ "minPosition": receipt["position"], "waitMs": 1000 });
    let books = reader.graphql(query, json!({ "fresh": fresh })).await;
    assert_eq!(
        books["cashBalances"],
        json!({ "total": "0.0000", "balances": [
            { "account": "RIDER", "amount": "169.0000" },
            { "account": "STORE", "amount": "-169.0000" },
        ] })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_that_nobody_takes_go_back_and_nothing_is_due() {
    let world = world().await;
    let ops = world.caller("ops", &[]);
    let pmp = world.caller("pmp", &[]);
    let (id, _) = placed(&ops, json!({})).await;
    for (field, more) in [
        ("allocateOrder", json!({})),
        ("payOrder", json!({ "amount": "169.00" })),
        ("releaseOrder", json!({})),
        (
            "recordShipment",
            json!({ "status": "FULFILLED", "trackingId": "TRK-1", "carrier": "GRAB" }),
        ),
    ] {
        done(&ops, field, input(&id, more)).await;
    }
    let none = json!({ "reason": "no cash at hand" });
    let failed = done(&pmp, "failCollection", input(&id, none)).await;
    assert_eq!(failed["order"]["collection"]["status"], "FAILED");
    let mut last = Value::Null;
    for attempt in 1..=3 {
        let attempt = json!({ "attemptId": format!("A-{attempt}"), "reason": "nobody there", "trackingId": "TRK-1" });
        last = done(&pmp, "recordFailedDelivery", input(&id, attempt)).await;
    }
    assert_eq!(last["order"]["status"], "PENDING_RETURN");
    assert_eq!(last["order"]["cashDue"], "0.0000");
    let staff = world.caller("store-staff", &["CFR001"]);
    let back = done(&staff, "receiveReturn", input(&id, json!({}))).await;
    let order = refunds(&staff, &id, &back["receipt"]).await;
    assert_eq!(order["status"], "RETURNED");
    assert_eq!(order["returns"][0]["cause"], "UNDELIVERED");
    assert_eq!(order["returns"][0]["waived"], "169.0000");
    assert_eq!(order["refunds"]["owed"], "0.0000");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_change_before_the_release_and_cash_is_set_right_by_operations() {
    let world = world().await;
    let manager = world.caller("store-manager", &["CFR001"]);
    let ops = world.caller("ops", &[]);
    let grab = world.caller("grab", &[]);
    let (id, _) = placed(&manager, json!({})).await;
    let more = json!({ "reason": "one more", "lines": [{ "lineNumber": 1, "quantity": "2" }] });
    let changed = done(&manager, "changeLines", input(&id, more.clone())).await;
    assert_eq!(changed["order"]["cashDue"], "214.0000");
    for (field, more) in [
        ("allocateOrder", json!({})),
        ("payOrder", json!({ "amount": "214.00" })),
        ("releaseOrder", json!({})),
    ] {
        done(&ops, field, input(&id, more)).await;
    }
    let late = command(&manager, "changeLines", input(&id, more)).await;
    assert_eq!(
        problems(&late),
        [("ERR_ORDER_NOT_MODIFIABLE".into(), String::new())]
    );
    assert_eq!(late["problems"][0]["status"], 403);
    let shipped = json!({ "status": "FULFILLED", "trackingId": "TRK-1", "carrier": "GRAB" });
    done(&ops, "recordShipment", input(&id, shipped)).await;
    let cash = json!({ "amount": "24.00", "partnerId": "GRAB", "proof": { "photo": "s3://p/1" } });
    done(&grab, "collectCash", input(&id, cash.clone())).await;
    let again = done(&grab, "collectCash", input(&id, cash)).await;
    assert_eq!(
        again["receipt"]["eventIds"],
        json!([]),
        "the same news changes nothing"
    );
    let other =
        json!({ "amount": "214.00", "partnerId": "GRAB", "proof": { "photo": "s3://p/1" } });
    let refused = command(&grab, "collectCash", input(&id, other)).await;
    assert_eq!(problems(&refused)[0].0, "ERR_INVALID_TRANSITION");
    let right = json!({ "amount": "214.00", "reason": "a digit was lost" });
    let right = done(&ops, "correctCollection", input(&id, right)).await;
    let cash = json!({ "status": "COLLECTED", "amount": "214.0000", "discrepancy": "0.0000" });
    assert_eq!(right["order"]["collection"], cash);
}
