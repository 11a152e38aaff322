//! Persons: erased for good on request, and in no log line or figure at any time.

use e2e::{Api, orders};
use serde_json::{Value, json};

use super::support::{
    World, ask, command, done, input, merged, mutation, place_input, placed, problems, text, world,
    world_with,
};

/// Words that stand in what the test sends and nowhere else.
const SECRETS: [&str; 8] = [
    "สมหญิง",
    "0000042",
    "somying",
    "Hidden Lane",
    "hidden-42.jpg",
    "13.7563",
    "100.5018",
    "Rider Name",
];

fn proof() -> Value {
    json!({ "photo": "s3://proofs/hidden-42.jpg", "latitude": "13.7563", "longitude": "100.5018",
        "collectedBy": "Rider Name" })
}

/// An order of a customer, delivered and collected; its id and the last receipt.
async fn collected(world: &World, customer: &str) -> (String, Value) {
    let ops = world.caller("ops", &[]);
    let more = json!({ "customerId": customer, "contact": orders::contact() });
    let (id, _) = placed(&ops, more).await;
    let mut receipt = Value::Null;
    for (field, more) in [
        ("allocateOrder", json!({})),
        ("payOrder", json!({ "amount": "169.00" })),
        ("releaseOrder", json!({})),
        (
            "recordShipment",
            json!({ "status": "FULFILLED", "trackingId": "TRK-1", "carrier": "GRAB" }),
        ),
        (
            "collectCash",
            json!({ "amount": "169.00", "partnerId": "GRAB", "proof": proof() }),
        ),
    ] {
        receipt = done(&ops, field, input(&id, more)).await["receipt"].clone();
    }
    (id, receipt)
}

async fn shown(api: &Api, id: &str, receipt: &Value) -> Value {
    let query = "query($id: ID!, $fresh: Fresh!) { order(id: $id, fresh: $fresh) {
        totals { orderTotal } contact { state erased name phone email address { line1 } }
        collection { amount proof { state erased photo latitude longitude collectedBy } } } }";
    let fresh = json!({ "minPosition": receipt["position"], "waitMs": 1000 });
    api.graphql(query, json!({ "id": id, "fresh": fresh }))
        .await["order"]
        .clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_customer_is_erased_and_the_books_stay() {
    let world = world().await;
    let (id, receipt) = collected(&world, "C-1001").await;
    let (other, other_receipt) = collected(&world, "C-1002").await;
    let ops = world.caller("ops", &[]);
    let before = shown(&ops, &id, &receipt).await;
    assert_eq!(before["contact"]["name"], "สมหญิง ทดสอบระบบ");
    assert_eq!(before["collection"]["proof"]["collectedBy"], "Rider Name");
    let hidden = shown(&world.caller("auditor", &[]), &id, &receipt).await;
    assert_eq!(hidden["contact"]["state"], "HIDDEN");
    assert_eq!(hidden["collection"]["proof"]["state"], "HIDDEN");
    assert_eq!(hidden["collection"]["proof"]["photo"], Value::Null);

    let forget = json!({ "customerId": "C-1001" });
    let refused = command(&ops, "forgetCustomer", forget.clone()).await;
    assert_eq!(problems(&refused), [("AUTH_002".into(), String::new())]);
    let forgotten = command(&world.admin, "forgetCustomer", forget.clone()).await;
    assert_eq!(forgotten["problems"], json!([]));
    assert_eq!(forgotten["erasure"]["keysDestroyed"], 1);
    let after = shown(&ops, &id, &receipt).await;
    assert_eq!(
        after["contact"],
        json!({ "state": "ERASED", "erased": true, "name": null, "phone": null, "email": null, "address": null })
    );
    assert_eq!(
        after["collection"]["proof"],
        json!({ "state": "ERASED", "erased": true, "photo": null, "latitude": null, "longitude": null,
            "collectedBy": null })
    );
    assert_eq!(after["totals"], before["totals"]);
    assert_eq!(after["collection"]["amount"], "169.0000");
    let still = shown(&ops, &other, &other_receipt).await;
    assert_eq!(still["contact"]["state"], "VISIBLE");
    let again = command(&world.admin, "forgetCustomer", forget).await;
    assert_eq!(again["erasure"]["keysDestroyed"], 0);
    // The order lives on, and whatever it is sent later is sealed anew.
    let back = json!({ "reason": "cold" });
    done(
        &ops,
        "recordDelivery",
        input(&id, json!({ "status": "DELIVERED" })),
    )
    .await;
    done(&ops, "requestReturn", input(&id, back)).await;
    world.program.run(&["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_line_and_no_figure_holds_a_person() {
    let world = world_with([
        ("LEDGER_PROCESSES", "true".to_owned()),
        ("LEDGER_LOG_LEVEL", "trace".to_owned()),
    ])
    .await;
    let (id, receipt) = collected(&world, "C-1001").await;
    let seen = shown(&world.admin, &id, &receipt).await.to_string();
    for secret in SECRETS {
        assert!(
            seen.contains(secret),
            "{secret} is what the order shows to whoever may see it"
        );
    }
    // Refused ones too, in every way: a rule, a form, a shape, a dead letter.
    let refused =
        json!({ "contact": orders::contact(), "customerId": "C-1001", "storeId": "CFR009" });
    let order = place_input(refused);
    command(&world.admin, "placeOrder", order.clone()).await;
    let mut message = merged(&order, json!({ "source": "test", "messageId": "M-1" }));
    message.as_object_mut().unwrap().remove("commandId");
    command(&world.admin, "submitOrder", message).await;
    let bad = json!({ "amount": "1.001", "partnerId": "grab", "proof": proof() });
    command(&world.admin, "collectCash", input(&id, bad)).await;
    let shape = json!({ "amount": 7, "partnerId": "GRAB", "proof": proof() });
    let query = mutation("collectCash");
    ask(&world.admin, &query, json!({ "input": input(&id, shape) })).await;
    let forget = json!({ "customerId": "C-1001" });
    command(&world.admin, "forgetCustomer", forget).await;

    let log = world.program.log();
    assert!(log.len() > 10_000, "everything is logged: {}", log.len());
    let metrics = text(&world.program.api("").get("/metrics").await);
    for secret in SECRETS {
        assert!(!log.contains(secret), "{secret} is in the log");
        assert!(!metrics.contains(secret), "{secret} is in a figure");
    }
    assert!(!metrics.contains(&id) && !metrics.contains("C-1001"));
}
