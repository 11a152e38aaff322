//! Retries, reused ids, versions, taken references, and every broken rule at once.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::support::{command, done, input, merged, place_input, placed, problems, world};

const CALLERS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_command_answers_with_its_first_receipt() {
    let world = world().await;
    let place = place_input(json!({}));
    let racing = (0..CALLERS).map(|_| done(&world.admin, "placeOrder", place.clone()));
    let receipts: Vec<Value> = join_all(racing)
        .await
        .into_iter()
        .map(|payload| payload["receipt"].clone())
        .collect();
    let first = receipts.iter().filter(|r| r["replayed"] == false);
    assert_eq!(first.count(), 1);
    for receipt in &receipts {
        assert_eq!(
            merged(receipt, json!({ "replayed": true })),
            merged(&receipts[0], json!({ "replayed": true }))
        );
    }
    assert_eq!(world.events().await, 1);

    let id = receipts[0]["orderId"].as_str().unwrap();
    let allocate = input(id, json!({}));
    let first = done(&world.admin, "allocateOrder", allocate.clone()).await;
    done(
        &world.admin,
        "cancelOrder",
        input(id, json!({ "reason": "changed" })),
    )
    .await;
    let again = done(&world.admin, "allocateOrder", allocate).await;
    assert_eq!(
        again["receipt"],
        merged(&first["receipt"], json!({ "replayed": true }))
    );
    assert_eq!(
        again["order"]["status"], "CANCELLED",
        "the order as it is now"
    );
    assert_eq!(world.events().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_id_names_one_command() {
    let world = world().await;
    let (id, receipt) = placed(&world.admin, json!({})).await;
    let reused = json!({ "commandId": receipt["commandId"] });
    let others = [
        (
            "placeOrder",
            place_input(merged(&reused, json!({ "channel": "WEB" }))),
        ),
        ("allocateOrder", input(&id, reused.clone())),
        (
            "cancelOrder",
            input(&id, merged(&reused, json!({ "reason": "x" }))),
        ),
    ];
    for (field, input) in others {
        let refused = command(&world.admin, field, input).await;
        assert_eq!(
            problems(&refused),
            [("COMMAND_REUSED".into(), "input.commandId".into())],
            "{field}"
        );
        assert_eq!(refused["problems"][0]["__typename"], "CommandReused");
        assert_eq!(refused["problems"][0]["retryable"], false);
    }
    assert_eq!(world.events().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outdated_expectation_is_a_typed_conflict() {
    let world = world().await;
    let (id, _) = placed(&world.admin, json!({})).await;
    let at_1 = json!({ "expectedVersion": 1 });
    done(&world.admin, "allocateOrder", input(&id, at_1.clone())).await;
    let late = merged(&at_1, json!({ "reason": "late" }));
    let refused = command(&world.admin, "cancelOrder", input(&id, late)).await;
    let problem = &refused["problems"][0];
    assert_eq!(problem["__typename"], "VersionConflict");
    assert_eq!(problem["code"], "VERSION_CONFLICT");
    assert_eq!(problem["path"], json!(["input", "expectedVersion"]));
    assert_eq!(
        (&problem["expected"], &problem["actual"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(refused["order"], Value::Null);
    assert_eq!(world.events().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_number_or_reference_names_its_holder() {
    let world = world().await;
    let number = "QC-2026-01-31-000042";
    let taken = json!({ "alternateOrderId": "GF-7", "number": number });
    let (id, _) = placed(&world.admin, taken).await;
    for (more, value) in [
        (json!({ "alternateOrderId": "GF-7" }), "GF-7"),
        (json!({ "number": number }), number),
    ] {
        let other_basket = merged(&more, json!({ "allowSubstitution": true }));
        let refused = command(&world.admin, "placeOrder", place_input(other_basket)).await;
        let problem = &refused["problems"][0];
        assert_eq!(
            (&problem["__typename"], &problem["code"]),
            (&json!("OrderExists"), &json!("ORD_002"))
        );
        assert_eq!(
            (&problem["orderId"], &problem["value"]),
            (&json!(id), &json!(value))
        );
    }
    // Who may not see that order is not told which it is.
    let elsewhere = world.caller("channel", &["CFR002"]);
    for (more, value) in [
        (json!({ "alternateOrderId": "GF-7" }), "GF-7"),
        (json!({ "number": number }), number),
    ] {
        let theirs = merged(&more, json!({ "storeId": "CFR002" }));
        let refused = command(&elsewhere, "placeOrder", place_input(theirs)).await;
        let problem = &refused["problems"][0];
        assert_eq!(
            (&problem["code"], &problem["orderId"], &problem["value"]),
            (&json!("ORD_002"), &Value::Null, &json!(value))
        );
        let message = problem["message"].as_str().unwrap();
        assert!(message.contains("another order") && !message.contains(&id));
    }
    // The same reference in another channel is another order's.
    placed(
        &world.admin,
        json!({ "alternateOrderId": "GF-7", "channel": "WEB" }),
    )
    .await;
    assert_eq!(world.events().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_broken_rules_are_reported_at_once() {
    let world = world().await;
    let lines = json!([
        { "lineNumber": 1, "sku": "8850999220017", "quantity": "0", "unitPrice": "45.00" },
        { "lineNumber": 1, "sku": "", "quantity": "1.5", "unitPrice": "-1.00" },
    ]);
    let wrong = json!({
        "number": "42", "channel": "PIGEON", "storeId": "CFR777", "isForceAllocation": false,
        "t1MembershipId": "x".repeat(21), "t1Number": "y".repeat(21), "custRef": "z".repeat(51),
        "customerId": "\u{7}", "contact": { "email": "no address" }, "lines": lines,
        "paymentMethod": "GOLD", "fees": [{ "kind": "", "amount": "-1" }],
        "requestedSlot": { "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z" },
    });
    let refused = command(&world.admin, "placeOrder", place_input(wrong)).await;
    let found = problems(&refused);
    for expected in [
        ("ERR_INVALID_ORDER_ID", "input.number"),
        ("VAL_001", "input.channel"),
        ("ERR_INVALID_LOCATION", "input.storeId"),
        ("ERR_FORCE_ALLOCATION_REQUIRED", "input.isForceAllocation"),
        ("ERR_INVALID_T1_MEMBER", "input.t1MembershipId"),
        ("ERR_INVALID_T1_NUMBER", "input.t1Number"),
        ("ERR_INVALID_CUST_REF", "input.custRef"),
        ("ERR_INVALID_CUSTOMER", "input.customerId"),
        ("VAL_001", "input.contact.email"),
        ("ERR_INVALID_LINE_ITEM", "input.lines.0.quantity"),
        ("ERR_INVALID_LINE_ITEM", "input.lines.1.lineNumber"),
        ("ERR_INVALID_LINE_ITEM", "input.lines.1.sku"),
        ("ERR_INVALID_LINE_ITEM", "input.lines.1.quantity"),
        ("ERR_INVALID_LINE_ITEM", "input.lines.1.unitPrice"),
        ("ERR_INVALID_PAYMENT_METHOD", "input.paymentMethod"),
        ("VAL_001", "input.fees.0.kind"),
        ("VAL_001", "input.fees.0.amount"),
        ("VAL_001", "input.requestedSlot.to"),
    ] {
        assert!(
            found.contains(&(expected.0.into(), expected.1.into())),
            "{expected:?} in {found:?}"
        );
    }
    assert_eq!(world.events().await, 0);
}
